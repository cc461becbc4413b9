//! Comments of tickets.

use std::collections::{BTreeMap, BTreeSet};

use desk::clock::Millis;
use desk::comment::{Comment, Hidden};
use desk::id::{CommentId, MailId, TicketId, UserId};

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{json, list_of};
use crate::{AccountTx, Row, values};

/// The columns of a comment, its ticket first.
const COLUMNS: &str = "ticket_id, id, author_id, is_public, is_cut, body, raw_id, flags, hidden, created_at";

/// How many of a ticket's newest comments a decision looks at.
const NEWEST_MAX: i64 = 500;

/// Inserts comments.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, comments: &[Comment]) -> Result<()> {
    let texts: Vec<(String, String)> =
        comments.iter().map(|comment| (json(&comment.flags), json(&comment.hidden))).collect();
    let rows: Vec<_> = comments
        .iter()
        .zip(&texts)
        .map(|(comment, (flags, hidden))| {
            values![
                comment.ticket_id,
                comment.id,
                comment.author_id,
                comment.is_public,
                comment.is_cut,
                &comment.body,
                comment.mail_id,
                flags,
                hidden,
                comment.created_at
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO comments (account_id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    );
    tx.insert_rows(&sql, &rows)
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
    pub created_at: Millis,
}

/// Comments of tickets, by ticket, oldest first.
///
/// # Errors
/// As the database says.
pub fn of_tickets(
    tx: &mut AccountTx<'_, '_>,
    tickets: &[TicketId],
) -> Result<BTreeMap<TicketId, Vec<CommentRow>>> {
    let list = list_of(tickets);
    let sql = format!(
        "SELECT {COLUMNS} FROM comments WHERE account_id = $1 AND ticket_id IN ($2..) ORDER BY ticket_id, created_at, id"
    );
    let mut found: BTreeMap<TicketId, Vec<CommentRow>> = BTreeMap::new();
    for row in tx.query_in(&sql, &[], &list)? {
        let (ticket, comment) = read(row)?;
        found.entry(ticket).or_default().push(comment);
    }
    Ok(found)
}

fn read(mut row: Row) -> Result<(TicketId, CommentRow)> {
    let ticket = TicketId(row.int()?);
    let comment = CommentRow {
        id: CommentId(row.int()?),
        author_id: UserId(row.int()?),
        is_public: row.flag()?,
        is_cut: row.flag()?,
        body: row.text()?,
        raw_id: row.maybe_int()?.map(MailId),
        flags: row.json()?,
        hidden: row.json()?,
        created_at: row.time()?,
    };
    Ok((ticket, comment))
}

/// The text of one comment.
///
/// # Errors
/// As the database says.
pub fn body(
    tx: &mut AccountTx<'_, '_>,
    ticket_id: TicketId,
    comment_id: CommentId,
) -> Result<Option<String>> {
    let sql = "SELECT body FROM comments WHERE account_id = $1 AND ticket_id = $2 AND id = $3";
    let row = tx.find(sql, &values![ticket_id, comment_id])?;
    row.map(|mut row| row.text()).transpose()
}

/// Asks for the newest comments of tickets, [`NEWEST_MAX`] each; [`newest`] reads the answers.
pub(crate) fn ask_newest(
    tx: &mut AccountTx<'_, '_>,
    tickets: &BTreeSet<TicketId>,
) -> Result<Vec<(TicketId, Asked)>> {
    // One statement a ticket, since each has its own newest comments.
    let sql = "SELECT is_public, body FROM comments WHERE account_id = $1 AND ticket_id = $2
               ORDER BY created_at DESC, id DESC LIMIT $3";
    tickets.iter().map(|ticket| Ok((*ticket, tx.ask(sql, &values![*ticket, NEWEST_MAX])?))).collect()
}

/// Comments that were asked for, the newest first: whether each is public, and its text.
pub(crate) fn newest(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<(bool, String)>> {
    tx.rows(asked)?.into_iter().map(|mut row| Ok((row.flag()?, row.text()?))).collect()
}

/// Message-IDs of the last ten mails of a ticket's public conversation that came in before a time, oldest first.
///
/// # Errors
/// As the database says.
pub fn conversation(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId, before: Millis) -> Result<Vec<String>> {
    let sql = "SELECT l.message_id FROM comments c JOIN ledger l ON l.account_id = c.account_id AND l.id = c.raw_id
               WHERE c.account_id = $1 AND c.ticket_id = $2 AND c.is_public = 1 AND c.created_at <= $3 AND l.message_id <> ''
               ORDER BY c.created_at DESC, c.id DESC LIMIT 10";
    let rows = tx.query(sql, &values![ticket_id, before])?;
    let mut ids = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<String>>>()?;
    ids.reverse();
    Ok(ids)
}
