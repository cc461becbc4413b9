//! Tickets with their comments and people, read and written.

use std::collections::BTreeMap;

use desk::actor::Actor;
use desk::channel::Channel;
use desk::comment::Hidden;
use desk::event::Event;
use desk::id::{BrandId, CommentId, MailId, OrganizationId, TicketId, TicketNumber, UserId};
use desk::received::{Received, Source, Trust};
use desk::ticket::{Priority, Status, Ticket, TicketType};
use desk::token::ThreadToken;
use serde::{Deserialize, Serialize};

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{Row, list_of};
use crate::{AccountTx, values};

/// How received at was found, as stored.
#[derive(Serialize, Deserialize)]
struct ReceivedBy {
    source: Source,
    trust: Trust,
}

fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Statement(error.to_string()))
}

/// Inserts new tickets, numbers given already.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, tickets: &[&Ticket], change: i64) -> Result<()> {
    let texts: Vec<(String, String, String)> = tickets
        .iter()
        .map(|ticket| {
            let received = &ticket.received;
            let by = ReceivedBy { source: received.source, trust: received.trust };
            Ok((json(&received.matches)?, json(&by)?, json(&ticket.tags)?))
        })
        .collect::<Result<_>>()?;
    let rows: Vec<_> = tickets
        .iter()
        .zip(&texts)
        .map(|(ticket, (matches, received_by, tags))| {
            values![
                ticket.id.0,
                ticket.number.map(|number| number.0),
                ticket.brand_id.0,
                &ticket.subject,
                ticket.status.as_str(),
                ticket.requester_id,
                ticket.submitter_id,
                ticket.assignee_id,
                &ticket.received.recipient,
                matches,
                received_by,
                ticket.received.written_to.as_deref(),
                ticket.channel.as_str(),
                ticket.token.as_str(),
                ticket.is_public,
                tags,
                ticket.follow_up_of,
                ticket.last_message_id.as_deref(),
                ticket.created_at,
                ticket.updated_at,
                ticket.solved_at,
                ticket.organization_id,
                ticket.priority.map(Priority::as_str),
                ticket.ticket_type.map(TicketType::as_str),
                ticket.is_machine,
                change
            ]
        })
        .collect();
    let sql = "INSERT INTO tickets (account_id, id, number, brand_id, subject, status, requester_id, submitter_id, assignee_id,
                   recipient, recipient_matches, received_by, written_to, channel, token, is_public, tags, follow_up_of,
                   last_message_id, created_at, updated_at, solved_at, organization_id, priority, ticket_type, is_machine,
                   change)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                   $23, $24, $25, $26, $27)";
    tx.insert_rows(sql, &rows)
}

/// Writes what may change of existing tickets.
///
/// # Errors
/// As the database says.
pub(crate) fn update_many(tx: &mut AccountTx<'_, '_>, tickets: &[&Ticket], change: i64) -> Result<()> {
    let tags: Vec<String> = tickets.iter().map(|ticket| json(&ticket.tags)).collect::<Result<_>>()?;
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
    let sql =
        "UPDATE tickets SET status = $2, assignee_id = $3, is_public = $4, tags = $5, last_message_id = $6, updated_at = $7,
                   solved_at = $8, requester_id = $9, organization_id = $10, priority = $11, ticket_type = $12, change = $13
               WHERE account_id = $1 AND id = $14";
    let changed = tx.execute_rows(sql, &rows)?;
    if changed == tickets.len() as u64 { Ok(()) } else { Err(StoreError::Changed("a ticket")) }
}

/// Tickets by ids, in no order. Who writes them holds the account's lock.
///
/// # Errors
/// As the database says.
pub fn by_ids(tx: &mut AccountTx<'_, '_>, ids: &[TicketId]) -> Result<Vec<Ticket>> {
    let asked = ask_ids(tx, ids)?;
    of_ids(tx, asked)
}

/// Asks for tickets; [`of_ids`] reads the answer.
pub(crate) fn ask_ids(tx: &mut AccountTx<'_, '_>, ids: &[TicketId]) -> Result<Asked> {
    let list = list_of(ids);
    let sql =
        "SELECT id, number, brand_id, subject, status, requester_id, submitter_id, assignee_id, recipient, recipient_matches,
                      received_by, written_to, channel, token, is_public, tags, follow_up_of, last_message_id, created_at,
                      updated_at, solved_at, organization_id, priority, ticket_type, is_machine
               FROM tickets WHERE account_id = $1 AND id IN ($2..)";
    tx.ask_in(sql, &[], &list)
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
    let id = TicketId(row.int()?);
    let number = Some(TicketNumber(row.int()?));
    let brand_id = BrandId(row.int()?);
    let subject = row.text()?;
    let status: Status = row.word()?;
    let requester_id = UserId(row.int()?);
    let submitter_id = UserId(row.int()?);
    let assignee_id = row.maybe_int()?.map(UserId);
    let recipient = row.text()?;
    let matches: Vec<String> = row.json()?;
    let by: ReceivedBy = row.json()?;
    let written_to = row.maybe_text()?;
    Ok(Ticket {
        id,
        number,
        brand_id,
        subject,
        status,
        requester_id,
        submitter_id,
        assignee_id,
        received: Received { recipient, matches, source: by.source, trust: by.trust, written_to },
        channel: row.word()?,
        token: token(&row.text()?)?,
        is_public: row.flag()?,
        tags: row.json()?,
        follow_up_of: row.maybe_int()?.map(TicketId),
        last_message_id: row.maybe_text()?,
        created_at: row.int()?,
        updated_at: row.int()?,
        solved_at: row.maybe_int()?,
        organization_id: row.maybe_int()?.map(OrganizationId),
        priority: row.maybe_word()?,
        ticket_type: row.maybe_word()?,
        is_machine: row.flag()?,
    })
}

/// CCs of tickets.
///
/// # Errors
/// As the database says.
pub fn ccs(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Vec<(TicketId, UserId)>> {
    let asked = ask_ccs(tx, tickets)?;
    on_tickets(tx, asked)
}

/// Asks for the CCs of tickets; [`on_tickets`] reads the answer.
pub(crate) fn ask_ccs(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Asked> {
    let list = list_of(tickets);
    let sql = "SELECT ticket_id, user_id FROM ticket_ccs WHERE account_id = $1 AND ticket_id IN ($2..)";
    tx.ask_in(sql, &[], &list)
}

pub(crate) fn on_tickets(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<(TicketId, UserId)>> {
    tx.rows(asked)?.into_iter().map(|mut row| Ok((TicketId(row.int()?), UserId(row.int()?)))).collect()
}

/// Followers of tickets.
///
/// # Errors
/// As the database says.
pub fn followers(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Vec<(TicketId, UserId)>> {
    let asked = ask_followers(tx, tickets)?;
    on_tickets(tx, asked)
}

/// Asks for the followers of tickets; [`on_tickets`] reads the answer.
pub(crate) fn ask_followers(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Asked> {
    let list = list_of(tickets);
    let sql = "SELECT ticket_id, user_id FROM ticket_followers WHERE account_id = $1 AND ticket_id IN ($2..)";
    tx.ask_in(sql, &[], &list)
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
    pub updated_at: i64,
}

/// Tickets by number from `after` on, at most `limit`.
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
                updated_at: row.int()?,
            })
        })
        .collect()
}

/// A comment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentRow {
    /// Its id.
    pub id: CommentId,
    /// Its author's id.
    pub author_id: UserId,
    /// Public, or an internal note.
    pub is_public: bool,
    /// Whether its text was cut.
    pub is_cut: bool,
    /// Its text.
    pub body: String,
    /// The mail it came by.
    pub raw_id: Option<MailId>,
    /// Numbers of its flags: a newer version may know more of them.
    pub flags: Vec<i64>,
    /// Ranges of its text that are shown collapsed.
    pub hidden: Vec<Hidden>,
    /// When.
    pub created_at: i64,
}

/// Comments of tickets, by ticket, oldest first.
///
/// # Errors
/// As the database says.
pub fn comments(
    tx: &mut AccountTx<'_, '_>,
    tickets: &[TicketId],
) -> Result<BTreeMap<TicketId, Vec<CommentRow>>> {
    let list = list_of(tickets);
    let sql = "SELECT ticket_id, id, author_id, is_public, is_cut, body, raw_id, flags, hidden, created_at
               FROM comments WHERE account_id = $1 AND ticket_id IN ($2..) ORDER BY ticket_id, created_at, id";
    let mut found: BTreeMap<TicketId, Vec<CommentRow>> = BTreeMap::new();
    for mut row in tx.query_in(sql, &[], &list)? {
        let ticket = TicketId(row.int()?);
        found.entry(ticket).or_default().push(CommentRow {
            id: CommentId(row.int()?),
            author_id: UserId(row.int()?),
            is_public: row.flag()?,
            is_cut: row.flag()?,
            body: row.text()?,
            raw_id: row.maybe_int()?.map(MailId),
            flags: row.json()?,
            hidden: row.json()?,
            created_at: row.int()?,
        });
    }
    Ok(found)
}

/// The text of one comment.
///
/// # Errors
/// As the database says.
pub fn comment_body(
    tx: &mut AccountTx<'_, '_>,
    ticket_id: TicketId,
    comment_id: CommentId,
) -> Result<Option<String>> {
    let sql = "SELECT body FROM comments WHERE account_id = $1 AND ticket_id = $2 AND id = $3";
    let row = tx.find(sql, &values![ticket_id, comment_id])?;
    row.map(|mut row| row.text()).transpose()
}

/// An attachment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRow {
    /// The comment it belongs to.
    pub comment_id: CommentId,
    /// File name as the sender gave it.
    pub name: String,
    /// Content type as the sender gave it.
    pub content_type: String,
    /// Decoded size.
    pub size_bytes: i64,
    /// Shown inside the text.
    pub is_inline: bool,
}

/// Attachments of comments.
///
/// # Errors
/// As the database says.
pub fn attachments(tx: &mut AccountTx<'_, '_>, comments: &[CommentId]) -> Result<Vec<AttachmentRow>> {
    let list = list_of(comments);
    let sql = "SELECT comment_id, name, content_type, size_bytes, is_inline
               FROM attachments WHERE account_id = $1 AND comment_id IN ($2..) ORDER BY comment_id, part";
    let rows = tx.query_in(sql, &[], &list)?;
    rows.into_iter()
        .map(|mut row| {
            Ok(AttachmentRow {
                comment_id: CommentId(row.int()?),
                name: row.text()?,
                content_type: row.text()?,
                size_bytes: row.int()?,
                is_inline: row.flag()?,
            })
        })
        .collect()
}

/// An audit as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Who.
    pub author: Actor,
    /// By which way.
    pub channel: Channel,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// When.
    pub created_at: i64,
}

/// Audits of a ticket, oldest first.
///
/// # Errors
/// As the database says.
pub fn audits(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId) -> Result<Vec<AuditRow>> {
    let sql = "SELECT author_id, channel, events, created_at FROM audits WHERE account_id = $1 AND ticket_id = $2 ORDER BY created_at, id";
    let rows = tx.query(sql, &values![ticket_id])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(AuditRow {
                author: Actor::of_stored(row.int()?),
                channel: row.word()?,
                events: row.json()?,
                created_at: row.int()?,
            })
        })
        .collect()
}

/// Tickets that were solved before or at a time, the longest solved first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn solved_until(tx: &mut AccountTx<'_, '_>, at: i64, limit: usize) -> Result<Vec<TicketId>> {
    let sql = "SELECT id FROM tickets WHERE account_id = $1 AND status = 'solved' AND solved_at <= $2
               ORDER BY solved_at, id LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(sql, &values![at, limit])?.into_iter().map(|mut row| Ok(TicketId(row.int()?))).collect()
}

/// The tickets that numbers name; numbers of no ticket are left out.
///
/// # Errors
/// As the database says.
pub fn ids_of_numbers(tx: &mut AccountTx<'_, '_>, numbers: &[i64]) -> Result<BTreeMap<i64, TicketId>> {
    let sql = "SELECT number, id FROM tickets WHERE account_id = $1 AND number IN ($2..)";
    let rows = tx.query_in(sql, &[], &list_of(numbers))?;
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

/// Tickets written after a place in the order of changes, at most `limit`, in that order. Whoever reads on from the last one until
/// nothing comes has missed nothing that was committed before.
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
