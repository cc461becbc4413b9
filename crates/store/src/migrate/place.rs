//! Where migrations are run: on SQLite through the writer, on PostgreSQL on a session of their own.

use crate::dialect::Dialect;
use crate::error::Result;
use crate::job::Job;
use crate::postgres::Migrating;
use crate::sql::Sql as _;
use crate::sqlite::Sqlite;
use crate::tx::Tx;

/// The database that is migrated.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// Each write transaction locks the file, so processes that migrate together take turns at the steps.
    Sqlite(&'a Sqlite),
    /// One process at a time holds the lock that comes with this session.
    Postgres(Box<Migrating>),
}

impl Place<'_> {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Place::Sqlite(_) => Dialect::Sqlite,
            Place::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a closure in a transaction of its own. Blocks.
    pub(super) fn write<T, F>(&mut self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (job, waiter) = Job::new(closure);
        match self {
            Place::Sqlite(sqlite) => sqlite.write(job),
            Place::Postgres(session) => session.write(job),
        }
        waiter.wait_blocking()
    }

    /// Runs each statement by itself. SQLite has none that refuses a transaction, so there each gets one. Blocks.
    pub(super) fn outside(&mut self, statements: &[String]) -> Result<()> {
        for statement in statements {
            match self {
                Place::Sqlite(_) => {
                    let statement = statement.clone();
                    self.write(move |tx| tx.batch(&statement))?;
                }
                Place::Postgres(session) => session.outside(statement)?,
            }
        }
        Ok(())
    }
}
