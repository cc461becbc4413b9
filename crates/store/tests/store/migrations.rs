//! A newer version brings a database that is in use further, step by step, alongside this version.

use desk::id::AccountId;
use store::testing::Sql as _;
use store::{Migration, Schema, Store, StoreError};
use testkit::database::{Database, both};

use crate::support::{account, key, mail, on_both, open, wait};

const fn later(number: i64, name: &'static str, text: &'static str) -> Migration {
    Migration { number, name, text }
}

/// What a next version may do while this one works: a column that may be empty, filled in pieces, a table, an index.
const ADDITIVE: [Migration; 2] = [
    later(
        9_001,
        "mood",
        "ALTER TABLE brands ADD COLUMN mood TEXT;
-- in pieces
UPDATE brands SET mood = 'calm' WHERE account_id IN (SELECT account_id FROM brands WHERE mood IS NULL LIMIT 2);
-- outside a transaction
DROP INDEX {{concurrently}} IF EXISTS brands_mood;
CREATE INDEX {{concurrently}} brands_mood ON brands (account_id, mood);",
    ),
    later(
        9_002,
        "moods",
        "CREATE TABLE moods (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};",
    ),
];

fn run(store: &Store, sql: &'static str) {
    store.write_blocking(move |tx| tx.batch(sql)).unwrap();
}

fn number(store: &Store, sql: &'static str) -> i64 {
    let found = store.read_blocking(move |tx| tx.find(sql, &[])?.map(|mut row| row.int()).transpose());
    found.unwrap().unwrap()
}

fn reason<T: std::fmt::Debug>(refused: store::Result<T>) -> String {
    match refused {
        Err(StoreError::Setup(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_newer_version_that_only_adds_leaves_this_one_at_work() {
    on_both(|store| {
        for id in 1..=5 {
            account(store, id, &format!("desk{id}")).unwrap();
        }
        assert_eq!(store.migrate_further(&ADDITIVE).unwrap(), [9_001, 9_002]);
        assert_eq!(number(store, "SELECT count(*) FROM brands WHERE mood = 'calm'"), 5);

        wait(store.verify()).unwrap();
        assert_eq!(store.schema().unwrap(), Schema::Ready { newer: vec![9_001, 9_002] });
        assert_eq!(
            store.migrate().unwrap(),
            Vec::<i64>::new(),
            "this version starts on it and changes nothing"
        );
        account(store, 6, "desk6").unwrap();
        wait(store.spool(vec![mail(6, 1, 10)])).unwrap();
        let loaded = store.read_blocking(|tx| store::account::load(&mut tx.account(AccountId(6)))).unwrap();
        assert_eq!(loaded.unwrap().1.brands.len(), 1);
        assert_eq!(number(store, "SELECT count(*) FROM brands WHERE mood IS NULL"), 1);
    });
}

#[test]
fn a_database_made_at_once_is_like_one_brought_further_in_use() {
    let tables = |database: &Database, is_in_use: bool| {
        let store = open(database);
        if is_in_use {
            store.migrate().unwrap();
        }
        store.migrate_further(&ADDITIVE).unwrap();
        let sql = if database.engine == "sqlite" {
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql"
        } else {
            "SELECT table_name || '.' || column_name || data_type || is_nullable
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        };
        let rows = store.read_blocking(move |tx| tx.query(sql, &[])).unwrap();
        let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        rows.into_iter().map(|mut row| words(row.text().unwrap())).collect::<Vec<_>>()
    };
    for (at_once, in_use) in both().into_iter().zip(both()) {
        assert_eq!(tables(&at_once, false), tables(&in_use, true), "on {}", at_once.engine);
    }
}

#[test]
fn a_database_closed_to_older_versions_is_refused_in_words() {
    on_both(|store| {
        let open_to_us = later(9_003, "renamed", "-- compatible from 1\nCREATE TABLE renamed (a BIGINT);");
        store.migrate_further(&[open_to_us]).unwrap();
        wait(store.verify()).unwrap();

        let closing = later(9_004, "dropped", "-- compatible from 9003\nDROP TABLE renamed;");
        store.migrate_further(&[open_to_us, closing]).unwrap();
        let schema = store.schema().unwrap();
        assert!(matches!(schema, Schema::Closed { compatible_from: 9_003, .. }), "{schema:?}");
        for refused in [reason(wait(store.verify())), reason(store.migrate())] {
            assert!(refused.contains("only programs that know migration 9003 may use it"), "{refused}");
            assert!(refused.ends_with("; start the newer version"), "{refused}");
        }
        assert_eq!(store.migrate_further(&[open_to_us, closing]).unwrap(), Vec::<i64>::new());
    });
}

#[test]
fn an_older_version_is_refused_from_the_first_step_on() {
    on_both(|store| {
        let text = "-- compatible from 9005\nSELECT nonsense FROM nowhere;";
        // Even a migration whose first step fails outside a transaction has shut the door by then.
        let closing =
            later(9_005, "closing", "-- compatible from 9005\n-- outside a transaction\nDROP TABLE nowhere;");
        store.migrate_further(&[later(9_005, "failing", text)]).unwrap_err();
        wait(store.verify()).unwrap();
        store.migrate_further(&[closing]).unwrap_err();
        reason(wait(store.verify()));
    });
}

#[test]
fn an_interrupted_migration_goes_on_where_it_stopped() {
    on_both(|store| {
        let migration = later(
            9_010,
            "halting",
            "CREATE TABLE first (a BIGINT);
-- step
INSERT INTO first (a) SELECT b FROM given;
-- step
CREATE TABLE third (c BIGINT);",
        );
        store.migrate_further(&[migration]).unwrap_err();
        assert_eq!(number(store, "SELECT steps_done FROM migrations WHERE number = 9010"), 1);
        wait(store.verify()).expect("it only adds, so this version works alongside half of it");

        run(store, "CREATE TABLE given (b BIGINT)");
        run(store, "INSERT INTO given (b) VALUES (7)");
        assert_eq!(store.migrate_further(&[migration]).unwrap(), [9_010]);
        assert_eq!(number(store, "SELECT a FROM first"), 7, "the step that was done is not done again");
        assert_eq!(number(store, "SELECT count(*) FROM third"), 0);
        assert_eq!(number(store, "SELECT steps_done FROM migrations WHERE number = 9010"), 3);
    });
}

#[test]
fn pieces_that_were_done_stay_done() {
    on_both(|store| {
        run(store, "CREATE TABLE pieces (id BIGINT NOT NULL, is_done BIGINT, CHECK (is_done < 5))");
        run(store, "INSERT INTO pieces (id) VALUES (1), (2), (3), (4), (5)");
        let migration = later(
            9_011,
            "pieces",
            "-- in pieces
UPDATE pieces SET is_done = id
WHERE id IN (SELECT id FROM pieces WHERE is_done IS NULL ORDER BY id LIMIT 2);",
        );
        store.migrate_further(&[migration]).unwrap_err();
        assert_eq!(number(store, "SELECT count(*) FROM pieces WHERE is_done = id"), 4);
        run(store, "DELETE FROM pieces WHERE id = 5");
        assert_eq!(store.migrate_further(&[migration]).unwrap(), [9_011]);
    });
}

#[test]
fn a_step_outside_a_transaction_is_done_again_from_its_first_statement() {
    on_both(|store| {
        let migration = later(
            9_012,
            "outside",
            "CREATE TABLE outside (account_id BIGINT NOT NULL, a BIGINT);
-- outside a transaction
DROP INDEX {{concurrently}} IF EXISTS outside_a;
CREATE INDEX {{concurrently}} outside_a ON outside (account_id, a);
CREATE INDEX {{concurrently}} outside_b ON missing (b);",
        );
        store.migrate_further(&[migration]).unwrap_err();
        assert_eq!(number(store, "SELECT steps_done FROM migrations WHERE number = 9012"), 1);
        run(store, "CREATE TABLE missing (b BIGINT)");
        assert_eq!(store.migrate_further(&[migration]).unwrap(), [9_012]);
        run(store, "DROP INDEX outside_a");
        run(store, "DROP INDEX outside_b");
    });
}

#[test]
fn nodes_that_start_together_do_each_step_once() {
    for database in both() {
        let nodes = [open(&database), open(&database), open(&database)];
        nodes[0].migrate().unwrap();
        account(&nodes[0], 1, "acme").unwrap();
        let ran: Vec<Vec<i64>> = std::thread::scope(|scope| {
            let start = |node: &'_ Store| node.migrate_further(&ADDITIVE).unwrap();
            let starts: Vec<_> = nodes.iter().map(|node| scope.spawn(move || start(node))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(
            ran.concat().contains(&9_001) && ran.concat().contains(&9_002),
            "{ran:?} on {}",
            database.engine
        );
        assert_eq!(
            number(&nodes[0], "SELECT count(*) FROM migrations WHERE number > 9000 AND steps = steps_done"),
            2
        );
    }
}

#[test]
fn a_change_waits_shortly_for_a_table_in_use_and_lets_others_pass() {
    let database = testkit::database::postgres();
    let store = open(&database);
    store.migrate().unwrap();
    account(&store, 1, "acme").unwrap();
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let (reader, held) = (store.clone(), std::sync::Mutex::new(held));
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            reader.read_blocking(move |tx| {
                // An answer that takes its time, as that of a dump does, holds the table against any change.
                tx.query("SELECT count(*) FROM brands", &[])?;
                let _ = tell.send(());
                while held.lock().unwrap().try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                    tx.query("SELECT CAST(pg_sleep(0.1) AS TEXT)", &[])?;
                }
                Ok(())
            })
        });
        told.recv().unwrap();
        let migrating = scope.spawn(|| open(&database).migrate_further(&ADDITIVE));
        // Somebody who comes after the change that waits: they would wait for it as long as the dump takes.
        for id in 2..=12 {
            account(&store, id, &format!("desk{id}")).unwrap();
        }
        drop(let_go);
        reading.join().unwrap().unwrap();
        assert_eq!(migrating.join().unwrap().unwrap(), [9_001, 9_002]);
    });
}

#[test]
fn what_a_newer_version_stores_is_read_as_far_as_it_is_understood_and_kept() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        run(
            store,
            r#"UPDATE accounts SET settings = '{"wildcard":true,"mood":["calm"],"agent_mail":"signed"}'"#,
        );
        let found =
            store.read_blocking(|tx| store::recipient::account_of(tx, &key("anything@acme.desk.example")));
        assert_eq!(found.unwrap(), Some(AccountId(1)), "the wildcard is understood");
        store
            .write_blocking(|tx| {
                let (_, account) = store::account::load(&mut tx.account(AccountId(1)))?.unwrap();
                let settings = account.settings.with("acknowledge", false.into()).unwrap();
                store::account::set_settings(&mut tx.account(AccountId(1)), &settings)
            })
            .unwrap();
        let sql = "SELECT settings FROM accounts WHERE account_id = 1";
        let stored = store.read_blocking(move |tx| tx.find(sql, &[])?.map(|mut row| row.text()).transpose());
        let want = r#"{"acknowledge":false,"agent_mail":"signed","mood":["calm"],"wildcard":true}"#;
        assert_eq!(stored.unwrap().unwrap(), want);
    });
}
