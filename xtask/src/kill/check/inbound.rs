//! Each mail has one outcome, threads stay together, and tickets hold what the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use super::{DUPLICATE, TicketKey};
use crate::kill::evidence::{Evidence, LedgerRow};
use crate::load::sender::Fate;

pub(super) fn check(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    each_mail_once(evidence, inbound, wrong);
    threads_stay_together(evidence, inbound, wrong);
    tickets_agree(evidence, inbound, wrong);
}

/// What got 250 has one outcome; what was never handed over has none; there is nothing else.
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
    let strange = rows.into_values().flatten();
    wrong.extend(strange.map(|row| {
        let LedgerRow { id, message_id, outcome, reason, .. } = row;
        format!("mail {id} ({message_id:?}): in the ledger, but nobody sent it; {outcome:?} because {reason}")
    }));
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

/// As many tickets as the ledger made, and in each as many comments as the ledger and agents put there.
fn tickets_agree(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    let mut expected: BTreeMap<TicketKey<'_>, (usize, usize)> = BTreeMap::new();
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
        let (made, comments) = expected.entry((row.account.as_str(), ticket)).or_default();
        *made = made.saturating_add(is_new);
        *comments = comments.saturating_add(is_comment);
    }
    for answer in &evidence.answers {
        let (_, comments) = expected.entry((answer.account.as_str(), answer.ticket)).or_default();
        *comments = comments.saturating_add(1);
    }
    for ticket in &evidence.tickets {
        let found = (1, ticket.comments.len());
        let wanted = expected.remove(&(ticket.account.as_str(), ticket.number)).unwrap_or_default();
        if wanted != found {
            let number = ticket.number;
            wrong.push(format!("ticket {number}: (made, comments) is {found:?}, should be {wanted:?}"));
        }
    }
    wrong.extend(expected.keys().map(|(_, number)| format!("ticket {number}: in the ledger, but not there")));
}
