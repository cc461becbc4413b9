//! Envelopes of decided mails: what SMTP said of those that made neither a ticket nor a comment and may be decided again.

use desk::changes::LedgerRow;
use desk::envelope::Envelope;
use desk::id::MailId;
use desk::ledger::Outcome;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Keeps the envelopes of the mails that may be decided again, while they are on the spool.
pub(crate) fn keep(tx: &mut AccountTx<'_, '_>, ledger: &[LedgerRow]) -> Result<()> {
    let is_settled = |outcome| matches!(outcome, Outcome::NewTicket | Outcome::Comment | Outcome::FollowUp);
    let open = ledger.iter().filter(|row| !is_settled(row.outcome));
    let rows: Vec<_> = open.map(|row| values![row.accepted_at, row.id]).collect();
    let sql = "INSERT INTO envelopes (account_id, id, envelope)
               SELECT account_id, id, envelope FROM spool WHERE account_id = $1 AND accepted_at = $2 AND id = $3";
    tx.write_rows(sql, &rows)
}

/// What SMTP said of a mail that may be decided again; none for one that made a ticket or a comment.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<Envelope>> {
    let row = tx.find("SELECT envelope FROM envelopes WHERE account_id = $1 AND id = $2", &values![id])?;
    row.map(|mut row| row.json()).transpose()
}

/// Deletes the envelopes of mails.
pub(crate) fn delete(tx: &mut AccountTx<'_, '_>, ids: &[MailId]) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.write_rows("DELETE FROM envelopes WHERE account_id = $1 AND id = $2", &rows)
}
