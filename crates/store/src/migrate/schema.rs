//! How a database stands to the migrations that a program knows.

use super::Migration;
use super::history::{Applied, hash_of};
use crate::error::{Result, StoreError};

/// A migration that a database lacks, or of which it lacks a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub number: i64,
    /// What it brings.
    pub name: String,
    /// Whether it was begun and not finished.
    pub is_begun: bool,
}

/// How a database stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// It has no table of ours.
    Empty,
    /// It lacks these migrations, at least one, in order.
    Behind(Vec<Pending>),
    /// This program can run on it. A newer one may have added the migrations `newer`.
    Ready {
        /// Numbers this program does not know, in order; mostly none.
        newer: Vec<i64>,
    },
    /// A newer program changed it in a way that this one must not run on.
    Closed {
        /// The newest migration a program must know.
        compatible_from: i64,
        /// The newest one that this program knows.
        known: i64,
    },
}

impl Schema {
    /// Whether this program may work on the database.
    ///
    /// # Errors
    /// [`StoreError::Setup`] saying why not, and after a semicolon what to do.
    pub fn check(&self) -> Result<()> {
        let migrate = "run `guichet migrate`, or start this version on it";
        match self {
            Schema::Ready { .. } => Ok(()),
            Schema::Empty => Err(StoreError::setup(format!("the database has no tables of ours; {migrate}"))),
            Schema::Behind(missing) => {
                Err(StoreError::setup(format!("the database lacks {}; {migrate}", shown(missing))))
            }
            Schema::Closed { compatible_from, known } => Err(StoreError::setup(format!(
                "a newer version changed the database: only programs that know migration {compatible_from} may use \
                 it, and this one knows {known}; start the newer version"
            ))),
        }
    }
}

fn shown(missing: &[Pending]) -> String {
    let one = |pending: &Pending| {
        let state = if pending.is_begun { ", begun and not finished" } else { "" };
        format!("{} ({}{state})", pending.number, pending.name)
    };
    let word = if missing.len() == 1 { "migration" } else { "migrations" };
    format!("{word} {}", missing.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Compares what a database has with what a program knows.
///
/// # Errors
/// [`StoreError::Setup`] when a known migration's text is not the one the database was made with.
pub(super) fn compare(applied: &[Applied], known: &[Migration]) -> Result<Schema> {
    if applied.is_empty() {
        return Ok(Schema::Empty);
    }
    let newest = known.iter().map(|migration| migration.number).max().unwrap_or(0);
    let compatible_from = applied.iter().map(|one| one.compatible_from).max().unwrap_or(0);
    if compatible_from > newest {
        return Ok(Schema::Closed { compatible_from, known: newest });
    }
    let mut missing = Vec::new();
    for migration in known {
        let found = applied.iter().find(|one| one.number == migration.number);
        found.map_or(Ok(()), |found| check_text(found, migration))?;
        if !found.is_some_and(Applied::is_finished) {
            missing.push(Pending {
                number: migration.number,
                name: migration.name.to_owned(),
                is_begun: found.is_some(),
            });
        }
    }
    if !missing.is_empty() {
        return Ok(Schema::Behind(missing));
    }
    let is_known = |number: i64| known.iter().any(|migration| migration.number == number);
    Ok(Schema::Ready {
        newer: applied.iter().map(|one| one.number).filter(|number| !is_known(*number)).collect(),
    })
}

fn check_text(applied: &Applied, migration: &Migration) -> Result<()> {
    if applied.hash == hash_of(migration.text) {
        return Ok(());
    }
    let Migration { number, name, .. } = migration;
    Err(StoreError::setup(format!(
        "migration {number} ({name}) is not the text this database was made with; start the version it was made with"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { number: 1, name: "one", text: "CREATE TABLE one (a BIGINT)" };
    const TWO: Migration = Migration { number: 2, name: "two", text: "-- compatible from 2\nDROP TABLE one" };

    #[test]
    fn a_program_runs_on_what_it_knows_and_on_newer_databases_that_let_it() {
        let one = Applied::finished(&ONE);
        let two = Applied::finished(&TWO);
        let added = Applied { compatible_from: 1, ..two.clone() };
        let half = Applied { steps: 2, steps_done: 1, ..one.clone() };
        let pending = |number, name: &str, is_begun| Pending { number, name: name.into(), is_begun };
        for (applied, known, want) in [
            (vec![], &[ONE][..], Schema::Empty),
            (vec![one.clone()], &[ONE], Schema::Ready { newer: vec![] }),
            (vec![one.clone(), added], &[ONE], Schema::Ready { newer: vec![2] }),
            (vec![one.clone(), two.clone()], &[ONE], Schema::Closed { compatible_from: 2, known: 1 }),
            (vec![one.clone(), two.clone()], &[ONE, TWO], Schema::Ready { newer: vec![] }),
            (vec![one.clone()], &[ONE, TWO], Schema::Behind(vec![pending(2, "two", false)])),
            (vec![half], &[ONE], Schema::Behind(vec![pending(1, "one", true)])),
        ] {
            assert_eq!(compare(&applied, known).unwrap(), want, "{applied:?}");
        }
        let other = Applied { hash: "x".into(), ..one };
        assert!(
            compare(&[other], &[ONE]).unwrap_err().to_string().contains("migration 1 (one) is not the text")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let pending = |number, name: &str, is_begun| Pending { number, name: name.into(), is_begun };
        let behind = Schema::Behind(vec![pending(3, "red", true), pending(4, "blue", false)]);
        let text = behind.check().unwrap_err().to_string();
        assert!(text.contains("lacks migrations 3 (red, begun and not finished), 4 (blue); run"), "{text}");
    }
}
