//! Whether a node can work: its tables, its writes, the place of its blobs.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{Schema, Store, Tx, migrate};

/// How long after a write that failed the database counts as one that cannot be written: where a disk is full, a small write may
/// still succeed while mail is refused.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What is known of writes without trying one.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    last_failure: Mutex<Option<(Instant, String)>>,
    /// Why no write may be tried any more: a newer version has closed the database to this one.
    closed: Mutex<Option<String>>,
}

impl Writes {
    /// Notes how a write ended, as far as that says something about the database.
    pub(crate) fn note<T>(&self, result: &Result<T>) {
        if let Err(StoreError::Unavailable(why)) = result {
            *self.last_failure.lock().expect("plain value") = Some((Instant::now(), why.clone()));
        }
    }

    /// Refuses to write where a newer version has closed the database.
    pub(crate) fn allow(&self) -> Result<()> {
        match &*self.closed.lock().expect("plain value") {
            Some(why) => Err(StoreError::Setup(why.clone())),
            None => Ok(()),
        }
    }

    fn failed_lately(&self) -> Option<StoreError> {
        let failure = self.last_failure.lock().expect("plain value");
        let (_, why) = failure.as_ref().filter(|(at, _)| at.elapsed() < REMEMBERED)?;
        Some(StoreError::Unavailable(why.clone()))
    }

    fn has_failed(&self) -> bool {
        self.last_failure.lock().expect("plain value").is_some()
    }

    fn forget_failure(&self) {
        *self.last_failure.lock().expect("plain value") = None;
    }
}

impl Store {
    /// Looks whether the database answers and has the tables this version works with, even if a newer one made them.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when they are missing, older, or closed to this version; [`StoreError::Unavailable`].
    pub async fn verify(&self) -> Result<()> {
        self.look().await?.check()
    }

    /// How the database stands to this version.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when it was made by other migrations than ours; [`StoreError::Unavailable`].
    pub async fn look(&self) -> Result<Schema> {
        self.read_now(migrate::look).await
    }

    /// Looks whether the database takes a write, by writing: a full or read-only disk can be read without an error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with what the database says.
    pub async fn check_writable(&self) -> Result<()> {
        self.write(rewrite_a_row).await
    }

    /// Everything above and the place of the blobs: whether this node can take mail and process it. Writes only where a write
    /// failed, to see whether writing is possible again.
    ///
    /// # Errors
    /// The first thing that is not well.
    pub async fn check(&self) -> Result<()> {
        self.verify().await?;
        let writes = &self.inner.writes;
        if let Some(failed) = writes.failed_lately() {
            return Err(failed);
        }
        if writes.has_failed() {
            self.check_writable().await?;
            writes.forget_failure();
        }
        self.check_marker().await
    }

    /// Looks whether a newer version has closed the database to this one; from then on every write is refused, until it is open
    /// again. Ask it every few seconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what was known stays.
    pub async fn heed_newer_versions(&self) -> Result<()> {
        let schema = self.look().await?;
        let why = if matches!(schema, Schema::Closed { .. }) { schema.check().err() } else { None };
        let why = why.map(|error| error.to_string());
        let mut closed = self.inner.writes.closed.lock().expect("plain value");
        if let Some(why) = why.as_ref().filter(|_| closed.is_none()) {
            tracing::error!(why, "Mail waits: nothing is written any more");
        }
        *closed = why;
        Ok(())
    }
}

/// Changes nothing, but goes through the log of the database.
fn rewrite_a_row(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("UPDATE migrations SET name = name WHERE number = 1", &[]).map(drop)
}
