//! What became of every mail: undecided ones from the spool, decided ones from the ledger, ours from the outgoing mails.

use std::collections::BTreeMap;

use desk::id::MailId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, Before, values};

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

/// Mails in and out, decided and undecided, the newest first, at most `limit` of those before a place.
///
/// # Errors
/// As the database says.
pub fn page(tx: &mut AccountTx<'_, '_>, before: Before, limit: i64) -> Result<Vec<Row>> {
    // The undecided ones are read first: a mail that is decided meanwhile is found twice, in one place, and never not at all.
    let mut rows = undecided(tx, before, limit)?;
    rows.extend(decided(tx, before, limit)?);
    rows.extend(outgoing(tx, before, limit)?);
    let by_place: BTreeMap<(i64, i64), Row> = rows.into_iter().map(|row| ((row.at, row.id), row)).collect();
    let limit = usize::try_from(limit).unwrap_or_default();
    Ok(by_place.into_values().rev().take(limit).collect())
}

/// Decided mails, the newest first, at most `limit` of those before a place.
///
/// # Errors
/// As the database says.
pub fn decided(tx: &mut AccountTx<'_, '_>, before: Before, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at FROM ledger
               WHERE account_id = $1 AND (accepted_at, id) < ($2, $3) ORDER BY accepted_at DESC, id DESC LIMIT $4";
    tx.query(sql, &values![before.at, before.id, limit])?.into_iter().map(read).collect()
}

/// Decided mails and mails of ours with one Message-ID, the newest first.
///
/// # Errors
/// As the database says.
pub fn by_message_id(tx: &mut AccountTx<'_, '_>, message_id: &str) -> Result<Vec<Row>> {
    let hash = hash(message_id);
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at
               FROM ledger WHERE account_id = $1 AND message_hash = $2 AND message_id = $3";
    let rows = tx.query(sql, &values![hash, message_id])?;
    let mut found = rows.into_iter().map(read).collect::<Result<Vec<Row>>>()?;
    let sql = "SELECT m.id, m.message_id, m.kind, m.ticket_number, m.created_at
               FROM message_ids i JOIN outgoing_mails m ON m.account_id = i.account_id AND m.id = i.mail_id
               WHERE i.account_id = $1 AND i.hash = $2 AND i.message_id = $3 AND i.kind = 'out'";
    for row in tx.query(sql, &values![hash, message_id])? {
        found.push(read_outgoing(row)?);
    }
    found.sort_by_key(|row| std::cmp::Reverse((row.at, row.id)));
    Ok(found)
}

/// A decided mail by its id.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<Row>> {
    let sql = "SELECT id, message_id, outcome, reason, reasons, ticket_number, accepted_at
               FROM ledger WHERE account_id = $1 AND id = $2";
    tx.find(sql, &values![id])?.map(read).transpose()
}

fn undecided(tx: &mut AccountTx<'_, '_>, before: Before, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, accepted_at FROM spool
               WHERE account_id = $1 AND (accepted_at, id) < ($2, $3) ORDER BY accepted_at DESC, id DESC LIMIT $4";
    let rows = tx.query(sql, &values![before.at, before.id, limit])?;
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

fn outgoing(tx: &mut AccountTx<'_, '_>, before: Before, limit: i64) -> Result<Vec<Row>> {
    let sql = "SELECT id, message_id, kind, ticket_number, created_at FROM outgoing_mails
               WHERE account_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";
    let rows = tx.query(sql, &values![before.at, before.id, limit])?;
    rows.into_iter().map(read_outgoing).collect()
}

fn read_outgoing(mut row: crate::Row) -> Result<Row> {
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
}

fn read(mut row: crate::Row) -> Result<Row> {
    let (id, message_id, outcome, reason) = (row.int()?, row.text()?, row.text()?, row.text()?);
    let mut reasons: Vec<String> = row.json()?;
    reasons.push(reason.clone());
    let (ticket, at) = (row.maybe_int()?, row.int()?);
    Ok(Row { id, direction: "in", message_id, outcome: Some(outcome), reason, reasons, ticket, at })
}
