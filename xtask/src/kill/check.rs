//! Compares what the sender was told with what the desk shows and what the relay took: the counts that must be right.

use std::fmt;

use super::evidence::{Evidence, LedgerRow};
use crate::load::sender::Fate;

mod inbound;
mod order;
mod outgoing;
mod wait;

/// The counts of a scene.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Mails that got 250.
    pub accepted: usize,
    /// Mails whose connection broke after their content.
    pub in_doubt: usize,
    /// Rows of inbound mail in the ledger.
    pub inbound: usize,
    /// Tickets.
    pub tickets: usize,
    /// Comments.
    pub comments: usize,
    /// Outgoing mails, one per recipient.
    pub outgoing: usize,
    /// Deliveries of a mail that the relay had already taken: it said 250, and the desk died before noting it.
    pub delivered_again: usize,
    /// Mails that the relay refused for good.
    pub bounced: usize,
}

impl Counts {
    /// Adds the counts of another scene.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.accepted, other.accepted),
            (&mut self.in_doubt, other.in_doubt),
            (&mut self.inbound, other.inbound),
            (&mut self.tickets, other.tickets),
            (&mut self.comments, other.comments),
            (&mut self.outgoing, other.outgoing),
            (&mut self.delivered_again, other.delivered_again),
            (&mut self.bounced, other.bounced),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} accepted and {} in doubt gave {} inbound rows, {} tickets, {} comments, {} outgoing, of which {} were \
             delivered again and {} refused",
            self.accepted,
            self.in_doubt,
            self.inbound,
            self.tickets,
            self.comments,
            self.outgoing,
            self.delivered_again,
            self.bounced
        )
    }
}

/// Counts, and a sentence for each thing that is wrong.
pub fn check(evidence: &Evidence) -> (Counts, Vec<String>) {
    let mut wrong = Vec::new();
    let inbound: Vec<&LedgerRow> = evidence.ledger.iter().filter(|row| row.direction == "in").collect();
    inbound::check(evidence, &inbound, &mut wrong);
    order::check(evidence, &inbound, &mut wrong);
    outgoing::made_once(evidence, &mut wrong);
    let delivered_again = outgoing::delivered_once(evidence, &mut wrong);
    if let Some(timed) = &evidence.timed {
        wait::check(evidence, timed, &mut wrong);
    }
    let counts = Counts {
        accepted: evidence.posted.iter().filter(|mail| mail.fate == Fate::Accepted).count(),
        in_doubt: evidence.posted.iter().filter(|mail| mail.sent_again || mail.fate == Fate::InDoubt).count(),
        inbound: inbound.len(),
        tickets: evidence.tickets.len(),
        comments: evidence.tickets.iter().map(|ticket| ticket.comments.len()).sum(),
        outgoing: evidence.outbox.len(),
        delivered_again,
        bounced: evidence.outbox.iter().filter(|row| row.state == "bounced").count(),
    };
    (counts, wrong)
}

/// The outcome that a second copy of a mail gets.
const DUPLICATE: &str = "duplicate";

/// A ticket among those of all accounts: account and number.
type TicketKey<'a> = (&'a str, i64);

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
