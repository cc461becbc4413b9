//! Versions: numbers by which what is kept in memory is checked against the database.

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{Tx, values};

/// The version that the doors' memory of the directory is checked against.
pub const DIRECTORY: &str = "directory";

/// A version by its name, 0 before the first change.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    let row = tx.find("SELECT version FROM versions WHERE name = $1", &values![name])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// Counts a version up. Its row is locked until the transaction ends.
pub(crate) fn bump(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    let sql = "INSERT INTO versions (name, version) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET version = versions.version + 1";
    tx.execute(sql, &values![name])?;
    Ok(())
}
