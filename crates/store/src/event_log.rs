//! The event log: who changed what of an account's configuration.

use desk::clock::Millis;
use desk::logged_action::LoggedAction;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Writes a line of the event log: who changed what of the configuration.
///
/// # Errors
/// As the database says.
pub fn insert(
    tx: &mut AccountTx<'_, '_>,
    id: i64,
    actor: &str,
    action: &LoggedAction,
    detail: &str,
    now: Millis,
) -> Result<()> {
    let sql = "INSERT INTO events (account_id, id, actor, action, detail, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, &values![id, actor, action.as_str(), detail, now])?;
    Ok(())
}
