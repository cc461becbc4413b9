//! No work lies idle while somebody could do it: how long work waited while a healthy process was idle.
//!
//! All times are the harness's own. A process that decides mail counts as idle whenever it is healthy: the load of a scene is
//! far below what one decides. A process that sends is idle while the relay has no transaction of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::TicketKey;
use crate::kill::evidence::{Evidence, Healthy, OutboxRow, Timed};

/// Times in ascending order, without overlaps.
type Times = Vec<(Instant, Instant)>;

pub(super) fn check(evidence: &Evidence, timed: &Timed, wrong: &mut Vec<String>) {
    mails_are_decided(evidence, timed, wrong);
    mails_leave(evidence, timed, wrong);
}

/// From 250 to the decision; unknown for a scene in which nobody watched the ledger.
fn mails_are_decided(evidence: &Evidence, timed: &Timed, wrong: &mut Vec<String>) {
    if timed.decided.is_empty() {
        return;
    }
    let idle = union(timed.healthy.iter().filter(|node| node.has_engine).map(|node| (node.from, node.to)));
    for mail in evidence.posted.iter().filter(|mail| !timed.exempt.contains(&mail.account)) {
        let Some(heard) = mail.heard else { continue };
        let decided = timed.decided.get(&mail.message_id).copied();
        let waited = overlap(&idle, heard.at, decided.unwrap_or(timed.ended));
        if waited > timed.patience {
            let end = if decided.is_some() { "until it was decided" } else { "and is undecided" };
            wrong.push(format!("{}: waited {waited:.1?} while an engine was idle, {end}", mail.message_id));
        }
    }
}

/// From the cause of an outgoing mail to its first attempt.
fn mails_leave(evidence: &Evidence, timed: &Timed, wrong: &mut Vec<String>) {
    let idle = idle_senders(evidence, timed);
    let causes = causes(evidence, timed);
    let mut first: BTreeMap<i64, Instant> = BTreeMap::new();
    for attempt in &evidence.attempts {
        if let Some(row) = attempt.row {
            let begun = first.entry(row).or_insert(attempt.begun);
            *begun = attempt.begun.min(*begun);
        }
    }
    for row in evidence.outbox.iter().filter(|row| !timed.exempt.contains(&row.account)) {
        let Some(cause) = causes.of(row) else { continue };
        let begun = first.get(&row.id).copied();
        let waited = overlap(&idle, cause, begun.unwrap_or(timed.ended));
        if waited > timed.patience {
            let end = if begun.is_some() { "until it was tried" } else { "and was never tried" };
            let OutboxRow { message_id, to, .. } = row;
            wrong.push(format!(
                "outgoing {message_id} to {to}: waited {waited:.1?} while an outbox was idle, {end}"
            ));
        }
    }
}

/// When the event happened that caused an outgoing mail.
struct Causes<'a> {
    opened: BTreeMap<TicketKey<'a>, Instant>,
    answered: BTreeMap<TicketKey<'a>, Instant>,
}

impl Causes<'_> {
    fn of(&self, row: &OutboxRow) -> Option<Instant> {
        let key = (row.account.as_str(), row.ticket?);
        if row.kind == "comment" { self.answered.get(&key).copied() } else { self.opened.get(&key).copied() }
    }
}

fn causes<'a>(evidence: &'a Evidence, timed: &Timed) -> Causes<'a> {
    let heard: BTreeMap<&str, Instant> =
        evidence.posted.iter().filter_map(|mail| Some((mail.message_id.as_str(), mail.heard?.at))).collect();
    let opened = evidence.ledger.iter().filter(|row| row.outcome.as_deref() == Some("new_ticket"));
    let opened = opened.filter_map(|row| {
        let message_id = row.message_id.as_deref()?;
        // If nobody watched the ledger, deciding and sending together have to fit into the patience.
        let at = timed.decided.get(message_id).or_else(|| heard.get(message_id))?;
        Some(((row.account.as_str(), row.ticket?), *at))
    });
    let answered = evidence.answers.iter().map(|one| ((one.account.as_str(), one.ticket), one.at));
    Causes { opened: opened.collect(), answered: answered.collect() }
}

/// Times in which some healthy process that sends had nothing on the wire.
fn idle_senders(evidence: &Evidence, timed: &Timed) -> Times {
    let senders = timed.healthy.iter().filter(|node| node.has_outbox);
    union(senders.flat_map(|node| idle_times(evidence, node)))
}

fn idle_times(evidence: &Evidence, node: &Healthy) -> Times {
    let attempts = evidence.attempts.iter().filter(|attempt| attempt.node == node.node);
    let busy = union(attempts.map(|attempt| (attempt.begun, attempt.ended)));
    let mut idle = Vec::new();
    let mut from = node.from;
    for (begun, ended) in busy {
        if begun > from {
            idle.push((from, begun.min(node.to)));
        }
        from = from.max(ended);
    }
    idle.push((from, node.to));
    idle.retain(|(from, to)| from < to);
    idle
}

fn union(times: impl Iterator<Item = (Instant, Instant)>) -> Times {
    let mut sorted: Times = times.collect();
    sorted.sort_unstable();
    let mut merged: Times = Vec::new();
    for (from, to) in sorted {
        match merged.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// How much of the time between two moments lies in `times`.
fn overlap(times: &Times, from: Instant, to: Instant) -> Duration {
    times.iter().map(|(begin, end)| to.min(*end).saturating_duration_since(from.max(*begin))).sum()
}

#[cfg(test)]
mod tests {
    use super::{Instant, overlap, union};
    use std::time::Duration;

    #[test]
    fn only_the_time_in_which_somebody_was_idle_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let idle = union([(at(5), at(8)), (at(1), at(2)), (at(7), at(9))].into_iter());
        assert_eq!(idle, [(at(1), at(2)), (at(5), at(9))]);
        for (from, to, want) in [(0, 1, 0), (0, 2, 1), (0, 20, 5), (6, 7, 1), (2, 5, 0), (8, 30, 1)] {
            assert_eq!(overlap(&idle, at(from), at(to)), Duration::from_secs(want), "{from} to {to}");
        }
    }
}
