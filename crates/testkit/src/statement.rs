//! Single statements on a PostgreSQL server, each on a connection of its own.

use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Client, NoTls};

/// Creates a database beside the one of `server` and returns its URL.
///
/// # Errors
/// When the server does not answer or refuses.
pub fn create(server: &str, name: &str) -> Result<String> {
    execute(server, &format!("CREATE DATABASE {name}"))?;
    let (base, _) = server.rsplit_once('/').context("the URL of a database ends in its name")?;
    Ok(format!("{base}/{name}"))
}

/// Does a PostgreSQL server take connections and answer a question?
#[must_use]
pub fn answers(url: &str) -> bool {
    execute(url, "SELECT 1").is_ok()
}

/// Runs statements without parameters or rows on a connection of their own.
///
/// # Errors
/// When the server does not answer or refuses one.
pub fn execute(url: &str, sql: &str) -> Result<()> {
    with_client(url, async |client| Ok(client.batch_execute(sql).await?))
}

/// Asks for one text value (`SELECT …::text`).
///
/// # Errors
/// When the server does not answer, or there is not exactly one row.
pub fn query_text(url: &str, sql: &str) -> Result<String> {
    with_client(url, async |client| Ok(client.query_one(sql, &[]).await?.try_get(0)?))
}

/// Connects on a thread and runtime of its own, so that tests inside a runtime may call this too.
fn with_client<T: Send>(url: &str, work: impl AsyncFnOnce(&Client) -> Result<T> + Send) -> Result<T> {
    let inside = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            let connection = tokio::spawn(connection);
            let value = work(&client).await;
            drop(client);
            let _ = connection.await;
            value
        })
    };
    thread::scope(|scope| scope.spawn(inside).join()).map_err(|_| anyhow!("the database thread panicked"))?
}
