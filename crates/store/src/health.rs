//! Whether a node can work: its tables, its writes, the place of its blobs.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{Schema, Store, Tx, migrate};

/// What the last write came to.
#[derive(Debug, Default)]
pub(crate) struct LastWrite {
    has_failed: AtomicBool,
}

impl LastWrite {
    /// Notes how a write ended, as far as that says something about the database.
    pub(crate) fn note<T>(&self, result: &Result<T>) {
        match result {
            Ok(_) => self.has_failed.store(false, Ordering::Relaxed),
            Err(StoreError::Unavailable(_) | StoreError::Setup(_)) => {
                self.has_failed.store(true, Ordering::Relaxed)
            }
            Err(_) => {}
        }
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

    /// Everything above and the place of the blobs: whether this node can take mail and process it. Writes only where the last
    /// write failed, to see whether writing is possible again.
    ///
    /// # Errors
    /// The first thing that is not well.
    pub async fn check(&self) -> Result<()> {
        self.verify().await?;
        if self.inner.last_write.has_failed.load(Ordering::Relaxed) {
            self.check_writable().await?;
        }
        self.check_marker().await
    }
}

/// Changes nothing, but goes through the log of the database.
fn rewrite_a_row(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("UPDATE migrations SET name = name WHERE number = 1", &[]).map(drop)
}
