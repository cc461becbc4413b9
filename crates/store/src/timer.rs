//! Timers: what waits for a time and has no index of its own. Their account is due when the first of a kind is (`crate::work`).

use desk::clock::Millis;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::work::{self, Kind};
use crate::{AccountTx, values};

/// Sets a timer and announces it. Setting one twice for the same time and subject is setting it once.
///
/// # Errors
/// As the database says.
pub fn set(tx: &mut AccountTx<'_, '_>, kind: Kind, due_at: Millis, subject: i64) -> Result<()> {
    let sql = "INSERT INTO timers (account_id, kind, due_at, subject) VALUES ($1, $2, $3, $4)
               ON CONFLICT (account_id, kind, due_at, subject) DO NOTHING";
    tx.write(sql, &values![kind.as_str(), due_at, subject])?;
    let account_id = tx.account_id();
    work::announce(tx.shared(), kind, &[account_id], due_at)
}

/// What the timers of a kind that are due are about, the longest due first, each once.
///
/// # Errors
/// As the database says.
pub fn due(tx: &mut AccountTx<'_, '_>, kind: Kind, now: Millis) -> Result<Vec<i64>> {
    let sql = "SELECT subject FROM timers WHERE account_id = $1 AND kind = $2 AND due_at <= $3 ORDER BY due_at, subject";
    let mut subjects: Vec<i64> = tx
        .query(sql, &values![kind.as_str(), now])?
        .into_iter()
        .map(|mut row| row.int())
        .collect::<Result<_>>()?;
    subjects.dedup();
    Ok(subjects)
}

/// Removes the timers of a kind that are due.
///
/// # Errors
/// As the database says.
pub fn remove_until(tx: &mut AccountTx<'_, '_>, kind: Kind, now: Millis) -> Result<()> {
    let sql = "DELETE FROM timers WHERE account_id = $1 AND kind = $2 AND due_at <= $3";
    tx.write(sql, &values![kind.as_str(), now])
}
