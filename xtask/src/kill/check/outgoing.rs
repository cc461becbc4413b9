//! Each outgoing mail is created once and leaves once; what the relay refuses for good bounces after one attempt.

use std::collections::{BTreeMap, BTreeSet};

use crate::kill::evidence::{Evidence, OutboxRow};

/// A ticket has its acknowledgement and what agents answered: one outgoing mail of a kind for each recipient.
pub(super) fn made_once(evidence: &Evidence, wrong: &mut Vec<String>) {
    let mut by_ticket: BTreeMap<_, usize> = BTreeMap::new();
    let mut by_id: BTreeMap<_, usize> = BTreeMap::new();
    for row in &evidence.outbox {
        let of_ticket = by_ticket.entry((&row.account, row.ticket, row.to.as_str(), &row.kind)).or_default();
        *of_ticket = of_ticket.saturating_add(1);
        let of_id = by_id.entry((row.message_id.as_str(), row.to.as_str())).or_default();
        *of_id = of_id.saturating_add(1);
        ended_right(evidence, row, wrong);
    }
    let twice = by_ticket.iter().filter(|(_, count)| **count > 1);
    wrong.extend(twice.map(|((_, ticket, to, kind), count)| {
        format!("ticket {ticket:?}: {count} outgoing mails ({kind}) to {to}")
    }));
    let twice = by_id.iter().filter(|(_, count)| **count > 1);
    wrong.extend(twice.map(|((id, to), count)| format!("outgoing {id} to {to}: {count} rows")));
    let answered: BTreeSet<_> = evidence
        .outbox
        .iter()
        .filter(|row| row.kind == "comment")
        .filter_map(|row| Some((row.account.as_str(), row.ticket?)))
        .collect();
    let mute = evidence.answers.iter().filter(|one| !answered.contains(&(one.account.as_str(), one.ticket)));
    wrong.extend(mute.map(|answer| format!("ticket {}: no mail was made of an answer", answer.ticket)));
}

/// Refused rows are bounced after one attempt, all others are sent. 5xx is final (docs/behaviour/outgoing-mail.md §7).
fn ended_right(evidence: &Evidence, row: &OutboxRow, wrong: &mut Vec<String>) {
    let codes: Vec<u16> = evidence
        .attempts
        .iter()
        .filter(|attempt| attempt.row == Some(row.id))
        .map(|attempt| attempt.code)
        .collect();
    let is_refused = codes.iter().any(|code| *code >= 500);
    let is_right = match row.state.as_str() {
        "bounced" => is_refused,
        "sent" => !is_refused,
        "suppressed" => codes.is_empty(),
        _ => false,
    };
    if !is_right {
        let OutboxRow { message_id, to, state, .. } = row;
        wrong.push(format!("outgoing {message_id} to {to} ended as {state}; the relay said {codes:?}"));
    }
    if is_refused && codes.len() > 1 {
        wrong.push(format!("outgoing {} was refused and tried again: {codes:?}", row.message_id));
    }
}

/// The relay took exactly what the outbox says; counts what it took more than once. More than once is correct only in a
/// round with a fault, and at most once per connection that was open to the relay then: each connection has one
/// delivery in flight.
pub(super) fn delivered_once(evidence: &Evidence, wrong: &mut Vec<String>) -> usize {
    let sent: BTreeSet<(&str, String)> = evidence
        .outbox
        .iter()
        .filter(|row| row.state == "sent")
        .map(|row| (row.message_id.as_str(), row.to.to_lowercase()))
        .collect();
    let mut taken: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for mail in &evidence.taken {
        for recipient in &mail.recipients {
            taken.entry((mail.message_id.as_str(), recipient.to_lowercase())).or_default().push(mail.round);
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
    if evidence.answers.is_empty() {
        answered_once(evidence, wrong);
    }
    again_per_round(evidence, &taken, wrong)
}

/// Only customers wrote: each of their mails causes at most one mail to a recipient. An agent's answer names the same
/// mail as the acknowledgement does.
fn answered_once(evidence: &Evidence, wrong: &mut Vec<String>) {
    let mut answers: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for mail in &evidence.taken {
        for recipient in &mail.recipients {
            answers.entry((mail.in_reply_to.as_str(), recipient)).or_default().insert(&mail.message_id);
        }
    }
    let made_twice = answers.iter().filter(|((cause, _), ids)| !cause.is_empty() && ids.len() > 1);
    wrong.extend(made_twice.map(|((cause, to), ids)| format!("{cause} was answered to {to} by {ids:?}")));
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
