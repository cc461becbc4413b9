//! Nodes: an engine with a store of its own on a test's database.

use std::sync::Arc;

use engine::{Engine, EngineOptions};
use store::{Store, StoreOptions};
use testkit::database::Database;

use crate::clock::FakeClock;

/// Options of a node that waits for nothing.
#[must_use]
pub fn quick() -> EngineOptions {
    EngineOptions { batch_wait_ms: 0, ..EngineOptions::default() }
}

/// Where the blobs of a database are, in the form of the option `blobs`.
#[must_use]
pub fn blobs(database: &Database) -> String {
    format!("file:{}", database.folder.join("blobs").display())
}

/// Starts a node on a database that may be empty; migrates it.
///
/// # Panics
/// When the database cannot be opened.
pub async fn start(url: &str, blobs: &str, options: EngineOptions, clock: Arc<FakeClock>) -> Engine {
    let store = blocking(|| open(url, blobs, &clock)).await;
    Engine::new(store, options, clock).await.unwrap()
}

fn open(url: &str, blobs: &str, clock: &Arc<FakeClock>) -> Store {
    let options = StoreOptions {
        url: url.into(),
        blobs: blobs.into(),
        connections: 4,
        allow_unsafe: false,
        clock: Some(clock.clone()),
    };
    let store = Store::open(&options).unwrap();
    store.migrate().unwrap();
    store
}

/// Opening a database blocks, so it has a thread of its own.
async fn blocking<T: Send>(open: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(open).join().unwrap())
}
