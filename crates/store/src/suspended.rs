//! Suspended tickets: mails held back, with their cause; how they are let go, deleted, and told of.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::{LedgerRow, Suspended};
use desk::clock::Millis;
use desk::id::MailId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::{AccountTx, Before, Row, envelope, ledger, raw, tombstone, values};

/// The columns of a suspended ticket.
const COLUMNS: &str = "id, cause, sender, subject, recipient, detail, created_at";

/// A suspended ticket as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedRow {
    /// The raw mail.
    pub id: MailId,
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
    pub created_at: Millis,
}

/// Suspended tickets of one cause or of all, the newest first, at most `limit` of those before a place.
///
/// # Errors
/// As the database says.
pub fn page(
    tx: &mut AccountTx<'_, '_>,
    cause: Option<i64>,
    before: Before,
    limit: i64,
) -> Result<Vec<SuspendedRow>> {
    let rows = match cause {
        None => {
            let sql = format!(
                "SELECT {COLUMNS} FROM suspended_tickets
                 WHERE account_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
            );
            tx.query(&sql, &values![before.at, before.id, limit])?
        }
        Some(cause) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM suspended_tickets
                 WHERE account_id = $1 AND (created_at, id) < ($2, $3) AND cause = $4
                 ORDER BY created_at DESC, id DESC LIMIT $5"
            );
            tx.query(&sql, &values![before.at, before.id, cause, limit])?
        }
    };
    rows.into_iter().map(read).collect()
}

/// Which of these mails are held, in order of their ids.
///
/// # Errors
/// As the database says.
pub fn held(tx: &mut AccountTx<'_, '_>, ids: &[MailId]) -> Result<BTreeSet<MailId>> {
    let sql = "SELECT id FROM suspended_tickets WHERE account_id = $1 AND id IN ($2..)";
    tx.query_in(sql, &[], &list_of(ids))?.into_iter().map(|mut row| row.int().map(MailId)).collect()
}

/// Ids of suspended tickets held before or at a time, the oldest first, at most `limit`. Those that could not be processed (causes
/// 19 and 24) never expire: a person is to see them.
///
/// # Errors
/// As the database says.
pub fn expired(tx: &mut AccountTx<'_, '_>, at: Millis, limit: i64) -> Result<Vec<MailId>> {
    let sql = "SELECT id FROM suspended_tickets WHERE account_id = $1 AND created_at <= $2 AND cause NOT IN (19, 24)
               ORDER BY created_at, id LIMIT $3";
    tx.query(sql, &values![at, limit])?.into_iter().map(|mut row| Ok(MailId(row.int()?))).collect()
}

/// One suspended ticket, by the id of its mail.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<SuspendedRow>> {
    let sql = format!("SELECT {COLUMNS} FROM suspended_tickets WHERE account_id = $1 AND id = $2");
    tx.find(&sql, &values![id])?.map(read).transpose()
}

fn read(mut row: Row) -> Result<SuspendedRow> {
    Ok(SuspendedRow {
        id: MailId(row.int()?),
        cause: row.int()?,
        sender: row.text()?,
        subject: row.text()?,
        recipient: row.text()?,
        detail: row.text()?,
        created_at: row.time()?,
    })
}

/// Inserts suspended tickets.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, suspended: &[Suspended], change: i64) -> Result<()> {
    let rows: Vec<_> = suspended
        .iter()
        .map(|held| {
            values![
                held.id,
                held.cause.number(),
                &held.sender,
                &held.subject,
                &held.recipient,
                &held.detail,
                held.created_at,
                change
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO suspended_tickets (account_id, {COLUMNS}, change) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    tx.insert_rows(&sql, &rows)
}

/// Removes mails from the suspended tickets; those that are not held are passed over.
///
/// # Errors
/// As the database says.
pub(crate) fn release(tx: &mut AccountTx<'_, '_>, ledger: &[LedgerRow], change: i64) -> Result<()> {
    let ids: Vec<MailId> = ledger.iter().map(|row| row.id).collect();
    let held: Vec<MailId> = held(tx, &ids)?.into_iter().collect();
    remove(tx, &held, change)
}

fn remove(tx: &mut AccountTx<'_, '_>, ids: &[MailId], change: i64) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.write_rows("DELETE FROM suspended_tickets WHERE account_id = $1 AND id = $2", &rows)?;
    let gone: Vec<i64> = ids.iter().map(|id| id.0).collect();
    tombstone::insert_many(tx, tombstone::SUSPENDED_TICKET, &gone, change)
}

/// Deletes suspended tickets with the bytes of their mails. The ledger keeps what became of each, `reason` last. Returns how
/// many there were, and the blobs that nothing names any more.
///
/// # Errors
/// As the database says.
pub fn delete(
    tx: &mut AccountTx<'_, '_>,
    ids: &[MailId],
    reason: &str,
    now: Millis,
    change: i64,
) -> Result<(u64, Vec<String>)> {
    let held: Vec<MailId> = held(tx, ids)?.into_iter().collect();
    ledger::discard(tx, &held, reason, now)?;
    let blobs = raw::forget(tx, &held)?;
    envelope::delete(tx, &held)?;
    remove(tx, &held, change)?;
    Ok((u64::try_from(held.len()).unwrap_or(u64::MAX), blobs))
}

/// What was held since a time, for the digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// How many, by the cause's number.
    pub counts: BTreeMap<i64, u64>,
    /// The newest of them, newest first.
    pub newest: Vec<SuspendedRow>,
    /// How many are held in all.
    pub held: u64,
}

/// What was held after `since`, with at most `newest` shown.
///
/// # Errors
/// As the database says.
pub fn since(tx: &mut AccountTx<'_, '_>, since: Millis, newest: i64) -> Result<Since> {
    let mut told = Since::default();
    let sql = "SELECT cause, COUNT(*) FROM suspended_tickets WHERE account_id = $1 AND created_at > $2 GROUP BY cause ORDER BY cause";
    for mut row in tx.query(sql, &values![since])? {
        told.counts.insert(row.int()?, u64::try_from(row.int()?).unwrap_or_default());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM suspended_tickets
         WHERE account_id = $1 AND created_at > $2 ORDER BY created_at DESC, id DESC LIMIT $3"
    );
    told.newest = tx.query(&sql, &values![since, newest])?.into_iter().map(read).collect::<Result<_>>()?;
    let held = tx.find("SELECT COUNT(*) FROM suspended_tickets WHERE account_id = $1", &[])?;
    told.held = held
        .map(|mut row| row.int())
        .transpose()?
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default();
    Ok(told)
}
