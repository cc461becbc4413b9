//! Whole sessions as text: every file in `dialogues/` is played and must read the same afterwards.
//!
//! The notation is described in `dialogues/README.md`. `UPDATE_DIALOGUES=1 cargo test` writes what was
//! observed into the files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the player of the scripts is a test too and may panic"
)]

mod dialogue;
mod reference;
mod room;
mod splits;

use std::fs;
use std::path::{Path, PathBuf};

use dialogue::{Cut, play};

pub(crate) fn scripts() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues");
    let mut scripts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn dialogues_read_as_written() {
    let scripts = scripts();
    assert!(scripts.len() >= 40, "the dialogues are missing");
    let mut wrong = Vec::new();
    for (path, script) in scripts {
        let seen = play(&script, &mut Cut::Whole);
        if seen == script {
            continue;
        }
        if std::env::var_os("UPDATE_DIALOGUES").is_some() {
            fs::write(&path, &seen).unwrap();
        }
        wrong.push(format!("{}:\n{}", path.display(), first_difference(&script, &seen)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dialogues_read_the_same_byte_by_byte() {
    for (path, script) in scripts() {
        assert_eq!(play(&script, &mut Cut::Bytes), script, "{}", path.display());
    }
}

fn first_difference(want: &str, seen: &str) -> String {
    let mut line = 1;
    let mut wanted = want.lines();
    let mut seen = seen.lines();
    loop {
        match (wanted.next(), seen.next()) {
            (want, seen) if want == seen && want.is_some() => line += 1,
            (want, seen) => return format!("  line {line}\n  want {want:?}\n  seen {seen:?}"),
        }
    }
}
