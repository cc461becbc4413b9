//! What became of every mail: undecided ones from the spool, decided ones from the ledger, ours from the outgoing mails.

use crate::error::Result;
use crate::{Tx, values};

/// A row of the ledger as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The mail.
    pub id: i64,
    /// `in` or `out`.
    pub direction: &'static str,
    /// Without `<>`, empty when it has none or is not read yet.
    pub message_id: String,
    /// None until it is decided.
    pub outcome: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Every step.
    pub reasons: Vec<String>,
    /// The ticket's number.
    pub ticket: Option<i64>,
    /// When it was accepted or made.
    pub at: i64,
}

/// The hash by which a Message-ID is found.
#[must_use]
pub fn hash(message_id: &str) -> i64 {
    let hash = blake3::hash(message_id.as_bytes());
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    i64::from_le_bytes(eight)
}

/// Decided mails after `after` in the order of their ids, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn decided(tx: &mut Tx<'_>, account_id: i64, after: i64, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at
               FROM ledger WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    tx.query(sql, &values![account_id, after, limit])?.into_iter().map(read).collect()
}

/// Decided mails of one Message-ID.
///
/// # Errors
/// As the database says.
pub fn by_message_id(tx: &mut Tx<'_>, account_id: i64, message_id: &str) -> Result<Vec<Row>> {
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at
               FROM ledger WHERE account_id = $1 AND message_hash = $2 AND message_id = $3 ORDER BY accepted_at, id";
    tx.query(sql, &values![account_id, hash(message_id), message_id])?.into_iter().map(read).collect()
}

/// A decided mail by its id.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut Tx<'_>, account_id: i64, id: i64) -> Result<Option<Row>> {
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at
               FROM ledger WHERE account_id = $1 AND id = $2";
    tx.find(sql, &values![account_id, id])?.map(read).transpose()
}

/// Undecided mails, oldest first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn undecided(tx: &mut Tx<'_>, account_id: i64, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, accepted_at FROM spool WHERE account_id = $1 ORDER BY accepted_at, id LIMIT $2";
    let rows = tx.query(sql, &values![account_id, limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Row {
                id: row.int()?,
                direction: "in",
                message_id: String::new(),
                outcome: None,
                reason: "not decided yet".into(),
                reasons: vec![],
                ticket: None,
                at: row.int()?,
            })
        })
        .collect()
}

/// Mails of ours after `after` in the order of their ids, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn outgoing(tx: &mut Tx<'_>, account_id: i64, after: i64, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, message_id, kind, ticket_number, created_at
               FROM outgoing_mails WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let rows = tx.query(sql, &values![account_id, after, limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Row {
                id: row.int()?,
                direction: "out",
                message_id: row.text()?,
                outcome: None,
                reason: row.text()?,
                reasons: vec![],
                ticket: row.maybe_int()?,
                at: row.int()?,
            })
        })
        .collect()
}

fn read(mut row: crate::Row) -> Result<Row> {
    let (id, message_id, outcome, reason) = (row.int()?, row.text()?, row.text()?, row.text()?);
    let mut reasons: Vec<String> = row.json()?;
    reasons.push(reason.clone());
    let (ticket, at) = (row.maybe_int()?, row.int()?);
    Ok(Row { id, direction: "in", message_id, outcome: Some(outcome), reason, reasons, ticket, at })
}
