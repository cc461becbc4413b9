//! An old snapshot on PostgreSQL: a transaction that sees the past and keeps vacuum from removing the rows that others
//! replace.

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// A snapshot that is held open, as `pg_dump` holds one; it ends when dropped.
pub struct Snapshot {
    runtime: Runtime,
    client: Client,
}

impl Snapshot {
    /// Takes a snapshot of a database and holds it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn hold(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.context("connecting to hold a snapshot")?;
            tokio::spawn(connection);
            // A transaction has its snapshot from its first question on.
            client
                .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
                .await?;
            anyhow::Ok(client)
        })?;
        Ok(Self { runtime, client })
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// When the server had ended it earlier: then it did not hold what it was meant to hold.
    pub fn release(self) -> Result<()> {
        let ended = self.runtime.block_on(self.client.batch_execute("SELECT 1; COMMIT"));
        ended.context("the snapshot was not held to the end")
    }
}
