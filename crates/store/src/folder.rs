//! Folders and files that only the desk's own user may read: they hold mail and signing keys.

use std::io;
use std::path::Path;

/// Makes a folder and those above it that are missing, readable by this user alone. One that is there stays as it is.
///
/// # Errors
/// The operating system's.
pub fn make(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file readable by this user alone, unless it is there.
///
/// # Errors
/// The operating system's.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_can_read_what_is_made_here() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        make(&folder).unwrap();
        let file = folder.join("c");
        touch(&file).unwrap();
        touch(&file).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&outer.path().join("a")), mode(&folder), mode(&file)), (0o700, 0o700, 0o600));
    }
}
