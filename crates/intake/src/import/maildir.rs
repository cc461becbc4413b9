//! Mails of a Maildir: one file each in `cur` and `new`, in the order of their delivery.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::source::{Found, Skip, Source, read_file};

/// What a file's name says of its mail (`:2,` and letters; some systems write `;2,` or `!2,`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// D: never sent.
    pub is_draft: bool,
    /// T: in the trash.
    pub is_trashed: bool,
}

impl Flags {
    /// The flags in a file's name; none where it has none.
    #[must_use]
    pub fn of(name: &str) -> Flags {
        let letters = [":2,", ";2,", "!2,"]
            .iter()
            .find_map(|mark| name.rsplit_once(mark))
            .map_or("", |(_, letters)| letters);
        Flags { is_draft: letters.contains('D'), is_trashed: letters.contains('T') }
    }
}

/// When a file was delivered, seconds, by the number its name begins with; files without one come last.
#[must_use]
pub fn delivered_at(name: &str) -> u64 {
    let digits = name.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(u64::MAX)
}

/// The mails of a Maildir.
#[derive(Debug)]
pub struct Maildir {
    files: std::vec::IntoIter<PathBuf>,
    length: u64,
    limit_bytes: u64,
    position: u64,
}

impl Maildir {
    /// Lists a Maildir, and with `with_subfolders` every Maildir below it (`.Sub/cur`, or `Sub/cur`), in the order of
    /// delivery over all of them.
    ///
    /// # Errors
    /// When it cannot be listed, or has neither `cur` nor `new` (subfolders count when they are asked for).
    pub fn open(path: &Path, with_subfolders: bool, limit_bytes: u64) -> io::Result<Maildir> {
        let mut files: Vec<(u64, String, PathBuf)> = Vec::new();
        let mut folders = vec![path.to_owned()];
        let mut has_any = false;
        while let Some(folder) = folders.pop() {
            for name in ["new", "cur"] {
                let part = folder.join(name);
                if part.is_dir() {
                    has_any = true;
                    list(&part, &mut files)?;
                }
            }
            if with_subfolders {
                folders.extend(subfolders(&folder)?);
            }
        }
        if !has_any {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "it has neither cur nor new, as a Maildir has",
            ));
        }
        files.sort();
        let files: Vec<PathBuf> = files.into_iter().map(|(.., path)| path).collect();
        Ok(Maildir { length: files.len() as u64, files: files.into_iter(), limit_bytes, position: 0 })
    }
}

impl Iterator for Maildir {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let path = self.files.next()?;
        self.position += 1;
        let flags = path.file_name().map(|name| Flags::of(&name.to_string_lossy())).unwrap_or_default();
        let mail = match flags {
            Flags { is_trashed: true, .. } => Err(Skip::Trashed),
            Flags { is_draft: true, .. } => Err(Skip::Draft),
            _ => read_file(&path, self.limit_bytes),
        };
        Some(Found { place: path.display().to_string(), mail, position: self.position })
    }
}

impl Source for Maildir {
    fn length(&self) -> Option<u64> {
        Some(self.length)
    }

    fn is_in_bytes(&self) -> bool {
        false
    }
}

fn list(folder: &Path, files: &mut Vec<(u64, String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Servers keep files of their own there, all with a dot in front.
        if !name.starts_with('.') && !entry.file_type()?.is_dir() {
            files.push((delivered_at(&name), name, entry.path()));
        }
    }
    Ok(())
}

/// Folders that may be Maildirs of their own. Links are not followed, so there are no cycles.
fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_part = ["cur", "new", "tmp"].iter().any(|name| entry.file_name() == *name);
        if !is_part && entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_flags_and_the_time_of_delivery() {
        struct Case {
            name: &'static str,
            is_draft: bool,
            is_trashed: bool,
            at: u64,
        }
        fn usual() -> Case {
            Case { name: "", is_draft: false, is_trashed: false, at: u64::MAX }
        }

        for Case { name, is_draft, is_trashed, at } in [
            Case { name: "1525334400.M1P2.host:2,S", at: 1_525_334_400, ..usual() },
            Case { name: "1525334400.M1P2.host:2,DS", is_draft: true, at: 1_525_334_400, ..usual() },
            Case { name: "1525334400.M1P2.host,S=12:2,FST", is_trashed: true, at: 1_525_334_400, ..usual() },
            Case { name: "7;2,T", is_trashed: true, at: 7, ..usual() },
            Case { name: "7!2,D", is_draft: true, at: 7, ..usual() },
            Case { name: "1525334400.DT.host", at: 1_525_334_400, ..usual() },
            Case { name: "DT", ..usual() },
            Case { name: "99999999999999999999999:2,", ..usual() },
            Case { name: "", ..usual() },
        ] {
            assert_eq!((Flags::of(name), delivered_at(name)), (Flags { is_draft, is_trashed }, at), "{name}");
        }
    }

    #[test]
    fn mails_come_in_the_order_of_delivery_and_subfolders_when_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("cur/20.b:2,S", "Subject: second\n\n"),
            ("new/10.a", "Subject: first\n\n"),
            ("cur/30.c:2,T", "Subject: trash\n\n"),
            ("cur/31.d:2,D", "Subject: draft\n\n"),
            ("cur/40.e", "no mail at all"),
            ("cur/.index", "of the server"),
            ("tmp/1.z", "Subject: half\n\n"),
            (".Sent/cur/15.f", "Subject: sent\n\n"),
            ("Lists/cur/16.g", "Subject: list\n\n"),
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let read = |with_subfolders| -> Vec<String> {
            let maildir = Maildir::open(folder.path(), with_subfolders, 1_000).unwrap();
            let told = maildir.map(|found| match found.mail {
                Ok(mail) => String::from_utf8(mail.raw).unwrap().trim().replace("Subject: ", ""),
                Err(skip) => skip.to_string(),
            });
            told.collect()
        };
        let [trash, draft, none] =
            ["it is in the trash", "it is a draft", "it has no header: this is no mail"];
        assert_eq!(read(false), ["first", "second", trash, draft, none]);
        assert_eq!(read(true), ["first", "sent", "list", "second", trash, draft, none]);
        assert!(Maildir::open(&folder.path().join("tmp"), false, 1_000).is_err());
    }
}
