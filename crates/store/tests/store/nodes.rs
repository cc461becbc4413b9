//! What `doctor` asks: who holds what, what nobody holds, and how standbys follow.

use store::node::{self, Holding, Unheld};
use store::work::{self, Kind};
use store::{Replication, Standby, Store, StoreOptions};
use testkit::database;
use testkit::server::{Postgres, PostgresOptions, READY_WITHIN, until};

use crate::support::{account, mail, on_both, options, wait};

const MINUTE_MS: i64 = 60_000;

fn claim(store: &Store, kind: Kind, accounts: &'static [i64], holder: &'static str, lease_ms: i64) {
    let claimed = store.write_blocking(move |tx| work::claim(tx, kind, accounts, holder, lease_ms)).unwrap();
    assert_eq!(claimed.len(), accounts.len());
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

#[test]
fn an_account_whose_old_work_nobody_holds_is_shown() {
    on_both(|store| {
        (1..=4).for_each(|id| account(store, id, &format!("a{id}")).unwrap());
        let now = store.read_blocking(|tx| tx.database_now()).unwrap();
        // Old mail of 1 and 2, of which 2 is held; mail of 3 that came just now; outgoing mail of 4.
        wait(store.spool(vec![
            mail(1, 1, now - 2 * MINUTE_MS),
            mail(2, 2, now - 2 * MINUTE_MS),
            mail(3, 3, now),
        ]))
        .unwrap();
        store
            .write_blocking(move |tx| work::add(tx, Kind::Outbox, &[(4, now - 2 * MINUTE_MS), (1, now)], 9))
            .unwrap();
        claim(store, Kind::Mail, &[1], "gone", 0);
        claim(store, Kind::Mail, &[2], "there", MINUTE_MS);
        let found = store.read_blocking(|tx| node::unheld(tx, MINUTE_MS)).unwrap();
        let unheld = |account_id, kind: &str, holder: &str| Unheld {
            account_id,
            kind: kind.into(),
            holder: holder.into(),
        };
        assert_eq!(found, [unheld(1, "mail", "gone"), unheld(4, "outbox", "")]);
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
