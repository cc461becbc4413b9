//! Group commit: mails of all connections that wait are made durable by one transaction.
//!
//! Whoever comes first writes at once, on its own task; who comes meanwhile waits, and goes together in the next
//! transaction. A lone mail so waits for nothing but its own commit.

use std::sync::{Arc, Mutex};

use store::spool::NewMail;
use store::{Store, StoreError};
use tokio::sync::oneshot;

/// Mails in one transaction at most.
const GROUP_MAX: usize = 128;

/// One mail, a copy for each account it is for, and who waits for it.
#[derive(Debug)]
struct Waiting {
    mails: Vec<NewMail>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The writer of the spool; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Spooler {
    store: Store,
    queue: Arc<Mutex<Queue>>,
}

/// Bounded by the connections: each waits with one mail at most.
#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether somebody writes, who will also take what waits.
    is_led: bool,
}

impl Spooler {
    pub(crate) fn new(store: Store) -> Spooler {
        Spooler { store, queue: Arc::default() }
    }

    /// Makes a mail durable for all its accounts, or for none.
    ///
    /// # Errors
    /// The store's; nothing of the mail is kept then.
    pub(crate) async fn spool(&self, mails: Vec<NewMail>) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        let leads = {
            let mut queue = self.queue.lock().expect("plain push and take");
            queue.waiting.push(Waiting { mails, done });
            !std::mem::replace(&mut queue.is_led, true)
        };
        if leads {
            let lead = Lead { spooler: self.clone() };
            lead.write_group().await;
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the spool writer has stopped".into())))
    }
}

/// The right to write, held by one task at a time. Dropping it hands it on: what came meanwhile is written by a task of
/// its own, so that whoever led does not wait for others' mail, nor they for it should its task be cancelled.
struct Lead {
    spooler: Spooler,
}

impl Lead {
    async fn write_group(&self) {
        let group = {
            let mut queue = self.spooler.queue.lock().expect("plain push and take");
            let count = queue.waiting.len().min(GROUP_MAX);
            queue.waiting.drain(..count).collect::<Vec<_>>()
        };
        write_group(&self.spooler.store, group).await;
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let has_more = {
            let mut queue = self.spooler.queue.lock().expect("plain push and take");
            queue.is_led = !queue.waiting.is_empty();
            queue.is_led
        };
        if has_more {
            let next = Lead { spooler: self.spooler.clone() };
            tokio::spawn(async move { next.write_group().await });
        }
    }
}

async fn write_group(store: &Store, group: Vec<Waiting>) {
    let (mails, waiters): (Vec<_>, Vec<_>) = group.into_iter().map(|waiting| (waiting.mails, waiting.done)).unzip();
    let outcome = store.spool(mails.iter().flatten().cloned().collect()).await;
    match outcome {
        Ok(()) => waiters.into_iter().for_each(|done| answer(done, Ok(()))),
        Err(error) if error.is_transient() || waiters.len() == 1 => {
            tracing::warn!(%error, mails = waiters.len(), "Mail was not taken: the client is asked to try again");
            let text = error.to_string();
            waiters.into_iter().for_each(|done| answer(done, Err(StoreError::Unavailable(text.clone()))));
        }
        // One mail that the database refuses must not refuse its neighbours.
        Err(error) => {
            tracing::warn!(%error, mails = waiters.len(), "A group of mails failed: writing them one by one");
            for (mails, done) in mails.into_iter().zip(waiters) {
                let alone = store.spool(mails).await;
                answer(done, alone);
            }
        }
    }
}

fn answer(done: oneshot::Sender<Result<(), StoreError>>, outcome: Result<(), StoreError>) {
    // The connection may be gone: the mail is durable all the same, and the client will send it again (a duplicate).
    let _ = done.send(outcome);
}
