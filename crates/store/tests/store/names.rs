//! A node's name on one PostgreSQL: one process bears it.

use std::time::Duration;

use store::Store;
use store::testing::Sql as _;
use testkit::database;
use testkit::server::{READY_WITHIN, until};

use crate::support::{on_both, open, wait};

/// Longer than any test runs.
const PATIENCE: Duration = Duration::from_secs(60);

fn takes(store: &Store, name: &str) -> bool {
    wait(store.take_name(name, Duration::ZERO)).unwrap()
}

/// Backends that have a name of a node, or wait for one.
fn backends(store: &Store, granted: bool) -> Vec<i64> {
    let sql = if granted {
        "SELECT CAST(l.pid AS BIGINT) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
    } else {
        "SELECT CAST(l.pid AS BIGINT) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()"
    };
    store.read_blocking(move |tx| tx.query(sql, &[])?.into_iter().map(|mut row| row.int()).collect()).unwrap()
}

#[test]
fn a_second_process_under_one_name_is_refused_until_the_first_is_closed() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    assert!(takes(&one, "desk-1"));
    assert!(!takes(&other, "desk-1"));
    assert!(takes(&other, "desk-2"));
    one.close();
    let third = open(&database);
    assert!(wait(third.take_name("desk-1", PATIENCE)).unwrap());
    third.close();
    other.close();
}

#[test]
fn the_process_before_is_waited_for() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    assert!(takes(&one, "desk-1"));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| wait(other.take_name("desk-1", PATIENCE)).unwrap());
        until("it waits", READY_WITHIN, || Ok((!backends(&other, false).is_empty()).then_some(()))).unwrap();
        one.close();
        assert!(waits.join().unwrap());
    });
    other.close();
}

#[test]
fn a_name_whose_connection_is_lost_is_taken_again() {
    let database = database::postgres();
    let store = open(&database);
    assert!(takes(&store, "desk-1"));
    let before = backends(&store, true);
    let [first] = before[..] else { panic!("{before:?}") };
    let end = format!("SELECT CASE WHEN pg_terminate_backend({first}) THEN 1 ELSE 0 END");
    assert_eq!(
        store
            .read_blocking(move |tx| tx
                .query(&end, &[])?
                .into_iter()
                .map(|mut row| row.int())
                .collect::<store::Result<Vec<_>>>())
            .unwrap(),
        [1]
    );
    let is_new = |now: Vec<i64>| now.first().is_some_and(|pid| *pid != first);
    until("the name is taken again", READY_WITHIN, || Ok(is_new(backends(&store, true)).then_some(())))
        .unwrap();
    let other = open(&database);
    assert!(!takes(&other, "desk-1"));
    other.close();
    store.close();
}

#[test]
fn other_names_and_embedded_databases_stand_in_nobodys_way() {
    on_both(|store| assert!(takes(store, "desk-1")));
    let embedded = database::sqlite();
    let (one, other) = (open(&embedded), open(&embedded));
    assert!(takes(&one, "embedded") && takes(&other, "embedded"));
}
