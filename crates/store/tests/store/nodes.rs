//! What `doctor` asks: who holds what, what nobody holds, and how standbys follow.

use desk::clock::Millis;
use desk::id::AccountId;
use store::node::{self, Forgotten, Holding, Unheld};
use store::testing::Sql as _;
use store::work::{self, Kind};
use store::{Replication, Standby, Store, StoreOptions, values};
use testkit::database;
use testkit::server::{Postgres, PostgresOptions, READY_WITHIN, until};

use crate::support::{account, mail, on_both, options, wait};

const MINUTE_MS: i64 = 60_000;

fn claim(store: &Store, kind: Kind, accounts: &[i64], holder: &'static str, lease_ms: i64) {
    let accounts: Vec<AccountId> = accounts.iter().copied().map(AccountId).collect();
    let wanted = accounts.len();
    let claimed = store.write_blocking(move |tx| {
        work::announce(tx, kind, &accounts, Millis(0))?;
        work::claim(tx, kind, &accounts, holder, false, lease_ms)
    });
    assert_eq!(claimed.unwrap().len(), wanted);
}

#[test]
fn each_node_is_shown_with_what_it_holds() {
    on_both(|store| {
        (1..=3).for_each(|id| account(store, id, &format!("a{id}")).unwrap());
        claim(store, Kind::Mail, &[1, 2], "a", MINUTE_MS);
        claim(store, Kind::Outbox, &[1], "a", MINUTE_MS);
        claim(store, Kind::Mail, &[3], "b", MINUTE_MS);
        // Run out.
        claim(store, Kind::Outbox, &[3], "b", 0);
        let held = |holder: &str, kind: &str, accounts| Holding {
            holder: holder.into(),
            kind: kind.into(),
            accounts,
        };
        let want = [held("a", "mail", 2), held("a", "outbox", 1), held("b", "mail", 1)];
        assert_eq!(store.read_blocking(node::holdings).unwrap(), want);
    });
}

/// Queues a mail that an account has had to send since a time.
fn queue(store: &Store, account_id: i64, since: i64) {
    let sql = "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer, created_at, updated_at)
               VALUES ($1, 1, 1, 'ada@customer.example', 'queued', 0, 0, '', $2, $3)";
    store
        .write_blocking(move |tx| {
            tx.execute(sql, &values![account_id, since, since])?;
            work::announce(tx, Kind::Outbox, &[AccountId(account_id)], Millis(0))
        })
        .unwrap();
}

#[test]
fn an_account_whose_old_work_nobody_holds_is_shown() {
    on_both(|store| {
        (1..=4).for_each(|id| account(store, id, &format!("a{id}")).unwrap());
        let now = store.read_blocking(|tx| tx.database_now()).unwrap().0;
        // Old mail of 1 and 2, of which 2 is held; mail of 3 that came just now; outgoing mail of 4.
        wait(store.spool(vec![
            mail(1, 1, now - 2 * MINUTE_MS),
            mail(2, 2, now - 2 * MINUTE_MS),
            mail(3, 3, now),
        ]))
        .unwrap();
        queue(store, 4, now - 2 * MINUTE_MS);
        queue(store, 1, now);
        claim(store, Kind::Mail, &[1], "gone", 0);
        claim(store, Kind::Mail, &[2], "there", MINUTE_MS);
        // Held mail of 3 that should have been deleted long ago; that of 4 has not waited as long as a job may.
        for (account_id, since) in [(3, 10 * MINUTE_MS), (4, 9 * MINUTE_MS)] {
            store
                .write_blocking(move |tx| {
                    work::announce(tx, Kind::Purge, &[AccountId(account_id)], Millis(now - since))
                })
                .unwrap();
        }
        let found = store.read_blocking(|tx| node::unheld(tx, MINUTE_MS)).unwrap();
        let unheld =
            |id, kind, holder: &str| Unheld { account_id: AccountId(id), kind, holder: holder.into() };
        let want = [unheld(1, Kind::Mail, "gone"), unheld(4, Kind::Outbox, ""), unheld(3, Kind::Purge, "")];
        assert_eq!(found, want);
    });
}

#[test]
fn an_account_of_whose_work_nothing_tells_is_shown() {
    on_both(|store| {
        (1..=4).for_each(|id| account(store, id, &format!("a{id}")).unwrap());
        let now = store.read_blocking(|tx| tx.database_now()).unwrap().0;
        let old = now - 2 * MINUTE_MS;
        wait(store.spool(vec![mail(1, 1, old), mail(2, 2, old), mail(3, 3, now)])).unwrap();
        queue(store, 4, old);
        let forgotten = || store.read_blocking(|tx| node::forgotten(tx, MINUTE_MS)).unwrap();
        assert_eq!(forgotten(), []);
        // Mail of 3 came just now: a node may be about to take it.
        store.write_blocking(|tx| tx.batch("DELETE FROM work WHERE account_id <> 2")).unwrap();
        let lost = |account_id, kind| Forgotten { account_id: AccountId(account_id), kind };
        assert_eq!(forgotten(), [lost(1, Kind::Mail), lost(4, Kind::Outbox)]);
    });
}

#[test]
fn standbys_are_seen_as_they_follow() {
    let folder = database::sqlite();
    assert_eq!(crate::support::open(&folder).read_blocking(|tx| tx.replication()).unwrap(), None);
    let server = Postgres::start(PostgresOptions::default()).unwrap();
    let store = Store::open(&StoreOptions { url: server.url(), ..options(&folder) }).unwrap();
    let seen = || store.read_blocking(|tx| tx.replication()).unwrap().unwrap();
    let alone = Replication { synchronous_commit: "on".into(), ..Replication::default() };
    assert_eq!(seen(), alone);
    let follower = server.follow().unwrap();
    let followed =
        until("the standby follows", READY_WITHIN, || Ok(Some(seen()).filter(|seen| *seen != alone)))
            .unwrap();
    assert_eq!(followed.standbys, [Standby { name: "pg_receivewal".into(), state: Some("async".into()) }]);
    drop(follower);
    store.close();
}
