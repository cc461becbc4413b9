//! A folder that is seen in a second place and can be taken away there, like a network share that is no longer mounted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testkit::server::{as_root, run};

/// A place at which another folder can be seen; what was mounted last is taken away when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    is_mounted: bool,
}

impl Place {
    /// Makes an empty folder at `path`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn make(path: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { path, is_mounted: false })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Shows another folder here, instead of what was shown before.
    ///
    /// # Errors
    /// When this user may not mount.
    pub(super) fn show(&mut self, folder: &Path) -> Result<()> {
        self.take_away()?;
        run(as_root("mount").arg("--bind").arg(folder).arg(&self.path))
            .context("the scene of broken blobs mounts folders and must be root (or have sudo) to do so")?;
        self.is_mounted = true;
        Ok(())
    }

    /// Takes away what is shown: what is left is the empty folder below.
    ///
    /// # Errors
    /// When this user may not.
    pub(super) fn take_away(&mut self) -> Result<()> {
        if self.is_mounted {
            // Lazily: a process may have a file open there.
            run(as_root("umount").arg("--lazy").arg(&self.path))?;
            self.is_mounted = false;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = self.take_away() {
            eprintln!("unmounting {}: {error:#}", self.path.display());
        }
    }
}
