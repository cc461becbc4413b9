//! A small disk in memory that can be filled and freed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testkit::server::{Folder, as_root, run};

/// A tmpfs; mounting it needs root, so a test that cannot is a failed test.
#[derive(Debug)]
pub struct SmallDisk {
    folder: Folder,
}

impl SmallDisk {
    /// Mounts an empty disk of `megabytes` that everybody may write to.
    ///
    /// # Errors
    /// When this user may not mount.
    pub fn mount(megabytes: u32) -> Result<Self> {
        let folder = Folder::new("disk")?;
        let options = format!("size={megabytes}m,mode=0777");
        run(as_root("mount").args(["-t", "tmpfs", "-o", &options, "guichet-test"]).arg(folder.path()))
            .context(
                "the test of a full disk mounts a small tmpfs and must be root (or have sudo) to do so",
            )?;
        Ok(Self { folder })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it up until only `left_kilobytes` are free.
    ///
    /// # Errors
    /// When less than that is free already.
    pub fn fill(&self, left_kilobytes: u64) -> Result<()> {
        let free = run(as_root("df").args(["--output=avail", "--block-size=1K"]).arg(self.path()))?;
        let free: u64 = free.lines().last().unwrap_or_default().trim().parse()?;
        let wanted = free.checked_sub(left_kilobytes).context("the disk is fuller than the test wants it")?;
        let mut file = File::create(self.ballast())?;
        let block = vec![0x55; 1024];
        (0..wanted).try_for_each(|_| file.write_all(&block)).context("filling the disk")
    }

    /// Frees what [`SmallDisk::fill`] took.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("freeing the disk")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that ends late may still hold a file on it.
        if let Err(error) = run(as_root("umount").arg("--lazy").arg(self.path())) {
            eprintln!("unmounting {}: {error:#}", self.path().display());
        }
    }
}
