//! The table `migrations`: which migrations a database has, how far each is, and which programs may work alongside.

use super::{Migration, step};
use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::tx::Tx;
use crate::values;

/// A migration as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) hash: String,
    /// How many steps it has, and how many of them are done.
    pub(super) steps: i64,
    pub(super) steps_done: i64,
    /// The newest migration that a program must know to run alongside it; 0: it asks for nothing.
    pub(super) compatible_from: i64,
}

impl Applied {
    /// A migration of which no step is done yet.
    fn begun(migration: &Migration) -> Applied {
        Applied {
            number: migration.number,
            name: migration.name.to_owned(),
            hash: hash_of(migration.text),
            steps: count(step::parse(migration.text).len()),
            steps_done: 0,
            compatible_from: step::compatible_from(migration.text),
        }
    }

    /// A migration of which every step is done.
    pub(super) fn finished(migration: &Migration) -> Applied {
        let begun = Applied::begun(migration);
        Applied { steps_done: begun.steps, ..begun }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.steps_done >= self.steps
    }
}

/// The hash that tells whether a text was changed.
pub(super) fn hash_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Makes the table where there is none.
pub(super) fn make_table(tx: &mut Tx<'_>) -> Result<()> {
    tx.batch(
        "CREATE TABLE IF NOT EXISTS migrations (
             number          BIGINT NOT NULL PRIMARY KEY,
             name            TEXT NOT NULL,
             hash            TEXT NOT NULL,
             steps           BIGINT NOT NULL,
             steps_done      BIGINT NOT NULL,
             compatible_from BIGINT NOT NULL
         )",
    )
}

/// Every migration the database has, by number; none where there is no table yet.
pub(super) fn read(tx: &mut Tx<'_>) -> Result<Vec<Applied>> {
    if !tx.has_table("migrations")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT number, name, hash, steps, steps_done, compatible_from FROM migrations ORDER BY number";
    let rows = tx.query(sql, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Applied {
                number: row.int()?,
                name: row.text()?,
                hash: row.text()?,
                steps: row.int()?,
                steps_done: row.int()?,
                compatible_from: row.int()?,
            })
        })
        .collect()
}

pub(super) fn insert(tx: &mut Tx<'_>, applied: &Applied) -> Result<()> {
    let sql = "INSERT INTO migrations (number, name, hash, steps, steps_done, compatible_from)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let row = values![
        applied.number,
        &applied.name,
        &applied.hash,
        applied.steps,
        applied.steps_done,
        applied.compatible_from
    ];
    tx.execute(sql, &row).map(drop)
}

/// Enters a migration if it is not there and returns how many of its steps are done. From here on programs that are too
/// old for it are refused.
pub(super) fn begin(tx: &mut Tx<'_>, migration: &Migration) -> Result<usize> {
    let sql = "SELECT steps_done FROM migrations WHERE number = $1";
    if let Some(mut row) = tx.find(sql, &values![migration.number])? {
        return Ok(usize::try_from(row.int()?).unwrap_or_default());
    }
    insert(tx, &Applied::begun(migration))?;
    Ok(0)
}

/// Records that the step in place `at` is done.
///
/// # Errors
/// [`StoreError::Changed`] when another process has recorded it meanwhile.
pub(super) fn advance(tx: &mut Tx<'_>, number: i64, at: usize) -> Result<()> {
    let sql = "UPDATE migrations SET steps_done = steps_done + 1 WHERE number = $1 AND steps_done = $2";
    match tx.execute(sql, &values![number, count(at)])? {
        1 => Ok(()),
        _ => Err(StoreError::Changed("the migration")),
    }
}
