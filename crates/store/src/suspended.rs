//! Suspended tickets: mails held back, with their cause.

use crate::error::Result;
use crate::{Tx, values};

/// A suspended ticket as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedRow {
    /// The raw mail's id.
    pub id: i64,
    /// The cause's number.
    pub cause: i64,
    /// From.
    pub sender: String,
    /// Subject.
    pub subject: String,
    /// The support address.
    pub recipient: String,
    /// More words on the cause.
    pub detail: String,
    /// When it was held.
    pub created_at: i64,
}

/// The newest suspended tickets, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut Tx<'_>, account_id: i64, limit: i64) -> Result<Vec<SuspendedRow>> {
    let sql = "SELECT id, cause, sender, subject, recipient, detail, created_at
               FROM suspended_tickets WHERE account_id = $1 ORDER BY id DESC LIMIT $2";
    let rows = tx.query(sql, &values![account_id, limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(SuspendedRow {
                id: row.int()?,
                cause: row.int()?,
                sender: row.text()?,
                subject: row.text()?,
                recipient: row.text()?,
                detail: row.text()?,
                created_at: row.int()?,
            })
        })
        .collect()
}
