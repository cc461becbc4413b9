//! The checker must find each kind of loss and doubling: a check that cannot fail proves nothing.

use super::check;
use crate::kill::evidence::{Evidence, LedgerRow, OutboxRow, Posted, TicketRow};
use crate::load::sender::Fate;
use crate::load::sink::Taken;

fn posted(id: &str, first: usize, fate: Fate) -> Posted {
    Posted { message_id: id.to_owned(), thread: (0, first), fate, sent_again: false }
}

fn row(id: &str, outcome: &str, ticket: i64) -> LedgerRow {
    LedgerRow {
        direction: "in".to_owned(),
        message_id: Some(id.to_owned()),
        outcome: Some(outcome.to_owned()),
        reason: serde_json::Value::Null,
        ticket: Some(ticket),
    }
}

fn outgoing(id: &str, ticket: i64) -> OutboxRow {
    let (to, state) = ("ann@a.example".to_owned(), "sent".to_owned());
    OutboxRow { ticket: Some(ticket), to, state, message_id: id.to_owned() }
}

fn taken(id: &str, cause: &str, round: usize) -> Taken {
    let recipients = vec!["ann@a.example".to_owned()];
    Taken { message_id: id.to_owned(), in_reply_to: cause.to_owned(), recipients, round, raw: None }
}

/// Two threads: `a` with its reply `b`, and `c`, both acknowledged; `d` was never handed over.
fn right() -> Evidence {
    let ticket = |number, comments| TicketRow { number, comments: vec![serde_json::Value::Null; comments] };
    Evidence {
        posted: vec![
            posted("a", 0, Fate::Accepted),
            posted("b", 0, Fate::Accepted),
            posted("c", 2, Fate::Accepted),
            posted("d", 3, Fate::Unsent),
        ],
        ledger: vec![row("a", "new_ticket", 1), row("b", "comment", 1), row("c", "new_ticket", 2)],
        tickets: vec![ticket(1, 2), ticket(2, 1)],
        outbox: vec![outgoing("x", 1), outgoing("y", 2)],
        taken: vec![taken("x", "a", 0), taken("y", "c", 0)],
        relay_peaks: vec![1],
        deliveries_at_once: 1,
    }
}

#[test]
fn a_right_desk_has_no_wrong_count() {
    let (counts, wrong) = check(&right());
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!((counts.accepted, counts.inbound, counts.tickets, counts.comments), (3, 3, 2, 3));
    assert_eq!((counts.outgoing, counts.delivered_again), (2, 0));
}

#[test]
fn each_kind_of_fault_is_found() {
    type Spoil = fn(&mut Evidence);
    let cases: [(&str, Spoil, &str); 13] = [
        ("lost", |all| drop(all.ledger.pop()), "c (Accepted): 0 outcomes"),
        ("doubled", |all| all.ledger.push(row("a", "new_ticket", 3)), "a (Accepted): 2 outcomes"),
        ("undecided", |all| all.ledger[0].outcome = None, "outcome None"),
        (
            "suspended",
            |all| all.ledger[2].outcome = Some("suspended".to_owned()),
            "outcome Some(\"suspended\")",
        ),
        ("not sent, yet there", |all| all.ledger.push(row("d", "new_ticket", 2)), "d (Unsent): 1 outcomes"),
        ("from nowhere", |all| all.ledger.push(row("z", "new_ticket", 2)), "nobody sent it"),
        ("torn thread", |all| all.ledger[1].ticket = Some(2), "thread 0 of round 0 is in tickets {1, 2}"),
        ("missing ticket", |all| drop(all.tickets.pop()), "ticket 2: in the ledger, but not there"),
        (
            "comment twice",
            |all| all.tickets[1].comments.push(serde_json::Value::Null),
            "ticket 2: (made, comments)",
        ),
        ("acknowledged twice", |all| all.outbox.push(outgoing("w", 1)), "2 outgoing mails to ann@a.example"),
        ("sent, never seen", |all| drop(all.taken.pop()), "never seen says the relay"),
        ("seen, not noted", |all| all.outbox[1].state = "queued".to_owned(), "has it not as sent"),
        ("made anew", |all| all.taken.push(taken("w", "c", 0)), "c was answered to ann@a.example by"),
    ];
    for (name, spoil, want) in cases {
        let mut evidence = right();
        spoil(&mut evidence);
        let (_, wrong) = check(&evidence);
        assert!(wrong.iter().any(|sentence| sentence.contains(want)), "{name}: {wrong:#?}");
    }
}

#[test]
fn delivering_again_is_bounded_by_the_deliveries_at_once_in_the_round_with_the_fault() {
    let mut evidence = right();
    evidence.taken.push(taken("x", "a", 1));
    let (counts, wrong) = check(&evidence);
    assert_eq!((counts.delivered_again, wrong.len()), (1, 0));
    evidence.taken.push(taken("y", "c", 1));
    assert!(check(&evidence).1[0].contains("2 mails delivered again, 1 deliveries"));
    // The last round has no fault.
    let mut evidence = right();
    evidence.taken[0].round = 1;
    evidence.taken.push(taken("x", "a", 1));
    assert!(check(&evidence).1[0].contains("round 1: 1 mails delivered again, 0 deliveries"));
}

#[test]
fn a_mail_in_doubt_may_come_twice_when_it_was_sent_again() {
    let mut evidence = right();
    evidence.ledger.push(row("c", "duplicate", 2));
    assert_eq!(check(&evidence).1, ["c (Accepted): 1 outcomes and 1 duplicates"]);
    evidence.posted[2].sent_again = true;
    assert_eq!(check(&evidence).1, Vec::<String>::new());
}
