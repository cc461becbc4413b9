//! `cargo xtask tidy`: what the compiler cannot check of the house's order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use toml::Table;
use xtask::bench::build;

/// Which room may use which, as ARCHITECTURE.md draws it; what those may use comes with them.
const ARROWS: [(&str, &[&str]); 12] = [
    ("mail", &[]),
    ("smtp", &["mail"]),
    ("desk", &["mail"]),
    ("store", &["desk"]),
    ("engine", &["store"]),
    ("intake", &["store", "smtp"]),
    ("outbox", &["store"]),
    ("api", &["engine"]),
    ("web", &["engine"]),
    ("guichet", &["mail", "smtp", "desk", "store", "engine", "intake", "outbox", "api", "web"]),
    ("testkit", &[]),
    ("xtask", &["testkit", "desk"]),
];

/// The rooms that know no IO, clock, chance or logging.
const PURE: [&str; 3] = ["mail", "smtp", "desk"];

/// The only crates the pure rooms may use: all work on values alone.
const PURE_CRATES: [&str; 12] = [
    "blake3",
    "chardetng",
    "encoding_rs",
    "idna",
    "jiff",
    "mail-builder",
    "mail-parser",
    "memchr",
    "serde",
    "serde_json",
    "thiserror",
    "whatlang",
];

/// File names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "manager", "util", "utils"];

/// Checks the whole checkout.
///
/// # Errors
/// When something is out of order; the error lists all of it.
pub(crate) fn run() -> Result<()> {
    let root = build::root()?;
    let mut faults = Vec::new();
    for folder in rooms(&root)? {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let room = folder.file_name().and_then(|name| name.to_str()).context("a room has a name")?;
        faults.extend(manifest_faults(room, &manifest.parse()?));
    }
    for path in sources(&root)? {
        let shown = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let fault = source_fault(&path, &fs::read_to_string(&path)?);
        faults.extend(fault.map(|fault| format!("{shown}: {fault}")));
    }
    ensure!(faults.is_empty(), "out of order:\n{}", faults.join("\n"));
    println!("xtask: the house is tidy");
    Ok(())
}

/// The folders of all rooms and of xtask, sorted.
fn rooms(root: &Path) -> Result<Vec<PathBuf>> {
    let mut rooms = vec![root.join("xtask")];
    for entry in fs::read_dir(root.join("crates"))? {
        rooms.push(entry?.path());
    }
    rooms.retain(|room| room.join("Cargo.toml").is_file());
    rooms.sort();
    Ok(rooms)
}

/// What a room's Cargo.toml depends on and must not. Development dependencies are free.
fn manifest_faults(room: &str, manifest: &Table) -> Vec<String> {
    let arrows = BTreeMap::from(ARROWS);
    if !arrows.contains_key(room) {
        return vec![format!(
            "{room}: this room stands in no arrow of xtask/src/tidy.rs and ARCHITECTURE.md"
        )];
    }
    let allowed = reachable(room, &arrows);
    let is_pure = PURE.contains(&room);
    let fault = |name: &str| {
        if arrows.contains_key(name) {
            (!allowed.contains(name)).then(|| format!("{room} must not know {name}"))
        } else {
            (is_pure && !PURE_CRATES.contains(&name))
                .then(|| format!("{room} is pure and must not know {name}"))
        }
    };
    dependencies(manifest).iter().filter_map(|name| fault(name)).collect()
}

fn reachable<'a>(room: &str, arrows: &BTreeMap<&str, &'a [&'a str]>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = arrows.get(room).map(|next| next.to_vec()).unwrap_or_default();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(arrows.get(next).copied().unwrap_or_default());
        }
    }
    found
}

/// The names of a manifest's dependencies, those for the build and for some platforms too.
fn dependencies(manifest: &Table) -> Vec<String> {
    let platforms =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(Table::values);
    let tables = platforms.filter_map(toml::Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)))
        .filter_map(|kind| kind?.as_table())
        .flat_map(|table| table.iter().map(|(name, value)| name_of(name, value)))
        .collect()
}

/// A renamed dependency counts by the package that it is.
fn name_of(name: &str, value: &toml::Value) -> String {
    let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
    package.strip_prefix("guichet-").unwrap_or(package).to_owned()
}

/// Every Rust file of the checkout, sorted; build output is left out.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = ["crates", "xtask", "tests", "fuzz", "benches"].map(|folder| root.join(folder)).to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn source_fault(path: &Path, text: &str) -> Option<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        return Some(format!("the name {stem} says nothing about what is inside"));
    }
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!") || line.trim().is_empty());
    let head = lines.next().unwrap_or_default();
    (!head.starts_with("//! ")).then(|| "does not start with a `//!` sentence".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{manifest_faults, run, source_fault};

    #[test]
    fn the_house_is_tidy() -> anyhow::Result<()> {
        run()
    }

    #[test]
    fn arrows_run_in_one_direction() -> anyhow::Result<()> {
        for (room, manifest, want) in [
            ("engine", "[dependencies]\nstore.workspace = true\ndesk.workspace = true", &[][..]),
            ("engine", "[dependencies]\nintake.workspace = true", &["engine must not know intake"]),
            ("store", "[build-dependencies]\nengine.workspace = true", &["store must not know engine"]),
            (
                "desk",
                "[dependencies]\nserde.workspace = true\ntokio = \"1\"",
                &["desk is pure and must not know tokio"],
            ),
            (
                "mail",
                "[target.'cfg(unix)'.dependencies]\nrand = \"1\"",
                &["mail is pure and must not know rand"],
            ),
            ("mail", "[dependencies]\nx = { package = \"guichet-store\" }", &["mail must not know store"]),
            ("store", "[dev-dependencies]\ntestkit.workspace = true", &[]),
            ("store", "[dependencies]\ntestkit.workspace = true", &["store must not know testkit"]),
        ] {
            assert_eq!(manifest_faults(room, &manifest.parse()?), want, "{room}: {manifest}");
        }
        assert_eq!(manifest_faults("cellar", &"".parse()?).len(), 1);
        Ok(())
    }

    #[test]
    fn files_say_what_they_are() {
        for (name, text, is_fine) in [
            ("ticket.rs", "//! Tickets.\n", true),
            ("fuzz.rs", "#![no_main]\n//! Fuzzes.\n", true),
            ("ticket.rs", "use std::fs;\n", false),
            ("ticket.rs", "", false),
            ("utils.rs", "//! Tickets.\n", false),
        ] {
            assert_eq!(source_fault(Path::new(name), text).is_none(), is_fine, "{name}: {text}");
        }
    }
}
