//! Compares what the sender was told with what the desk shows and what the relay took: the counts that must be right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::evidence::{Evidence, LedgerRow};
use crate::load::sender::Fate;

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
    /// Deliveries of a mail that the relay had taken before: it said 250, and the desk died before noting it.
    pub delivered_again: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} accepted and {} in doubt gave {} inbound rows, {} tickets, {} comments, {} outgoing, {} of them delivered again",
            self.accepted,
            self.in_doubt,
            self.inbound,
            self.tickets,
            self.comments,
            self.outgoing,
            self.delivered_again
        )
    }
}

/// Counts, and a sentence for each thing that is wrong.
pub fn check(evidence: &Evidence) -> (Counts, Vec<String>) {
    let mut wrong = Vec::new();
    let inbound: Vec<&LedgerRow> = evidence.ledger.iter().filter(|row| row.direction == "in").collect();
    each_mail_once(evidence, &inbound, &mut wrong);
    threads_stay_together(evidence, &inbound, &mut wrong);
    tickets_agree(evidence, &inbound, &mut wrong);
    outgoing_made_once(evidence, &mut wrong);
    let delivered_again = delivered_once(evidence, &mut wrong);
    let counts = Counts {
        accepted: evidence.posted.iter().filter(|mail| mail.fate == Fate::Accepted).count(),
        in_doubt: evidence.posted.iter().filter(|mail| mail.sent_again || mail.fate == Fate::InDoubt).count(),
        inbound: inbound.len(),
        tickets: evidence.tickets.len(),
        comments: evidence.tickets.iter().map(|ticket| ticket.comments.len()).sum(),
        outgoing: evidence.outbox.len(),
        delivered_again,
    };
    (counts, wrong)
}

/// The outcome that a second copy of a mail gets.
const DUPLICATE: &str = "duplicate";

/// What got 250 has one outcome; what was never handed over has none; nothing else is there.
fn each_mail_once(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    let mut rows: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
    for row in inbound {
        rows.entry(row.message_id.as_deref().unwrap_or_default()).or_default().push(row);
    }
    for mail in &evidence.posted {
        let of_mail = rows.remove(mail.message_id.as_str()).unwrap_or_default();
        let duplicates = of_mail.iter().filter(|row| row.outcome.as_deref() == Some(DUPLICATE)).count();
        let real = of_mail.len().saturating_sub(duplicates);
        let (least, most) = match mail.fate {
            Fate::Accepted => (1, 1),
            Fate::InDoubt => (0, 1),
            Fate::Unsent | Fate::Refused => (0, 0),
        };
        if !(least..=most).contains(&real) || duplicates > usize::from(mail.sent_again) {
            let fate = mail.fate;
            wrong
                .push(format!("{} ({fate:?}): {real} outcomes and {duplicates} duplicates", mail.message_id));
        }
        for row in of_mail {
            let expected = ["new_ticket", "comment", DUPLICATE];
            if !row.outcome.as_deref().is_some_and(|outcome| expected.contains(&outcome)) {
                wrong.push(format!("{}: outcome {:?} because {}", mail.message_id, row.outcome, row.reason));
            }
        }
    }
    wrong.extend(rows.keys().map(|id| format!("{id:?}: in the ledger, but nobody sent it")));
}

/// All mails of a thread name its first one, so they must meet in one ticket, whatever died between them.
fn threads_stay_together(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    let thread_of: BTreeMap<&str, (usize, usize)> =
        evidence.posted.iter().map(|mail| (mail.message_id.as_str(), mail.thread)).collect();
    let mut tickets: BTreeMap<(usize, usize), BTreeSet<i64>> = BTreeMap::new();
    for row in inbound.iter().filter(|row| row.outcome.as_deref() != Some(DUPLICATE)) {
        let thread = row.message_id.as_deref().and_then(|id| thread_of.get(id));
        if let Some((thread, ticket)) = thread.zip(row.ticket) {
            tickets.entry(*thread).or_default().insert(ticket);
        }
    }
    let torn = tickets.iter().filter(|(_, tickets)| tickets.len() > 1);
    wrong.extend(torn.map(|((round, first), tickets)| {
        format!("thread {first} of round {round} is in tickets {tickets:?}")
    }));
}

/// As many tickets as the ledger made, and in each as many comments as the ledger put there.
fn tickets_agree(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    let mut expected: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
    for row in inbound {
        let (is_new, is_comment) = match row.outcome.as_deref() {
            Some("new_ticket" | "follow_up") => (1, 1),
            Some("comment") => (0, 1),
            _ => continue,
        };
        let Some(ticket) = row.ticket else {
            wrong.push(format!("{:?}: outcome {:?} without a ticket", row.message_id, row.outcome));
            continue;
        };
        let (made, comments) = expected.entry(ticket).or_default();
        *made = made.saturating_add(is_new);
        *comments = comments.saturating_add(is_comment);
    }
    for ticket in &evidence.tickets {
        let found = (1, ticket.comments.len());
        let wanted = expected.remove(&ticket.number).unwrap_or_default();
        if wanted != found {
            wrong.push(format!(
                "ticket {}: (made, comments) is {found:?}, the ledger says {wanted:?}",
                ticket.number
            ));
        }
    }
    wrong.extend(expected.keys().map(|number| format!("ticket {number}: in the ledger, but not there")));
}

/// Nobody but customers wrote, so a ticket has at most its acknowledgement: one outgoing mail per recipient.
fn outgoing_made_once(evidence: &Evidence, wrong: &mut Vec<String>) {
    let (mut by_ticket, mut by_id) = (BTreeMap::new(), BTreeMap::new());
    for row in &evidence.outbox {
        let of_ticket: &mut usize = by_ticket.entry((row.ticket, row.to.as_str())).or_default();
        *of_ticket = of_ticket.saturating_add(1);
        let of_id: &mut usize = by_id.entry((row.message_id.as_str(), row.to.as_str())).or_default();
        *of_id = of_id.saturating_add(1);
        if row.state != "sent" && row.state != "suppressed" {
            wrong.push(format!("outgoing {} to {} ended as {}", row.message_id, row.to, row.state));
        }
    }
    let twice = by_ticket.iter().filter(|(_, count)| **count > 1);
    wrong.extend(
        twice.map(|((ticket, to), count)| format!("ticket {ticket:?}: {count} outgoing mails to {to}")),
    );
    let twice = by_id.iter().filter(|(_, count)| **count > 1);
    wrong.extend(twice.map(|((id, to), count)| format!("outgoing {id} to {to}: {count} rows")));
}

/// The relay took what the outbox says, and nothing else; counts what it took more than once.
///
/// More than once is right only in a round with a fault, and at most once per connection that was open to the relay then:
/// each connection has one delivery in flight.
fn delivered_once(evidence: &Evidence, wrong: &mut Vec<String>) -> usize {
    let sent: BTreeSet<(&str, String)> = evidence
        .outbox
        .iter()
        .filter(|row| row.state == "sent")
        .map(|row| (row.message_id.as_str(), row.to.to_lowercase()))
        .collect();
    let mut taken: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    let mut answers: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for mail in &evidence.taken {
        for recipient in &mail.recipients {
            taken.entry((mail.message_id.as_str(), recipient.to_lowercase())).or_default().push(mail.round);
            answers.entry((mail.in_reply_to.as_str(), recipient)).or_default().insert(&mail.message_id);
        }
    }
    let unsent = sent.iter().filter(|one| !taken.contains_key(*one));
    wrong.extend(
        unsent.map(|(id, to)| {
            format!("outgoing {id} to {to}: sent says the outbox, never seen says the relay")
        }),
    );
    let unknown = taken.keys().filter(|one| !sent.contains(*one));
    wrong.extend(
        unknown.map(|(id, to)| {
            format!("outgoing {id} to {to}: the relay took it, the outbox has it not as sent")
        }),
    );
    let made_twice = answers.iter().filter(|((cause, _), ids)| !cause.is_empty() && ids.len() > 1);
    wrong.extend(made_twice.map(|((cause, to), ids)| format!("{cause} was answered to {to} by {ids:?}")));
    again_per_round(evidence, &taken, wrong)
}

fn again_per_round(
    evidence: &Evidence,
    taken: &BTreeMap<(&str, String), Vec<usize>>,
    wrong: &mut Vec<String>,
) -> usize {
    let mut again: BTreeMap<usize, usize> = BTreeMap::new();
    for rounds in taken.values() {
        // The list is in the order of the 250s: each but the last was not noted in its round.
        for round in rounds.iter().rev().skip(1) {
            let count = again.entry(*round).or_default();
            *count = count.saturating_add(1);
        }
    }
    for (round, count) in &again {
        // A delivery keeps its place until its result is written, so one connection may have carried several not noted yet.
        let faulty = evidence.relay_peaks.get(*round).is_some();
        let bound = if faulty { evidence.deliveries_at_once } else { 0 };
        if *count > bound {
            wrong.push(format!("round {round}: {count} mails delivered again, {bound} deliveries at once"));
        }
    }
    again.values().sum()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
