//! Nothing to do is forgotten, no matter who comes first; one node at a time holds a lease.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use desk::clock::Millis;
use desk::id::AccountId;
use desk::suspension::HELD_FOR;
use desk::ticket::{SOLVED_FOR, Status, Ticket};
use store::lane::Lane;
use store::testing::Sql as _;
use store::work::{self, Due, Kind, Lease, PutDown, Renewed, Unannounced};
use store::{Store, StoreError, Tx, timer, values};
use testkit::database::{Database, postgres};

use crate::support::{account, mail, on_both, on_both_at_will, open, opening, ticket, wait, write};

/// Longer than any test takes.
const LONG: i64 = 60_000;

fn ids(accounts: &[i64]) -> Vec<AccountId> {
    accounts.iter().copied().map(AccountId).collect()
}

fn announce(store: &Store, kind: Kind, accounts: &[i64], due_at: i64) {
    let accounts = ids(accounts);
    store.write_blocking(move |tx| work::announce(tx, kind, &accounts, Millis(due_at))).unwrap();
}

/// What the row of an account says.
fn told(store: &Store, kind: Kind, account: i64) -> Option<i64> {
    let sql = "SELECT due_at FROM work WHERE kind = $1 AND account_id = $2";
    let row = store.read_blocking(move |tx| tx.find(sql, &values![kind.as_str(), account])).unwrap();
    row.unwrap().maybe_int().unwrap()
}

fn due_of(store: &Store, kind: Kind, after: Due, holder: &'static str, limit: usize) -> Vec<(i64, i64)> {
    let takes_back = holder == "a again";
    let holder = if takes_back { "a" } else { holder };
    let found = store.read_blocking(move |tx| work::due(tx, kind, after, holder, takes_back, limit)).unwrap();
    found.into_iter().map(|due| (due.at.0, due.account_id.0)).collect()
}

/// `(time, account)` of those that are due and free.
fn due(store: &Store, kind: Kind) -> Vec<(i64, i64)> {
    due_of(store, kind, Due::FIRST, "nobody's", 100)
}

fn claim_all(store: &Store, kind: Kind, accounts: &[i64], holder: &'static str, lease_ms: i64) -> Vec<Lease> {
    let accounts = ids(accounts);
    store.write_blocking(move |tx| work::claim(tx, kind, &accounts, holder, false, lease_ms)).unwrap()
}

/// Claims the mail of account 1.
fn claim(store: &Store, holder: &'static str, lease_ms: i64) -> Vec<Lease> {
    claim_all(store, Kind::Mail, &[1], holder, lease_ms)
}

fn hold(store: &Store, lease: &Lease) -> store::Result<()> {
    let lease = lease.clone();
    store.write_blocking(move |tx| work::hold(tx, &lease))
}

fn renew(store: &Store, leases: &[Lease]) -> Renewed {
    let leases = leases.to_vec();
    store.write_blocking(move |tx| work::renew(tx, Kind::Mail, &leases, LONG)).unwrap()
}

fn release(store: &Store, lease: &Lease) {
    let lease = lease.clone();
    store.write_blocking(move |tx| work::release(tx, std::slice::from_ref(&lease))).unwrap();
}

fn put_down(store: &Store, kind: Kind, leases: &[Lease]) -> PutDown {
    let leases = leases.to_vec();
    store.write_blocking(move |tx| work::put_down(tx, kind, &leases)).unwrap()
}

fn is_fenced(outcome: store::Result<()>) -> bool {
    matches!(outcome, Err(StoreError::Fenced { account_id: AccountId(1) }))
}

#[test]
fn an_announcement_moves_a_time_forward_and_never_back() {
    on_both(|store| {
        announce(store, Kind::Close, &[2, 1, 2], 500);
        assert_eq!([told(store, Kind::Close, 1), told(store, Kind::Close, 2)], [Some(500); 2], "made");
        announce(store, Kind::Close, &[1], 400);
        assert_eq!(told(store, Kind::Close, 1), Some(400), "earlier");
        announce(store, Kind::Close, &[1], 600);
        assert_eq!(told(store, Kind::Close, 1), Some(400), "not later");
        announce(store, Kind::Close, &[1], 0);
        assert_eq!(told(store, Kind::Close, 1), Some(0), "at once");
        assert_eq!(told(store, Kind::Close, 2), Some(500), "another account's stays");
        // Its rows say that nothing waits: the next announcement counts, however late it is.
        let lease = claim_all(store, Kind::Close, &[1], "a", LONG);
        assert_eq!(put_down(store, Kind::Close, &lease).released, ids(&[1]));
        assert_eq!(told(store, Kind::Close, 1), None);
        announce(store, Kind::Close, &[1], 700);
        assert_eq!(told(store, Kind::Close, 1), Some(700));
    });
}

#[test]
fn work_is_due_at_its_time_and_of_its_kind() {
    on_both_at_will(|store, clock| {
        announce(store, Kind::Close, &[1], 10_500);
        announce(store, Kind::Close, &[2], 10_400);
        announce(store, Kind::Outbox, &[3], 0);
        clock.turn_to(10_399);
        assert_eq!(due(store, Kind::Close), []);
        clock.turn_to(10_400);
        assert_eq!(due(store, Kind::Close), [(10_400, 2)]);
        clock.turn_to(10_500);
        assert_eq!(due(store, Kind::Close), [(10_400, 2), (10_500, 1)]);
        assert_eq!(due(store, Kind::Mail), []);
        assert_eq!(due(store, Kind::Outbox), [(0, 3)]);
    });
}

#[test]
fn what_is_due_is_told_page_by_page_without_what_others_hold() {
    on_both(|store| {
        announce(store, Kind::Mail, &[1, 2, 3, 5], 0);
        announce(store, Kind::Mail, &[4], 9);
        let after = |at, account, limit| {
            due_of(store, Kind::Mail, Due { at: Millis(at), account_id: AccountId(account) }, "b", limit)
        };
        assert_eq!(after(0, 0, 2), [(0, 1), (0, 2)]);
        assert_eq!(after(0, 2, 2), [(0, 3), (0, 5)]);
        assert_eq!(after(0, 5, 2), [(9, 4)]);
        assert_eq!(after(9, 4, 2), []);
        let held = claim_all(store, Kind::Mail, &[2, 3], "a", LONG);
        assert_eq!(due(store, Kind::Mail), [(0, 1), (0, 5), (9, 4)]);
        assert_eq!(due_of(store, Kind::Mail, Due::FIRST, "a", 3), [(0, 1), (0, 5), (9, 4)]);
        let all = [(0, 1), (0, 2), (0, 3), (0, 5), (9, 4)];
        assert_eq!(due_of(store, Kind::Mail, Due::FIRST, "a again", 9), all, "it was started again");
        release(store, &held[1]);
        assert_eq!(due(store, Kind::Mail), [(0, 1), (0, 3), (0, 5), (9, 4)], "what is due stays due");
    });
}

/// Rows of account 1 of every kind: mail at once, the others at the times of [`NEXT`].
fn rows_of_every_kind(store: &Store) {
    account(store, 1, "acme").unwrap();
    wait(store.spool(vec![mail(1, 1, 100)])).unwrap();
    let solved = |id, at| Ticket { status: Status::Solved, solved_at: Some(at), ..ticket(id, 50) };
    write(store, 1, opening(vec![solved(900, Millis(500)), solved(901, Millis(400)), ticket(902, 50)]))
        .unwrap();
    store
        .write_blocking(|tx| {
            let sql = "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer, created_at,
                           updated_at)
                       VALUES (1, $1, 1, 'ada@customer.example', $2, 0, $3, '', 1, 1)";
            for (id, state, due_at) in [(1, "sent", 0), (2, "deferred", 10_700), (3, "sending", 10_600)] {
                tx.execute(sql, &values![id, state, due_at])?;
            }
            let sql = "INSERT INTO suspended_tickets (account_id, id, cause, sender, subject, recipient, detail, created_at, change)
                       VALUES (1, $1, $2, '', '', '', '', $3, 1)";
            // What could not be worked is never deleted unseen.
            for (id, cause, held_at) in [(1, 19, 100), (2, 1, 300), (3, 2, 200)] {
                tx.execute(sql, &values![id, cause, held_at])?;
            }
            let tx = &mut tx.account(AccountId(1));
            timer::set(tx, Kind::Digest, Millis(30_000), 0)?;
            timer::set(tx, Kind::Digest, Millis(20_000), 0)?;
            timer::set(tx, Kind::Probe, Millis(25_000), 100)
        })
        .unwrap();
}

const NEXT: [(Kind, i64); 5] = [
    (Kind::Outbox, 10_600),
    (Kind::Close, 400 + SOLVED_FOR),
    (Kind::Purge, 200 + HELD_FOR),
    (Kind::Digest, 20_000),
    (Kind::Probe, 25_000),
];

#[test]
fn when_an_account_is_due_next_is_read_from_its_rows() {
    on_both_at_will(|store, clock| {
        rows_of_every_kind(store);
        for (kind, next) in NEXT {
            clock.turn_to(10_000);
            announce(store, kind, &[1, 2], 0);
            let leases = claim_all(store, kind, &[1, 2], "a", 1 << 40);
            let done = PutDown { released: ids(&[1, 2]), ..PutDown::default() };
            assert_eq!(put_down(store, kind, &leases), done, "{kind:?} is not due yet");
            assert_eq!((told(store, kind, 1), told(store, kind, 2)), (Some(next), None), "{kind:?}");
            clock.turn_to(next - 1);
            assert_eq!(due(store, kind), [], "{kind:?}");
            clock.turn_to(next);
            assert_eq!(due(store, kind), [(next, 1)], "{kind:?}");
            let leases = claim_all(store, kind, &[1], "b", LONG);
            let kept = PutDown { due: ids(&[1]), ..PutDown::default() };
            assert_eq!(put_down(store, kind, &leases), kept, "{kind:?} is due");
            let holder = leases[0].clone();
            let next_held = store.write_blocking(move |tx| work::put_down_held(tx, &holder)).unwrap();
            assert_eq!(next_held, Some(Millis(next)));
            assert_eq!(claim_all(store, kind, &[1], "c", LONG), [], "what is due stays held");
        }
    });
}

#[test]
fn an_account_with_mail_stays_held_until_there_is_none() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 100)])).unwrap();
        let lease = claim(store, "a", LONG);
        assert_eq!(put_down(store, Kind::Mail, &lease), PutDown { due: ids(&[1]), ..PutDown::default() });
        assert_eq!(claim(store, "b", LONG), []);
        store.write_blocking(|tx| tx.batch("DELETE FROM spool")).unwrap();
        assert_eq!(
            put_down(store, Kind::Mail, &lease),
            PutDown { released: ids(&[1]), ..PutDown::default() }
        );
        assert_eq!((told(store, Kind::Mail, 1), due(store, Kind::Mail)), (None, vec![]));
        let next = claim(store, "b", LONG);
        assert_eq!(put_down(store, Kind::Mail, &lease), PutDown { lost: ids(&[1]), ..PutDown::default() });
        hold(store, &next[0]).unwrap();
    });
}

#[test]
fn one_node_holds_an_account_until_it_gives_it_back() {
    on_both(|store| {
        announce(store, Kind::Mail, &[1], 0);
        let first = claim(store, "a", LONG);
        assert_eq!((first.len(), first[0].was_left), (1, false));
        assert_eq!(claim(store, "b", LONG), []);
        hold(store, &first[0]).unwrap();
        assert_eq!(renew(store, &first), Renewed { extended: ids(&[1]), lost: vec![] });
        release(store, &first[0]);
        let second = claim(store, "b", LONG);
        assert_eq!((second[0].epoch, second[0].was_left), (first[0].epoch + 1, false), "free at once");
        assert!(is_fenced(hold(store, &first[0])));
    });
}

#[test]
fn only_who_takes_back_claims_what_it_holds_again_and_its_older_lease_is_void() {
    on_both(|store| {
        announce(store, Kind::Mail, &[1], 0);
        let first = claim(store, "a", LONG);
        assert_eq!(claim(store, "a", LONG), [], "an older process of the same name may still work");
        let take_back = |holder: &'static str| {
            store
                .write_blocking(move |tx| work::claim(tx, Kind::Mail, &ids(&[1]), holder, true, LONG))
                .unwrap()
        };
        assert_eq!(take_back("b"), [], "another's");
        let second = take_back("a");
        assert_eq!((second[0].epoch, second[0].was_left), (first[0].epoch + 1, true));
        hold(store, &second[0]).unwrap();
        assert!(is_fenced(hold(store, &first[0])));
    });
}

#[test]
fn a_lease_that_ran_out_is_taken_over_and_its_holder_fenced_off() {
    on_both_at_will(|store, clock| {
        announce(store, Kind::Mail, &[1], 0);
        let frozen = claim(store, "a", 500);
        clock.turn_to(10_499);
        assert_eq!((claim(store, "b", LONG), due(store, Kind::Mail)), (vec![], vec![]));
        clock.turn_to(10_500);
        assert_eq!(due(store, Kind::Mail), [(0, 1)]);
        let successor = claim(store, "b", LONG);
        assert_eq!((successor.len(), successor[0].was_left), (1, true));
        assert!(is_fenced(hold(store, &frozen[0])));
        let late = frozen[0].clone();
        assert!(is_fenced(store.read_blocking(move |tx| work::check(tx, &late))));
        assert_eq!(renew(store, &frozen), Renewed { extended: vec![], lost: ids(&[1]) });
        // Giving back what was lost takes nothing from the one who has it.
        release(store, &frozen[0]);
        assert_eq!(claim(store, "c", LONG), []);
        hold(store, &successor[0]).unwrap();
    });
}

#[test]
fn kinds_of_work_are_leased_apart() {
    on_both(|store| {
        Kind::ALL.iter().for_each(|kind| announce(store, *kind, &[1], 0));
        for kind in Kind::ALL {
            assert_eq!(claim_all(store, *kind, &[1], "a", LONG).len(), 1, "{kind:?}");
        }
    });
}

fn steps(tx: &mut Tx<'_>) -> store::Result<i64> {
    tx.find("SELECT version FROM versions WHERE name = 'steps'", &[])?.unwrap().int()
}

#[test]
fn writers_that_hold_the_same_lease_come_one_after_the_other() {
    const STEPS: i64 = 20;
    on_both(|store| {
        announce(store, Kind::Mail, &[1], 0);
        let lease = claim(store, "a", LONG).remove(0);
        let insert = "INSERT INTO versions (name, version) VALUES ('steps', 0)";
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
                                let steps = steps(tx)?;
                                let update = "UPDATE versions SET version = $1 WHERE name = 'steps'";
                                tx.execute(update, &values![steps + 1])
                            })
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(store.read_blocking(steps).unwrap(), 2 * STEPS);
    });
}

#[test]
fn a_hint_that_was_lost_is_found_and_mended() {
    on_both(|store| {
        (1..=5).for_each(|id| account(store, id, &format!("a{id}")).unwrap());
        wait(store.spool((1..=4).map(|id| mail(id, id, 1)).collect())).unwrap();
        let accounts = ids(&[1, 2, 3, 4, 5]);
        let asked = accounts.clone();
        let missed = move || {
            let asked = asked.clone();
            store.read_blocking(move |tx| work::unannounced(tx, Kind::Mail, &asked)).unwrap()
        };
        assert_eq!(missed(), []);
        store
            .write_blocking(|tx| {
                tx.batch("DELETE FROM work WHERE account_id = 1")?;
                tx.batch("UPDATE work SET due_at = NULL WHERE account_id = 2")?;
                tx.batch("UPDATE work SET due_at = 900000 WHERE account_id = 3")
            })
            .unwrap();
        // A hint that is too early costs a look and is no fault.
        announce(store, Kind::Mail, &[5], 0);
        let lost = [1, 2, 3].map(|id| Unannounced { account_id: AccountId(id), due_at: Millis(0) });
        assert_eq!(missed(), lost);
        let mend = || {
            let accounts = accounts.clone();
            store.write_blocking(move |tx| work::mend(tx, Kind::Mail, &accounts)).unwrap()
        };
        assert_eq!(mend(), ids(&[1, 2, 3]));
        assert_eq!(due(store, Kind::Mail), [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
        assert_eq!((mend(), missed()), (vec![], vec![]));
    });
}

/// A PostgreSQL with accounts: on SQLite one transaction at a time writes, so nothing comes in between.
fn desk() -> (Store, Database) {
    let database = postgres();
    let store = open(&database);
    store.migrate().unwrap();
    (1..=3).for_each(|id| account(&store, id, &format!("a{id}")).unwrap());
    (store, database)
}

/// A transaction of another node that has done something and waits to be told to go on.
struct Open {
    go_on: mpsc::Sender<()>,
    thread: JoinHandle<store::Result<()>>,
}

impl Open {
    /// Returns once `first` is done in a transaction, which runs `then` when it is told and commits.
    fn start(
        store: &Store,
        first: fn(&mut Tx<'_>) -> store::Result<()>,
        then: fn(&mut Tx<'_>) -> store::Result<()>,
    ) -> Open {
        let (done, is_done) = mpsc::channel();
        let (go_on, told) = mpsc::channel();
        let store = store.clone();
        let thread = thread::spawn(move || {
            store.write_blocking(move |tx| {
                first(tx)?;
                reach(tx)?;
                done.send(()).unwrap();
                told.recv().unwrap();
                then(tx)
            })
        });
        is_done.recv().unwrap();
        Open { go_on, thread }
    }

    fn end(self) {
        self.go_on.send(()).unwrap();
        self.thread.join().unwrap().unwrap();
    }
}

/// What nobody waits for travels with a later question: asks one, so that the database has it all.
fn reach(tx: &mut Tx<'_>) -> store::Result<()> {
    tx.find("SELECT 1", &[]).map(drop)
}

/// Waits until a transaction on this database waits for a lock.
fn until_somebody_waits(tx: &mut Tx<'_>) -> store::Result<()> {
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks
                 WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    while tx.find(waits, &[])?.map_or(Ok(0), |mut row| row.int())? == 0 {
        thread::yield_now();
    }
    Ok(())
}

fn add_mail(tx: &mut Tx<'_>) -> store::Result<()> {
    let sql = "INSERT INTO spool (account_id, accepted_at, id, envelope) VALUES (1, 5, 5, '{}')";
    tx.execute(sql, &[]).map(drop)
}

fn announce_mail(tx: &mut Tx<'_>) -> store::Result<()> {
    work::announce(tx, Kind::Mail, &ids(&[1]), Millis(0))
}

#[test]
fn an_account_that_is_being_announced_is_not_put_down() {
    let (store, _database) = desk();
    announce(&store, Kind::Mail, &[1, 2], 0);
    let leases = claim_all(&store, Kind::Mail, &[1, 2], "a", LONG);
    // The row says "at once" already: it is locked all the same.
    let announcing = Open::start(&store, |tx| add_mail(tx).and_then(|()| announce_mail(tx)), |_| Ok(()));
    let put = put_down(&store, Kind::Mail, &leases);
    assert_eq!(put, PutDown { released: ids(&[2]), ..PutDown::default() }, "1 is left for later");
    announcing.end();
    assert_eq!(told(&store, Kind::Mail, 1), Some(0));
    assert_eq!(put_down(&store, Kind::Mail, &leases[..1]), PutDown { due: ids(&[1]), ..PutDown::default() });
}

#[test]
fn a_lane_keeps_an_account_that_is_being_announced_and_says_so() {
    let (store, _database) = desk();
    announce(&store, Kind::Mail, &[1, 2], 0);
    let mut lane = Lane::new(store.clone(), Kind::Mail, "a", LONG);
    assert_eq!(wait(lane.claim(9)).unwrap().len(), 2);
    let announcing = Open::start(&store, |tx| add_mail(tx).and_then(|()| announce_mail(tx)), |_| Ok(()));
    // Whoever forgot it now would hold it for ever, and no other node could take it.
    assert_eq!(wait(lane.put_down(&ids(&[1, 2]))).unwrap(), ids(&[1]));
    assert_eq!(lane.accounts(), ids(&[1]));
    announcing.end();
    assert_eq!(wait(lane.put_down(&ids(&[1]))).unwrap(), ids(&[1]), "it is due");
    store.write_blocking(|tx| tx.execute("DELETE FROM spool WHERE account_id = 1", &[])).unwrap();
    assert_eq!(wait(lane.put_down(&ids(&[1]))).unwrap(), []);
    assert!(lane.is_empty());
}

#[test]
fn who_waits_for_an_announcement_sees_what_was_announced() {
    let (store, _database) = desk();
    announce(&store, Kind::Mail, &[1], 0);
    let lease = claim(&store, "a", LONG).remove(0);
    let announcing =
        Open::start(&store, |tx| add_mail(tx).and_then(|()| announce_mail(tx)), until_somebody_waits);
    announcing.go_on.send(()).unwrap();
    let next = store.write_blocking(move |tx| work::put_down_held(tx, &lease)).unwrap();
    announcing.thread.join().unwrap().unwrap();
    assert_eq!(next, Some(Millis(0)));
    assert_eq!(told(&store, Kind::Mail, 1), Some(0));
}

#[test]
fn what_is_announced_after_an_account_was_put_down_stays_announced() {
    let (store, _database) = desk();
    announce(&store, Kind::Mail, &[1], 0);
    let leases = claim(&store, "a", LONG);
    // Its mail is written and not committed when the rows are read, which say that there is none.
    let announcing = Open::start(&store, add_mail, announce_mail);
    let (put, is_put) = mpsc::channel();
    let putting = store.clone();
    let thread = thread::spawn(move || {
        putting.write_blocking(move |tx| {
            let found = work::put_down(tx, Kind::Mail, &leases)?;
            reach(tx)?;
            put.send(()).unwrap();
            until_somebody_waits(tx)?;
            Ok(found)
        })
    });
    is_put.recv().unwrap();
    announcing.end();
    assert_eq!(thread.join().unwrap().unwrap(), PutDown { released: ids(&[1]), ..PutDown::default() });
    assert_eq!(told(&store, Kind::Mail, 1), Some(0));
    assert_eq!(due(&store, Kind::Mail), [(0, 1)]);
    assert_eq!(claim(&store, "b", LONG).len(), 1);
}

#[test]
fn who_renews_and_claims_passes_over_an_account_that_is_being_announced() {
    let (store, _database) = desk();
    announce(&store, Kind::Mail, &[1, 2, 3], 0);
    let mut leases = claim_all(&store, Kind::Mail, &[1, 2, 3], "a", LONG);
    leases[2].epoch -= 1;
    announce(&store, Kind::Outbox, &[1, 2], 0);
    let locks = |tx: &mut Tx<'_>| {
        announce_mail(tx)?;
        work::announce(tx, Kind::Outbox, &ids(&[1]), Millis(0))
    };
    let announcing = Open::start(&store, locks, |_| Ok(()));
    assert_eq!(renew(&store, &leases), Renewed { extended: ids(&[2]), lost: ids(&[3]) });
    let claimed = claim_all(&store, Kind::Outbox, &[1, 2], "b", LONG);
    assert_eq!(claimed.iter().map(|lease| lease.account_id).collect::<Vec<_>>(), ids(&[2]));
    announcing.end();
}
