//! TLS to PostgreSQL: what each `sslmode` demands, and what is said when it is not met.

use store::testing::Sql as _;
use store::{Store, StoreError, StoreOptions};
use testkit::database::{self, Database};
use testkit::server::{Certificate, Folder, Postgres, PostgresOptions};

use crate::support::options;

/// Whether the connection is encrypted, or why it was refused.
fn connect(folder: &Database, url: String) -> Result<bool, String> {
    let store = match Store::open(&StoreOptions { url, ..options(folder) }) {
        Ok(store) => store,
        Err(StoreError::Setup(reason)) => return Err(reason),
        Err(other) => panic!("{other:?}"),
    };
    let sql = "SELECT CAST(ssl AS TEXT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let shown = store.read_blocking(move |tx| tx.query(sql, &[])?.remove(0).text()).unwrap();
    store.close();
    Ok(shown == "true")
}

#[test]
fn each_mode_encrypts_and_verifies_what_it_says() {
    let folder = database::sqlite();
    let server = Postgres::start(PostgresOptions { tls: true, ..PostgresOptions::default() }).unwrap();
    let strangers = Folder::new("strangers").unwrap();
    let (_, stranger) = Certificate::make_signed(&strangers).unwrap();
    let (port, authority) = (server.port(), server.authority().unwrap().display());
    let stranger = stranger.display();
    let plain = format!("postgres://guichet@127.0.0.1:{port}/postgres");
    // The same server under a name that its certificate does not bear.
    let renamed = format!("postgres://guichet@db.example:{port}/postgres?hostaddr=127.0.0.1&");
    for (url, want) in [
        (plain.clone(), Ok(true)),
        (format!("{plain}?sslmode=disable"), Ok(false)),
        (format!("{plain}?sslmode=prefer"), Ok(true)),
        (format!("{plain}?sslmode=require"), Ok(true)),
        (format!("{plain}?sslmode=require&sslrootcert={stranger}"), Err("sslrootcert=PATH")),
        (format!("{plain}?sslmode=verify-ca&sslrootcert={authority}"), Ok(true)),
        (format!("{plain}?sslmode=verify-full&sslrootcert={authority}"), Ok(true)),
        (format!("{plain}?sslmode=verify-full&sslrootcert={stranger}"), Err("sslrootcert=PATH")),
        (format!("{plain}?sslmode=verify-full"), Err("sslrootcert=PATH")),
        (format!("{renamed}sslmode=verify-ca&sslrootcert={authority}"), Ok(true)),
        (format!("{renamed}sslmode=verify-full&sslrootcert={authority}"), Err("another name")),
    ] {
        let found = connect(&folder, url.clone());
        match (&found, want) {
            (Ok(found), Ok(want)) => assert_eq!(*found, want, "{url}"),
            (Err(reason), Err(word)) => assert!(reason.contains(word), "{url}: {reason}"),
            _ => panic!("{url}: {found:?}"),
        }
    }
}

#[test]
fn a_server_without_tls_is_refused_where_the_url_demands_it() {
    let database = database::postgres();
    assert_eq!(connect(&database, database.url.clone()), Ok(false));
    let refused = connect(&database, format!("{}?sslmode=require", database.url)).unwrap_err();
    assert!(refused.contains("does not support TLS") && refused.contains("ssl = on"), "{refused}");
}
