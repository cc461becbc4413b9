//! The name of a node, which one process at a time bears: a lock of PostgreSQL's on a connection of its own.
//!
//! Leases are held by name, so two processes under one name would work the same accounts. The lock is a transaction's and not a
//! session's: a pooler that hands on connections then keeps this one, and gives it back when its process is gone. The
//! transaction stays open, but it has no snapshot and hinders no vacuum.

use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::server::Server;
use crate::error::{Result, StoreError};

/// The waits before a lost name is tried for again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The server ends no such transaction for its age, and notices in some ten seconds when this machine is gone.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;
    SET LOCAL tcp_keepalives_idle = 5; SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 3;
    SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'";

/// A name that is held until this is closed.
#[derive(Debug)]
pub(super) struct NameLock {
    closed: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl NameLock {
    /// Takes a name; none when another process has it after `wait` still.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub(super) async fn take(server: Server, name: &str, wait: Duration) -> Result<Option<NameLock>> {
        let (closed, watched) = watch::channel(false);
        let (tell, told) = oneshot::channel();
        let name = Name { text: name.to_owned(), server, wait };
        let thread = std::thread::Builder::new()
            .name("postgres-name".into())
            .spawn(move || run(&name, watched, tell))
            .map_err(|error| StoreError::setup(format!("cannot start a database thread: {error}")))?;
        let lock = NameLock { closed, thread: Mutex::new(Some(thread)) };
        let is_taken =
            told.await.unwrap_or_else(|_| Err(StoreError::Unavailable("its thread ended".into())))?;
        Ok(is_taken.then_some(lock))
    }

    /// Gives the name back. Blocks.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        if let Some(thread) = self.thread.lock().expect("plain take").take() {
            let _ = thread.join();
        }
    }
}

impl Drop for NameLock {
    fn drop(&mut self) {
        self.close();
    }
}

/// What is tried for.
struct Name {
    text: String,
    server: Server,
    wait: Duration,
}

fn run(name: &Name, closed: watch::Receiver<bool>, tell: oneshot::Sender<Result<bool>>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(hold(name, closed, tell)),
        Err(error) => drop(tell.send(Err(StoreError::Unavailable(error.to_string())))),
    }
}

/// Takes the name, tells whether it could, and holds it until closed.
async fn hold(name: &Name, mut closed: watch::Receiver<bool>, tell: oneshot::Sender<Result<bool>>) {
    let taken = tokio::select! {
        _ = closed.wait_for(|closed| *closed) => return,
        taken = name.take() => taken,
    };
    let mut line = match taken {
        Ok(Some(line)) => line,
        other => return drop(tell.send(other.map(|_| false))),
    };
    if tell.send(Ok(true)).is_err() {
        return;
    }
    loop {
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            _ = &mut line.driving => {}
        }
        tracing::warn!(
            node = name.text,
            "The connection that holds this node's name was lost: taking the name again"
        );
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            again = name.take_again() => line = again,
        }
        tracing::info!(node = name.text, "This node has its name again");
    }
}

impl Name {
    /// Never gives up: the process with the name has begun to work.
    async fn take_again(&self) -> Line {
        let mut wait = FIRST_WAIT;
        loop {
            match self.take().await {
                Ok(Some(line)) => return line,
                Ok(None) => tracing::error!(
                    node = self.text,
                    "Another process has taken this node's name and works the same accounts: stop one of them, and set node.name"
                ),
                Err(error) => {
                    tracing::warn!(%error, node = self.text, "This node's name cannot be taken again now")
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn take(&self) -> Result<Option<Line>> {
        let line = Line::connect(&self.server).await?;
        let key = self.key();
        if line.is_true(&format!("{BEGIN}; SELECT pg_try_advisory_xact_lock({key})")).await? {
            return Ok(Some(line));
        }
        if self.wait.is_zero() {
            return Ok(None);
        }
        tracing::info!(
            node = self.text,
            "Another process has this node's name: waiting {} s for its end",
            self.wait.as_secs()
        );
        let wait = format!(
            "SET LOCAL lock_timeout = {}; SELECT pg_advisory_xact_lock({key})",
            self.wait.as_millis()
        );
        match line.client.batch_execute(&wait).await {
            Ok(()) => Ok(Some(line)),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// The number that PostgreSQL knows the name by, among the locks of this database.
    fn key(&self) -> i64 {
        let hash = blake3::hash(format!("guichet node {}", self.text).as_bytes());
        hash.as_bytes().first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    }
}

/// The connection, and the task that drives it until it is lost.
struct Line {
    client: Client,
    driving: tokio::task::JoinHandle<()>,
}

impl Line {
    async fn connect(server: &Server) -> Result<Line> {
        let (client, connection) = server.connect().await?;
        let driving = tokio::spawn(async move {
            // Its end is what is waited for, whatever it was.
            let _ = connection.await;
        });
        Ok(Line { client, driving })
    }

    /// Whether the last statement says yes.
    async fn is_true(&self, sql: &str) -> Result<bool> {
        let answers = self.client.simple_query(sql).await.map_err(|error| unavailable(&error))?;
        let rows = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows.last().is_some_and(|row| row.get(0) == Some("t")))
    }
}

fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(super::chain(error))
}
