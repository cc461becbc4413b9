//! Larger raw mails, one object each, written once and durable before the row that names them.

mod marker;
mod s3;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use desk::clock::Millis;
use desk::id::{AccountId, MailId};
use futures_util::stream::{BoxStream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::Store;
use crate::error::{Result, StoreError};

/// How long writing, reading and removing a small object may take.
const CHECK_WITHIN: Duration = Duration::from_secs(20);

/// The objects of a desk. A name begins with the account, so accounts never share one.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    is_folder: bool,
}

impl Blobs {
    /// Opens `file:PATH`, making the folder, or `s3://BUCKET/PREFIX`, of which nothing is asked yet. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the folder cannot be made, the environment says not enough of the bucket, or the scheme is
    /// unknown.
    pub fn open(url: &str) -> Result<Blobs> {
        if url.starts_with("s3://") {
            return Ok(Blobs { store: s3::open(url)?, is_folder: false });
        }
        let Some(path) = url.strip_prefix("file:") else {
            return Err(StoreError::setup(format!(
                "blobs.url {url:?} is not supported; write file:PATH or s3://BUCKET/PREFIX"
            )));
        };
        let folder = PathBuf::from(path);
        let cannot = |error: &dyn std::fmt::Display| {
            StoreError::setup(format!("cannot use the blob folder {path}: {error}"))
        };
        crate::folder::make(&folder).map_err(|error| cannot(&error))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| cannot(&error))?;
        // Off by default there: without it a mail could be promised and lost.
        Ok(Blobs { store: Arc::new(store.with_fsync(true)), is_folder: true })
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// Writes, reads and removes a small object.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what the object store said.
    async fn check(&self) -> Result<()> {
        let name = format!("check/{:032x}", rand::random::<u128>());
        let tried = async {
            self.put(&name, name.clone().into_bytes()).await?;
            let read = self.get(&name).await?;
            self.delete(&name).await?;
            Ok::<bool, StoreError>(read == name.as_bytes())
        };
        match tokio::time::timeout(CHECK_WITHIN, tried).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => {
                Err(StoreError::setup("a small object came back with other bytes than were written"))
            }
            Ok(Err(error)) => {
                Err(StoreError::setup(format!("a small object was not written, read and removed: {error}")))
            }
            Err(_) => Err(StoreError::setup("the object store does not answer in time")),
        }
    }

    /// The name of the blob of a raw mail.
    #[must_use]
    pub fn name(account_id: AccountId, mail_id: MailId) -> String {
        format!("{account_id}/{}/{mail_id}.zst", mail_id.0 % 1_000)
    }

    /// Account and mail of a blob by its name; none for an object that [`Blobs::name`] did not name.
    pub(crate) fn owner(name: &str) -> Option<(AccountId, MailId)> {
        let mut parts = name.strip_suffix(".zst")?.split('/');
        let account_id = AccountId(parts.next()?.parse().ok()?);
        let mail_id = MailId(parts.nth(1)?.parse().ok()?);
        (Blobs::name(account_id, mail_id) == name).then_some((account_id, mail_id))
    }

    /// All blobs, in no order: name, and when it was written.
    pub(crate) fn list(&self) -> BoxStream<'static, Result<(String, Millis)>> {
        let entry = |found: object_store::ObjectMeta| {
            (found.location.to_string(), Millis(found.last_modified.timestamp_millis()))
        };
        self.store
            .list(None)
            .map(move |found| found.map(entry).map_err(|error| failed("list", &error)))
            .boxed()
    }

    /// Writes a blob and returns when it is durable. Idempotent: the same name is only ever written with the same bytes.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let done = self.store.put(&Path::from(name), bytes.into()).await;
        // What is not found here is the bucket or the folder, which may come back.
        done.map(|_| ())
            .map_err(|error| StoreError::Blob { name: name.to_owned(), reason: error.to_string() })
    }

    /// Deletes a blob. One that is gone already is no error.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&Path::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(name, &error)),
        }
    }

    /// Reads a blob whole.
    ///
    /// # Errors
    /// [`StoreError::Blob`]; [`StoreError::BlobMissing`].
    pub async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let object = self.store.get(&Path::from(name)).await.map_err(|error| failed(name, &error))?;
        let bytes = object.bytes().await.map_err(|error| failed(name, &error))?;
        Ok(bytes.to_vec())
    }

    /// Reads an object that may be missing.
    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self.get(name).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::BlobMissing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Store {
    /// Looks whether blobs can be written and are this database's own, so a desk that could not keep a large mail says so
    /// before it takes one.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what the object store said, or whose the blobs are.
    pub async fn check_blobs(&self) -> Result<()> {
        // Whose they are is looked at first: nothing is written into a place that may be another desk's, or not mounted.
        match tokio::time::timeout(CHECK_WITHIN, self.own_blobs()).await {
            Ok(owned) => owned?,
            Err(_) => return Err(StoreError::setup("the object store does not answer in time")),
        }
        self.blobs().check().await
    }
}

fn failed(name: &str, error: &object_store::Error) -> StoreError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return StoreError::BlobMissing { name: name.to_owned() };
    }
    StoreError::Blob { name: name.to_owned(), reason: error.to_string() }
}
