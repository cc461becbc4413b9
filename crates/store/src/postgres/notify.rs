//! Bells between nodes: a connection of its own hears what other nodes ring, and tells them what is rung here.
//!
//! Telling is a transaction of its own and never part of a mail's: transactions with NOTIFY in them commit one after the
//! other. What is lost on the way is found by polling.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use tokio::sync::{Notify, watch};
use tokio_postgres::{AsyncMessage, Client};

use super::server::Server;
use crate::bell::{Bells, Ring};
use crate::error::{Result, StoreError};

/// The channel of all nodes on a database.
const CHANNEL: &str = "guichet_work";
/// How long a bell that was told is not told again: a busy node rings for every batch.
const SILENCE: Duration = Duration::from_millis(20);
/// Rings told at once, each by name.
const RINGS_MAX: usize = 256;
/// The waits before a lost connection is opened again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Tells the other nodes and hears them. Connects when a bell is first asked for or rung: most commands do neither.
#[derive(Debug)]
pub(super) struct Notifier {
    shared: Arc<Shared>,
    closed: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    bells: Arc<Bells>,
    /// Rings to be told.
    due: Mutex<BTreeSet<Ring>>,
    /// Rung when there is something to do.
    called: Notify,
}

impl Notifier {
    /// Makes the thread; it waits until it is needed.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the system gives no thread.
    pub(super) fn start(server: Server, bells: Arc<Bells>) -> Result<Notifier> {
        let shared = Arc::new(Shared { bells, due: Mutex::default(), called: Notify::new() });
        let (closed, watched) = watch::channel(false);
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("postgres-bells".into())
            .spawn(move || run(&server, &theirs, watched))
            .map_err(|error| StoreError::setup(format!("cannot start a database thread: {error}")))?;
        Ok(Notifier { shared, closed, thread: Mutex::new(Some(thread)) })
    }

    /// Begins to hear the others. Returns at once.
    pub(super) fn listen(&self) {
        self.shared.called.notify_one();
    }

    /// Tells the others of a ring, soon. Returns at once.
    pub(super) fn tell(&self, ring: Ring) {
        let mut due = self.shared.due.lock().expect("plain insert");
        // One for somebody stands for many.
        let ring = if due.len() < RINGS_MAX { ring } else { Ring { account: None, change: None, ..ring } };
        due.insert(ring);
        drop(due);
        self.shared.called.notify_one();
    }

    /// Tells what is left to tell and ends. Blocks.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
        self.shared.called.notify_one();
        if let Some(thread) = self.thread.lock().expect("plain take").take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Notifier {
    /// A command that rang and ends is heard all the same.
    fn drop(&mut self) {
        self.close();
    }
}

fn run(server: &Server, shared: &Shared, closed: watch::Receiver<bool>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(keep_talking(server, shared, closed)),
        Err(error) => {
            tracing::error!(%error, "Other nodes' work is found by polling alone: their bells cannot be heard")
        }
    }
}

async fn keep_talking(server: &Server, shared: &Shared, mut closed: watch::Receiver<bool>) {
    shared.called.notified().await;
    shared.called.notify_one();
    let mut wait = FIRST_WAIT;
    while !*closed.borrow() || shared.has_due() {
        match Line::connect(server, Arc::clone(&shared.bells)).await {
            Ok(line) => {
                wait = FIRST_WAIT;
                // Whatever was rung while nobody listened.
                shared.bells.ring_all();
                match shared.talk(line, &closed).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!(%error, "Other nodes' work is found by polling until their bells are heard again")
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "Other nodes' bells cannot be heard now: their work is found by polling")
            }
        }
        if tokio::time::timeout(wait, closed.wait_for(|closed| *closed)).await.is_ok() {
            return;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

impl Shared {
    fn has_due(&self) -> bool {
        !self.due.lock().expect("plain look").is_empty()
    }

    /// Tells what is due until the store is closed.
    async fn talk(&self, mut line: Line, closed: &watch::Receiver<bool>) -> Result<()> {
        loop {
            tokio::select! {
                () = self.called.notified() => {}
                _ = &mut line.hearing => return Err(StoreError::Unavailable("the connection was closed".into())),
            }
            let due = std::mem::take(&mut *self.due.lock().expect("plain take"));
            if !due.is_empty() {
                line.tell(due).await?;
                tokio::time::sleep(SILENCE).await;
            }
            if *closed.borrow() && !self.has_due() {
                return Ok(());
            }
        }
    }
}

/// The connection, and the task that hears what comes on it.
struct Line {
    client: Client,
    hearing: tokio::task::JoinHandle<()>,
    /// Stands before each bell we ring, so that we do not hear ourselves.
    own: String,
}

impl Line {
    async fn connect(server: &Server, bells: Arc<Bells>) -> Result<Line> {
        let (client, mut connection) = server.connect().await?;
        let own = format!("{:016x} ", rand::random::<u64>());
        let ours = own.clone();
        let hearing = tokio::spawn(async move {
            let mut messages = poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                let AsyncMessage::Notification(heard) = message else { continue };
                if let Some((from, bell)) = heard.payload().split_once(' ')
                    && from != ours.trim_end()
                    && let Some(ring) = Ring::parse(bell)
                {
                    bells.ring(ring);
                }
            }
        });
        let line = Line { client, hearing, own };
        // A bell need not survive a power cut, so nobody waits for the disk.
        line.batch(&format!("SET synchronous_commit = off; LISTEN {CHANNEL}")).await?;
        Ok(line)
    }

    async fn tell(&self, rings: BTreeSet<Ring>) -> Result<()> {
        let told: Vec<String> = rings
            .into_iter()
            .map(|ring| format!("NOTIFY {CHANNEL}, '{}{}'", self.own, ring.text()))
            .collect();
        self.batch(&told.join("; ")).await
    }

    async fn batch(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(|error| StoreError::Unavailable(super::chain(&error)))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}
