//! Marks: until when something of an account has been done.

use desk::clock::Millis;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Until when somebody was told of suspended tickets.
pub const SUSPENDED_TOLD: &str = "suspended_told";

/// Where a mark is, none for nowhere.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, name: &str) -> Result<Option<Millis>> {
    let sql = "SELECT value FROM marks WHERE account_id = $1 AND name = $2";
    tx.find(sql, &values![name])?.map(|mut row| row.time()).transpose()
}

/// Moves a mark to a time.
///
/// # Errors
/// As the database says.
pub fn set(tx: &mut AccountTx<'_, '_>, name: &str, time: Millis) -> Result<()> {
    let sql = "INSERT INTO marks (account_id, name, value) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value";
    tx.write(sql, &values![name, time])
}
