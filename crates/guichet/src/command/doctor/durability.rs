//! Does a commit survive a power cut?

use store::{Store, StoreOptions};

use super::Finding;
use crate::config::Loaded;
use crate::failure::Failure;

/// Opening refuses weak settings unless they are allowed, so this opens the database without allowing them.
pub(super) fn check(loaded: &Loaded) -> Finding {
    let options =
        StoreOptions { allow_unsafe: false, connections: 1, ..loaded.config.store_options(&loaded.data) };
    match (loaded.config.store.allow_unsafe, options.url.starts_with("sqlite:")) {
        (_, true) => Finding::ok(
            "database",
            "SQLite with a write-ahead log and synchronous=FULL: what got 250 is on disk",
        ),
        (false, false) => {
            Finding::ok("database", "PostgreSQL with fsync, synchronous_commit and full_page_writes on")
        }
        (true, false) => match Store::open(&options) {
            Ok(store) => {
                store.close();
                Finding::warn(
                    "database",
                    "PostgreSQL is durable, but store.allow_unsafe would hide it if it no longer were",
                    "take store.allow_unsafe out",
                )
            }
            Err(error) => {
                let failure = Failure::of("accepted mail can vanish", &error);
                Finding::warn("database", format!("{}: {}", failure.what, failure.why), failure.next)
            }
        },
    }
}
