//! Migrations: numbered texts, one for both databases, forward only, each in a transaction, its hash kept.

use crate::dialect::Dialect;
use crate::error::{Result, StoreError};
use crate::tx::Tx;
use crate::values;

/// All migrations in order. A text is never edited once released: its hash is checked at every start.
pub(crate) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "spine", include_str!("../migrations/0001_spine.sql")),
    (2, "understanding", include_str!("../migrations/0002_understanding.sql")),
    (3, "suspended", include_str!("../migrations/0003_suspended.sql")),
    (4, "doors", include_str!("../migrations/0004_doors.sql")),
    (5, "primary_identity", include_str!("../migrations/0005_primary_identity.sql")),
    (6, "crashes", include_str!("../migrations/0006_crashes.sql")),
    (7, "lists", include_str!("../migrations/0007_lists.sql")),
    (8, "blob_marker", include_str!("../migrations/0008_blob_marker.sql")),
];

const PARTITIONS: usize = 4;

/// Brings the schema up to date and returns the numbers of the migrations that were run now. Idempotent.
///
/// # Errors
/// [`StoreError::Setup`] when the database was written by a newer version or a migration text was changed.
pub(crate) fn run(tx: &mut Tx<'_>, partitioned: bool) -> Result<Vec<i64>> {
    tx.lock_migrations()?;
    tx.batch(
        "CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL)",
    )?;
    let done = done(tx)?;
    let mut ran = Vec::new();
    for (number, name, text) in MIGRATIONS.iter().filter(|(number, ..)| !done.contains(number)) {
        let dialect = tx.dialect();
        tx.batch(&schema_text(dialect, text, partitioned))?;
        if partitioned {
            tx.batch(&partitions_text(text))?;
        }
        tx.execute(
            "INSERT INTO migrations (number, name, hash) VALUES ($1, $2, $3)",
            &values![*number, *name, &hash_of(text)],
        )?;
        ran.push(*number);
    }
    Ok(ran)
}

/// Whether the tables are those this version works with; changes nothing.
///
/// # Errors
/// [`StoreError::Setup`] when they are missing, older, or of a newer version.
pub(crate) fn verify(tx: &mut Tx<'_>) -> Result<()> {
    let next = "run `guichet migrate`, or start this version on it";
    if !tx.has_table("migrations")? {
        return Err(StoreError::setup(format!("the database has no tables of ours; {next}")));
    }
    let done = done(tx)?;
    match MIGRATIONS.iter().find(|(number, ..)| !done.contains(number)) {
        None => Ok(()),
        Some((number, name, _)) => {
            Err(StoreError::setup(format!("the database lacks migration {number} ({name}); {next}")))
        }
    }
}

/// The migrations that the database has, each known and with its text unchanged.
fn done(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    let mut done = Vec::new();
    for mut row in tx.query("SELECT number, hash FROM migrations ORDER BY number", &[])? {
        let (number, hash) = (row.int()?, row.text()?);
        check(number, &hash)?;
        done.push(number);
    }
    Ok(done)
}

fn check(number: i64, hash: &str) -> Result<()> {
    let Some((_, name, text)) = MIGRATIONS.iter().find(|(known, ..)| *known == number) else {
        return Err(StoreError::setup(format!(
            "the database has migration {number}, which this version does not know; start the newer version it was written by"
        )));
    };
    if hash_of(text) == hash {
        return Ok(());
    }
    Err(StoreError::setup(format!("migration {number} ({name}) is not the text this database was made with")))
}

fn hash_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn schema_text(dialect: Dialect, text: &str, partitioned: bool) -> String {
    let translated = dialect.translate(text, partitioned);
    match dialect {
        // STRICT knows INTEGER, which holds 64 bits there.
        Dialect::Sqlite => translated.replace("BIGINT", "INTEGER"),
        Dialect::Postgres => translated,
    }
}

/// Hash partitions of every tenant table, as a sharding by account would have them.
fn partitions_text(text: &str) -> String {
    let mut out = String::new();
    let mut table = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.split(' ').next().unwrap_or_default();
        }
        if line.starts_with(") {{rows}}") || line.starts_with(") {{clustered}}") {
            for part in 0..PARTITIONS {
                out.push_str(&format!(
                    "CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part});\n"
                ));
            }
        }
    }
    out
}
