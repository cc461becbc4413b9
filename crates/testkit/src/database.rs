//! A fresh database per test, on both engines.
//!
//! SQLite databases are files in a folder of their own. PostgreSQL databases are created on the server that
//! `cargo xtask test` started and named in `GUICHET_TEST_POSTGRES`; they are dropped with the value.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::server::Folder;
pub use crate::statement::{answers, create, execute, query_text};

/// The variable that names the maintenance database of the tests' PostgreSQL, `postgres://…`.
pub const VARIABLE: &str = "GUICHET_TEST_POSTGRES";

/// An empty database of one test; dropped and removed with the value.
#[derive(Debug)]
pub struct Database {
    /// `sqlite` or `postgres`, for messages.
    pub engine: &'static str,
    /// What `store.url` takes: `sqlite:PATH` (the file does not exist yet) or `postgres://…`.
    pub url: String,
    /// A folder of this database's own, for blobs and the like; on SQLite the file lies in it.
    pub folder: Folder,
}

/// Makes an empty SQLite database.
///
/// # Panics
/// When the temporary folder cannot be written.
#[must_use]
pub fn sqlite() -> Database {
    let folder = Folder::new("sqlite").expect("the temporary folder can be written");
    let url = format!("sqlite:{}", folder.join("x.db").display());
    Database { engine: "sqlite", url, folder }
}

/// Makes an empty PostgreSQL database.
///
/// # Panics
/// When [`VARIABLE`] is not set, or its server does not answer.
#[must_use]
pub fn postgres() -> Database {
    let folder = Folder::new("blobs").expect("the temporary folder can be written");
    Database { engine: "postgres", url: postgres_url(), folder }
}

/// Makes one empty database on each engine, SQLite first: `for database in both() { … }`.
///
/// # Panics
/// As [`sqlite`] and [`postgres`].
#[must_use]
pub fn both() -> [Database; 2] {
    [sqlite(), postgres()]
}

/// Creates an empty database on the tests' PostgreSQL and returns its URL; the database stays until the server goes.
///
/// # Panics
/// When [`VARIABLE`] is not set, or its server does not answer.
#[must_use]
pub fn postgres_url() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    create(&maintenance_url(), &name).expect("the PostgreSQL of the tests creates a database")
}

fn maintenance_url() -> String {
    std::env::var(VARIABLE).expect("run the tests by `cargo xtask test`, which starts PostgreSQL")
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.engine != "postgres" {
            return;
        }
        let Some((server, name)) = self.url.rsplit_once('/') else { return };
        let dropped =
            execute(&format!("{server}/postgres"), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        if let Err(error) = dropped {
            eprintln!("dropping {}: {error:#}", self.url);
        }
    }
}
