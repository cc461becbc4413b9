//! A node whose database or blobs cannot be used says why.

use store::testing::Sql as _;
use store::{Store, StoreError, StoreOptions};
use testkit::database::both;

use crate::support::{account, mail, on_both, options, wait};

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
            wait(store.check_writable()).unwrap();
            wait(store.spool(vec![mail(1, 1, 1)])).unwrap();
            assert!(wait(store.check()).is_err(), "a failure is remembered for some seconds");
        }
    }
}

#[test]
fn a_node_writes_nothing_once_a_newer_version_has_closed_the_database() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let set = |compatible_from: i64| {
            let sql = "INSERT INTO migrations (number, name, hash, steps, steps_done, compatible_from) VALUES (9009, 'closing', 'x', 1, 1, $1)";
            store.write_blocking(move |tx| {
                tx.execute("DELETE FROM migrations WHERE number = 9009", &[])?;
                tx.execute(sql, &store::values![compatible_from])
            })
        };
        set(0).unwrap();
        wait(store.heed_newer_versions()).unwrap();
        wait(store.spool(vec![mail(1, 1, 1)])).unwrap();
        set(9_009).unwrap();
        wait(store.heed_newer_versions()).unwrap();
        let refused = wait(store.spool(vec![mail(1, 2, 2)]));
        assert!(matches!(refused, Err(StoreError::Setup(_))), "{refused:?}");
        assert!(set(0).is_err(), "whoever opens it again is another program");
    });
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
