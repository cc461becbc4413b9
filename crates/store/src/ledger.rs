//! What became of every mail: undecided ones from the spool, decided ones from the ledger, ours from the outgoing mails.

use std::collections::BTreeMap;

use desk::changes::LedgerRow;
use desk::clock::Millis;
use desk::id::{MailId, TicketId};
use desk::ledger::Outcome;

use crate::error::{Result, StoreError};
use crate::message_id::hash;
use crate::sql::Sql as _;
use crate::value::{json, list_of};
use crate::{AccountTx, Before, values};

/// The columns of a decided mail as it is listed.
const COLUMNS: &str = "id, message_id, outcome, reason, reasons, ticket_number, accepted_at";

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
    pub at: Millis,
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
    let by_place: BTreeMap<(Millis, i64), Row> =
        rows.into_iter().map(|row| ((row.at, row.id), row)).collect();
    let limit = usize::try_from(limit).unwrap_or_default();
    Ok(by_place.into_values().rev().take(limit).collect())
}

/// Decided mails, the newest first, at most `limit` of those before a place.
///
/// # Errors
/// As the database says.
pub fn decided(tx: &mut AccountTx<'_, '_>, before: Before, limit: i64) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger
         WHERE account_id = $1 AND (accepted_at, id) < ($2, $3) ORDER BY accepted_at DESC, id DESC LIMIT $4"
    );
    tx.query(&sql, &values![before.at, before.id, limit])?.into_iter().map(read).collect()
}

/// Decided mails and mails of ours with one Message-ID, the newest first.
///
/// # Errors
/// As the database says.
pub fn by_message_id(tx: &mut AccountTx<'_, '_>, message_id: &str) -> Result<Vec<Row>> {
    let hash = hash(message_id);
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger WHERE account_id = $1 AND message_hash = $2 AND message_id = $3"
    );
    let rows = tx.query(&sql, &values![hash, message_id])?;
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
    let sql = format!("SELECT {COLUMNS} FROM ledger WHERE account_id = $1 AND id = $2");
    tx.find(&sql, &values![id])?.map(read).transpose()
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
                at: row.time()?,
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
        at: row.time()?,
    })
}

fn read(mut row: crate::Row) -> Result<Row> {
    let (id, message_id, outcome, reason) = (row.int()?, row.text()?, row.text()?, row.text()?);
    let mut reasons: Vec<String> = row.json()?;
    reasons.push(reason.clone());
    let (ticket, at) = (row.maybe_int()?, row.time()?);
    Ok(Row { id, direction: "in", message_id, outcome: Some(outcome), reason, reasons, ticket, at })
}

/// Writes what became of mails that are decided for the first time.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(
    tx: &mut AccountTx<'_, '_>,
    ledger: &[LedgerRow],
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    let reasons: Vec<String> = ledger.iter().map(steps).collect();
    let rows: Vec<_> = ledger
        .iter()
        .zip(&reasons)
        .map(|(row, reasons)| {
            values![
                row.id,
                &row.message_id,
                row.outcome.as_str(),
                &row.reason,
                reasons,
                row.ticket_id.and_then(|id| numbers.get(&id)).copied(),
                row.accepted_at,
                row.decided_at,
                hash(&row.message_id),
                row.ticket_id
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO ledger (account_id, {COLUMNS}, decided_at, message_hash, ticket_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    );
    tx.insert_rows(&sql, &rows)
}

/// Writes what became of mails that were decided before.
///
/// # Errors
/// [`StoreError::Changed`] when one has no ledger row.
pub(crate) fn rewrite(
    tx: &mut AccountTx<'_, '_>,
    ledger: &[LedgerRow],
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    for row in ledger {
        let reasons = steps(row);
        let number = row.ticket_id.and_then(|id| numbers.get(&id)).copied();
        let sql = "UPDATE ledger SET decided_at = $2, outcome = $3, reason = $4, reasons = $5, ticket_id = $6, ticket_number = $7
                   WHERE account_id = $1 AND id = $8";
        let bound = values![
            row.decided_at,
            row.outcome.as_str(),
            &row.reason,
            &reasons,
            row.ticket_id,
            number,
            row.id
        ];
        if tx.execute(sql, &bound)? != 1 {
            return Err(StoreError::Changed("the ledger row of the mail"));
        }
    }
    Ok(())
}

/// Notes that mails were discarded after all: what was the reason becomes a step. Mails without a row are left out.
///
/// # Errors
/// As the database says.
pub(crate) fn discard(tx: &mut AccountTx<'_, '_>, ids: &[MailId], reason: &str, now: Millis) -> Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM ledger WHERE account_id = $1 AND id IN ($2..)");
    let found = tx.query_in(&sql, &[], &list_of(ids))?.into_iter().map(read).collect::<Result<Vec<Row>>>()?;
    let steps: Vec<String> = found.iter().map(|row| json(&row.reasons)).collect();
    let outcome = Outcome::Discarded.as_str();
    let rows: Vec<_> =
        found.iter().zip(&steps).map(|(row, steps)| values![outcome, reason, steps, now, row.id]).collect();
    let sql = "UPDATE ledger SET outcome = $2, reason = $3, reasons = $4, decided_at = $5 WHERE account_id = $1 AND id = $6";
    tx.write_rows(sql, &rows)
}

/// The steps before the last one, which is the reason itself and stands in a column of its own.
fn steps(row: &LedgerRow) -> String {
    json(&row.reasons.split_last().map(|(_, before)| before).unwrap_or_default())
}
