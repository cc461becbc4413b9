//! Bells between the nodes on one PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use desk::id::AccountId;
use store::bell::Bell;
use store::work::Kind;
use testkit::database;

use crate::support::{open, wait};

/// How long a bell may take before a test says that it does not ring.
const PATIENCE: Duration = Duration::from_secs(30);

async fn rings(bell: &Arc<Bell>) {
    assert!(tokio::time::timeout(PATIENCE, bell.heard()).await.is_ok(), "the bell does not ring");
}

/// Whether a bell has been rung and nobody has heard it yet.
async fn is_rung(bell: &Arc<Bell>) -> bool {
    tokio::time::timeout(Duration::ZERO, bell.heard()).await.is_ok()
}

/// Waits until a store hears the others: all its bells are rung once then, for nobody by name.
async fn hears(store: &store::Store) {
    for kind in Kind::ALL {
        rings(&store.bell(*kind)).await;
        assert_eq!(store.bell(*kind).take(), [].into());
    }
}

#[test]
fn one_node_rings_and_the_other_hears_for_which_account() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&other).await;
        for (kind, account) in [(Kind::Mail, 7), (Kind::Outbox, 8), (Kind::Digest, 9)] {
            one.ring(kind, AccountId(account), Some(41));
            let bell = other.bell(kind);
            rings(&bell).await;
            assert_eq!(bell.take(), [AccountId(account)].into());
        }
        // Asked for last, so all that was told before has been heard: nothing else rang.
        for kind in Kind::ALL {
            assert!(!is_rung(&other.bell(*kind)).await, "{kind:?} was told once");
        }
    });
    one.close();
    other.close();
}

#[test]
fn a_ring_for_this_node_alone_is_not_told() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&other).await;
        one.ring_here(Kind::Mail, AccountId(7));
        let here = one.bell(Kind::Mail);
        rings(&here).await;
        assert_eq!(here.take(), [AccountId(7)].into());
        // Told after it and heard.
        one.ring(Kind::Outbox, AccountId(7), None);
        rings(&other.bell(Kind::Outbox)).await;
        assert!(!is_rung(&other.bell(Kind::Mail)).await);
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
    command.ring(Kind::Outbox, AccountId(7), None);
    command.close();
    wait(rings(&other.bell(Kind::Outbox)));
    other.close();
}

#[test]
fn a_lost_connection_is_made_again_and_all_bells_are_rung() {
    let database = database::postgres();
    let (one, other) = (open(&database), open(&database));
    wait(async {
        hears(&other).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()";
        database::execute(&database.url, cut).unwrap();
        hears(&other).await;
        one.ring(Kind::Mail, AccountId(7), None);
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
        one.ring(Kind::Mail, AccountId(7), None);
        // Its own ring, in the process.
        rings(&one.bell(Kind::Mail)).await;
        rings(&other.bell(Kind::Mail)).await;
        // Told after the first one and heard, so the first one was heard before.
        other.ring(Kind::Outbox, AccountId(7), None);
        rings(&one.bell(Kind::Outbox)).await;
        assert!(!is_rung(&one.bell(Kind::Mail)).await, "what it told came back");
    });
    one.close();
    other.close();
}
