//! Announcements of work are not lost between reading and removing; one node at a time holds a lease.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use store::testing::Sql as _;
use store::work::{self, Kind, Lease};
use store::{Store, StoreError, values};
use testkit::database::{Database, both};

use crate::support::{account, on_both, open};

fn claim(store: &Store, holder: &'static str, lease_ms: i64) -> Vec<Lease> {
    store.write_blocking(move |tx| work::claim(tx, Kind::Mail, &[1], holder, lease_ms)).unwrap()
}

fn hold(store: &Store, lease: &Lease) -> store::Result<()> {
    let lease = lease.clone();
    store.write_blocking(move |tx| work::hold(tx, &lease))
}

fn renew(store: &Store, lease: &Lease) -> store::Result<()> {
    let lease = lease.clone();
    store.write_blocking(move |tx| work::renew(tx, &lease, 60_000))
}

fn release(store: &Store, lease: &Lease) {
    let lease = lease.clone();
    store.write_blocking(move |tx| work::release(tx, std::slice::from_ref(&lease))).unwrap();
}

fn due(store: &Store, kind: Kind, now: i64) -> Vec<(i64, Vec<(i64, i64)>)> {
    let announced = store.read_blocking(move |tx| work::due(tx, kind, now, 100)).unwrap();
    announced.into_iter().map(|account| (account.account_id, account.rows)).collect()
}

#[test]
fn what_is_announced_while_work_is_done_stays_announced() {
    on_both(|store| {
        store.write_blocking(|tx| work::add(tx, Kind::Mail, &[(1, 0)], 11)).unwrap();
        let seen = store.read_blocking(|tx| work::due(tx, Kind::Mail, 0, 100)).unwrap();
        store.write_blocking(|tx| work::add(tx, Kind::Mail, &[(1, 0), (2, 0)], 12)).unwrap();
        store.write_blocking(move |tx| work::remove(tx, Kind::Mail, &seen[0])).unwrap();
        assert_eq!(due(store, Kind::Mail, 0), [(1, vec![(0, 12)]), (2, vec![(0, 12)])]);
    });
}

#[test]
fn accounts_with_mail_are_told_page_by_page() {
    on_both(|store| {
        store.write_blocking(|tx| work::add(tx, Kind::Mail, &[(1, 0), (2, 0), (5, 0)], 11)).unwrap();
        store.write_blocking(|tx| work::add(tx, Kind::Mail, &[(1, 0), (5, 0)], 10)).unwrap();
        store.write_blocking(|tx| work::add(tx, Kind::Outbox, &[(3, 0)], 12)).unwrap();
        let after = |account_id, limit| {
            let (accounts, is_all) =
                store.read_blocking(move |tx| work::mail_after(tx, account_id, limit)).unwrap();
            (
                accounts
                    .into_iter()
                    .map(|account| (account.account_id, account.rows.len()))
                    .collect::<Vec<_>>(),
                is_all,
            )
        };
        assert_eq!(after(0, 3), (vec![(1, 2), (2, 1)], false));
        assert_eq!(after(2, 3), (vec![(5, 2)], true));
        assert_eq!(after(2, 1), (vec![(5, 1)], false), "an account may have more than is told");
        assert_eq!(after(5, 3), (vec![], true));
    });
}

#[test]
fn work_is_due_at_its_time_and_of_its_kind() {
    on_both(|store| {
        store.write_blocking(|tx| work::add(tx, Kind::Close, &[(1, 500), (2, 400)], 9)).unwrap();
        assert_eq!(due(store, Kind::Close, 399), []);
        assert_eq!(due(store, Kind::Close, 400), [(2, vec![(400, 9)])]);
        assert_eq!(due(store, Kind::Close, 500), [(2, vec![(400, 9)]), (1, vec![(500, 9)])]);
        assert_eq!(due(store, Kind::Mail, 500), []);
    });
}

#[test]
fn one_node_holds_an_account_until_it_gives_it_back() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let first = claim(store, "a", 60_000);
        assert_eq!(first.len(), 1);
        assert_eq!(claim(store, "b", 60_000), []);
        hold(store, &first[0]).unwrap();
        renew(store, &first[0]).unwrap();
        release(store, &first[0]);
        let second = claim(store, "b", 60_000);
        assert!(second[0].epoch > first[0].epoch);
    });
}

#[test]
fn the_same_node_may_claim_again_and_its_older_lease_is_void() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let first = claim(store, "a", 60_000);
        let second = claim(store, "a", 60_000);
        assert!(second[0].epoch > first[0].epoch);
        hold(store, &second[0]).unwrap();
        assert!(matches!(hold(store, &first[0]), Err(StoreError::Fenced { account_id: 1 })));
    });
}

#[test]
fn a_lease_that_ran_out_is_taken_over_and_its_holder_fenced_off() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        // Of no length: it has run out as soon as it is given.
        let frozen = claim(store, "a", 0);
        let successor = claim(store, "b", 60_000);
        assert_eq!(successor.len(), 1);
        assert!(matches!(hold(store, &frozen[0]), Err(StoreError::Fenced { account_id: 1 })));
        assert!(matches!(renew(store, &frozen[0]), Err(StoreError::Fenced { account_id: 1 })));
        // Giving back what was lost takes nothing from the one who has it.
        release(store, &frozen[0]);
        assert_eq!(claim(store, "c", 60_000), []);
        hold(store, &successor[0]).unwrap();
    });
}

#[test]
fn kinds_of_work_are_leased_apart() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        claim(store, "a", 60_000);
        let outbox = store.write_blocking(|tx| work::claim(tx, Kind::Outbox, &[1], "b", 60_000)).unwrap();
        assert_eq!(outbox.len(), 1);
    });
}

#[test]
fn writers_that_hold_the_same_lease_come_one_after_the_other() {
    const STEPS: i64 = 20;
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let lease = claim(store, "a", 60_000).remove(0);
        let insert = "INSERT INTO counters (account_id, name, value) VALUES (1, 'steps', 0)";
        store.write_blocking(move |tx| tx.execute(insert, &[])).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..STEPS {
                        let lease = lease.clone();
                        // Read, then write what was read plus one: without the lock steps would be lost.
                        store
                            .write_blocking(move |tx| {
                                work::hold(tx, &lease)?;
                                let select =
                                    "SELECT value FROM counters WHERE account_id = 1 AND name = 'steps'";
                                let value = tx.find(select, &[])?.unwrap().int()?;
                                let update =
                                    "UPDATE counters SET value = $1 WHERE account_id = 1 AND name = 'steps'";
                                tx.execute(update, &values![value + 1])
                            })
                            .unwrap();
                    }
                });
            }
        });
        let value = store.read_blocking(|tx| {
            tx.find("SELECT value FROM counters WHERE account_id = 1 AND name = 'steps'", &[])?.unwrap().int()
        });
        assert_eq!(value.unwrap(), 2 * STEPS);
    });
}

/// A PostgreSQL with three accounts: SQLite has one writer at a time, so nobody can claim or renew meanwhile there.
fn three_accounts() -> (Store, Database) {
    let [_, database] = both();
    let store = open(&database);
    store.migrate().unwrap();
    for (id, subdomain) in [(1, "acme"), (2, "other"), (3, "third")] {
        account(&store, id, subdomain).unwrap();
    }
    (store, database)
}

/// Runs something while another transaction writes account 1, and makes sure that it did not wait for it.
fn while_account_1_is_written<T>(store: &Store, work: impl FnOnce() -> T) -> T {
    let (started, is_started) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let writer = store.clone();
    let thread = thread::spawn(move || {
        writer.write_blocking(move |tx| {
            work::lock_account(tx, 1)?;
            started.send(()).unwrap();
            Ok(finished.recv_timeout(Duration::from_secs(20)).is_ok())
        })
    });
    is_started.recv().unwrap();
    let done = work();
    let _ = finish.send(());
    assert!(thread.join().unwrap().unwrap(), "it waited for the writer");
    done
}

#[test]
fn renewing_passes_over_an_account_that_is_being_written_and_tells_which_are_lost() {
    let (store, _database) = three_accounts();
    let mut leases = store.write_blocking(|tx| work::claim(tx, Kind::Mail, &[1, 2, 3], "a", 60_000)).unwrap();
    leases[2].epoch -= 1;
    let renewed = while_account_1_is_written(&store, || {
        store.write_blocking(move |tx| work::renew_free(tx, Kind::Mail, &leases, 60_000)).unwrap()
    });
    assert_eq!(renewed, work::Renewed { extended: vec![2], lost: vec![3] });
}

#[test]
fn a_claim_passes_over_an_account_that_is_being_written() {
    let (store, _database) = three_accounts();
    let claimed = while_account_1_is_written(&store, || {
        store.write_blocking(|tx| work::claim(tx, Kind::Mail, &[1, 2], "a", 60_000)).unwrap()
    });
    assert_eq!(claimed.iter().map(|lease| lease.account_id).collect::<Vec<_>>(), [2]);
}
