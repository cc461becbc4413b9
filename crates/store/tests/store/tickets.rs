//! Tickets come back as they were written, numbered per account.

use desk::actor::Actor;
use desk::changes::{Audit, ChangedTicket, Changes};
use desk::channel::Channel;
use desk::clock::Millis;
use desk::comment::{Comment, Flag};
use desk::event::Event;
use desk::id::{AccountId, AuditId, CommentId, MailId, TicketId, TicketNumber, UserId};
use desk::received::{Received, Source, Trust};
use desk::ticket::{SOLVED_FOR, Status, Ticket};
use store::work::{self, Kind};
use store::{Store, StoreError};

use crate::support::{account, new_person, on_both, opening, ticket, write};

fn numbers(store: &Store, account_id: i64) -> Vec<(i64, i64)> {
    let lines = store
        .read_blocking(move |tx| store::ticket::list(&mut tx.account(AccountId(account_id)), 0, 100))
        .unwrap();
    lines
        .into_iter()
        .map(|line| (line.number, line.subject.replace("Ticket ", "").parse().unwrap()))
        .collect()
}

fn by_number(store: &Store, number: i64) -> Ticket {
    store
        .read_blocking(move |tx| store::ticket::by_number(&mut tx.account(AccountId(1)), number))
        .unwrap()
        .unwrap()
}

#[test]
fn numbers_count_from_one_within_each_account() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        // In the order of the batch, whatever the ids are.
        write(store, 1, opening(vec![ticket(900, 50), ticket(300, 50), ticket(700, 50)])).unwrap();
        write(store, 2, opening(vec![ticket(800, 50)])).unwrap();
        write(store, 1, opening(vec![ticket(100, 50)])).unwrap();
        assert_eq!(numbers(store, 1), [(1, 900), (2, 300), (3, 700), (4, 100)]);
        assert_eq!(numbers(store, 2), [(1, 800)]);
    });
}

#[test]
fn a_batch_that_fails_uses_up_no_number() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        write(store, 1, opening(vec![ticket(900, 50)])).unwrap();
        let twice = write(store, 1, opening(vec![ticket(901, 50), ticket(900, 50)]));
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
        write(store, 1, opening(vec![ticket(902, 50)])).unwrap();
        assert_eq!(numbers(store, 1), [(1, 900), (2, 902)]);
    });
}

#[test]
fn a_ticket_comes_back_as_it_was_written() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let whole = Ticket {
            assignee_id: Some(UserId(60)),
            received: Received {
                recipient: "help@acme.example".into(),
                matches: vec!["help@acme.example".into(), "support@acme.desk.example".into()],
                source: Source::Forward,
                trust: Trust::Proven,
                written_to: Some("x@acme.desk.example".into()),
            },
            subject: "Ünïcode 日本 🙂 '; DROP TABLE tickets; --".into(),
            follow_up_of: Some(TicketId(3)),
            solved_at: Some(Millis(77)),
            status: Status::Solved,
            ..ticket(900, 50)
        };
        write(store, 1, opening(vec![whole.clone()])).unwrap();
        assert_eq!(by_number(store, 1), Ticket { number: Some(TicketNumber(1)), ..whole.clone() });
        let (token, id) = (whole.token.clone(), whole.id);
        let found = store
            .read_blocking(move |tx| {
                store::ticket::by_tokens(&mut tx.account(AccountId(1)), &[token.as_str()])
            })
            .unwrap();
        assert_eq!(found, [(whole.token, id)]);
        assert!(
            store
                .read_blocking(|tx| store::ticket::by_number(&mut tx.account(AccountId(2)), 1))
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn changes_of_a_ticket_are_written_and_a_missing_one_is_an_error() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        write(store, 1, opening(vec![ticket(900, 50)])).unwrap();
        let open =
            Ticket { status: Status::Open, updated_at: Millis(99), tags: vec![], ..by_number(store, 1) };
        let changed = |ticket: &Ticket| {
            let change = ChangedTicket { before: Some(ticket.clone()), after: ticket.clone() };
            Changes { tickets: [(ticket.id, change)].into(), ..Changes::default() }
        };
        write(store, 1, changed(&open)).unwrap();
        assert_eq!(by_number(store, 1), open);
        let gone = Ticket { id: TicketId(5), ..open };
        assert!(matches!(write(store, 1, changed(&gone)), Err(StoreError::Changed("a ticket"))));
        assert!(matches!(
            write(store, 2, changed(&by_number(store, 1))),
            Err(StoreError::Changed("a ticket"))
        ));
    });
}

#[test]
fn comments_ccs_and_audits_are_read_in_order() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let comment = |id, is_public| Comment {
            id: CommentId(id),
            ticket_id: TicketId(900),
            author_id: UserId(50),
            is_public,
            is_cut: !is_public,
            body: format!("text {id}"),
            mail_id: is_public.then_some(MailId(id * 2)),
            flags: vec![Flag::Untrusted, Flag::MachineGenerated],
            hidden: vec![],
            created_at: Millis(id),
        };
        let audit = |id, channel| Audit {
            id: AuditId(id),
            ticket_id: TicketId(900),
            author: Actor::Person(UserId(50)),
            channel,
            events: vec![Event::comment(CommentId(id), false)],
            created_at: Millis(id),
        };
        let ccs = [(TicketId(900), UserId(51)), (TicketId(900), UserId(52))];
        let changes = Changes {
            people: vec![new_person(50, "ada@customer.example"), new_person(51, "carl@customer.example")],
            comments: vec![comment(2, false), comment(1, true)],
            audits: vec![audit(8, Channel::Api), audit(7, Channel::Email)],
            ccs: ccs.into(),
            ..opening(vec![ticket(900, 50)])
        };
        write(store, 1, changes).unwrap();
        // A CC that is there already is no error.
        write(store, 1, Changes { ccs: ccs.into(), ..Changes::default() }).unwrap();
        let (comments, found_ccs, audits) = store
            .read_blocking(|tx| {
                let comments = store::comment::of_tickets(
                    &mut tx.account(AccountId(1)),
                    &[TicketId(900), TicketId(901)],
                )?
                .remove(&TicketId(900))
                .unwrap();
                Ok((
                    comments,
                    store::ticket::cc::of_tickets(&mut tx.account(AccountId(1)), &[TicketId(900)])?,
                    store::audit::of_ticket(&mut tx.account(AccountId(1)), TicketId(900))?,
                ))
            })
            .unwrap();
        let shown: Vec<_> = comments
            .iter()
            .map(|c| (c.id.0, c.is_public, c.is_cut, c.raw_id.map(|id| id.0), c.body.as_str()))
            .collect();
        assert_eq!(shown, [(1, true, false, Some(2), "text 1"), (2, false, true, None, "text 2")]);
        assert_eq!(comments[0].flags, [0, 4]);
        assert_eq!(found_ccs.into_iter().collect::<std::collections::BTreeSet<_>>(), ccs.into());
        assert_eq!(audits.iter().map(|audit| audit.channel.as_str()).collect::<Vec<_>>(), ["email", "api"]);
        assert_eq!(audits[0].events, [Event::comment(CommentId(7), false)]);
    });
}

#[test]
fn solved_tickets_are_announced_and_found_when_their_time_comes() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let solved = |id, at| Ticket {
            status: Status::Solved,
            solved_at: Some(at),
            assignee_id: Some(UserId(9)),
            ..ticket(id, 50)
        };
        write(store, 1, opening(vec![solved(900, Millis(500)), solved(901, Millis(400)), ticket(902, 50)]))
            .unwrap();
        let due = store.read_blocking(|tx| work::due(tx, Kind::Close, work::Due::FIRST, "a", false, 9));
        assert_eq!(due.unwrap(), [work::Due { at: Millis(400 + SOLVED_FOR), account_id: AccountId(1) }]);
        let until = |at, limit| {
            let found = store.read_blocking(move |tx| {
                store::ticket::solved_until(&mut tx.account(AccountId(1)), at, limit)
            });
            found.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert!(until(Millis(399), 10).is_empty());
        assert_eq!(until(Millis(400), 10), [901]);
        assert_eq!(until(Millis(600), 1), [901], "the longest solved one first");
        assert_eq!(until(Millis(600), 10), [901, 900]);
        let closed = Ticket { status: Status::Closed, ..by_number(store, 2) };
        let change = ChangedTicket { before: Some(by_number(store, 2)), after: closed };
        let closing = Changes { tickets: [(change.after.id, change)].into(), ..Changes::default() };
        write(store, 1, closing).unwrap();
        assert_eq!(until(Millis(600), 10), [900]);
        let next = store.read_blocking(|tx| work::next_due(tx, Kind::Close, &[AccountId(1)])).unwrap();
        assert_eq!(next, [(AccountId(1), Millis(500 + SOLVED_FOR))].into());
    });
}
