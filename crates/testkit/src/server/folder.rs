//! The folder of one server, outside the checkout.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::process::{as_root, run, signal};

/// The start of every such folder's name; the process id, a random number and a label follow.
const PREFIX: &str = "guichet-test-";
/// The start of its name until it is locked; such a folder is empty and is never swept.
const NEW: &str = "guichet-new-";
/// The file in it that its owner keeps locked for life.
///
/// A lock and not a process id: the kernel takes it away with the process, it is seen from other process namespaces
/// (containers that share the temporary folder), and no later process can bear it by chance.
const LOCK: &str = "owner.lock";

/// A folder under the system's temporary folder that is removed when the value is dropped.
///
/// Its path is short (unix sockets allow 107 bytes) and everybody may enter it, since servers run as users of their
/// own.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Closed, and so unlocked, after the folder is gone. Programs that we start do not inherit it.
    _lock: File,
}

impl Folder {
    /// Creates a folder that is empty but for its lock; `label` ends its name.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new(label: &str) -> Result<Self> {
        let rest = format!("{}-{:08x}-{label}", std::process::id(), rand::random::<u32>());
        let (new, path) = (
            std::env::temp_dir().join(format!("{NEW}{rest}")),
            std::env::temp_dir().join(format!("{PREFIX}{rest}")),
        );
        fs::create_dir(&new).with_context(|| format!("creating {}", new.display()))?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        let lock = File::create(new.join(LOCK))?;
        lock.lock().with_context(|| format!("locking {}", new.display()))?;
        // Only now can it be taken for one that a test left behind.
        fs::rename(&new, &path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// Removes the folders that killed test processes have left, and ends the servers that still run in them. Those of
    /// test processes that live, also of other checkouts and containers, are left alone.
    pub fn sweep() {
        for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
                && let Some(lock) = abandoned(&path)
            {
                println!("removing {}, left by a test that was killed", path.display());
                end_servers(&path);
                drop(Self { path, _lock: lock });
            }
        }
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of something in the folder.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file and returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Creates a folder in the folder, owned by `owner` (a user name), or by ourselves when that is `None`.
    ///
    /// # Errors
    /// When it exists, or the owner is unknown.
    pub fn folder(&self, name: &str, owner: Option<&str>) -> Result<PathBuf> {
        let path = self.join(name);
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        if let Some(owner) = owner {
            run(as_root("chown").arg(owner).arg(&path))?;
        }
        Ok(path)
    }

    /// The last lines of a log in the folder, printed by a server that is dropped while a test panics.
    pub(super) fn print_tail_on_panic(&self, log: &str) {
        const LINES: usize = 60;
        if !std::thread::panicking() {
            return;
        }
        let path = self.join(log);
        let text = fs::read(&path).or_else(|_| run(as_root("cat").arg(&path)).map(String::into_bytes));
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        eprintln!("--- the end of {}", path.display());
        lines.iter().skip(lines.len().saturating_sub(LINES)).for_each(|line| eprintln!("{line}"));
    }
}

/// The lock of a folder whose owner is gone, taken so that no other sweep meets this one. None in doubt.
fn abandoned(folder: &Path) -> Option<File> {
    let lock = File::open(folder.join(LOCK)).ok()?;
    match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// Ends the servers whose process files lie in `folder` and whose working folder is in it: a process id alone may
/// belong to somebody else by now.
fn end_servers(folder: &Path) {
    for file in ["data/postmaster.pid", "queue/pid/master.pid", "run/master.pid"] {
        let text = run(as_root("cat").arg(folder.join(file))).unwrap_or_default();
        let Some(Ok(pid)) = text.lines().next().map(|line| line.trim().parse::<u32>()) else {
            continue;
        };
        let home = run(as_root("readlink").arg(format!("/proc/{pid}/cwd"))).unwrap_or_default();
        if Path::new(home.trim()).starts_with(folder) {
            let _ = signal(pid, "KILL");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("GUICHET_TEST_KEEP").is_some() {
            eprintln!("kept {}", self.path.display());
        } else if fs::remove_dir_all(&self.path).is_err() {
            // What a server's own user or root made there.
            let _ = run(as_root("rm").arg("-rf").arg(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_abandoned() -> Result<()> {
        let held = Folder::new("held")?;
        assert!(abandoned(held.path()).is_none());
        Folder::sweep();
        assert!(held.path().exists());
        let left = tempfile::tempdir()?;
        assert!(abandoned(left.path()).is_none(), "a folder without a lock is not ours");
        File::create(left.path().join(LOCK))?;
        let first = abandoned(left.path());
        assert!(first.is_some());
        assert!(abandoned(left.path()).is_none(), "one sweep at a time");
        Ok(())
    }
}
