//! The durable outbound queue: claimed, attempted, tried again, bounced.

use desk::changes::{Bounced, Changes, Outgoing};
use desk::clock::Millis;
use desk::delivery::Delivery;
use desk::delivery::DeliveryResult;
use desk::id::{AccountId, CommentId, OutboxId, OutgoingId, TicketId};
use desk::notice::Content;
use desk::outbox_state::OutboxState;
use serde_json::json;
use store::outbox::{self, Attempted, Due};
use store::outgoing::Mail;
use store::testing::Sql as _;
use store::work::{self, Kind};
use store::{Before, Store, StoreError, Value};

use crate::support::{
    Conditions, USUAL, account, new_person, on_both, open, opening, ticket, write, write_as,
};

const AGAIN: i64 = 1_000;

/// Mail 400 to Ada (row 501) and Carl (row 502), about ticket 900.
fn sent_mail(store: &Store, can_deliver: bool) {
    account(store, 1, "acme").unwrap();
    // As an earlier version stored it: fields are only ever added.
    let content = json!({
        "kind": "comment",
        "from": {"address": "support@acme.desk.example"},
        "reply_to": {"address": "support@acme.desk.example"},
        "to": [{"address": "ada@customer.example"}],
        "cc": [{"name": "Carl", "address": "carl@customer.example"}],
        "subject": "Re: lamp",
        "token": "ABCDEF-GHIJ",
        "host": "acme.desk.example",
    });
    let content: Content = serde_json::from_value(content).unwrap();
    let mail = Outgoing {
        id: OutgoingId(400),
        ticket_id: Some(TicketId(900)),
        comment_id: Some(CommentId(7)),
        message_id: "ABCDEF-GHIJ.1@acme.desk.example".into(),
        content,
        recipients: vec![
            (OutboxId(501), "ada@customer.example".into()),
            (OutboxId(502), "carl@customer.example".into()),
        ],
        created_at: Millis(100),
    };
    let changes = Changes {
        people: vec![new_person(50, "ada@customer.example")],
        outgoing: vec![mail],
        ..opening(vec![ticket(900, 50)])
    };
    write_as(store, AccountId(1), Conditions { now: 100, can_deliver, ..USUAL }, changes).unwrap();
}

/// Claims what is due; should the node die with it, it is due again [`AGAIN`] later.
fn claim(store: &Store, now: i64, in_hand: &'static [i64], limit: usize) -> Vec<Due> {
    let in_hand: Vec<OutboxId> = in_hand.iter().copied().map(OutboxId).collect();
    store
        .write_blocking(move |tx| {
            outbox::claim(&mut tx.account(AccountId(1)), Millis(now), Millis(now + AGAIN), &in_hand, limit)
        })
        .unwrap()
}

/// The epoch under which the account's outgoing mail is processed now.
fn epoch(store: &Store) -> i64 {
    let sql = "SELECT epoch FROM work WHERE kind = 'outbox' AND account_id = 1";
    store.read_blocking(|tx| tx.find(sql, &[])?.map(|mut row| row.int()).transpose()).unwrap().unwrap()
}

fn record(store: &Store, id: i64, state: &'static str, due_at: i64, now: i64) {
    let done = [Attempted {
        id: OutboxId(id),
        state: state.into(),
        due_at: Millis(due_at),
        answer: format!("{state} at {now}"),
        tried: true,
    }];
    let epoch = epoch(store);
    store
        .write_blocking(move |tx| outbox::record(&mut tx.account(AccountId(1)), epoch, &done, Millis(now)))
        .unwrap();
}

fn mail(store: &Store, id: i64) -> Result<Mail, StoreError> {
    let mut found = store
        .read_blocking(move |tx| store::outgoing::find_many(&mut tx.account(AccountId(1)), &[OutgoingId(id)]))
        .unwrap();
    assert_eq!((found.len(), found[0].0), (1, OutgoingId(id)));
    found.remove(0).1
}

/// `(id, state, attempts, due_at, last_answer)` of every row.
fn rows(store: &Store) -> Vec<(i64, String, i64, i64, String)> {
    let listed = store.read_blocking(|tx| outbox::list(&mut tx.account(AccountId(1)), None, 100)).unwrap();
    listed
        .into_iter()
        .map(|row| (row.id.0, row.state.to_string(), row.attempts, row.due_at.0, row.last_answer))
        .collect()
}

/// Accounts with mail to send.
fn due(store: &Store) -> Vec<work::Due> {
    store.read_blocking(|tx| work::due(tx, Kind::Outbox, work::Due::FIRST, "a", false, 9)).unwrap()
}

/// When the account's mail is due next, by its rows.
fn next_due(store: &Store) -> Option<i64> {
    let next = store.read_blocking(|tx| work::next_due(tx, Kind::Outbox, &[AccountId(1)])).unwrap();
    next.get(&AccountId(1)).map(|at| at.0)
}

fn state(store: &Store, id: i64) -> String {
    rows(store).into_iter().find(|row| row.0 == id).unwrap().1
}

fn bounce(store: &Store, id: i64, result: DeliveryResult) {
    let recipient = if id == 501 { "Ada@Customer.example" } else { "carl@customer.example" };
    let delivery = Delivery {
        outbox_id: OutboxId(id),
        mail_id: OutgoingId(400),
        recipient: recipient.into(),
        ticket: Some(TicketId(900)),
    };
    let bounced = vec![Bounced { delivery, result, answer: "550 no such user".into(), at: Millis(300) }];
    write(store, 1, Changes { bounced, ..Changes::default() }).unwrap();
}

#[test]
fn without_a_relay_mail_waits_visibly_and_is_announced_all_the_same() {
    on_both(|store| {
        sent_mail(store, false);
        assert_eq!(state(store, 501), "waiting");
        // Whichever node gets a relay finds it and takes it like any other.
        assert_eq!(due(store), [work::Due { at: Millis(0), account_id: AccountId(1) }]);
        assert_eq!(claim(store, 100, &[], 10).len(), 2);
    });
}

#[test]
fn queued_mail_is_announced_and_listed_with_its_ticket() {
    on_both(|store| {
        sent_mail(store, true);
        assert_eq!(due(store), [work::Due { at: Millis(0), account_id: AccountId(1) }]);
        let listed = store
            .read_blocking(|tx| outbox::list(&mut tx.account(AccountId(1)), Some(OutboxId(501)), 100))
            .unwrap();
        let row = &listed[0];
        assert_eq!((row.id.0, row.ticket, row.to.as_str()), (502, Some(1), "carl@customer.example"));
        assert_eq!((row.state.as_str(), row.from.as_str()), ("queued", "support@acme.desk.example"));
        assert_eq!(
            store.read_blocking(|tx| outbox::list(&mut tx.account(AccountId(2)), None, 100)).unwrap().len(),
            0
        );
        let of_ticket = |account, ticket| {
            store
                .read_blocking(move |tx| outbox::of_ticket(&mut tx.account(AccountId(account)), ticket))
                .unwrap()
        };
        assert_eq!(
            of_ticket(1, TicketId(900)).iter().map(|row| (row.id.0, row.created_at.0)).collect::<Vec<_>>(),
            [(501, 100), (502, 100)]
        );
        assert_eq!((of_ticket(1, TicketId(901)).len(), of_ticket(2, TicketId(900)).len()), (0, 0));
        let out = store
            .read_blocking(|tx| store::ledger::page(&mut tx.account(AccountId(1)), Before::FIRST, 9))
            .unwrap();
        assert_eq!(
            out.iter().map(|row| (row.id, row.direction, row.ticket)).collect::<Vec<_>>(),
            [(400, "out", Some(1))]
        );
    });
}

#[test]
fn rows_are_claimed_when_due_and_not_while_in_hand() {
    on_both(|store| {
        sent_mail(store, true);
        // Made at 100: due at once, also by a clock slower than the one of its maker.
        assert_eq!(next_due(store), Some(0));
        let first: Vec<_> =
            claim(store, 40, &[], 1).into_iter().map(|due| (due.id.0, due.attempts)).collect();
        assert_eq!(first, [(501, 0)]);
        let second: Vec<_> = claim(store, 100, &[501], 1).into_iter().map(|due| due.id.0).collect();
        assert_eq!(second, [502]);
        assert_eq!(claim(store, 100 + AGAIN, &[501, 502], 10).len(), 0);
        assert_eq!(claim(store, 40 + AGAIN - 1, &[], 10).len(), 0);
        // A node that died holds nothing in its hand: what it was sending is due again.
        let again: Vec<_> =
            claim(store, 100 + AGAIN, &[], 10).into_iter().map(|due| (due.id.0, due.attempts)).collect();
        assert_eq!(again, [(501, 1), (502, 1)]);
    });
}

#[test]
fn a_node_that_starts_again_resumes_what_it_was_sending_at_once() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 1);
        let resume = || store.write_blocking(|tx| outbox::resume(&mut tx.account(AccountId(1)))).unwrap();
        assert_eq!(resume(), 1);
        assert_eq!(resume(), 0);
        assert_eq!(claim(store, 110, &[], 10).len(), 2);
        record(store, 501, "sent", 0, 120);
        record(store, 502, "deferred", 9_000, 120);
        assert_eq!(resume(), 0, "what is not being sent keeps its time");
    });
}

#[test]
fn what_was_not_tried_after_all_counts_as_no_attempt() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 1);
        let done = Attempted {
            id: OutboxId(501),
            state: OutboxState::Deferred,
            due_at: Millis(500),
            answer: "its server is down".into(),
            tried: false,
        };
        let epoch = epoch(store);
        store
            .write_blocking(move |tx| {
                outbox::record(&mut tx.account(AccountId(1)), epoch, std::slice::from_ref(&done), Millis(110))
            })
            .unwrap();
        assert_eq!(rows(store)[0], (501, "deferred".into(), 0, 500, "its server is down".into()));
    });
}

#[test]
fn the_result_of_a_node_that_was_replaced_changes_nothing() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 1);
        let before = rows(store);
        let frozen = epoch(store) - 1;
        let done = Attempted {
            id: OutboxId(501),
            state: OutboxState::Deferred,
            due_at: Millis(500),
            answer: "451 later".into(),
            tried: true,
        };
        store
            .write_blocking(move |tx| {
                outbox::record(
                    &mut tx.account(AccountId(1)),
                    frozen,
                    std::slice::from_ref(&done),
                    Millis(110),
                )
            })
            .unwrap();
        assert_eq!(rows(store), before);
    });
}

#[test]
fn attempts_are_recorded_and_deferred_rows_come_back_when_due() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 10);
        record(store, 501, "sent", 0, 110);
        record(store, 502, "deferred", 500, 110);
        assert_eq!(
            rows(store),
            [
                (501, "sent".into(), 1, 0, "sent at 110".into()),
                (502, "deferred".into(), 1, 500, "deferred at 110".into())
            ]
        );
        assert_eq!(next_due(store), Some(500));
        assert_eq!(claim(store, 499, &[], 10).len(), 0);
        assert_eq!(claim(store, 500, &[], 10)[0].attempts, 1);
        record(store, 502, "expired", 0, 510);
        assert_eq!(next_due(store), None);
    });
}

#[test]
fn a_bounce_after_sending_stands_and_marks_the_address() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 10);
        record(store, 501, "sent", 0, 110);
        bounce(store, 501, DeliveryResult::Hard);
        assert_eq!(rows(store)[0], (501, "bounced".into(), 1, 0, "550 no such user".into()));
        let ada = store
            .read_blocking(|tx| {
                store::user::by_addresses(&mut tx.account(AccountId(1)), &["ada@customer.example"])
            })
            .unwrap();
        assert_eq!(ada[0].1.deliverable.as_str(), "undeliverable");
        // The bounce came while the attempt was still open: the attempt's own end does not undo it.
        bounce(store, 502, DeliveryResult::Hard);
        record(store, 502, "sent", 0, 120);
        assert_eq!(state(store, 502), "bounced");
    });
}

#[test]
fn an_address_that_needs_quotes_is_found_by_its_bounce() {
    on_both(|store| {
        sent_mail(store, true);
        let quoted =
            Changes { people: vec![new_person(60, "Dots..Twice@docomo.example")], ..Changes::default() };
        write(store, 1, quoted).unwrap();
        let recipient = "Dots..Twice@docomo.example".to_owned();
        let delivery = Delivery {
            outbox_id: OutboxId(502),
            mail_id: OutgoingId(400),
            recipient,
            ticket: Some(TicketId(900)),
        };
        let bounced = vec![Bounced {
            delivery,
            result: DeliveryResult::Hard,
            answer: "550 no such user".into(),
            at: Millis(300),
        }];
        write(store, 1, Changes { bounced, ..Changes::default() }).unwrap();
        let found = store
            .read_blocking(|tx| {
                store::user::by_addresses(&mut tx.account(AccountId(1)), &["\"dots..twice\"@docomo.example"])
            })
            .unwrap();
        assert_eq!(found[0].1.deliverable.as_str(), "undeliverable");
    });
}

#[test]
fn a_bounce_between_looking_and_claiming_stands() {
    let database = testkit::database::postgres();
    let store = open(&database);
    store.migrate().unwrap();
    sent_mail(&store, true);
    let (bounced, is_bounced) = std::sync::mpsc::channel();
    let bouncing = store.clone();
    let writer = std::thread::spawn(move || {
        bouncing.write_blocking(move |tx| {
            tx.execute("UPDATE outbox SET state = 'bounced' WHERE account_id = 1 AND id = 501", &[])?;
            bounced.send(()).unwrap();
            // Until the claim has looked, and waits for this row.
            // Not pg_stat_activity, which stands still within a transaction.
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks
                         WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
            while tx.find(waits, &[])?.map_or(Ok(0), |mut row| row.int())? == 0 {
                std::thread::yield_now();
            }
            Ok(())
        })
    });
    is_bounced.recv().unwrap();
    let claimed: Vec<i64> = claim(&store, 100, &[], 10).into_iter().map(|due| due.id.0).collect();
    writer.join().unwrap().unwrap();
    assert_eq!(claimed, [502]);
    assert_eq!(state(&store, 501), "bounced");
}

#[test]
fn a_delay_report_changes_no_state_and_marks_nobody() {
    on_both(|store| {
        sent_mail(store, true);
        claim(store, 100, &[], 10);
        record(store, 501, "sent", 0, 110);
        bounce(store, 501, DeliveryResult::Other);
        assert_eq!(rows(store)[0], (501, "sent".into(), 1, 0, "550 no such user".into()));
        let ada = store
            .read_blocking(|tx| {
                store::user::by_addresses(&mut tx.account(AccountId(1)), &["ada@customer.example"])
            })
            .unwrap();
        assert_eq!(ada[0].1.deliverable.as_str(), "deliverable");
    });
}

#[test]
fn retry_makes_deferred_rows_due_and_never_those_that_are_done() {
    on_both(|store| {
        sent_mail(store, true);
        let retry =
            |id| store.write_blocking(move |tx| outbox::retry(&mut tx.account(AccountId(1)), id)).unwrap();
        claim(store, 100, &[], 10);
        record(store, 501, "deferred", 9_000, 110);
        record(store, 502, "bounced", 0, 110);
        assert_eq!(retry(Some(OutboxId(502))), 0);
        assert_eq!(retry(None), 1);
        assert_eq!(claim(store, 200, &[], 10).into_iter().map(|due| due.id.0).collect::<Vec<_>>(), [501]);
        record(store, 501, "expired", 0, 210);
        assert_eq!(retry(None), 0, "what was given up is tried again only when asked for by its id");
        assert_eq!(retry(Some(OutboxId(501))), 1);
        assert_eq!(claim(store, 200, &[], 10).len(), 1);
        record(store, 501, "sent", 0, 220);
        assert_eq!(retry(Some(OutboxId(501))), 0, "what was sent is not sent again");
    });
}

#[test]
fn the_bytes_of_a_mail_are_kept_once() {
    on_both(|store| {
        sent_mail(store, true);
        let keep = |bytes: &'static [u8]| {
            store
                .write_blocking(move |tx| {
                    store::outgoing::keep_bytes(
                        &mut tx.account(AccountId(1)),
                        &[(OutgoingId(400), bytes.to_vec())],
                    )
                })
                .unwrap();
            mail(store, 400).unwrap()
        };
        let before = mail(store, 400).unwrap();
        assert_eq!(
            (before.raw, before.ticket_number, before.comment_id),
            (None, Some(1), Some(CommentId(7)))
        );
        assert_eq!(keep(b"first").raw.as_deref(), Some(&b"first"[..]));
        assert_eq!(keep(b"second").raw.as_deref(), Some(&b"first"[..]), "every retry sends the same bytes");
    });
}

#[test]
fn a_damaged_mail_is_an_error_in_its_own_place() {
    on_both(|store| {
        sent_mail(store, true);
        let neighbours = store.write_blocking(|tx| {
            let sql =
                "INSERT INTO outgoing_mails (account_id, id, kind, message_id, content, raw, created_at)
                       SELECT account_id, id + $1, kind, message_id, content, $2, created_at
                       FROM outgoing_mails WHERE account_id = 1 AND id = 400";
            tx.execute(sql, &[Value::Int(1), Value::Bytes(b"\x09\0\0\0damaged")])?;
            tx.execute(sql, &[Value::Int(2), Value::Bytes(b"")])?;
            tx.execute(sql, &[Value::Int(3), Value::Null])?;
            tx.execute("UPDATE outgoing_mails SET content = '{' WHERE account_id = 1 AND id = 403", &[])
        });
        neighbours.unwrap();
        let found = store
            .read_blocking(|tx| {
                store::outgoing::find_many(
                    &mut tx.account(AccountId(1)),
                    &[OutgoingId(400), OutgoingId(401), OutgoingId(402), OutgoingId(403)],
                )
            })
            .unwrap();
        assert_eq!(found.len(), 4);
        assert!(mail(store, 400).is_ok());
        for (id, words) in [
            (401, "a stored mail cannot be read"),
            (402, "a stored mail cannot be read"),
            (403, "column 6 of a row is not JSON"),
        ] {
            let damage = mail(store, id).unwrap_err().to_string();
            assert!(damage.contains(words), "mail {id}: {damage}");
        }
    });
}
