//! A node whose database or blobs cannot be used says why.

use store::testing::Sql as _;
use store::{Store, StoreError, StoreOptions};
use testkit::database::both;

use crate::support::{account, mail, options, wait};

/// Makes the only session that writes refuse to, as a database on a full or read-only disk does.
fn read_only(engine: &str) -> &'static str {
    if engine == "sqlite" {
        "PRAGMA query_only = 1"
    } else {
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    }
}

#[test]
fn a_database_that_cannot_be_written_is_told_until_it_can() {
    for database in both() {
        let store = Store::open(&StoreOptions { connections: 1, ..options(&database) }).unwrap();
        store.migrate().unwrap();
        account(&store, 1, "acme").unwrap();
        wait(store.check()).unwrap();
        let shut = read_only(database.engine);
        store.write_blocking(move |tx| tx.batch(shut)).unwrap();

        let refused = wait(store.spool(vec![mail(1, 1, 1)]));
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?} on {}", database.engine);
        for _ in 0..2 {
            let told = wait(store.check());
            assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?} on {}", database.engine);
        }

        // Not on SQLite, where such a session begins no transaction that could undo it.
        if database.engine == "postgres" {
            let open = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE";
            store.write_blocking(move |tx| tx.batch(open)).unwrap();
            wait(store.check()).unwrap();
            wait(store.spool(vec![mail(1, 1, 1)])).unwrap();
        }
    }
}

#[test]
fn blobs_that_are_not_ours_are_told() {
    for database in both() {
        let options = options(&database);
        let store = Store::open(&options).unwrap();
        store.migrate().unwrap();
        account(&store, 1, "acme").unwrap();
        wait(store.check_blobs()).unwrap();
        wait(store.check()).unwrap();
        let folder = std::path::PathBuf::from(options.blobs.strip_prefix("file:").unwrap());
        std::fs::write(folder.join("desk.id"), "another\n").unwrap();
        let told = wait(store.check());
        assert!(matches!(told, Err(StoreError::Setup(_))), "{told:?} on {}", database.engine);
    }
}
