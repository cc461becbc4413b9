//! Nodes that are no whole desk: one without an account, and one in a program of its own.

use std::sync::Arc;

use desk::id::AccountId;
use engine::{Engine, EngineOptions};
use testdesk::{FakeClock, TestDesk, node, quick, work};
use testkit::database::Database;

/// An engine on a database that may have no accounts.
pub(crate) async fn bare(database: &Database) -> Engine {
    node::start(&database.url, &node::blobs(database), quick(), Arc::new(FakeClock::default())).await
}

/// A desk in one line, for a program of its own that calls [`work_at`].
pub(crate) fn place(desk: &TestDesk) -> String {
    let database = desk.database();
    format!("{} {} {}", desk.account, database.url, node::blobs(database))
}

/// Processes the spool of the desk that [`place`] names until no mail of its account waits.
pub(crate) async fn work_at(place: &str, options: EngineOptions) {
    let [account, url, blobs] =
        place.splitn(3, ' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    let engine = node::start(&url, &blobs, options, Arc::new(FakeClock::default())).await;
    work(&engine, AccountId(account.parse().unwrap())).await;
}
