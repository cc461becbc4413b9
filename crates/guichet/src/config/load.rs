//! Puts the layers together: file, environment, flags.

use std::path::{Path, PathBuf};

use super::key::{self, Key};
use super::problem::{Problem, Problems};
use super::value::Raw;
use super::{Config, Loaded};

/// The data folder when none is named.
const DATA: &str = "guichet-data";
/// The name of the configuration file.
const FILE: &str = "guichet.toml";

/// What a process is told at its start besides the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// `--config`: this file and no other; it must be there.
    pub(crate) file: Option<PathBuf>,
    /// `--data`.
    pub(crate) data: Option<PathBuf>,
    /// The environment, names with values.
    pub(crate) environment: Vec<(String, String)>,
    /// `--set KEY=VALUE`, in order.
    pub(crate) flags: Vec<String>,
}

/// A value on its way to a key.
struct Entry {
    origin: String,
    name: String,
    raw: Raw,
}

/// A key that some layer sets, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// Where it was set.
    pub(crate) origin: String,
    /// The key.
    pub(crate) key: String,
    /// The value as written, unless it is secret or its key is unknown: then hidden.
    pub(crate) value: String,
    /// False when a later layer sets it too.
    pub(crate) is_last: bool,
}

/// All layers read, with everything that is wrong in them.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The values, defaults in place of those that cannot be used.
    pub(crate) config: Config,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The configuration file, if there is any; it may be one that cannot be read.
    pub(crate) file: Option<PathBuf>,
    /// Every key that was set, in the order of the layers.
    pub(crate) given: Vec<Given>,
    /// Every problem of every layer.
    pub(crate) problems: Vec<Problem>,
}

/// Reads all layers.
///
/// # Errors
/// Every problem of every layer.
pub(crate) fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let Reading { config, data, problems, .. } = read(sources);
    if problems.is_empty() { Ok(Loaded { config, data }) } else { Err(Problems(problems)) }
}

/// Reads all layers and returns what was found in them, whatever is wrong with it.
pub(crate) fn read(sources: &Sources) -> Reading {
    let data = sources.data.clone().unwrap_or_else(|| PathBuf::from(DATA));
    let mut problems = Vec::new();
    let file = choose_file(sources, &data);
    let mut entries = file.as_deref().map(|path| of_file(path, &mut problems)).unwrap_or_default();
    entries.extend(of_environment(&sources.environment));
    strays(&sources.environment, &mut problems);
    entries.extend(of_flags(&sources.flags, &mut problems));
    twins(&entries, &mut problems);
    let mut config = Config::default();
    for entry in &entries {
        problems.extend(apply(&mut config, entry));
    }
    whole(&config, &mut problems);
    Reading { config, data, file, given: given(&entries), problems }
}

fn given(entries: &[Entry]) -> Vec<Given> {
    let shown = |(place, entry): (usize, &Entry)| Given {
        origin: entry.origin.clone(),
        key: entry.name.clone(),
        value: shown(entry),
        is_last: !entries.iter().skip(place.saturating_add(1)).any(|later| later.name == entry.name),
    };
    entries.iter().enumerate().map(shown).collect()
}

/// A value as it may be shown: that of an unknown key could be a secret.
fn shown(entry: &Entry) -> String {
    if key::find(&entry.name).is_none_or(|key| key.is_secret) {
        "(hidden)".to_owned()
    } else {
        entry.raw.to_string()
    }
}

fn choose_file(sources: &Sources, data: &Path) -> Option<PathBuf> {
    if sources.file.is_some() {
        return sources.file.clone();
    }
    [PathBuf::from(FILE), data.join(FILE)].into_iter().find(|path| path.is_file())
}

fn of_file(path: &Path, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let origin = path.display().to_string();
    let mut wrong = |reason: String, example: &str| {
        problems.push(Problem {
            origin: origin.clone(),
            key: String::new(),
            value: String::new(),
            reason,
            example: example.into(),
        });
        Vec::new()
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return wrong(format!("the file cannot be read: {error}"), "--config guichet.toml"),
    };
    match text.parse::<toml::Table>() {
        Ok(table) => of_table(&table, &origin),
        Err(error) => wrong(
            format!("not TOML: {}", error.to_string().trim_end().replace('\n', "\n    ")),
            "[http]\\nlisten = \"127.0.0.1:8080\"",
        ),
    }
}

fn of_table(table: &toml::Table, origin: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (section, value) in table {
        match value {
            toml::Value::Table(keys) => entries.extend(keys.iter().map(|(key, value)| Entry {
                origin: origin.to_owned(),
                name: format!("{section}.{key}"),
                raw: value.into(),
            })),
            other => {
                entries.push(Entry { origin: origin.to_owned(), name: section.clone(), raw: other.into() })
            }
        }
    }
    entries
}

/// `GUICHET_SECTION__KEY`; other names with that prefix are handled by [`strays`].
fn of_environment(environment: &[(String, String)]) -> Vec<Entry> {
    let read = |(variable, value): &(String, String)| {
        let name = variable.strip_prefix("GUICHET_")?;
        let name = match name.split_once("__") {
            Some((section, key)) => format!("{}.{}", section.to_lowercase(), key.to_lowercase()),
            None if name == "ROLES" => "roles".to_owned(),
            None => return None,
        };
        Some(Entry { origin: format!("environment {variable}"), name, raw: Raw::Text(value.clone()) })
    };
    let mut entries: Vec<Entry> = environment.iter().filter_map(read).collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

/// Variables that have our prefix but are no keys: the command line's, the tests', and the links that container
/// orchestrators set for a service of our name.
fn is_known_variable(name: &str) -> bool {
    let is_link = name == "PORT" || name.starts_with("PORT_") || name.starts_with("SERVICE_");
    matches!(name, "DATA" | "CONFIG" | "ROLES" | "BIN") || name.starts_with("TEST_") || is_link
}

/// Names variables that look like a key whose section cannot be recognized, usually because the second underscore is missing.
fn strays(environment: &[(String, String)], problems: &mut Vec<Problem>) {
    let mut names: Vec<&str> =
        environment.iter().filter_map(|(variable, _)| variable.strip_prefix("GUICHET_")).collect();
    names.retain(|name| !name.contains("__") && !is_known_variable(name));
    names.sort_unstable();
    for name in names {
        let wanted = name.to_lowercase();
        let near = key::KEYS.iter().map(|key| (distance(&key.name.replace('.', "_"), &wanted), key));
        let near = near.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 3);
        let meant = near
            .map(|(_, key)| format!("did you mean GUICHET_{}?", key.name.replace('.', "__").to_uppercase()));
        let reason = meant.unwrap_or_else(|| {
            "a key is written as GUICHET_SECTION__KEY; see docs/configuration.md".to_owned()
        });
        problems.push(Problem {
            origin: "environment".into(),
            key: format!("GUICHET_{name}"),
            value: String::new(),
            reason: format!("it names no section; {reason}"),
            example: String::new(),
        });
    }
}

fn of_flags(flags: &[String], problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for flag in flags {
        match flag.split_once('=') {
            Some((name, value)) => {
                entries.push(Entry {
                    origin: "--set".into(),
                    name: name.trim().to_owned(),
                    raw: Raw::Text(value.to_owned()),
                });
            }
            None => problems.push(Problem {
                origin: "--set".into(),
                key: flag.clone(),
                value: String::new(),
                reason: "no = follows the key".into(),
                example: "--set http.listen=127.0.0.1:8080".into(),
            }),
        }
    }
    entries
}

fn twins(entries: &[Entry], problems: &mut Vec<Problem>) {
    for (open, file) in key::TWINS {
        for entry in entries.iter().filter(|entry| entry.name == *file) {
            if entries.iter().any(|other| other.name == *open && other.origin == entry.origin) {
                problems.push(Problem {
                    origin: entry.origin.clone(),
                    key: (*file).to_owned(),
                    value: entry.raw.to_string(),
                    reason: format!("{open} is set too; keep one of them"),
                    example: String::new(),
                });
            }
        }
    }
}

fn apply(config: &mut Config, entry: &Entry) -> Option<Problem> {
    let Some(key) = key::find(&entry.name) else { return Some(unknown(entry)) };
    let reason = (key.set)(config, &entry.raw).err()?;
    let value = shown(entry);
    Some(Problem {
        origin: entry.origin.clone(),
        key: entry.name.clone(),
        value,
        reason,
        example: as_written(key),
    })
}

fn as_written(key: &Key) -> String {
    match key.name.split_once('.') {
        Some((section, name)) => format!("[{section}] {name} = {}", key.example),
        None => format!("{} = {}", key.name, key.example),
    }
}

fn unknown(entry: &Entry) -> Problem {
    let near = key::KEYS
        .iter()
        .map(|key| (distance(key.name, &entry.name), key))
        .min_by_key(|(distance, _)| *distance);
    let example =
        near.filter(|(distance, _)| *distance <= 3).map(|(_, key)| as_written(key)).unwrap_or_default();
    let reason = "there is no such key; see docs/configuration.md".to_owned();
    // The value of an unknown key could be a secret.
    Problem { origin: entry.origin.clone(), key: entry.name.clone(), value: String::new(), reason, example }
}

/// Edits between two words (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut diagonal = place;
        let mut left = place + 1;
        let mut next = vec![left];
        for (above, wanted) in row.iter().skip(1).zip(other.chars()) {
            let changed = diagonal + usize::from(letter != wanted);
            left = changed.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Problems that only several keys together have.
fn whole(config: &Config, problems: &mut Vec<Problem>) {
    let mut missing = |key: &str, other: &str, example: &str| {
        problems.push(Problem {
            origin: "configuration".into(),
            key: key.into(),
            value: String::new(),
            reason: format!("{other} is set, so this one is needed too"),
            example: example.into(),
        });
    };
    match (&config.tls.certificate_file, &config.tls.key_file) {
        (Some(_), None) => {
            missing("tls.key_file", "tls.certificate_file", "[tls] key_file = \"/etc/guichet/key.pem\"")
        }
        (None, Some(_)) => {
            missing(
                "tls.certificate_file",
                "tls.key_file",
                "[tls] certificate_file = \"/etc/guichet/fullchain.pem\"",
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
