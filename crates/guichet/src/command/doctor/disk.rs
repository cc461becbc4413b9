//! Is there room on the disk?

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::config::Loaded;

/// A desk should not run with less room than this.
const ROOM_KIB: u64 = 1_024 * 1_024;

pub(super) fn check(loaded: &Loaded) -> Finding {
    let data = &loaded.data;
    match free_kib(data) {
        Some(kib) if kib < ROOM_KIB => {
            let detail = format!("{} MiB are free below {}", kib / 1_024, data.display());
            Finding::warn(
                "disk",
                detail,
                "make room: when the disk is full, mail is refused with 451, and its senders try again",
            )
        }
        Some(kib) => {
            Finding::ok("disk", format!("{} GiB are free below {}", kib / 1_024 / 1_024, data.display()))
        }
        None => Finding::warn(
            "disk",
            format!("the free space below {} cannot be determined", data.display()),
            "make sure that the folder exists",
        ),
    }
}

/// Free space as reported by `df` (POSIX output: the fourth column of the second line).
fn free_kib(folder: &Path) -> Option<u64> {
    let output =
        Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_seen_where_there_is_a_folder() {
        assert!(free_kib(Path::new("/")).is_some());
        assert_eq!(free_kib(Path::new("/nowhere/at/all")), None);
    }
}
