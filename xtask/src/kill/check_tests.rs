//! The checker must find each kind of loss and duplication: a check that cannot fail proves nothing.

use super::check;
use crate::kill::evidence::{
    Answer, CommentRow, Evidence, Healthy, LedgerRow, OutboxRow, Posted, TicketRow, Timed,
};
use crate::load::sender::{Fate, Heard};
use crate::load::sink::{Attempt, Taken};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn at(seconds: u64) -> Instant {
    *START + Duration::from_secs(seconds)
}

fn posted(id: &str, first: usize, fate: Fate) -> Posted {
    // Mail `a` was heard of at second 1, `b` at second 2 and so on.
    let second = u64::from(id.as_bytes()[0] - b'a') + 1;
    let heard = Heard { begun: at(second), at: at(second) };
    Posted {
        account: String::new(),
        message_id: id.to_owned(),
        thread: (0, first),
        fate,
        heard: (fate == Fate::Accepted).then_some(heard),
        sent_again: false,
    }
}

fn row(id: &str, outcome: &str, ticket: i64) -> LedgerRow {
    LedgerRow {
        account: String::new(),
        id: i64::from(id.as_bytes()[0]),
        direction: "in".to_owned(),
        message_id: Some(id.to_owned()),
        outcome: Some(outcome.to_owned()),
        reason: serde_json::Value::Null,
        ticket: Some(ticket),
    }
}

fn outgoing(id: &str, ticket: i64) -> OutboxRow {
    OutboxRow {
        account: String::new(),
        id: i64::from(id.as_bytes()[0]),
        ticket: Some(ticket),
        kind: "acknowledgement".to_owned(),
        to: "ann@a.example".to_owned(),
        state: "sent".to_owned(),
        message_id: id.to_owned(),
    }
}

fn taken(id: &str, cause: &str, round: usize) -> Taken {
    let recipients = vec!["ann@a.example".to_owned()];
    let message_id = id.to_owned();
    Taken { message_id, in_reply_to: cause.to_owned(), recipients, round, begun: at(5), raw: None }
}

/// The relay's answer to the outgoing mail `id`.
fn attempt(id: &str, code: u16) -> Attempt {
    let row = Some(i64::from(id.as_bytes()[0]));
    Attempt { node: "first".to_owned(), row, begun: at(5), ended: at(6), code }
}

fn comment(mail: &str) -> CommentRow {
    CommentRow { mail: mail.bytes().next().map(i64::from) }
}

fn ticket(number: i64, mails: &[&str]) -> TicketRow {
    let comments = mails.iter().map(|mail| comment(mail)).collect();
    TicketRow { account: String::new(), number, comments }
}

/// One node, healthy from the beginning to second 60, and mails that were decided at once.
fn timed() -> Timed {
    Timed {
        healthy: vec![Healthy {
            node: "first".to_owned(),
            has_engine: true,
            has_outbox: true,
            from: at(0),
            to: at(60),
        }],
        decided: [("a", 1), ("b", 2), ("c", 3)].map(|(id, second)| (id.to_owned(), at(second))).into(),
        exempt: Vec::new(),
        patience: Duration::from_secs(10),
        ended: at(60),
    }
}

/// Two threads: `a` with its reply `b`, and `c`, both acknowledged; `d` was never handed over.
fn right() -> Evidence {
    Evidence {
        posted: vec![
            posted("a", 0, Fate::Accepted),
            posted("b", 0, Fate::Accepted),
            posted("c", 2, Fate::Accepted),
            posted("d", 3, Fate::Unsent),
        ],
        ledger: vec![row("a", "new_ticket", 1), row("b", "comment", 1), row("c", "new_ticket", 2)],
        answers: Vec::new(),
        tickets: vec![ticket(1, &["a", "b"]), ticket(2, &["c"])],
        outbox: vec![outgoing("x", 1), outgoing("y", 2)],
        taken: vec![taken("x", "a", 0), taken("y", "c", 0)],
        attempts: vec![attempt("x", 250), attempt("y", 250)],
        relay_peaks: vec![1],
        deliveries_at_once: 1,
        timed: Some(timed()),
    }
}

fn answer(ticket: i64) -> Answer {
    Answer { account: String::new(), ticket, at: at(4) }
}

fn decided(all: &mut Evidence) -> &mut std::collections::BTreeMap<String, Instant> {
    &mut all.timed.as_mut().expect("timed").decided
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
    let cases: [(&str, Spoil, &str); 22] = [
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
            |all| all.tickets[1].comments.push(CommentRow { mail: None }),
            "ticket 2: (made, comments)",
        ),
        (
            "acknowledged twice",
            |all| all.outbox.push(outgoing("w", 1)),
            "2 outgoing mails (acknowledgement) to ann@a.example",
        ),
        ("sent, never seen", |all| drop(all.taken.pop()), "never seen says the relay"),
        ("seen, not noted", |all| all.outbox[1].state = "queued".to_owned(), "has it not as sent"),
        ("out of order", |all| all.tickets[0].comments.reverse(), "a was accepted 1000 ms before b"),
        ("answer without a mail", |all| all.answers.push(answer(2)), "no mail was made of an answer"),
        ("refused, yet sent", |all| all.attempts[1].code = 550, "ended as sent; the relay said [550]"),
        ("bounced, never refused", |all| all.outbox[1].state = "bounced".to_owned(), "ended as bounced"),
        (
            "refused and tried again",
            |all| all.attempts.extend([attempt("y", 550), attempt("y", 550)]),
            "was refused and tried again",
        ),
        ("decided late", |all| decided(all).extend([("c".to_owned(), at(14))]), "c: waited 11.0s"),
        ("never decided", |all| decided(all).retain(|id, _| id != "c"), "c: waited 57.0s"),
        ("tried late", |all| all.attempts[1].begun = at(16), "outgoing y to ann@a.example: waited"),
        ("never tried", |all| drop(all.attempts.pop()), "and was never tried"),
        ("made again", |all| all.taken.push(taken("w", "c", 0)), "c was answered to ann@a.example by"),
    ];
    for (name, spoil, want) in cases {
        let mut evidence = right();
        spoil(&mut evidence);
        let (_, wrong) = check(&evidence);
        assert!(wrong.iter().any(|sentence| sentence.contains(want)), "{name}: {wrong:#?}");
    }
}

#[test]
fn a_mail_may_wait_while_nobody_is_healthy_or_idle() {
    let mut evidence = right();
    // Decided and sent late, but the node was ill until second 40, and then busy with another mail.
    decided(&mut evidence).insert("c".to_owned(), at(41));
    evidence.timed.as_mut().expect("timed").healthy[0].from = at(40);
    evidence.attempts[1].begun = at(58);
    evidence.attempts.push(Attempt { begun: at(42), ended: at(58), ..attempt("z", 250) });
    assert_eq!(check(&evidence).1, Vec::<String>::new());
}

#[test]
fn a_refused_mail_bounces_and_a_deferred_one_leaves_later() {
    let mut evidence = right();
    evidence.attempts = vec![attempt("x", 450), attempt("x", 250), attempt("y", 550)];
    evidence.outbox[1].state = "bounced".to_owned();
    evidence.taken.pop();
    let (counts, wrong) = check(&evidence);
    assert_eq!((counts.bounced, wrong), (1, Vec::<String>::new()));
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
