//! What is looked at when a scene is over: the load as sent, the lists of the desk, and what the relay took.

use serde::Deserialize;

use crate::load::sender::Fate;
use crate::load::sink::Taken;

/// One mail of the load.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Message-ID without `<>`.
    pub message_id: String,
    /// Names the thread it belongs to over all rounds: round, and position of the thread's first mail.
    pub thread: (usize, usize),
    /// What the sender was told.
    pub fate: Fate,
    /// In doubt first, and sent again when everything was up: the desk may have it twice, the second a duplicate.
    pub sent_again: bool,
}

/// A row of `guichet ledger list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct LedgerRow {
    /// `in` or `out`.
    pub direction: String,
    /// Without `<>`.
    #[serde(default)]
    pub message_id: Option<String>,
    /// None until decided.
    pub outcome: Option<String>,
    /// Why; whatever form it has.
    #[serde(default)]
    pub reason: serde_json::Value,
    /// Ticket number.
    pub ticket: Option<i64>,
}

/// A row of `guichet ticket list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct TicketRow {
    /// Ticket number.
    pub number: i64,
    /// Its comments; only their number counts here.
    pub comments: Vec<serde_json::Value>,
}

/// A row of `guichet outbox list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct OutboxRow {
    /// Ticket number.
    pub ticket: Option<i64>,
    /// Recipient.
    pub to: String,
    /// Where it stands.
    pub state: String,
    /// Message-ID without `<>`.
    pub message_id: String,
}

/// Everything that was seen, when all is quiet again.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The load, in the order of sending.
    pub posted: Vec<Posted>,
    /// The whole ledger.
    pub ledger: Vec<LedgerRow>,
    /// All tickets.
    pub tickets: Vec<TicketRow>,
    /// The whole outbox.
    pub outbox: Vec<OutboxRow>,
    /// What the relay said 250 to.
    pub taken: Vec<Taken>,
    /// The most connections that the desk had open to the relay at once, one entry a round with a fault.
    pub relay_peaks: Vec<usize>,
    /// The most deliveries that all nodes together may have in progress (docs/behaviour/outgoing-mail.md §5).
    pub deliveries_at_once: usize,
}
