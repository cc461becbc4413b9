//! Every dependency is used: each one of the workspace by a member, each one of a member by its sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

use super::metadata::{Metadata, Package};
use crate::tidy::rust_files;

/// Dependencies that no source names, because only their features or their presence matter.
const UNNAMED: [(&str, &str, &str); 5] = [
    (
        "guichet-store",
        "reqwest",
        "only its feature: the HTTP client of object_store takes the rustls that is here",
    ),
    ("guichet-fuzz-bodies", "blake3", BY_PATH),
    ("guichet-fuzz-bodies", "memchr", BY_PATH),
    ("guichet-fuzz-bodies", "serde_json", BY_PATH),
    ("guichet-fuzz-bodies", "thiserror", BY_PATH),
];

const BY_PATH: &str = "named by the files of intake that it includes by path";

/// The dependencies that nobody uses.
///
/// # Errors
/// When a source cannot be read.
pub(crate) fn faults(metadata: &Metadata, workspace: &Table) -> Result<Vec<String>> {
    let mut faults = unclaimed(metadata, workspace);
    for member in metadata.members() {
        let folder = member.manifest_path.parent().context("a manifest lies in a folder")?;
        faults.extend(unnamed(member, &words(folder)?));
    }
    Ok(faults)
}

/// The dependencies of the workspace that no member has.
fn unclaimed(metadata: &Metadata, workspace: &Table) -> Vec<String> {
    let table = workspace.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let offered = table.and_then(toml::Value::as_table).into_iter().flat_map(Table::keys);
    let taken: BTreeSet<&str> = metadata
        .members()
        .flat_map(|member| &member.dependencies)
        .map(|dependency| dependency.key())
        .collect();
    let unclaimed = offered.filter(|name| !taken.contains(name.as_str()));
    unclaimed.map(|name| format!("{name} is in the root Cargo.toml, and no member uses it")).collect()
}

/// The dependencies of a member that no word of its sources names.
fn unnamed(member: &Package, words: &BTreeSet<String>) -> Vec<String> {
    let is_excused =
        |key: &str| UNNAMED.iter().any(|(name, dependency, _)| *name == member.name && *dependency == key);
    let unnamed = member
        .dependencies
        .iter()
        .filter(|dependency| !words.contains(&dependency.crate_name()) && !is_excused(dependency.key()));
    unnamed
        .map(|dependency| {
            format!("{} depends on {}, and none of its sources names it", member.name, dependency.key())
        })
        .collect()
}

/// The words of all sources of a package, tests included, comments not.
fn words(folder: &Path) -> Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    for path in rust_files(folder)? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        words.extend(words_of(&text));
    }
    Ok(words)
}

fn words_of(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let words = code.flat_map(|line| line.split(|sign: char| !sign.is_alphanumeric() && sign != '_'));
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metadata::Metadata;
    use super::{unclaimed, unnamed, words_of};

    const METADATA: &str = r#"{"workspace_members": ["a"], "packages": [
        {"id": "a", "name": "a", "license": null, "manifest_path": "a/Cargo.toml", "dependencies": [
            {"name": "serde_json", "rename": null}, {"name": "guichet-mail", "rename": "mail"}, {"name": "tokio-util", "rename": null}]},
        {"id": "b", "name": "b", "license": null, "manifest_path": "b/Cargo.toml", "dependencies": [{"name": "insta", "rename": null}]}
    ]}"#;

    #[test]
    fn what_no_member_uses_is_found() -> anyhow::Result<()> {
        let workspace =
            "[workspace.dependencies]\nserde_json = \"1\"\nmail = { path = \"m\" }\ninsta = \"1\"".parse()?;
        let faults = unclaimed(&Metadata::read(METADATA)?, &workspace);
        assert_eq!(faults, ["insta is in the root Cargo.toml, and no member uses it"]);
        Ok(())
    }

    #[test]
    fn what_no_source_names_is_found() -> anyhow::Result<()> {
        let metadata = Metadata::read(METADATA)?;
        let member = metadata.members().next().expect("a member");
        for (text, want) in [
            ("use mail::Letter;\nuse serde_json::json;\n#[tokio_util::main]", &[][..]),
            ("use mail::Letter; // serde_json\n/// tokio_util\nserde_json::json!()", &["tokio-util"]),
            ("use guichet_mail::Letter; json!(); tokio_util!()", &["serde_json", "mail"]),
        ] {
            let want: Vec<String> = want
                .iter()
                .map(|name| format!("a depends on {name}, and none of its sources names it"))
                .collect();
            assert_eq!(unnamed(member, &words_of(text)), want, "{text}");
        }
        Ok(())
    }
}
