//! What SQLite does now and then: free pages go back to the file system, and its planner gets statistics.

use store::Store;
use store::testing::Sql as _;

use crate::support::{account, open, opening, ticket, write};

fn number(store: &Store, sql: &'static str) -> i64 {
    let read = store.read_blocking(move |tx| tx.find(sql, &[])?.map_or(Ok(0), |mut row| row.int()));
    read.unwrap()
}

/// Commits `count` transactions that change nothing of weight.
fn commit(store: &Store, count: usize) {
    for _ in 0..count {
        let sql = "UPDATE versions SET version = version + 1 WHERE name = 'directory'";
        store.write_blocking(move |tx| tx.execute(sql, &[])).unwrap();
    }
}

#[test]
fn a_database_that_lost_many_rows_gets_smaller() {
    let database = testkit::database::sqlite();
    let store = open(&database);
    store.migrate().unwrap();
    account(&store, 1, "acme").unwrap();
    assert_eq!(number(&store, "SELECT auto_vacuum FROM pragma_auto_vacuum"), 2, "incremental");
    // 14 MiB: more free pages than are kept.
    let fill = "WITH RECURSIVE n (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM n WHERE id < 56)
                INSERT INTO raw_mails (account_id, id, size_bytes, body) SELECT 1, id, 1, zeroblob(262144) FROM n";
    store.write_blocking(move |tx| tx.execute(fill, &[])).unwrap();
    store.write_blocking(|tx| tx.execute("DELETE FROM raw_mails WHERE account_id = 1", &[])).unwrap();
    let full = number(&store, "SELECT page_count FROM pragma_page_count");
    let free = number(&store, "SELECT freelist_count FROM pragma_freelist_count");
    assert!(free > 1_536, "{free} free pages of {full}");
    commit(&store, 64);
    let shorter = number(&store, "SELECT page_count FROM pragma_page_count");
    // A page that says where others lie may go with them.
    assert!((256..=258).contains(&(full - shorter)), "one piece at a time: {full} pages, then {shorter}");
    commit(&store, 64 * 4);
    let left = number(&store, "SELECT freelist_count FROM pragma_freelist_count");
    assert!((1_000..=1_030).contains(&left), "some stay for mail to come: {left}");
    let pages = number(&store, "SELECT page_count FROM pragma_page_count");
    store.close();
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let bytes = std::fs::metadata(path).unwrap().len();
    assert_eq!(bytes, u64::try_from(pages).unwrap() * 8192, "the file itself is as short");
}

#[test]
fn the_planner_gets_statistics() {
    let database = testkit::database::sqlite();
    let store = open(&database);
    store.migrate().unwrap();
    account(&store, 1, "acme").unwrap();
    write(&store, 1, opening((1_000..3_000).map(|id| ticket(id, 50)).collect())).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    assert_eq!(number(&store, tables), 0, "none before");
    commit(&store, 4_096);
    assert!(number(&store, "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'tickets'") > 0);
    let of_few = "SELECT count(*) FROM sqlite_stat1 WHERE tbl IN ('brands', 'support_addresses', 'spool')";
    assert_eq!(number(&store, of_few), 0, "few rows mislead the planner once there are many");
    store.close();
}
