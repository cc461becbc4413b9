//! The durable outbound queue: one row a recipient. The bytes, made once per mail, lie in [`crate::outgoing`].
//!
//! What asks for rows in some state repeats the condition of the index `outbox_due` word for word and bounds `due_at`: SQLite
//! proves nothing, and would go through all that was ever sent.

use std::collections::BTreeSet;

use desk::changes::{Bounced, Outgoing};
use desk::clock::Millis;
use desk::delivery::{Delivery, DeliveryResult};
use desk::id::{OutboxId, OutgoingId, TicketId};
use desk::notice::{Content, NoticeKind};
use desk::outbox_state::OutboxState;
use desk::questions::Questions;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::work::{self, Kind};
use crate::{AccountTx, Row, Value, values};

/// New mail is due at once, whatever the clocks of those who write and send it say.
pub const DUE_AT_ONCE: Millis = work::AT_ONCE;

/// The columns of a row as it is listed, of `outbox o` and its mail `outgoing_mails m`.
const LISTED: &str =
    "o.id, m.ticket_number, m.kind, m.message_id, m.content, o.recipient, o.state, o.attempts,
    o.due_at, o.last_answer, o.created_at";

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
    pub created_at: Millis,
}

/// Takes recipients of an account that are due, other than those in hand, and marks them as being sent.
///
/// `again_at` is when a row is due once more should this node die with it: its peer may have accepted the mail, so it goes
/// out a second time with the same Message-ID (docs/behaviour/outgoing-mail.md §5).
///
/// # Errors
/// As the database says.
pub fn claim(
    tx: &mut AccountTx<'_, '_>,
    now: Millis,
    again_at: Millis,
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
            created_at: row.time()?,
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

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// The row.
    pub id: OutboxId,
    /// Sent, deferred, bounced or expired, or queued for one that was not tried after all.
    pub state: OutboxState,
    /// When it is due next.
    pub due_at: Millis,
    /// What was answered.
    pub answer: String,
    /// False when its destination was known to be down and no attempt was made.
    pub tried: bool,
}

/// Records attempts made under a lease. A row that a bounce reported on meanwhile stays bounced, and one that another node has in
/// hand by now stays as it is: the epoch is looked at by the statement that writes.
///
/// # Errors
/// As the database says.
pub fn record(tx: &mut AccountTx<'_, '_>, epoch: i64, attempts: &[Attempted], now: Millis) -> Result<()> {
    let rows: Vec<_> = attempts
        .iter()
        .map(|done| values![done.state.as_str(), done.due_at, &done.answer, now, !done.tried, done.id, epoch])
        .collect();
    let sql = "UPDATE outbox SET state = $2, due_at = $3, last_answer = $4, updated_at = $5, attempts = attempts - $6
               WHERE account_id = $1 AND id = $7 AND state = 'sending'
                   AND EXISTS (SELECT 1 FROM work WHERE kind = 'outbox' AND work.account_id = $1 AND epoch = $8)";
    tx.execute_rows(sql, &rows)?;
    Ok(())
}

/// Makes rows due at once that a node had in hand and has no more.
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
pub fn oldest_due(tx: &mut AccountTx<'_, '_>, at: Millis) -> Result<Option<OutboxId>> {
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
    work::announce(tx.shared(), Kind::Outbox, &[account_id], DUE_AT_ONCE)?;
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
    pub due_at: Millis,
    /// What was last answered.
    pub last_answer: String,
    /// When the mail was made.
    pub created_at: Millis,
}

/// Rows in the order of their ids, after one of them or from the start, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>, after: Option<OutboxId>, limit: i64) -> Result<Vec<OutboxRow>> {
    let sql = format!(
        "SELECT {LISTED} FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
         WHERE o.account_id = $1 AND o.id > $2 ORDER BY o.id LIMIT $3"
    );
    tx.query(&sql, &values![after.unwrap_or(OutboxId(0)), limit])?.into_iter().map(read).collect()
}

/// Rows of the mails that a ticket sent, in the order in which they were made.
///
/// # Errors
/// As the database says.
pub fn of_ticket(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId) -> Result<Vec<OutboxRow>> {
    let sql = format!(
        "SELECT {LISTED} FROM outgoing_mails m JOIN outbox o ON o.account_id = m.account_id AND o.mail_id = m.id
         WHERE m.account_id = $1 AND m.ticket_id = $2 ORDER BY o.created_at, o.id"
    );
    tx.query(&sql, &values![ticket_id])?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<OutboxRow> {
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
        due_at: row.time()?,
        last_answer: row.text()?,
        created_at: row.time()?,
    })
}

/// Inserts the recipients of mails that leave. Without a relay they wait visibly.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, mails: &[Outgoing], can_deliver: bool) -> Result<()> {
    let state = if can_deliver { OutboxState::Queued } else { OutboxState::Waiting };
    let rows: Vec<_> = mails
        .iter()
        .flat_map(|mail| mail.recipients.iter().map(move |(id, recipient)| (mail, id, recipient)))
        .map(|(mail, id, recipient)| {
            let state = state.as_str();
            values![*id, mail.id, recipient, state, 0, DUE_AT_ONCE, "", mail.created_at, mail.created_at]
        })
        .collect();
    let sql =
        "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.insert_rows(sql, &rows)
}

/// Writes what reports said of deliveries.
///
/// # Errors
/// As the database says.
pub(crate) fn write_bounced(tx: &mut AccountTx<'_, '_>, bounced: &[Bounced]) -> Result<()> {
    let failed = |result| matches!(result, DeliveryResult::Hard | DeliveryResult::Soft);
    let of = |wanted: bool| -> Vec<_> {
        let told = bounced.iter().filter(|bounce| failed(bounce.result) == wanted);
        told.map(|bounce| values![&bounce.answer, bounce.at, bounce.delivery.outbox_id]).collect()
    };
    let sql = "UPDATE outbox SET state = 'bounced', last_answer = $2, updated_at = $3 WHERE account_id = $1 AND id = $4";
    tx.write_rows(sql, &of(true))?;
    let sql = "UPDATE outbox SET last_answer = $2, updated_at = $3 WHERE account_id = $1 AND id = $4";
    tx.write_rows(sql, &of(false))
}

/// The columns of a delivery, of `outbox o` and its mail `outgoing_mails m`.
const DELIVERY: &str = "o.id, o.mail_id, o.recipient, m.ticket_id";

/// Asks for deliveries that reports may speak of; [`deliveries`] reads the answers.
pub(crate) fn ask_deliveries(tx: &mut AccountTx<'_, '_>, questions: &Questions) -> Result<[Asked; 2]> {
    let rows: Vec<Value<'_>> = questions.outbox.iter().map(|id| (*id).into()).collect();
    let mails: Vec<Value<'_>> = questions.outgoing.iter().map(|id| (*id).into()).collect();
    let by_row = format!(
        "SELECT {DELIVERY} FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
         WHERE o.account_id = $1 AND o.id IN ($2..)"
    );
    let by_mail = format!(
        "SELECT {DELIVERY} FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
         WHERE o.account_id = $1 AND o.mail_id IN ($2..)"
    );
    Ok([tx.ask_in(&by_row, &[], &rows)?, tx.ask_in(&by_mail, &[], &mails)?])
}

/// The deliveries that were asked for.
pub(crate) fn deliveries(tx: &mut AccountTx<'_, '_>, [by_row, by_mail]: [Asked; 2]) -> Result<Vec<Delivery>> {
    let mut found = tx.rows(by_row)?;
    found.extend(tx.rows(by_mail)?);
    found.into_iter().map(read_delivery).collect()
}

fn read_delivery(mut row: Row) -> Result<Delivery> {
    Ok(Delivery {
        outbox_id: OutboxId(row.int()?),
        mail_id: OutgoingId(row.int()?),
        recipient: row.text()?,
        ticket: row.maybe_int()?.map(TicketId),
    })
}
