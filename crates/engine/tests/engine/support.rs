//! What one desk does not have: a second account, a node without any, and one in a program of its own.

use std::sync::Arc;

use desk::id::AccountId;
use engine::admin::AccountRequest;
use engine::{Engine, EngineOptions};
use testdesk::{FakeClock, TestDesk, node, quick, work};
use testkit::database::Database;

/// An engine on a database that may have no accounts.
pub(crate) async fn bare(database: &Database) -> Engine {
    node::start(&database.url, &node::blobs(database), quick(), Arc::new(FakeClock::default())).await
}

/// A second account beside the desk's own, with `support@WORD.desk.example`.
pub(crate) async fn second_account(desk: &TestDesk, word: &str) -> AccountId {
    let request = AccountRequest {
        subdomain: word.into(),
        name: String::new(),
        admin_email: format!("zoe@{word}.example"),
        native_host: format!("{word}.desk.example"),
    };
    desk.engine.create_account(request).await.unwrap().id
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
