//! Suspended tickets: mails held back, with their cause; how they are let go, deleted, and told of.

use std::collections::{BTreeMap, BTreeSet};

use desk::envelope::Envelope;
use desk::id::MailId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::{AccountTx, Before, Row, values};

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
    pub created_at: i64,
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
            let sql = "SELECT id, cause, sender, subject, recipient, detail, created_at FROM suspended_tickets
                       WHERE account_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";
            tx.query(sql, &values![before.at, before.id, limit])?
        }
        Some(cause) => {
            let sql =
                "SELECT id, cause, sender, subject, recipient, detail, created_at FROM suspended_tickets
                       WHERE account_id = $1 AND (created_at, id) < ($2, $3) AND cause = $4
                       ORDER BY created_at DESC, id DESC LIMIT $5";
            tx.query(sql, &values![before.at, before.id, cause, limit])?
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

/// Ids of suspended tickets held before or at a time, the oldest first, at most `limit`. Those that we could not work (cause 19) never
/// expire: a person is to see them.
///
/// # Errors
/// As the database says.
pub fn expired(tx: &mut AccountTx<'_, '_>, at: i64, limit: i64) -> Result<Vec<MailId>> {
    let sql = "SELECT id FROM suspended_tickets WHERE account_id = $1 AND created_at <= $2 AND cause <> 19
               ORDER BY created_at, id LIMIT $3";
    tx.query(sql, &values![at, limit])?.into_iter().map(|mut row| Ok(MailId(row.int()?))).collect()
}

/// One suspended ticket, by the id of its mail.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<SuspendedRow>> {
    let sql = "SELECT id, cause, sender, subject, recipient, detail, created_at
               FROM suspended_tickets WHERE account_id = $1 AND id = $2";
    tx.find(sql, &values![id])?.map(read).transpose()
}

fn read(mut row: Row) -> Result<SuspendedRow> {
    Ok(SuspendedRow {
        id: MailId(row.int()?),
        cause: row.int()?,
        sender: row.text()?,
        subject: row.text()?,
        recipient: row.text()?,
        detail: row.text()?,
        created_at: row.int()?,
    })
}

/// Takes a mail out of the suspended tickets, where it may be.
///
/// # Errors
/// As the database says.
pub(crate) fn release(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<()> {
    tx.execute("DELETE FROM suspended_tickets WHERE account_id = $1 AND id = $2", &values![id])?;
    Ok(())
}

/// What SMTP said of a mail that may be decided anew; none for one that made a ticket or a comment.
///
/// # Errors
/// As the database says.
pub fn envelope(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<Envelope>> {
    let row = tx.find("SELECT envelope FROM envelopes WHERE account_id = $1 AND id = $2", &values![id])?;
    row.map(|mut row| row.json()).transpose()
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
    now: i64,
    change: i64,
) -> Result<(u64, Vec<String>)> {
    let sql = "SELECT s.id, l.reason, l.reasons, r.blob FROM suspended_tickets s
               JOIN ledger l ON l.account_id = s.account_id AND l.id = s.id
               JOIN raw_mails r ON r.account_id = s.account_id AND r.id = s.id
               WHERE s.account_id = $1 AND s.id IN ($2..)";
    let mut found = Vec::new();
    let mut blobs = Vec::new();
    for mut row in tx.query_in(sql, &[], &list_of(ids))? {
        let id = MailId(row.int()?);
        let last = row.text()?;
        let mut steps: Vec<String> = row.json()?;
        steps.push(last);
        blobs.extend(row.maybe_text()?);
        found.push((id, serde_json::to_string(&steps).unwrap_or_else(|_| "[]".into())));
    }
    let rows: Vec<_> =
        found.iter().map(|(id, steps)| values!["discarded", reason, steps, now, *id]).collect();
    let sql = "UPDATE ledger SET outcome = $2, reason = $3, reasons = $4, decided_at = $5 WHERE account_id = $1 AND id = $6";
    tx.execute_rows(sql, &rows)?;
    let keys: Vec<_> = found.iter().map(|(id, _)| values![*id]).collect();
    tx.execute_rows(
        "UPDATE raw_mails SET body = NULL, blob = NULL WHERE account_id = $1 AND id = $2",
        &keys,
    )?;
    tx.execute_rows("DELETE FROM envelopes WHERE account_id = $1 AND id = $2", &keys)?;
    tx.execute_rows("DELETE FROM suspended_tickets WHERE account_id = $1 AND id = $2", &keys)?;
    let gone: Vec<_> = found.iter().map(|(id, _)| values![change, "suspended_ticket", *id]).collect();
    tx.insert_rows("INSERT INTO tombstones (account_id, change, kind, id) VALUES ($1, $2, $3, $4)", &gone)?;
    Ok((u64::try_from(found.len()).unwrap_or(u64::MAX), blobs))
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
pub fn since(tx: &mut AccountTx<'_, '_>, since: i64, newest: i64) -> Result<Since> {
    let mut told = Since::default();
    let sql = "SELECT cause, COUNT(*) FROM suspended_tickets WHERE account_id = $1 AND created_at > $2 GROUP BY cause ORDER BY cause";
    for mut row in tx.query(sql, &values![since])? {
        told.counts.insert(row.int()?, u64::try_from(row.int()?).unwrap_or_default());
    }
    let sql = "SELECT id, cause, sender, subject, recipient, detail, created_at FROM suspended_tickets
               WHERE account_id = $1 AND created_at > $2 ORDER BY created_at DESC, id DESC LIMIT $3";
    told.newest = tx.query(sql, &values![since, newest])?.into_iter().map(read).collect::<Result<_>>()?;
    let held = tx.find("SELECT COUNT(*) FROM suspended_tickets WHERE account_id = $1", &[])?;
    told.held = held
        .map(|mut row| row.int())
        .transpose()?
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default();
    Ok(told)
}

/// Until when somebody was told of suspended tickets, none for never; sets it to `now`.
///
/// # Errors
/// As the database says.
pub fn told_until(tx: &mut AccountTx<'_, '_>, now: i64) -> Result<Option<i64>> {
    let sql = "SELECT value FROM marks WHERE account_id = $1 AND name = 'suspended_told'";
    let before = tx.find(sql, &[])?.map(|mut row| row.int()).transpose()?;
    let sql = "INSERT INTO marks (account_id, name, value) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, &values!["suspended_told", now])?;
    Ok(before)
}
