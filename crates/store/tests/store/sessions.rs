//! What a PostgreSQL session keeps, and how it plans.

use desk::id::AccountId;
use store::testing::{STATEMENTS_MAX, Sql as _};
use store::{AtLeast, Store, StoreOptions};

use crate::support::{account, options};

fn one_session(database: &testkit::database::Database) -> Store {
    let store = Store::open(&StoreOptions { connections: 1, ..options(database) }).unwrap();
    store.migrate().unwrap();
    store
}

/// Prepares and runs a statement that has a text of its own.
fn run(store: &Store, number: usize) {
    let sql = format!("SELECT {number}::bigint");
    store.read_blocking(move |tx| tx.query(&sql, &[])).unwrap();
}

fn kept(store: &Store, text: &'static str) -> i64 {
    let sql = format!("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '{text}'");
    store.read_blocking(move |tx| tx.find(&sql, &[])?.unwrap().int()).unwrap()
}

#[test]
fn a_session_keeps_so_many_statements_and_forgets_the_one_not_used_the_longest() {
    let database = testkit::database::postgres();
    let store = one_session(&database);
    // One more is the question how many there are.
    for number in 1..STATEMENTS_MAX {
        run(&store, number);
    }
    let most = i64::try_from(STATEMENTS_MAX).unwrap();
    assert_eq!(kept(&store, "SELECT %::bigint"), most - 1, "all of them at the limit");
    run(&store, 1);
    run(&store, STATEMENTS_MAX);
    assert_eq!(kept(&store, "SELECT %::bigint"), most - 1, "and no more one beyond");
    assert_eq!(kept(&store, "SELECT 1::bigint"), 1, "used again");
    assert_eq!(kept(&store, "SELECT 2::bigint"), 0, "not used the longest");
    store.close();
}

#[test]
fn pages_are_planned_as_postgresql_likes_and_decisions_by_indexes() {
    let database = testkit::database::postgres();
    let store = one_session(&database);
    account(&store, 1, "acme").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings =
        "SELECT concat_ws(' ', current_setting('enable_seqscan'), current_setting('enable_hashjoin'),
                        current_setting('enable_mergejoin'), current_setting('plan_cache_mode'))";
    let decided = || store.read_blocking(move |tx| tx.find(settings, &[])?.unwrap().text()).unwrap();
    let page = || {
        let seen = AtLeast { account_id: AccountId(1), change: 0 };
        let read = store.read_at_least(seen, move |tx| tx.find(settings, &[])?.unwrap().text());
        runtime.block_on(read).unwrap()
    };
    assert_eq!(decided(), "off off off auto");
    assert_eq!(page(), "on on on force_custom_plan");
    assert_eq!(decided(), "off off off auto", "the next transaction of the session is not changed by it");
    let written = store.write_blocking(move |tx| tx.find(settings, &[])?.unwrap().text());
    assert_eq!(written.unwrap(), "off off off auto");
    store.close();
}
