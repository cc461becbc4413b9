//! Bells between the nodes on one PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use store::work::Kind;
use testkit::database;
use tokio::sync::Notify;

use crate::support::{open, wait};

/// How long a bell may take before a test says that it does not ring.
const PATIENCE: Duration = Duration::from_secs(30);

async fn rings(bell: &Arc<Notify>) {
    assert!(tokio::time::timeout(PATIENCE, bell.notified()).await.is_ok(), "the bell does not ring");
}

/// Waits until a store hears the others: all its bells are rung once then.
async fn hears(store: &store::Store) {
    for kind in [Kind::Mail, Kind::Outbox, Kind::Close] {
        rings(&store.bell(kind)).await;
    }
}

#[test]
fn one_node_wakes_and_the_other_hears_it() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&other).await;
        for (kind, bell) in
            [(Kind::Mail, Kind::Mail), (Kind::Outbox, Kind::Outbox), (Kind::Digest, Kind::Close)]
        {
            one.wake(kind);
            rings(&other.bell(bell)).await;
        }
        // Asked for last, so all that was told before has been heard: nothing else rang.
        for bell in [Kind::Mail, Kind::Outbox, Kind::Close] {
            let again = tokio::time::timeout(Duration::ZERO, other.bell(bell).notified()).await;
            assert!(again.is_err(), "{bell:?} was told once");
        }
    });
    one.close();
    other.close();
}

#[test]
fn what_was_rung_last_is_told_before_the_store_closes() {
    let database = database::postgres();
    let other = open(&database);
    wait(hears(&other));
    let command = open(&database);
    command.wake(Kind::Outbox);
    command.close();
    wait(rings(&other.bell(Kind::Outbox)));
    other.close();
}

#[test]
fn a_lost_connection_is_made_anew_and_all_bells_are_rung() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&other).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()";
        database::execute(&database.url, cut).unwrap();
        hears(&other).await;
        one.wake(Kind::Mail);
        rings(&other.bell(Kind::Mail)).await;
    });
    one.close();
    other.close();
}

#[test]
fn a_node_does_not_hear_itself() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&one).await;
        hears(&other).await;
        one.wake(Kind::Mail);
        // Its own ring, in the process.
        rings(&one.bell(Kind::Mail)).await;
        rings(&other.bell(Kind::Mail)).await;
        // Told after the first one and heard, so the first one was heard before.
        other.wake(Kind::Outbox);
        rings(&one.bell(Kind::Outbox)).await;
        let again = tokio::time::timeout(Duration::ZERO, one.bell(Kind::Mail).notified()).await;
        assert!(again.is_err(), "what it told came back");
    });
    one.close();
    other.close();
}
