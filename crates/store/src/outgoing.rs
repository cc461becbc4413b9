//! Mails that leave, one row each: what they are made of, and their bytes once they were made.

use std::collections::BTreeMap;

use desk::changes::Outgoing;
use desk::clock::Millis;
use desk::id::{CommentId, OutgoingId, TicketId};
use desk::notice::{Content, NoticeKind};

use crate::error::Result;
use crate::raw::{pack, unpack};
use crate::sql::Sql as _;
use crate::value::{json, list_of};
use crate::{AccountTx, Row, values};

/// The columns that a new mail has; its bytes come later.
const COLUMNS: &str = "id, ticket_id, ticket_number, comment_id, message_id, content, created_at";

/// Inserts mails that leave.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(
    tx: &mut AccountTx<'_, '_>,
    mails: &[Outgoing],
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    let contents: Vec<(String, NoticeKind)> =
        mails.iter().map(|mail| (json(&mail.content), mail.content.notice.kind())).collect();
    let rows: Vec<_> = mails
        .iter()
        .zip(&contents)
        .map(|(mail, (content, kind))| {
            values![
                mail.id,
                mail.ticket_id,
                mail.ticket_id.and_then(|id| numbers.get(&id)).copied(),
                mail.comment_id,
                &mail.message_id,
                content,
                mail.created_at,
                kind.as_str()
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO outgoing_mails (account_id, {COLUMNS}, kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    tx.insert_rows(&sql, &rows)
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
    pub created_at: Millis,
}

/// Mails by ids, in no order. Each is read by itself: one with a damaged row keeps none of the others back.
///
/// # Errors
/// As the database says. In the place of a mail: [`crate::StoreError::Row`] when its values are not of the expected form,
/// [`crate::StoreError::Statement`] when its bytes are damaged.
pub fn find_many(tx: &mut AccountTx<'_, '_>, ids: &[OutgoingId]) -> Result<Vec<(OutgoingId, Result<Mail>)>> {
    let sql = format!("SELECT {COLUMNS}, raw FROM outgoing_mails WHERE account_id = $1 AND id IN ($2..)");
    let rows = tx.query_in(&sql, &[], &list_of(ids))?;
    rows.into_iter()
        .map(|mut row| {
            let id = OutgoingId(row.int()?);
            Ok((id, read_mail(id, row)))
        })
        .collect()
}

/// The columns after the id.
fn read_mail(id: OutgoingId, mut row: Row) -> Result<Mail> {
    Ok(Mail {
        id,
        ticket_id: row.maybe_int()?.map(TicketId),
        ticket_number: row.maybe_int()?,
        comment_id: row.maybe_int()?.map(CommentId),
        message_id: row.text()?,
        content: row.json()?,
        created_at: row.time()?,
        raw: row.maybe_bytes()?.map(|packed| unpack_framed(&packed)).transpose()?,
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
