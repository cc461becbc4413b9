//! Attachments of comments: which parts of which raw mails.

use desk::changes::NewAttachment;
use desk::id::CommentId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::{AccountTx, Row, values};

/// The columns of an attachment as it is shown, its comment first.
const COLUMNS: &str = "comment_id, name, content_type, size_bytes, is_inline";

/// Inserts attachments.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, attachments: &[NewAttachment]) -> Result<()> {
    let rows: Vec<_> = attachments
        .iter()
        .map(|new| {
            let part = &new.attachment;
            let size = i64::try_from(part.size_bytes).unwrap_or(i64::MAX);
            values![
                new.comment_id,
                &part.name,
                &part.content_type,
                size,
                part.inline,
                i64::from(part.part),
                new.mail_id,
                part.content_id.as_deref()
            ]
        })
        .collect();
    let sql = format!(
        "INSERT INTO attachments (account_id, {COLUMNS}, part, raw_id, content_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    tx.insert_rows(&sql, &rows)
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
pub fn of_comments(tx: &mut AccountTx<'_, '_>, comments: &[CommentId]) -> Result<Vec<AttachmentRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attachments WHERE account_id = $1 AND comment_id IN ($2..) ORDER BY comment_id, part"
    );
    tx.query_in(&sql, &[], &list_of(comments))?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<AttachmentRow> {
    Ok(AttachmentRow {
        comment_id: CommentId(row.int()?),
        name: row.text()?,
        content_type: row.text()?,
        size_bytes: row.int()?,
        is_inline: row.flag()?,
    })
}
