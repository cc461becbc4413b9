//! The files of the checkout that are checked.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::path::{self, Path as CodePath};
use super::token::{Token, tokens};

/// A Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is below the checkout's root, with `/`.
    pub(crate) shown: String,
    /// All of its text.
    pub(crate) text: String,
    /// Its product code, see [`tokens`]; empty for a file of tests.
    pub(crate) tokens: Vec<Token>,
    /// The paths that its product code names.
    pub(crate) paths: Vec<CodePath>,
}

impl Source {
    /// A file with this place and text.
    ///
    /// # Errors
    /// When it is not Rust.
    pub(crate) fn new(shown: impl Into<String>, text: impl Into<String>) -> Result<Source> {
        let shown = shown.into();
        let text = text.into();
        let tokens =
            if is_test(&shown) { Vec::new() } else { tokens(&text).with_context(|| shown.clone())? };
        let paths = path::paths(&tokens);
        Ok(Source { shown, text, tokens, paths })
    }

    /// The crate whose product code it is: `desk` for `crates/desk/src/ticket.rs`, `xtask` for `xtask/src/main.rs`.
    pub(crate) fn room(&self) -> Option<&str> {
        let (room, _) = self.shown.split_once("/src/")?;
        (!is_test(&self.shown)).then(|| room.rsplit('/').next().unwrap_or(room))
    }
}

/// Whether a file contains nothing but tests: `tests.rs`, `…_tests.rs`, or one below a folder `tests`, the crate of
/// that name included.
fn is_test(shown: &str) -> bool {
    let stem = shown.strip_suffix(".rs").unwrap_or(shown);
    stem.ends_with("_tests") || stem.split('/').any(|part| part == "tests")
}

/// Every Rust file of the checkout, sorted by place.
///
/// # Errors
/// When a file cannot be read or is not Rust.
pub(crate) fn rust(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in rust_files(root)? {
        sources.push(Source::new(shown(root, &path), fs::read_to_string(&path)?)?);
    }
    Ok(sources)
}

/// The Rust files of a folder and those below it, sorted.
///
/// # Errors
/// When a folder cannot be listed.
pub(crate) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, "rs")
}

/// Every text of the checkout that may contain citations: sources, pages, SQL and manifests, by place.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn texts(root: &Path) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for extension in ["rs", "md", "sql", "toml"] {
        for path in files(root, extension)? {
            texts.push((shown(root, &path), fs::read_to_string(&path)?));
        }
    }
    Ok(texts)
}

/// The files with that extension, sorted; build output and hidden folders are left out.
fn files(root: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn tests_belong_to_no_room() -> anyhow::Result<()> {
        for (place, room) in [
            ("crates/desk/src/ticket.rs", Some("desk")),
            ("xtask/src/tidy/path.rs", Some("xtask")),
            ("crates/desk/src/ticket/tests.rs", None),
            ("crates/desk/src/ticket_tests.rs", None),
            ("crates/desk/tests/desk/rows.rs", None),
            ("tests/src/lib.rs", None),
        ] {
            let source = Source::new(place, "use a::b;")?;
            assert_eq!(source.room(), room, "{place}");
            assert_eq!(source.paths.is_empty(), room.is_none(), "{place}");
        }
        Ok(())
    }
}
