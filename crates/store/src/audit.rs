//! Audits of tickets: who changed what.

use desk::actor::Actor;
use desk::changes::Audit;
use desk::channel::Channel;
use desk::clock::Millis;
use desk::event::Event;
use desk::id::TicketId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::json;
use crate::{AccountTx, Row, values};

/// The columns of an audit as it is shown.
const COLUMNS: &str = "author_id, channel, events, created_at";

/// Inserts audits.
///
/// # Errors
/// As the database says.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, audits: &[Audit], change: i64) -> Result<()> {
    let events: Vec<String> = audits.iter().map(|audit| json(&audit.events)).collect();
    let rows: Vec<_> = audits
        .iter()
        .zip(&events)
        .map(|(audit, events)| {
            let (author, channel) = (audit.author.stored(), audit.channel.as_str());
            values![audit.ticket_id, audit.id.0, author, channel, events, audit.created_at, change]
        })
        .collect();
    let sql = format!(
        "INSERT INTO audits (account_id, ticket_id, id, {COLUMNS}, change) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    );
    tx.insert_rows(&sql, &rows)
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
    pub created_at: Millis,
}

/// Audits of a ticket, oldest first.
///
/// # Errors
/// As the database says.
pub fn of_ticket(tx: &mut AccountTx<'_, '_>, ticket_id: TicketId) -> Result<Vec<AuditRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audits WHERE account_id = $1 AND ticket_id = $2 ORDER BY created_at, id"
    );
    tx.query(&sql, &values![ticket_id])?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<AuditRow> {
    Ok(AuditRow {
        author: Actor::of_stored(row.int()?),
        channel: row.word()?,
        events: row.json()?,
        created_at: row.time()?,
    })
}
