//! A database that may forget commits or cannot hold all mail is refused; one that is not there or not known is named.

use store::testing::Sql as _;
use store::{Store, StoreError, StoreOptions};
use testkit::database::{self, Database};
use testkit::server::{Postgres, PostgresOptions};

use crate::support::{open, options};

fn refusal(options: &StoreOptions) -> String {
    match Store::open(options) {
        Err(StoreError::Setup(reason)) => reason,
        other => panic!("{} was opened: {other:?}", options.url),
    }
}

#[test]
fn a_server_that_forgets_commits_is_refused_unless_it_is_only_a_trial() {
    let server = Postgres::start(PostgresOptions { durable: false, ..PostgresOptions::default() }).unwrap();
    let database = database::sqlite();
    let weak = StoreOptions { url: server.url(), ..options(&database) };
    let reason = refusal(&weak);
    assert!(reason.contains("fsync=off") && reason.contains("allow_unsafe"), "{reason}");
    let trial = Store::open(&StoreOptions { allow_unsafe: true, ..weak }).unwrap();
    assert_eq!(trial.migrate().unwrap().first(), Some(&1));
}

#[test]
fn asynchronous_commits_are_refused_too() {
    let database = database::postgres();
    let (_, name) = database.url.rsplit_once('/').unwrap();
    database::execute(&database.url, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).unwrap();
    let reason = refusal(&options(&database));
    assert!(reason.contains("synchronous_commit=off"), "{reason}");
}

#[test]
fn the_embedded_database_syncs_every_commit() {
    let database = database::sqlite();
    let store = open(&database);
    let ask = |sql: &'static str| store.write_blocking(move |tx| tx.query(sql, &[])).unwrap().remove(0);
    assert_eq!(ask("PRAGMA synchronous").int().unwrap(), 2, "FULL");
    assert_eq!(ask("PRAGMA journal_mode").text().unwrap(), "wal");
    store.migrate().unwrap();
    assert_eq!(ask("PRAGMA auto_vacuum").int().unwrap(), 2, "INCREMENTAL");
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_what_to_do() {
    let database: Database = database::sqlite();
    let with = |url: &str| StoreOptions { url: url.into(), ..options(&database) };
    for (url, word) in [
        ("mysql://localhost/x", "sqlite:"),
        ("postgres://guichet@127.0.0.1:1/none", "cannot reach PostgreSQL"),
        ("postgres://guichet@[bad/none", "not a PostgreSQL URL"),
        ("sqlite:/proc/nowhere/x.db", "/proc/nowhere"),
    ] {
        let reason = refusal(&with(url));
        assert!(reason.contains(word), "{url}: {reason}");
    }
    let blobs = StoreOptions { blobs: "ftp:x".into(), ..options(&database) };
    assert!(refusal(&blobs).contains("file:PATH"));
}

#[test]
fn a_database_that_cannot_hold_all_mail_is_refused() {
    let database = database::postgres();
    let url = format!("{}_latin1", database.url);
    let (_, name) = url.rsplit_once('/').unwrap();
    let create =
        format!("CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    database::execute(&database.url, &create).unwrap();
    let reason = refusal(&StoreOptions { url: url.clone(), ..options(&database) });
    database::execute(&database.url, &format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
    assert!(reason.contains("LATIN1") && reason.contains("ENCODING 'UTF8'"), "{reason}");
}
