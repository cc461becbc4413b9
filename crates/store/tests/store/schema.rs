//! Both databases end in the same tables and columns; migrating is idempotent and refuses what it does not know.

use store::testing::Sql as _;
use store::{Schema, Store, StoreError};
use testkit::database::both;

use crate::support::{on_both, open, wait};

/// `table.column type nullability` and `index name`, sorted.
fn shape(store: &Store, sql: &'static str) -> Vec<String> {
    let mut lines: Vec<String> = store
        .read_blocking(move |tx| tx.query(sql, &[])?.into_iter().map(|mut row| row.text()).collect())
        .unwrap();
    lines.sort();
    lines
}

const SQLITE: &str = "
    SELECT t.name || '.' || c.name || ' '
           || CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE lower(c.type) END || ' '
           || CASE c.\"notnull\" WHEN 1 THEN 'not null' ELSE 'null' END
    FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'
    UNION ALL
    SELECT 'index ' || tbl_name || ' ' || name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%'
    UNION ALL
    SELECT 'key ' || t.name || ' ' || (SELECT group_concat(name) FROM
               (SELECT c.name FROM pragma_table_info(t.name) c WHERE c.pk > 0 ORDER BY c.pk))
    FROM sqlite_schema t WHERE t.type = 'table'";

const POSTGRES: &str = "
    SELECT table_name || '.' || column_name || ' ' || data_type || ' '
           || CASE is_nullable WHEN 'NO' THEN 'not null' ELSE 'null' END
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index ' || tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'
    UNION ALL
    SELECT 'key ' || table_name || ' ' || string_agg(column_name, ',' ORDER BY ordinal_position)
    FROM information_schema.key_column_usage WHERE table_schema = 'public' GROUP BY table_name";

#[test]
fn both_databases_end_in_the_same_tables_columns_keys_and_indexes() {
    let databases = both();
    let [sqlite, postgres] = [open(&databases[0]), open(&databases[1])];
    sqlite.migrate().unwrap();
    postgres.migrate().unwrap();
    let (left, right) = (shape(&sqlite, SQLITE), shape(&postgres, POSTGRES));
    let only = |left: &[String], right: &[String]| -> Vec<String> {
        left.iter().filter(|line| !right.contains(line)).cloned().collect()
    };
    assert_eq!(only(&left, &right), Vec::<String>::new(), "on SQLite alone");
    assert_eq!(only(&right, &left), Vec::<String>::new(), "on PostgreSQL alone");
    assert!(left.len() > 200, "{} lines: tables are missing from the comparison", left.len());
    assert!(left.contains(&"key spool account_id,accepted_at,id".to_owned()));
    assert!(left.contains(&"raw_mails.body bytea null".to_owned()));
}

#[test]
fn tenant_tables_lead_with_the_account() {
    on_both(|store| {
        let sql = if shape_is_sqlite(store) { SQLITE } else { POSTGRES };
        let shared =
            ["directory", "id_blocks", "versions", "signing_keys", "work", "blob_marker", "migrations"];
        let keys: Vec<String> =
            shape(store, sql).into_iter().filter(|line| line.starts_with("key ")).collect();
        assert!(keys.len() > 20);
        for line in keys {
            let (table, columns) = line["key ".len()..].split_once(' ').unwrap();
            assert!(shared.contains(&table) || columns.starts_with("account_id"), "{line}");
        }
    });
}

fn shape_is_sqlite(store: &Store) -> bool {
    store.read_blocking(|tx| tx.prepare("SELECT 1 FROM sqlite_schema")).is_ok()
}

#[test]
fn migrating_twice_changes_nothing() {
    for database in both() {
        let store = open(&database);
        let ran = store.migrate().unwrap();
        assert!(ran.first() == Some(&1) && ran.is_sorted(), "{ran:?} on {}", database.engine);
        assert_eq!(store.migrate().unwrap(), Vec::<i64>::new());
        // Another node that starts meanwhile.
        assert_eq!(open(&database).migrate().unwrap(), Vec::<i64>::new());
    }
}

#[test]
fn nodes_that_start_together_migrate_once() {
    for database in both() {
        let nodes = [open(&database), open(&database), open(&database)];
        let ran: Vec<Vec<i64>> = std::thread::scope(|scope| {
            let starts: Vec<_> = nodes.iter().map(|node| scope.spawn(|| node.migrate().unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        // One of them ran all, the others nothing.
        assert_eq!(ran.iter().filter(|ran| !ran.is_empty()).count(), 1, "{ran:?} on {}", database.engine);
        assert_eq!(ran.concat().first(), Some(&1));
    }
}

#[test]
fn a_changed_text_is_refused() {
    on_both(|store| {
        let sql = "UPDATE migrations SET hash = 'x' WHERE number = 1";
        store.write_blocking(move |tx| tx.batch(sql)).unwrap();
        let refused = store.migrate().unwrap_err();
        assert!(matches!(&refused, StoreError::Setup(reason) if reason.contains("spine")), "{refused:?}");
    });
}

#[test]
fn a_database_is_verified_without_being_changed() {
    for database in both() {
        let store = open(&database);
        let reason = || match wait(store.verify()) {
            Err(StoreError::Setup(reason)) => reason,
            other => panic!("{other:?} on {}", database.engine),
        };
        assert!(reason().contains("no tables of ours"));
        assert_eq!(store.schema().unwrap(), Schema::Empty);
        store.migrate().unwrap();
        wait(store.verify()).unwrap();
        assert_eq!(store.schema().unwrap(), Schema::Ready { newer: vec![] });
        store.write_blocking(|tx| tx.batch("UPDATE migrations SET steps_done = 0 WHERE number = 1")).unwrap();
        assert!(
            reason().contains("lacks migration 1 (spine, begun and not finished); run `guichet migrate`")
        );
    }
}

#[test]
fn a_database_that_went_away_is_not_verified() {
    let database = testkit::database::postgres();
    let store = open(&database);
    store.migrate().unwrap();
    drop(database);
    assert!(matches!(wait(store.verify()), Err(StoreError::Unavailable(_))));
}
