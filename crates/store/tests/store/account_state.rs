//! The change number: without gaps, in the order of commits, so a reader that follows it misses nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use desk::changes::{ChangedTicket, Changes};
use desk::id::{AccountId, TicketId};
use desk::ticket::Ticket;
use store::account_state::{self, State};
use store::changes::{self, Writing};
use store::ticket::Cursor;
use store::{AtLeast, Store, StoreError, StoreOptions, Tx};
use testkit::database::both;

use crate::support::{account, on_both, opening, options, ticket, wait, write};

const WRITERS: i64 = 8;
/// Transactions of each writer.
const STEPS: i64 = 25;
/// Tickets that all writers change.
const SHARED: i64 = 5;

fn change(store: &Store, id: i64) -> i64 {
    store.read_blocking(move |tx| account_state::change(&mut tx.account(AccountId(id)))).unwrap()
}

fn changed(store: &Store, after: Option<Cursor>, limit: i64) -> Vec<Cursor> {
    store
        .read_blocking(move |tx| store::ticket::changed_after(&mut tx.account(AccountId(1)), after, limit))
        .unwrap()
}

#[test]
fn each_transaction_that_commits_takes_the_next_number() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        assert_eq!(change(store, 1), 0);
        write(store, 1, opening(vec![ticket(900, 50), ticket(901, 50)])).unwrap();
        // Refused: the same ticket once more.
        let refused = write(store, 1, opening(vec![ticket(902, 50), ticket(901, 50)]));
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        write(store, 1, opening(vec![ticket(903, 50)])).unwrap();
        write(store, 2, opening(vec![ticket(800, 50)])).unwrap();
        assert_eq!([change(store, 1), change(store, 2)], [2, 1]);
        let at = |id, change| Cursor { id: TicketId(id), change };
        assert_eq!(changed(store, None, 9), [at(900, 1), at(901, 1), at(903, 2)]);
        let by_number = |number| {
            let found = store
                .read_blocking(move |tx| store::ticket::by_number(&mut tx.account(AccountId(1)), number))
                .unwrap();
            found.map(|ticket| ticket.id.0)
        };
        assert_eq!(
            [1, 2, 3, 4].map(by_number),
            [Some(900), Some(901), Some(903), None],
            "ticket numbers alike"
        );
        let seen = AtLeast { account_id: AccountId(1), change: 2 };
        let read = store.read_at_least(seen, |tx| account_state::change(&mut tx.account(AccountId(1))));
        assert_eq!(wait(read).unwrap(), 2);
    });
}

#[test]
fn an_older_claim_is_refused_after_a_later_one_has_written() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let decide = |epoch| {
            store.write_blocking(move |tx| {
                let tx = &mut tx.account(AccountId(1));
                let mut state = account_state::lock(tx)?;
                state.fence(epoch)?;
                let _ = state.next_change();
                account_state::save(tx, &state)
            })
        };
        decide(3).unwrap();
        decide(3).unwrap();
        decide(5).unwrap();
        let refused = decide(4);
        assert!(matches!(refused, Err(StoreError::Fenced { account_id: AccountId(1) })), "{refused:?}");
        assert_eq!(change(store, 1), 3, "nothing of it was written");
        // What is no mail asks for no claim, and leaves it as it is.
        write(store, 1, opening(vec![ticket(900, 50)])).unwrap();
        assert!(decide(4).is_err());
        decide(5).unwrap();
    });
}

#[test]
fn an_account_that_is_not_there_cannot_be_locked() {
    on_both(|store| {
        let refused = store.write_blocking(|tx| account_state::lock(&mut tx.account(AccountId(9))).map(drop));
        assert!(matches!(refused, Err(StoreError::Changed("the account"))), "{refused:?}");
    });
}

/// Opens a ticket and changes one that all writers change, in one transaction, as a mail or a command does. Returns its change
/// number.
fn step(tx: &mut Tx<'_>, fresh: i64, shared: i64) -> store::Result<i64> {
    let tx = &mut tx.account(AccountId(1));
    let mut state: State = account_state::lock(tx)?;
    let before = store::ticket::by_ids(tx, &[TicketId(shared)])?;
    let touched = before.into_iter().map(|before| {
        let after = Ticket { updated_at: state.now, ..before.clone() };
        (after.id, ChangedTicket { before: Some(before), after })
    });
    let mut all = opening(vec![ticket(fresh, 50)]);
    all.tickets.extend(touched);
    let writing = Writing { state: &mut state, can_deliver: false, digest_every: None };
    changes::write(tx, writing, &all)?;
    Ok(state.change)
}

/// Follows the account until the writers have come to their end and nothing more comes. Returns the last change of each ticket.
fn follow(store: &Store, is_over: &AtomicBool) -> BTreeMap<TicketId, i64> {
    let mut seen = BTreeMap::new();
    let mut last = None;
    loop {
        // Asked before reading: what was committed by then is in the pages.
        let was_over = is_over.load(Ordering::SeqCst);
        let page = changed(store, last, 3);
        for ticket in &page {
            let place = |at: Cursor| (at.change, at.id);
            assert!(last.is_none_or(|last| place(*ticket) > place(last)), "{ticket:?} after {last:?}");
            seen.insert(ticket.id, ticket.change);
            last = Some(*ticket);
        }
        if page.is_empty() && was_over {
            return seen;
        }
    }
}

#[test]
fn who_follows_the_change_number_misses_nothing_that_eight_writers_do() {
    for database in both() {
        println!("on {}", database.engine);
        let store = Store::open(&StoreOptions { connections: 10, ..options(&database) }).unwrap();
        store.migrate().unwrap();
        account(&store, 1, "acme").unwrap();
        write(&store, 1, opening((1..=SHARED).map(|id| ticket(id, 50)).collect())).unwrap();

        let is_over = AtomicBool::new(false);
        let (written, seen) = thread::scope(|scope| {
            let follower = scope.spawn(|| follow(&store, &is_over));
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn({
                        let store = &store;
                        move || steps_of(store, writer)
                    })
                })
                .collect();
            let written: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
            is_over.store(true, Ordering::SeqCst);
            (written, follower.join().unwrap())
        });

        let mut numbers: Vec<i64> = written.iter().map(|done| done.change).collect();
        numbers.sort_unstable();
        // The first one made the shared tickets.
        assert_eq!(numbers, (2..=WRITERS * STEPS + 1).collect::<Vec<_>>(), "no gap and none twice");
        let mut want: BTreeMap<TicketId, i64> = (1..=SHARED).map(|id| (TicketId(id), 1)).collect();
        for done in written {
            for id in done.tickets {
                let last = want.entry(TicketId(id)).or_default();
                *last = done.change.max(*last);
            }
        }
        assert_eq!(seen, want);
        store.close();
    }
}

/// A transaction that was committed.
struct Done {
    change: i64,
    tickets: [i64; 2],
}

/// All that one writer does, one transaction after the other.
fn steps_of(store: &Store, writer: i64) -> Vec<Done> {
    let one = |number: i64| {
        let fresh = 1_000 + writer * STEPS + number;
        let shared = 1 + (writer * 7 + number * 3) % SHARED;
        let change = store.write_blocking(move |tx| step(tx, fresh, shared)).unwrap();
        Done { change, tickets: [fresh, shared] }
    };
    (0..STEPS).map(one).collect()
}

#[test]
fn nothing_to_write_is_a_change_like_any_other() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        write(store, 1, Changes::default()).unwrap();
        assert_eq!(change(store, 1), 1);
    });
}
