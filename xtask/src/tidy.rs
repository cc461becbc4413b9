//! `cargo xtask tidy`: rules of this repository that the compiler cannot check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xtask::bench::build;

mod circle;
mod citation;
mod event;
mod file;
mod module;
mod path;
mod room;
mod source;
mod table;
mod token;

pub(crate) use source::rust_files;

use source::Source;

/// Circles between files that are allowed, each with its reason; the list only gets shorter.
const CIRCLES: &[circle::Exception] = &[circle::Exception {
    room: "store",
    modules: &["job", "postgres", "sql", "sqlite", "tx"],
    reason: "sql runs each statement on one of both databases, which hand out Tx",
}];

/// Tables that several files write, each with its reason; the list only gets shorter.
const TABLES: &[table::Exception] = &[];

/// Files that still write the JSON of an event by hand instead of going through `desk::event`.
const HAND_WRITTEN_EVENTS: &[&str] = &[];

/// Pages whose file names are looked up in the tree.
const MAPS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Checks the whole checkout.
///
/// # Errors
/// When something is out of order; the error lists all of it.
pub(crate) fn run() -> Result<()> {
    let root = build::root()?;
    let sources = source::rust(&root)?;
    let faults = [
        manifests(&root)?,
        sources.iter().filter_map(file::fault).collect(),
        sources.iter().flat_map(room::source_faults).collect(),
        circle::faults(&sources, CIRCLES),
        events(&sources),
        table::faults(&sources, &table::tables(&migrations(&root)?), TABLES),
        citations(&root, &sources)?,
    ]
    .concat();
    ensure!(faults.is_empty(), "out of order:\n{}", faults.join("\n"));
    println!("xtask: everything is tidy");
    Ok(())
}

/// The arrows in the manifests of all rooms and of xtask.
fn manifests(root: &Path) -> Result<Vec<String>> {
    let mut folders = vec![root.join("xtask")];
    for entry in fs::read_dir(root.join("crates"))? {
        folders.push(entry?.path());
    }
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.sort();
    let mut faults = Vec::new();
    for folder in folders {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let name = folder.file_name().and_then(|name| name.to_str()).context("a room has a name")?;
        faults.extend(room::manifest_faults(name, &manifest.parse()?));
    }
    Ok(faults)
}

/// The files that write events, and those on the list that no longer do.
fn events(sources: &[Source]) -> Vec<String> {
    let written: BTreeSet<&str> = sources
        .iter()
        .filter(|source| event::is_written(source))
        .map(|source| source.shown.as_str())
        .collect();
    let allowed: BTreeSet<&str> = HAND_WRITTEN_EVENTS.iter().copied().collect();
    let new = written
        .difference(&allowed)
        .map(|file| format!("{file}: writes an event by hand, and not by desk::event"));
    let gone = allowed
        .difference(&written)
        .map(|file| format!("{file}: writes no event: take it off the list in xtask/src/tidy.rs"));
    new.chain(gone).collect()
}

/// The statements of all migrations.
fn migrations(root: &Path) -> Result<String> {
    let listed = fs::read_dir(root.join("crates/store/migrations")).context("listing the migrations")?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    Ok(paths.iter().map(fs::read_to_string).collect::<std::io::Result<Vec<String>>>()?.concat())
}

/// Everything that is cited but does not exist, in all texts.
fn citations(root: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let texts = source::texts(root)?;
    let pages = citation::pages(texts.iter().map(|(place, text)| (place.as_str(), text.as_str())));
    let files: BTreeSet<String> = sources.iter().map(|source| source.shown.clone()).collect();
    let mut faults = Vec::new();
    // The samples in citation's own tests cite what does not exist.
    for (place, text) in texts.iter().filter(|(place, _)| place != "xtask/src/tidy/citation.rs") {
        let mut own = citation::faults(text, &pages);
        if MAPS.contains(&place.as_str()) {
            own.extend(citation::file_faults(text, &files));
        }
        faults.extend(own.into_iter().map(|fault| format!("{place}: {fault}")));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn the_house_is_tidy() -> anyhow::Result<()> {
        run()
    }
}
