//! What is examined when a scene is over: the load as sent, the lists of the desk, and what the relay took.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::load::sender::{Fate, Heard};
use crate::load::sink::{Attempt, Taken};

/// One mail of the load.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The account it was written to.
    pub account: String,
    /// Message-ID without `<>`.
    pub message_id: String,
    /// Names the thread it belongs to over all rounds: round, and position of the thread's first mail.
    pub thread: (usize, usize),
    /// What the sender was told.
    pub fate: Fate,
    /// When it got 250.
    pub heard: Option<Heard>,
    /// In doubt at first, and sent again when everything was up: the desk may have it twice, the second as a duplicate.
    pub sent_again: bool,
}

/// A public comment that an agent wrote.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The account.
    pub account: String,
    /// The ticket's number. A scene answers a ticket at most once.
    pub ticket: i64,
    /// When the command had ended.
    pub at: Instant,
}

/// A row of `guichet ledger list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct LedgerRow {
    /// Whose ledger it was read from.
    #[serde(default)]
    pub account: String,
    /// The mail's id, by which comments name it.
    pub id: i64,
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
    /// Whose list it was read from.
    #[serde(default)]
    pub account: String,
    /// Ticket number.
    pub number: i64,
    /// Its comments, in the order in which the desk shows them.
    pub comments: Vec<CommentRow>,
}

/// A comment of a [`TicketRow`].
#[derive(Debug, Clone, Deserialize)]
pub struct CommentRow {
    /// The mail it came by; none for an agent's answer.
    pub mail: Option<i64>,
}

/// A row of `guichet outbox list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct OutboxRow {
    /// Whose list it was read from.
    #[serde(default)]
    pub account: String,
    /// Its id, which its return path names.
    pub id: i64,
    /// Ticket number.
    pub ticket: Option<i64>,
    /// What kind of mail: `acknowledgement`, `comment` …
    pub kind: String,
    /// Recipient.
    pub to: String,
    /// Its state.
    pub state: String,
    /// Message-ID without `<>`.
    pub message_id: String,
}

/// A row that belongs to an account, which the command line does not repeat.
pub(super) trait OfAccount {
    /// Writes down whose list it was read from.
    fn set_account(&mut self, account: &str);
}

impl OfAccount for LedgerRow {
    fn set_account(&mut self, account: &str) {
        account.clone_into(&mut self.account);
    }
}

impl OfAccount for TicketRow {
    fn set_account(&mut self, account: &str) {
        account.clone_into(&mut self.account);
    }
}

impl OfAccount for OutboxRow {
    fn set_account(&mut self, account: &str) {
        account.clone_into(&mut self.account);
    }
}

/// A time in which a process could do its work: it was up, and nothing it needs was broken.
#[derive(Debug, Clone)]
pub struct Healthy {
    /// Its name.
    pub node: String,
    /// Whether it decides mail.
    pub has_engine: bool,
    /// Whether it sends mail.
    pub has_outbox: bool,
    /// Since when.
    pub from: Instant,
    /// Until when.
    pub to: Instant,
}

/// What the harness timed; empty in scenes that measure no waits.
#[derive(Debug, Clone)]
pub struct Timed {
    /// When processes were healthy.
    pub healthy: Vec<Healthy>,
    /// When a mail was first seen decided, by its Message-ID.
    pub decided: BTreeMap<String, Instant>,
    /// Accounts that had to wait, because nobody could have worked them.
    pub exempt: Vec<String>,
    /// How long work may lie idle while a healthy process has nothing to do.
    pub patience: Duration,
    /// When it was all over.
    pub ended: Instant,
}

/// Everything that was seen, when all is quiet again.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The load, in the order of sending.
    pub posted: Vec<Posted>,
    /// What agents answered.
    pub answers: Vec<Answer>,
    /// The whole ledger.
    pub ledger: Vec<LedgerRow>,
    /// All tickets.
    pub tickets: Vec<TicketRow>,
    /// The whole outbox.
    pub outbox: Vec<OutboxRow>,
    /// What the relay said 250 to.
    pub taken: Vec<Taken>,
    /// Every decision of the relay.
    pub attempts: Vec<Attempt>,
    /// The most connections that the desk had open to the relay at once, one entry a round with a fault.
    pub relay_peaks: Vec<usize>,
    /// The most deliveries that all nodes together may have in progress (docs/behaviour/outgoing-mail.md §5).
    pub deliveries_at_once: usize,
    /// What was timed; none in scenes in which processes die.
    pub timed: Option<Timed>,
}
