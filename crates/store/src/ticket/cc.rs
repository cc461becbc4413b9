//! CCs of tickets.

use std::collections::BTreeSet;

use desk::id::{TicketId, UserId};

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{Row, list_of};
use crate::{AccountTx, values};

/// Inserts CCs; those already there stay.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, ccs: &BTreeSet<(TicketId, UserId)>) -> Result<()> {
    let rows: Vec<_> = ccs.iter().map(|(ticket, user)| values![*ticket, *user]).collect();
    let sql = "INSERT INTO ticket_ccs (account_id, ticket_id, user_id) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, ticket_id, user_id) DO NOTHING";
    tx.insert_rows(sql, &rows)
}

/// CCs of tickets, in no order.
///
/// # Errors
/// As the database says.
pub fn of_tickets(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Vec<(TicketId, UserId)>> {
    let asked = ask(tx, tickets)?;
    found(tx, asked)
}

/// Asks for the CCs of tickets; [`found`] reads the answer.
pub(crate) fn ask(tx: &mut AccountTx<'_, '_>, tickets: &[TicketId]) -> Result<Asked> {
    let sql = "SELECT ticket_id, user_id FROM ticket_ccs WHERE account_id = $1 AND ticket_id IN ($2..)";
    tx.ask_in(sql, &[], &list_of(tickets))
}

pub(crate) fn found(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<(TicketId, UserId)>> {
    tx.rows(asked)?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<(TicketId, UserId)> {
    Ok((TicketId(row.int()?), UserId(row.int()?)))
}
