//! The durable outbound queue: one row a recipient, bytes made once per mail.
//!
//! What asks for rows in some state repeats the condition of the index `outbox_due` word for word and bounds `due_at`: SQLite
//! proves nothing, and would go through all that was ever sent.

use std::collections::BTreeSet;

use desk::id::{CommentId, OutboxId, OutgoingId, TicketId};
use desk::notice::{Content, NoticeKind};
use desk::outbox_state::OutboxState;

use crate::error::Result;
use crate::raw::{pack, unpack};
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::work::{self, Kind};
use crate::{AccountTx, Row, Value, values};

/// A recipient that is due.
#[derive(Debug, Clone)]
pub struct Due {
    /// The row.
    pub id: OutboxId,
    /// The mail.
    pub mail_id: OutgoingId,
    /// The recipient.
    pub recipient: String,
    /// Attempts made before this one.
    pub attempts: i64,
    /// When the row was made: giving up is counted from here.
    pub created_at: i64,
}

/// Takes recipients of an account that are due, those in hand aside, and marks them as being sent.
///
/// `again_at` is when a row is due once more should this node die with it: its peer may have accepted the mail, so it goes
/// out a second time with the same Message-ID (docs/behaviour/outgoing-mail.md §5).
///
/// # Errors
/// As the database says.
pub fn claim(
    tx: &mut AccountTx<'_, '_>,
    now: i64,
    again_at: i64,
    in_hand: &[OutboxId],
    limit: usize,
) -> Result<Vec<Due>> {
    let sql = "SELECT id, mail_id, recipient, attempts, created_at FROM outbox
               WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at <= $2
               ORDER BY due_at, id LIMIT $3";
    // Rows in hand may be due by the same rule; ask for as many more.
    let wanted = i64::try_from(limit + in_hand.len()).unwrap_or(i64::MAX);
    let mut due = Vec::new();
    for mut row in tx.query(sql, &values![now, wanted])? {
        let found = Due {
            id: OutboxId(row.int()?),
            mail_id: OutgoingId(row.int()?),
            recipient: row.text()?,
            attempts: row.int()?,
            created_at: row.int()?,
        };
        if !in_hand.contains(&found.id) && due.len() < limit {
            due.push(found);
        }
    }
    let list: Vec<Value<'_>> = due.iter().map(|row| row.id.into()).collect();
    let sql = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, due_at = $2, updated_at = $3
               WHERE account_id = $1 AND id IN ($4..) AND state IN ('waiting', 'queued', 'sending', 'deferred')";
    let claimed = tx.execute_in(sql, &values![again_at, now], &list)?;
    if claimed < due.len() as u64 {
        leave_out_bounced(tx, &mut due)?;
    }
    Ok(due)
}

/// Leaves out rows that a bounce reported on between looking and claiming.
fn leave_out_bounced(tx: &mut AccountTx<'_, '_>, due: &mut Vec<Due>) -> Result<()> {
    let list: Vec<Value<'_>> = due.iter().map(|row| row.id.into()).collect();
    let sql = "SELECT id FROM outbox WHERE account_id = $1 AND id IN ($2..) AND state = 'sending'";
    let rows = tx.query_in(sql, &[], &list)?;
    let sending = rows.into_iter().map(|mut row| row.int().map(OutboxId)).collect::<Result<BTreeSet<_>>>()?;
    due.retain(|row| sending.contains(&row.id));
    Ok(())
}

/// A mail to be sent: its bytes, or what they are made of.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its id.
    pub id: OutgoingId,
    /// Its ticket.
    pub ticket_id: Option<TicketId>,
    /// The ticket's number.
    pub ticket_number: Option<i64>,
    /// The comment it carries.
    pub comment_id: Option<CommentId>,
    /// Its Message-ID.
    pub message_id: String,
    /// The values at the event.
    pub content: Content,
    /// The bytes, once they were made.
    pub raw: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: i64,
}

/// Mails by ids, in no order. Each is read by itself: one with a damaged row keeps none of the others back.
///
/// # Errors
/// As the database says. In the place of a mail: [`crate::StoreError::Row`] when its values are not of the expected form,
/// [`crate::StoreError::Statement`] when its bytes are damaged.
pub fn mails(tx: &mut AccountTx<'_, '_>, ids: &[OutgoingId]) -> Result<Vec<(OutgoingId, Result<Mail>)>> {
    let sql = "SELECT id, ticket_id, ticket_number, comment_id, message_id, content, raw, created_at
               FROM outgoing_mails WHERE account_id = $1 AND id IN ($2..)";
    let rows = tx.query_in(sql, &[], &list_of(ids))?;
    rows.into_iter()
        .map(|mut row| {
            let id = OutgoingId(row.int()?);
            Ok((id, read_mail(id, row)))
        })
        .collect()
}

/// The columns behind the id.
fn read_mail(id: OutgoingId, mut row: Row) -> Result<Mail> {
    Ok(Mail {
        id,
        ticket_id: row.maybe_int()?.map(TicketId),
        ticket_number: row.maybe_int()?,
        comment_id: row.maybe_int()?.map(CommentId),
        message_id: row.text()?,
        content: row.json()?,
        raw: row.maybe_bytes()?.map(|packed| unpack_framed(&packed)).transpose()?,
        created_at: row.int()?,
    })
}

/// Keeps the bytes of mails before their first attempt.
///
/// # Errors
/// As the database says.
pub fn keep_bytes(tx: &mut AccountTx<'_, '_>, mails: &[(OutgoingId, Vec<u8>)]) -> Result<()> {
    let packed: Vec<(OutgoingId, Vec<u8>)> =
        mails.iter().map(|(id, bytes)| Ok((*id, pack_framed(bytes)?))).collect::<Result<_>>()?;
    let rows: Vec<_> = packed.iter().map(|(id, bytes)| values![bytes, *id]).collect();
    tx.execute_rows(
        "UPDATE outgoing_mails SET raw = $2 WHERE account_id = $1 AND id = $3 AND raw IS NULL",
        &rows,
    )?;
    Ok(())
}

/// Compressed bytes with their size before them, as this column has no other place for it.
fn pack_framed(bytes: &[u8]) -> Result<Vec<u8>> {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut framed = size.to_le_bytes().to_vec();
    framed.extend(pack(bytes)?);
    Ok(framed)
}

fn unpack_framed(framed: &[u8]) -> Result<Vec<u8>> {
    let (size, packed) = framed.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    unpack(packed, u32::from_le_bytes(*size) as usize)
}

/// Message-IDs of the last ten mails of a ticket's public conversation that came in before a time, oldest first.
///
/// # Errors
/// As the database says.
pub fn conversation(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId, before: i64) -> Result<Vec<String>> {
    let sql = "SELECT l.message_id FROM comments c JOIN ledger l ON l.account_id = c.account_id AND l.id = c.raw_id
               WHERE c.account_id = $1 AND c.ticket_id = $2 AND c.is_public = 1 AND c.created_at <= $3 AND l.message_id <> ''
               ORDER BY c.created_at DESC, c.id DESC LIMIT 10";
    let rows = tx.query(sql, &values![ticket_id, before])?;
    let mut ids = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<String>>>()?;
    ids.reverse();
    Ok(ids)
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// The row.
    pub id: OutboxId,
    /// Sent, deferred, bounced or expired, or queued for one that was not tried after all.
    pub state: OutboxState,
    /// When it is due next.
    pub due_at: i64,
    /// What was answered.
    pub answer: String,
    /// False when its destination was known to be down and no attempt was made.
    pub tried: bool,
}

/// Records attempts. A row that a bounce reported on meanwhile stays bounced.
///
/// # Errors
/// As the database says.
pub fn record(tx: &mut AccountTx<'_, '_>, attempts: &[Attempted], now: i64) -> Result<()> {
    let rows: Vec<_> = attempts
        .iter()
        .map(|done| values![done.state.as_str(), done.due_at, &done.answer, now, !done.tried, done.id])
        .collect();
    let sql = "UPDATE outbox SET state = $2, due_at = $3, last_answer = $4, updated_at = $5, attempts = attempts - $6
               WHERE account_id = $1 AND id = $7 AND state = 'sending'";
    tx.execute_rows(sql, &rows)?;
    Ok(())
}

/// Makes rows that somebody had in hand and does not any more due at once.
///
/// # Errors
/// As the database says.
pub fn resume(tx: &mut AccountTx<'_, '_>) -> Result<u64> {
    let sql = "UPDATE outbox SET due_at = $2
               WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at > $3 AND state = 'sending'";
    tx.execute(sql, &values![0, 0])
}

/// A row that was due at a time and is not in hand; none when there is none.
///
/// # Errors
/// As the database says.
pub fn oldest_due(tx: &mut AccountTx<'_, '_>, at: i64) -> Result<Option<OutboxId>> {
    let sql = "SELECT id FROM outbox
               WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at <= $2
                   AND created_at <= $3
               ORDER BY due_at, id LIMIT 1";
    tx.find(sql, &values![at, at])?.map(|mut row| Ok(OutboxId(row.int()?))).transpose()
}

/// Makes rows of an account due now and announces them: one, also when it was given up, or all that are not done; returns how many.
/// One on the wire stays so.
///
/// # Errors
/// As the database says.
pub fn retry(tx: &mut AccountTx<'_, '_>, id: Option<OutboxId>) -> Result<u64> {
    let count = match id {
        Some(id) => {
            let sql = "UPDATE outbox SET due_at = $2, state = CASE WHEN state = 'sending' THEN state ELSE 'queued' END
                       WHERE account_id = $1 AND id = $3
                           AND state IN ('waiting', 'queued', 'sending', 'deferred', 'expired')";
            tx.execute(sql, &values![0, id])?
        }
        None => {
            let sql = "UPDATE outbox SET due_at = $2, state = CASE WHEN state = 'sending' THEN state ELSE 'queued' END
                       WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at >= 0";
            tx.execute(sql, &values![0])?
        }
    };
    let account_id = tx.account_id();
    work::announce(tx.shared(), Kind::Outbox, &[account_id], 0)?;
    Ok(count)
}

/// How many recipients of an account are not done, by state; states without any are left out.
///
/// # Errors
/// As the database says.
pub fn undone(tx: &mut AccountTx<'_, '_>) -> Result<Vec<(OutboxState, i64)>> {
    let sql = "SELECT state, count(*) FROM outbox
               WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at >= 0 GROUP BY state";
    let rows = tx.query(sql, &[])?;
    rows.into_iter().map(|mut row| Ok((row.word()?, row.int()?))).collect()
}

/// A row as it is listed.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// The row.
    pub id: OutboxId,
    /// The ticket's number.
    pub ticket: Option<i64>,
    /// What the mail is.
    pub kind: NoticeKind,
    /// Its Message-ID without `<>`.
    pub message_id: String,
    /// From; empty when what the mail is made of cannot be read.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The state.
    pub state: OutboxState,
    /// Attempts so far.
    pub attempts: i64,
    /// When it is due.
    pub due_at: i64,
    /// What was last answered.
    pub last_answer: String,
    /// When the mail was made.
    pub created_at: i64,
}

/// Rows in the order of their ids, after one of them or from the first on, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>, after: Option<OutboxId>, limit: i64) -> Result<Vec<OutboxRow>> {
    let sql =
        "SELECT o.id, m.ticket_number, m.kind, m.message_id, m.content, o.recipient, o.state, o.attempts, o.due_at, o.last_answer,
                   o.created_at
               FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
               WHERE o.account_id = $1 AND o.id > $2 ORDER BY o.id LIMIT $3";
    tx.query(sql, &values![after.unwrap_or(OutboxId(0)), limit])?.into_iter().map(read_row).collect()
}

/// Rows of the mails that a ticket sent, in the order in which they were made.
///
/// # Errors
/// As the database says.
pub fn of_ticket(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId) -> Result<Vec<OutboxRow>> {
    let sql =
        "SELECT o.id, m.ticket_number, m.kind, m.message_id, m.content, o.recipient, o.state, o.attempts, o.due_at, o.last_answer,
                   o.created_at
               FROM outgoing_mails m JOIN outbox o ON o.account_id = m.account_id AND o.mail_id = m.id
               WHERE m.account_id = $1 AND m.ticket_id = $2 ORDER BY o.created_at, o.id";
    tx.query(sql, &values![ticket_id])?.into_iter().map(read_row).collect()
}

fn read_row(mut row: Row) -> Result<OutboxRow> {
    Ok(OutboxRow {
        id: OutboxId(row.int()?),
        ticket: row.maybe_int()?,
        kind: row.word()?,
        message_id: row.text()?,
        // One unreadable mail must not hide all others: its row says why it was given up.
        from: row.json::<Content>().map(|content| content.from.address).unwrap_or_default(),
        to: row.text()?,
        state: row.word()?,
        attempts: row.int()?,
        due_at: row.int()?,
        last_answer: row.text()?,
        created_at: row.int()?,
    })
}
