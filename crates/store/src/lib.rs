//! The only room with SQL: repositories on SQLite and PostgreSQL, spool and outbox tables, blobs, migrations.
//!
//! Knows desk's types and nothing of sockets or mail servers. Data comes as slices and goes as vectors, one statement a
//! batch. Closures given to [`Store::read_now`] and [`Store::write`] are synchronous, do no other IO, and may be run again.

mod account_tx;
mod checkpointer;
mod cursor;
mod dialect;
mod error;
mod job;
mod kind;
mod migrate;
mod postgres;
mod sql;
mod sqlite;
mod tx;
mod value;

pub mod account;
pub mod account_state;
pub mod address;
pub mod attachment;
pub mod audit;
pub mod bell;
pub mod blob;
pub mod brand;
pub mod changes;
mod clock_gap;
pub mod comment;
pub mod crash;
pub mod directory;
pub mod envelope;
pub mod event_log;
pub mod facts;
pub mod folder;
mod health;
pub mod identity;
pub mod ids;
pub mod import;
pub mod lane;
pub mod ledger;
pub mod mark;
mod membership;
pub mod message_id;
pub mod node;
pub mod organization;
pub mod outbox;
pub mod outgoing;
pub mod raw;
pub mod recipient;
mod sender_rate;
pub mod signing;
pub mod spool;
pub mod suspended;
pub mod sweep;
pub mod ticket;
pub mod timer;
pub mod token;
mod tombstone;
pub mod user;
pub mod version;
pub mod work;
mod write_or;

pub use account_tx::AccountTx;
pub use clock_gap::ClockGap;
pub use cursor::Before;
pub use dialect::{Replication, Standby};
pub use error::{Owner, Result, StoreError};
pub use migrate::{Migration, Pending, Schema};
pub use tx::{Asked, Tx};
pub use value::{Row, Value};

/// SQL for tests, which look at tables and damage them.
#[cfg(feature = "testing")]
pub mod testing {
    pub use crate::sql::Sql;

    /// Statements that a PostgreSQL session keeps prepared.
    pub const STATEMENTS_MAX: usize = crate::postgres::STATEMENTS_MAX;
}

use std::path::PathBuf;
use std::sync::Arc;

use desk::clock::Clock;
use dialect::Tables;
use job::{Job, Waiter};
use migrate::Place;

/// Where a desk's data is and how it is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// `file:PATH`: the folder of the larger raw mails.
    pub blobs: String,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: usize,
    /// Accept a PostgreSQL that may forget commits. Only for trials.
    pub allow_unsafe: bool,
    /// What counts as the database's clock, for tests that turn it; none: the database's own.
    pub clock: Option<Arc<dyn Clock>>,
}

/// How much of an account a reader has to see: its own writes, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// The account.
    pub account_id: desk::id::AccountId,
    /// The change number that the reader knows of; 0: whatever there is.
    pub change: i64,
}

/// The database of a desk and its blobs; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<StoreInner>,
}

#[derive(Debug)]
struct StoreInner {
    backend: Backend,
    blobs: blob::Blobs,
    /// When the blobs were last found to be this database's own: nothing is written among another desk's, or into a folder
    /// whose volume is no longer mounted.
    blobs_owned_at: tokio::sync::Mutex<Option<std::time::Instant>>,
    writes: health::Writes,
    ids: ids::IdBlocks,
    bells: Arc<bell::Bells>,
    /// What counts as the database's clock; none: its own.
    clock: Option<Arc<dyn Clock>>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the database without touching its schema; call [`Store::migrate`] next. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the URL is of no known form, the database cannot be reached, or it would forget commits.
    pub fn open(options: &StoreOptions) -> Result<Store> {
        let bells = Arc::new(bell::Bells::default());
        let backend = if let Some(path) = options.url.strip_prefix("sqlite:") {
            Backend::Sqlite(sqlite::Sqlite::open(&PathBuf::from(path), options.connections)?)
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            Backend::Postgres(postgres::Postgres::open(
                &options.url,
                options.connections,
                options.allow_unsafe,
                Arc::clone(&bells),
            )?)
        } else {
            return Err(StoreError::setup(
                "store.url must begin with sqlite: or postgres://, such as sqlite:guichet-data/guichet.db",
            ));
        };
        let blobs = blob::Blobs::open(&options.blobs)?;
        let inner = StoreInner {
            backend,
            blobs,
            blobs_owned_at: tokio::sync::Mutex::default(),
            writes: health::Writes::default(),
            ids: ids::IdBlocks::default(),
            bells,
            clock: options.clock.clone(),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Brings the schema up to date and returns the migrations that were run. Idempotent; safe alongside other nodes, which
    /// go on working; waits for another process that does the same. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when a newer version closed the database to this one; [`StoreError::Unavailable`] when a table
    /// could not be had for a minute or the database is gone: what was done stays done, and the next call goes on there.
    pub fn migrate(&self) -> Result<Vec<i64>> {
        self.migrate_all(migrate::MIGRATIONS, Tables::Whole)
    }

    /// How the database stands to this version. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when it was made by other migrations than ours; [`StoreError::Unavailable`].
    pub fn schema(&self) -> Result<Schema> {
        self.read_blocking(migrate::look)
    }

    /// As [`Store::migrate`], the tenant tables hash-partitioned by account (PostgreSQL only): the shape a sharded
    /// database has, for the test that every statement stays in one partition.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    #[cfg(feature = "testing")]
    pub fn migrate_partitioned(&self) -> Result<Vec<i64>> {
        self.migrate_all(migrate::MIGRATIONS, Tables::Partitioned)
    }

    /// As [`Store::migrate`] with the migrations of a version to come after our own, for the tests of this version alongside it.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    #[cfg(feature = "testing")]
    pub fn migrate_further(&self, later: &[Migration]) -> Result<Vec<i64>> {
        self.migrate_all(&[migrate::MIGRATIONS, later].concat(), Tables::Whole)
    }

    fn migrate_all(&self, migrations: &[Migration], tables: Tables) -> Result<Vec<i64>> {
        let mut place = match &self.inner.backend {
            Backend::Sqlite(sqlite) => Place::Sqlite(sqlite),
            Backend::Postgres(postgres) => Place::Postgres(Box::new(postgres.migrating()?)),
        };
        migrate::run(&mut place, migrations, tables)
    }

    /// Whether the database is a file that this process alone works on.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.inner.backend, Backend::Sqlite(_))
    }

    /// A closure with the clock it is to go by.
    fn job<T, F>(&self, mut closure: F) -> (Job, Waiter)
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let clock = self.inner.clock.clone();
        Job::new(move |tx: &mut Tx<'_>| {
            tx.clock.clone_from(&clock);
            closure(tx)
        })
    }

    /// Runs a closure on a snapshot of the database as it is now: for decisions, sweeps and whatever must not be late.
    ///
    /// # Errors
    /// The closure's own, or [`StoreError::Unavailable`].
    pub async fn read_now<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (job, waiter) = self.job(closure);
        match &self.inner.backend {
            Backend::Sqlite(_) => self.spawn_read(job),
            Backend::Postgres(postgres) => postgres.read(job),
        }
        waiter.wait().await
    }

    /// Runs a closure in a transaction and returns after its commit is durable.
    ///
    /// # Errors
    /// The closure's own, or [`StoreError::Unavailable`]; nothing is written then.
    pub async fn write<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.inner.writes.allow()?;
        let (job, waiter) = self.job(closure);
        self.start_write(job);
        let result = waiter.wait().await;
        self.inner.writes.note(&result);
        result
    }

    /// Runs a closure on a snapshot that shows an account at least as it was at a change number: for lists and pages.
    ///
    /// There are no replicas yet, so this reads where it is written; one may serve it that has come so far.
    ///
    /// # Errors
    /// The closure's own, or [`StoreError::Unavailable`].
    pub async fn read_at_least<T, F>(&self, seen: AtLeast, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let _ = seen;
        let (job, waiter) = self.job(closure);
        match &self.inner.backend {
            Backend::Sqlite(_) => self.spawn_read(job),
            Backend::Postgres(postgres) => postgres.read_page(job),
        }
        waiter.wait().await
    }

    /// [`Store::read_now`] for threads outside a runtime.
    ///
    /// # Errors
    /// As [`Store::read_now`].
    pub fn read_blocking<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (job, waiter) = self.job(closure);
        self.start_read(job);
        waiter.wait_blocking()
    }

    /// [`Store::write`] for threads outside a runtime.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.inner.writes.allow()?;
        let (job, waiter) = self.job(closure);
        self.start_write(job);
        let result = waiter.wait_blocking();
        self.inner.writes.note(&result);
        result
    }

    /// Starts a read that may have to wait for the disk, so not on a runtime thread.
    fn spawn_read(&self, job: Job) {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.start_read(job));
    }

    fn start_read(&self, job: Job) {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.read(job),
            Backend::Postgres(postgres) => postgres.read(job),
        }
    }

    fn start_write(&self, job: Job) {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.write(job),
            Backend::Postgres(postgres) => postgres.write(job),
        }
    }

    /// Tells other nodes of a ring; SQLite has none.
    fn tell_others(&self, ring: bell::Ring) {
        if let Backend::Postgres(postgres) = &self.inner.backend {
            postgres.tell(ring);
        }
    }

    /// Starts hearing what other nodes ring.
    fn hear_others(&self) {
        if let Backend::Postgres(postgres) = &self.inner.backend {
            postgres.listen();
        }
    }

    /// Finishes what is queued and closes the database; later calls fail as unavailable. Blocks.
    pub fn close(&self) {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.close(),
            Backend::Postgres(postgres) => postgres.close(),
        }
    }

    /// The larger raw mails.
    #[must_use]
    pub fn blobs(&self) -> &blob::Blobs {
        &self.inner.blobs
    }
}
