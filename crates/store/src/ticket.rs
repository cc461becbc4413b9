//! Tickets, read and written. Their CCs, followers and tags lie in tables of their own.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::{Changes, LedgerRow};
use desk::clock::Millis;
use desk::id::{BrandId, OrganizationId, TicketId, TicketNumber, UserId};
use desk::received::{Received, Source, Trust};
use desk::ticket::{Priority, Status, Ticket, TicketType};
use desk::token::ThreadToken;
use serde::{Deserialize, Serialize};

use crate::account_state::State;
use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{Row, json, list_of};
use crate::{AccountTx, values};

pub mod cc;
pub mod follower;
pub mod tag;

/// How received at was found, as stored.
#[derive(Serialize, Deserialize)]
struct ReceivedBy {
    source: Source,
    trust: Trust,
}

/// The columns of a ticket that change after it is opened.
const CHANGING: &str =
    "status, assignee_id, is_public, tags, last_message_id, updated_at, solved_at, requester_id,
    organization_id, priority, ticket_type";
/// Those that stay.
const LASTING: &str =
    "id, number, brand_id, subject, submitter_id, recipient, recipient_matches, received_by,
    written_to, channel, token, follow_up_of, created_at, is_machine";

/// Writes new and changed tickets with their CCs, followers and tags. Returns the numbers of all of them; new ones are counted
/// on from the account's counter.
///
/// # Errors
/// As the database says.
pub(crate) fn write(
    tx: &mut AccountTx<'_, '_>,
    state: &mut State,
    change: i64,
    changes: &Changes,
) -> Result<BTreeMap<TicketId, i64>> {
    let changed: Vec<&Ticket> = changes
        .tickets
        .values()
        .filter(|changed| changed.before.is_some())
        .map(|changed| &changed.after)
        .collect();
    let mut numbers: BTreeMap<TicketId, i64> =
        changed.iter().filter_map(|ticket| Some((ticket.id, ticket.number?.0))).collect();
    let mut fresh: Vec<Ticket> = Vec::with_capacity(changes.new_tickets.len());
    if !changes.new_tickets.is_empty() {
        let first = state.next_numbers(changes.new_tickets.len());
        for (number, id) in (first..).zip(&changes.new_tickets) {
            numbers.insert(*id, number);
            let opened = changes.tickets.get(id).map(|changed| &changed.after);
            fresh
                .extend(opened.map(|ticket| Ticket { number: Some(TicketNumber(number)), ..ticket.clone() }));
        }
    }
    insert_many(tx, &fresh, change)?;
    update_many(tx, &changed, change)?;
    tag::write(tx, &changes.tickets)?;
    cc::insert_many(tx, &changes.ccs)?;
    follower::insert_many(tx, &changes.followers)?;
    Ok(numbers)
}

/// Inserts new tickets, numbers given already.
fn insert_many(tx: &mut AccountTx<'_, '_>, tickets: &[Ticket], change: i64) -> Result<()> {
    let texts: Vec<(String, String, String)> = tickets
        .iter()
        .map(|ticket| {
            let received = &ticket.received;
            let by = ReceivedBy { source: received.source, trust: received.trust };
            (json(&ticket.tags), json(&received.matches), json(&by))
        })
        .collect();
    let rows: Vec<_> = tickets
        .iter()
        .zip(&texts)
        .map(|(ticket, (tags, matches, received_by))| {
            values![
                ticket.status.as_str(),
                ticket.assignee_id,
                ticket.is_public,
                tags,
                ticket.last_message_id.as_deref(),
                ticket.updated_at,
                ticket.solved_at,
                ticket.requester_id,
                ticket.organization_id,
                ticket.priority.map(Priority::as_str),
                ticket.ticket_type.map(TicketType::as_str),
                ticket.id,
                ticket.number.map(|number| number.0),
                ticket.brand_id,
                &ticket.subject,
                ticket.submitter_id,
                &ticket.received.recipient,
                matches,
                received_by,
                ticket.received.written_to.as_deref(),
                ticket.channel.as_str(),
                ticket.token.as_str(),
                ticket.follow_up_of,
                ticket.created_at,
                ticket.is_machine,
                change
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO tickets (account_id, {CHANGING}, {LASTING}, change)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
             $25, $26, $27)"
    );
    tx.insert_rows(&sql, &rows)
}

/// Writes what may change of existing tickets.
///
/// # Errors
/// [`StoreError::Changed`] when one of them is gone.
fn update_many(tx: &mut AccountTx<'_, '_>, tickets: &[&Ticket], change: i64) -> Result<()> {
    let tags: Vec<String> = tickets.iter().map(|ticket| json(&ticket.tags)).collect();
    let rows: Vec<_> = tickets
        .iter()
        .zip(&tags)
        .map(|(ticket, tags)| {
            values![
                ticket.status.as_str(),
                ticket.assignee_id,
                ticket.is_public,
                tags,
                ticket.last_message_id.as_deref(),
                ticket.updated_at,
                ticket.solved_at,
                ticket.requester_id,
                ticket.organization_id,
                ticket.priority.map(Priority::as_str),
                ticket.ticket_type.map(TicketType::as_str),
                change,
                ticket.id
            ]
        })
        .collect();
    let sql = format!(
        "UPDATE tickets SET ({CHANGING}, change) = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         WHERE account_id = $1 AND id = $14"
    );
    let changed = tx.execute_rows(&sql, &rows)?;
    if changed == tickets.len() as u64 { Ok(()) } else { Err(StoreError::Changed("a ticket")) }
}

/// Adds the numbers of tickets that the ledger names and nothing changed: those of duplicates and of bounces.
pub(crate) fn add_numbers(
    tx: &mut AccountTx<'_, '_>,
    ledger: &[LedgerRow],
    numbers: &mut BTreeMap<TicketId, i64>,
) -> Result<()> {
    let named = ledger.iter().filter_map(|row| row.ticket_id);
    let missing: BTreeSet<TicketId> = named.filter(|id| !numbers.contains_key(id)).collect();
    let missing: Vec<TicketId> = missing.into_iter().collect();
    let sql = "SELECT id, number FROM tickets WHERE account_id = $1 AND id IN ($2..)";
    for mut row in tx.query_in(sql, &[], &list_of(&missing))? {
        numbers.insert(TicketId(row.int()?), row.int()?);
    }
    Ok(())
}

/// Tickets by ids, in no order. Writers hold the account's lock.
///
/// # Errors
/// As the database says.
pub fn by_ids(tx: &mut AccountTx<'_, '_>, ids: &[TicketId]) -> Result<Vec<Ticket>> {
    let asked = ask_ids(tx, ids)?;
    of_ids(tx, asked)
}

/// Asks for tickets; [`of_ids`] reads the answer.
pub(crate) fn ask_ids(tx: &mut AccountTx<'_, '_>, ids: &[TicketId]) -> Result<Asked> {
    let sql = format!("SELECT {CHANGING}, {LASTING} FROM tickets WHERE account_id = $1 AND id IN ($2..)");
    tx.ask_in(&sql, &[], &list_of(ids))
}

pub(crate) fn of_ids(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<Ticket>> {
    tx.rows(asked)?.into_iter().map(read).collect()
}

/// A ticket by its number.
///
/// # Errors
/// As the database says.
pub fn by_number(tx: &mut AccountTx<'_, '_>, number: i64) -> Result<Option<Ticket>> {
    let row = tx.find("SELECT id FROM tickets WHERE account_id = $1 AND number = $2", &values![number])?;
    let Some(mut row) = row else { return Ok(None) };
    let id = TicketId(row.int()?);
    Ok(by_ids(tx, &[id])?.into_iter().next())
}

/// Ids of the tickets that tokens name.
///
/// # Errors
/// As the database says.
pub fn by_tokens(tx: &mut AccountTx<'_, '_>, tokens: &[&str]) -> Result<Vec<(ThreadToken, TicketId)>> {
    let asked = ask_tokens(tx, tokens)?;
    of_tokens(tx, asked)
}

/// Asks for the tickets that tokens name; [`of_tokens`] reads the answer.
pub(crate) fn ask_tokens(tx: &mut AccountTx<'_, '_>, tokens: &[&str]) -> Result<Asked> {
    let list = list_of(tokens);
    let sql = "SELECT token, id FROM tickets WHERE account_id = $1 AND token IN ($2..)";
    tx.ask_in(sql, &[], &list)
}

pub(crate) fn of_tokens(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<(ThreadToken, TicketId)>> {
    tx.rows(asked)?.into_iter().map(|mut row| Ok((token(&row.text()?)?, TicketId(row.int()?)))).collect()
}

fn token(text: &str) -> Result<ThreadToken> {
    ThreadToken::parse(text)
        .ok_or_else(|| StoreError::Statement(format!("stored token {text:?} cannot be read")))
}

fn read(mut row: Row) -> Result<Ticket> {
    let (status, assignee_id) = (row.word()?, row.maybe_int()?.map(UserId));
    let (is_public, tags) = (row.flag()?, row.json()?);
    let (last_message_id, updated_at, solved_at) = (row.maybe_text()?, row.time()?, row.maybe_time()?);
    let requester_id = UserId(row.int()?);
    let organization_id = row.maybe_int()?.map(OrganizationId);
    let (priority, ticket_type) = (row.maybe_word()?, row.maybe_word()?);
    let (id, number) = (TicketId(row.int()?), TicketNumber(row.int()?));
    let (brand_id, subject) = (BrandId(row.int()?), row.text()?);
    let submitter_id = UserId(row.int()?);
    let (recipient, matches) = (row.text()?, row.json()?);
    let by: ReceivedBy = row.json()?;
    let written_to = row.maybe_text()?;
    Ok(Ticket {
        id,
        number: Some(number),
        brand_id,
        subject,
        status,
        requester_id,
        submitter_id,
        assignee_id,
        organization_id,
        priority,
        ticket_type,
        received: Received { recipient, matches, source: by.source, trust: by.trust, written_to },
        channel: row.word()?,
        token: token(&row.text()?)?,
        is_public,
        tags,
        follow_up_of: row.maybe_int()?.map(TicketId),
        last_message_id,
        created_at: row.time()?,
        updated_at,
        solved_at,
        is_machine: row.flag()?,
    })
}

/// A line of the ticket list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLine {
    /// Number.
    pub number: i64,
    /// Subject.
    pub subject: String,
    /// Status.
    pub status: Status,
    /// Received at.
    pub recipient: String,
    /// The requester's primary address.
    pub requester: String,
    /// When it last changed.
    pub updated_at: Millis,
}

/// Tickets in the order of their numbers, those after `after`, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>, after: i64, limit: i64) -> Result<Vec<TicketLine>> {
    let sql = "SELECT t.number, t.subject, t.status, t.recipient, i.written, t.updated_at
               FROM tickets t
               LEFT JOIN identities i ON i.account_id = t.account_id AND i.user_id = t.requester_id AND i.is_primary = 1
               WHERE t.account_id = $1 AND t.number > $2 ORDER BY t.number LIMIT $3";
    let rows = tx.query(sql, &values![after, limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(TicketLine {
                number: row.int()?,
                subject: row.text()?,
                status: row.word()?,
                recipient: row.text()?,
                requester: row.maybe_text()?.unwrap_or_default(),
                updated_at: row.time()?,
            })
        })
        .collect()
}

/// Tickets that were solved before or at a time, the longest solved first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn solved_until(tx: &mut AccountTx<'_, '_>, at: Millis, limit: usize) -> Result<Vec<TicketId>> {
    let sql = "SELECT id FROM tickets WHERE account_id = $1 AND status = 'solved' AND solved_at <= $2
               ORDER BY solved_at, id LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(sql, &values![at, limit])?.into_iter().map(|mut row| Ok(TicketId(row.int()?))).collect()
}

/// Asks which tickets numbers name; [`of_numbers`] reads the answer.
pub(crate) fn ask_numbers(tx: &mut AccountTx<'_, '_>, numbers: &[i64]) -> Result<Asked> {
    let sql = "SELECT number, id FROM tickets WHERE account_id = $1 AND number IN ($2..)";
    tx.ask_in(sql, &[], &list_of(numbers))
}

/// The tickets that numbers name; numbers of no ticket are left out.
pub(crate) fn of_numbers(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<BTreeMap<i64, TicketId>> {
    let rows = tx.rows(asked)?;
    rows.into_iter().map(|mut row| Ok((row.int()?, TicketId(row.int()?)))).collect()
}

/// A ticket that was written, by the number of the transaction that last did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The ticket.
    pub id: TicketId,
    /// The change number.
    pub change: i64,
}

/// Tickets written after a place in the order of changes, at most `limit`, in that order. A reader that goes on from the last one
/// until nothing comes has missed nothing that was committed before.
///
/// # Errors
/// As the database says.
pub fn changed_after(tx: &mut AccountTx<'_, '_>, after: Option<Cursor>, limit: i64) -> Result<Vec<Cursor>> {
    let after = after.unwrap_or(Cursor { id: TicketId(0), change: 0 });
    let sql = "SELECT id, change FROM tickets WHERE account_id = $1 AND (change, id) > ($2, $3)
               ORDER BY change, id LIMIT $4";
    let rows = tx.query(sql, &values![after.change, after.id, limit])?;
    rows.into_iter().map(|mut row| Ok(Cursor { id: TicketId(row.int()?), change: row.int()? })).collect()
}
