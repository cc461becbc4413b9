//! Group commit: mails of all connections that wait are made durable by one transaction.

use store::spool::NewMail;
use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Mails in one transaction at most.
const GROUP_MAX: usize = 128;
/// Mails that may wait for the writer; a connection beyond that waits with its own.
const WAITING_MAX: usize = 1_024;

/// One mail, a copy for each account it is for, and who waits for it.
#[derive(Debug)]
struct Waiting {
    mails: Vec<NewMail>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The writer of the spool; cheap to clone. It ends when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Spooler {
    queue: mpsc::Sender<Waiting>,
}

impl Spooler {
    pub(crate) fn start(store: Store) -> Spooler {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write_groups(store, waiting));
        Spooler { queue }
    }

    /// Makes a mail durable for all its accounts, or for none.
    ///
    /// # Errors
    /// The store's; nothing of the mail is kept then.
    pub(crate) async fn spool(&self, mails: Vec<NewMail>) -> Result<(), StoreError> {
        let gone = || StoreError::Unavailable("the spool writer has stopped".into());
        let (done, answer) = oneshot::channel();
        self.queue.send(Waiting { mails, done }).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn write_groups(store: Store, mut waiting: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        write_group(&store, std::mem::take(&mut group)).await;
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
