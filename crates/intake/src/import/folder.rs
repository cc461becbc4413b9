//! Mails of a folder: `.eml` files, and those that MH names by numbers, in it and all folders below.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::source::{Found, Source, read_file};

/// The mails of a folder, by path, numbers in their own order.
#[derive(Debug)]
pub struct Folder {
    files: std::vec::IntoIter<PathBuf>,
    length: u64,
    limit_bytes: u64,
    position: u64,
}

impl Folder {
    /// Lists a folder and all below it; or takes one file, whatever its name.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn open(path: &Path, limit_bytes: u64) -> io::Result<Folder> {
        let mut files = Vec::new();
        if fs::metadata(path)?.is_dir() {
            let mut folders = vec![path.to_owned()];
            while let Some(folder) = folders.pop() {
                list(&folder, &mut folders, &mut files)?;
            }
        } else {
            files.push((path.to_owned(), 0, path.to_owned()));
        }
        files.sort();
        let files: Vec<PathBuf> = files.into_iter().map(|(.., path)| path).collect();
        Ok(Folder { length: files.len() as u64, files: files.into_iter(), limit_bytes, position: 0 })
    }
}

impl Iterator for Folder {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let path = self.files.next()?;
        self.position += 1;
        let mail = read_file(&path, self.limit_bytes);
        Some(Found { place: path.display().to_string(), mail, position: self.position })
    }
}

impl Source for Folder {
    fn length(&self) -> Option<u64> {
        Some(self.length)
    }

    fn is_in_bytes(&self) -> bool {
        false
    }
}

/// Adds what is in a folder. Links to folders are not followed, so there are no cycles.
fn list(
    folder: &Path,
    folders: &mut Vec<PathBuf>,
    files: &mut Vec<(PathBuf, u64, PathBuf)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            folders.push(path);
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_eml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("eml"));
        if is_eml || name.bytes().all(|byte| byte.is_ascii_digit()) {
            files.push((folder.to_owned(), name.parse().unwrap_or_default(), path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eml_and_mh_files_are_found_in_all_folders() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.eml", "a/z.EML", "a/b/c.eml", "notes.txt", "mh/10", "mh/9", "mh/.mh_sequences"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("Subject: {file}\n\n")).unwrap();
        }
        let read = |path: &Path| -> Vec<String> {
            let found = Folder::open(path, 1_000).unwrap();
            found
                .map(|found| {
                    String::from_utf8(found.mail.unwrap().raw).unwrap().trim().replace("Subject: ", "")
                })
                .collect()
        };
        assert_eq!(read(folder.path()), ["b.eml", "a/z.EML", "a/b/c.eml", "mh/9", "mh/10"]);
        assert_eq!(read(&folder.path().join("notes.txt")), ["notes.txt"]);
        assert!(Folder::open(&folder.path().join("nowhere"), 1_000).is_err());
    }
}
