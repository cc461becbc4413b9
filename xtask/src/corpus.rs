//! `cargo xtask corpus ROOT --out DIR`: reads a folder of judged mails and writes what Guichet makes of each, one file
//! for each kind.
//!
//! ROOT holds folders, each with a `cases.jsonl` (one case per line: `id`, `kind`, `raw`, `labels`) and the mails it
//! names. What a case expects is never read: judging is somebody else's work. The tests of this repository use no such
//! folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

mod auto;
mod forward;
mod parse;
mod reply;
mod scene;
mod thread;

/// What `cargo xtask corpus` takes.
#[derive(Debug, Args)]
pub struct CorpusArgs {
    /// The folder with the cases.
    root: PathBuf,
    /// Where the predictions go: `parse.jsonl`, `reply.jsonl` and so on.
    #[arg(long)]
    out: PathBuf,
}

/// One case, without what it expects.
struct Case {
    id: String,
    kind: String,
    /// One mail or body; several, in the order of arrival, for `thread`.
    raw: Vec<Vec<u8>>,
    /// Inputs besides the bytes: the format, the part, a setting.
    labels: Value,
}

/// A line of `cases.jsonl`, as far as it is read.
#[derive(Deserialize)]
struct Line {
    id: String,
    kind: String,
    raw: Files,
    #[serde(default)]
    labels: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Files {
    One(String),
    Many(Vec<String>),
}

/// What a kind makes of a case: an object with the fields that kind is judged by.
type Predict = fn(&Case) -> Value;

const KINDS: &[(&str, Predict)] = &[
    ("auto", auto::predict),
    ("forward", forward::predict),
    ("parse", parse::predict),
    ("reply", reply::predict),
    ("thread", thread::predict),
];

/// Writes the predictions.
///
/// # Errors
/// When a file cannot be read or written, or a case is of no known kind.
pub fn run(arguments: &CorpusArgs) -> Result<()> {
    let kinds: BTreeMap<&str, Predict> = KINDS.iter().copied().collect();
    let mut lines: BTreeMap<&str, String> = kinds.keys().map(|kind| (*kind, String::new())).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for folder in sources(&arguments.root)? {
        for case in cases(&folder)? {
            let Some((kind, predict)) = kinds.get_key_value(case.kind.as_str()) else {
                bail!("{}: the kind {:?} is not one of {:?}", case.id, case.kind, kinds.keys());
            };
            let mut told = predict(&case);
            told.as_object_mut()
                .context("a prediction is an object")?
                .insert("id".into(), case.id.as_str().into());
            *counts.entry(*kind).or_default() += 1;
            let file = lines.entry(*kind).or_default();
            file.push_str(&told.to_string());
            file.push('\n');
        }
    }
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("{} cannot be made", arguments.out.display()))?;
    for (kind, text) in lines {
        let path = arguments.out.join(format!("{kind}.jsonl"));
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{}: {} cases", path.display(), counts.get(kind).copied().unwrap_or_default());
    }
    Ok(())
}

/// The folders with cases, sorted.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root).with_context(|| format!("{} cannot be read", root.display()))?;
    let mut folders: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.retain(|folder| folder.join("cases.jsonl").is_file());
    folders.sort();
    if folders.is_empty() {
        bail!("{} has no folder with a cases.jsonl", root.display());
    }
    Ok(folders)
}

fn cases(folder: &Path) -> Result<Vec<Case>> {
    let path = folder.join("cases.jsonl");
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let line: Line = serde_json::from_str(line)
                .with_context(|| format!("{}: a line is no case", path.display()))?;
            let names = match line.raw {
                Files::One(name) => vec![name],
                Files::Many(names) => names,
            };
            let read =
                |name: &String| fs::read(folder.join(name)).with_context(|| format!("{name} of {}", line.id));
            let raw = names.iter().map(read).collect::<Result<_>>()?;
            Ok(Case { id: line.id, kind: line.kind, raw, labels: line.labels })
        })
        .collect()
}
