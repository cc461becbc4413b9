//! One running desk per embedded database: a lock that the operating system takes back when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::config::Loaded;
use crate::failure::{Doing as _, Failure, Result};

/// Held as long as the desk runs.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

/// Takes the lock of an embedded database; PostgreSQL is shared by leases and needs none.
///
/// # Errors
/// When another process runs the same desk.
pub(super) fn take(loaded: &Loaded) -> Result<Lock> {
    let Some(database) = loaded.config.sqlite_file(&loaded.data) else { return Ok(Lock { _file: None }) };
    let path = lock_path(&database);
    if let Some(folder) = path.parent() {
        store::folder::make(folder).doing(&format!("the folder {} cannot be created", folder.display()))?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.doing(&format!("the lock {} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: Some(file) }),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            format!("a desk is already running on {}", database.display()),
            "only one process can use an embedded database",
            "stop the other one, name another folder with --data, or use PostgreSQL for several processes",
        )),
        Err(TryLockError::Error(error)) => {
            Err(Failure::of(format!("{} cannot be locked", path.display()), &error))
        }
    }
}

/// Whether a desk is running on an embedded database; none when that cannot be determined.
pub(crate) fn is_running(loaded: &Loaded) -> Option<bool> {
    let database = loaded.config.sqlite_file(&loaded.data)?;
    match File::open(lock_path(&database)) {
        Ok(file) => Some(matches!(file.try_lock(), Err(TryLockError::WouldBlock))),
        Err(_) => Some(false),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::{Sources, load};

    #[test]
    fn a_second_desk_on_the_same_database_is_refused_until_the_first_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load(&Sources { data: Some(folder.path().join("data")), ..Sources::default() }).unwrap();
        assert_eq!(is_running(&loaded), Some(false));
        let first = take(&loaded).unwrap();
        assert_eq!(is_running(&loaded), Some(true));
        let refused = take(&loaded).unwrap_err();
        assert!(
            refused.what.starts_with("a desk is already running on ") && refused.what.ends_with("guichet.db"),
            "{refused:?}"
        );
        drop(first);
        assert!(take(&loaded).is_ok());
    }

    #[test]
    fn postgresql_needs_no_lock() {
        let flags = vec!["store.url=postgres://localhost/guichet".to_owned()];
        let loaded = load(&Sources { data: Some("/nowhere".into()), flags, ..Sources::default() }).unwrap();
        let _first = take(&loaded).unwrap();
        assert!(take(&loaded).is_ok());
        assert_eq!(is_running(&loaded), None);
    }
}
