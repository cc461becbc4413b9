//! Runs every fuzz target's body over its seeds and over mutations of them, the same ones each time.

#![expect(clippy::indexing_slicing, reason = "tests: a panic is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, ensure};

mod mutation;

use mutation::Mutations;

/// Mutations of each target's seeds.
const MUTATIONS: usize = 2_000;

/// Seeds that a target has at least: an ordinary input and nasty ones.
const SEEDS_MIN: usize = 4;

type Body = fn(&[u8]);

/// The body of every target in `fuzz/fuzz_targets`.
const TARGETS: [(&str, Body); 13] = [
    ("address", bodies::address::hold),
    ("bounce", bodies::bounce::hold),
    ("cms", bodies::cms::hold),
    ("compose_round_trip", bodies::compose_round_trip::hold),
    ("form", bodies::form::hold),
    ("forward", bodies::forward::hold),
    ("html_to_text", bodies::html_to_text::hold),
    ("import", bodies::import::hold),
    ("nature", bodies::nature::hold),
    ("parse", bodies::parse::hold),
    ("reply", bodies::reply::hold),
    ("smtp_session", bodies::smtp_session::hold),
    ("tnef", bodies::tnef::hold),
];

#[test]
fn targets_hold_for_seeds_and_their_mutations() {
    let results: Vec<Result<Option<String>>> = thread::scope(|scope| {
        let rounds = TARGETS.map(|(name, body)| scope.spawn(move || first_broken(name, body)));
        rounds.into_iter().map(|round| round.join().expect("a round catches panics")).collect()
    });
    let broken: Vec<String> =
        results.into_iter().filter_map(|result| result.expect("seeds can be read")).collect();
    assert!(broken.is_empty(), "these bodies panicked, see above:\n{}", broken.join("\n"));
}

#[test]
fn every_target_has_a_body_and_seeds() -> Result<()> {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml"))?;
    for name in &known {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        ensure!(manifest.contains(&path), "{name} is no program of fuzz/Cargo.toml");
        let count = seeds(name)?.len();
        ensure!(count >= SEEDS_MIN, "{name} has {count} seeds, fewer than {SEEDS_MIN}");
    }
    assert_eq!(names("fuzz_targets")?, known);
    assert_eq!(names("seeds")?, known);
    Ok(())
}

#[test]
fn a_body_that_panics_is_found_with_its_input() -> Result<()> {
    let found = first_broken("address", |input| assert!(!input.contains(&0x1f), "a separator"))?;
    let line = found.context("a mutation has a separator")?;
    ensure!(line.starts_with("address, input ") && line.contains("\\x1f"), "{line}");
    assert_eq!(first_broken("address", |_| ())?, None);
    Ok(())
}

/// The first input for which a body panics, as a line that names the target and shows the input.
fn first_broken(name: &str, body: Body) -> Result<Option<String>> {
    let seeds = seeds(name)?;
    let inputs = seeds.iter().cloned().chain(Mutations::of(&seeds).take(MUTATIONS));
    for (number, input) in inputs.enumerate() {
        if catch_unwind(|| body(&input)).is_err() {
            return Ok(Some(format!("{name}, input {number}: b\"{}\"", input.escape_ascii())));
        }
    }
    Ok(None)
}

/// The contents of a target's seeds, by file name.
fn seeds(name: &str) -> Result<Vec<Vec<u8>>> {
    let folder = fuzz().join("seeds").join(name);
    let listed = fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    paths.iter().map(|path| fs::read(path).with_context(|| path.display().to_string())).collect()
}

/// The names of what lies in a folder below `fuzz`, without extension.
fn names(folder: &str) -> Result<BTreeSet<String>> {
    let listed = fs::read_dir(fuzz().join(folder))?;
    listed
        .map(|entry| {
            Ok(entry?.path().with_extension("").file_name().context("a name")?.to_string_lossy().into_owned())
        })
        .collect()
}

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
