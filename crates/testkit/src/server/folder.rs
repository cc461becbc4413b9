//! The folder of one server, outside the checkout.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use super::process::{as_root, run, signal};

/// The start of every such folder's name; the process id and a number follow.
const PREFIX: &str = "guichet-test";

/// A folder under the system's temporary folder that is removed when the value is dropped.
///
/// Its path is short (unix sockets allow 107 bytes) and everybody may enter it, since servers run as users of their
/// own.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates an empty folder; `label` ends its name.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new(label: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}-{label}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("creating {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self { path })
    }

    /// Removes the folders that killed test processes have left, and ends the servers that still run in them.
    pub fn sweep() {
        for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_prefix('-'));
            let Some((pid, _)) = rest.and_then(|rest| rest.split_once('-')) else {
                continue;
            };
            if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
                println!("removing {}, left by process {pid}", entry.path().display());
                end_servers(&entry.path());
                drop(Self { path: entry.path() });
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
