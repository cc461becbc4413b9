//! Group commit: one transaction makes the mails of all waiting connections durable.
//!
//! The first mail is written at once; those that arrive meanwhile wait and share the next transaction. So a lone mail
//! waits only for its own commit. Each group is written by its own task: a waiter may go away, and the others in its
//! group must still hear that their mails are durable.

use std::sync::{Arc, Mutex};

use store::spool::NewMail;
use store::{Store, StoreError};
use tokio::sync::oneshot;

/// Maximum number of mails in one transaction.
const GROUP_MAX: usize = 128;

/// One mail, a copy for each account it is for, and the waiter.
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
    /// Whether a task is writing; it will also take what waits.
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
            Lead::new(self.clone()).begin();
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the spool writer has stopped".into())))
    }
}

/// The right to write, held by one task at a time.
///
/// Dropping it after a group passes it on. Dropped earlier, its task was ended, as by a runtime that shuts down:
/// another task would end the same way, so the waiters are told that nobody writes, and the next mail starts again.
struct Lead {
    spooler: Spooler,
    is_done: bool,
}

impl Lead {
    fn new(spooler: Spooler) -> Lead {
        Lead { spooler, is_done: false }
    }

    /// Writes what waits, on a task of its own.
    fn begin(mut self) {
        tokio::spawn(async move { self.write_group().await });
    }

    async fn write_group(&mut self) {
        let group = {
            let mut queue = self.spooler.queue.lock().expect("plain push and take");
            let count = queue.waiting.len().min(GROUP_MAX);
            queue.waiting.drain(..count).collect::<Vec<_>>()
        };
        write_group(&self.spooler.store, group).await;
        self.is_done = true;
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let (has_more, unheard) = {
            let mut queue = self.spooler.queue.lock().expect("plain push and take");
            queue.is_led = self.is_done && !queue.waiting.is_empty();
            (queue.is_led, if self.is_done { Vec::new() } else { std::mem::take(&mut queue.waiting) })
        };
        // Wakes the waiters, so not under the lock.
        drop(unheard);
        if has_more {
            Lead::new(self.spooler.clone()).begin();
        }
    }
}

async fn write_group(store: &Store, group: Vec<Waiting>) {
    let (mails, waiters): (Vec<_>, Vec<_>) =
        group.into_iter().map(|waiting| (waiting.mails, waiting.done)).unzip();
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

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use store::StoreOptions;

    use super::*;
    use desk::clock::Millis;

    use desk::id::AccountId;

    use desk::id::MailId;

    fn store(folder: &tempfile::TempDir) -> Store {
        let (url, blobs) = (
            format!("sqlite:{}/desk.db", folder.path().display()),
            format!("file:{}/b", folder.path().display()),
        );
        let store =
            Store::open(&StoreOptions { url, blobs, connections: 2, allow_unsafe: false, clock: None })
                .unwrap();
        store.migrate().unwrap();
        store
    }

    async fn mail(store: &Store, id: i64) -> Vec<NewMail> {
        let raw = Arc::new(b"Subject: x\r\n\r\nhi\r\n".to_vec());
        let packed = store.pack_mail(AccountId(1), MailId(id), &raw).await.unwrap();
        vec![NewMail {
            account_id: AccountId(1),
            id: MailId(id),
            accepted_at: Millis(id),
            envelope: "{}".to_owned(),
            packed,
        }]
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_waits_is_answered_also_when_the_first_of_the_group_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = tokio::task::block_in_place(|| store(&folder));
        let spooler = Spooler::new(store.clone());
        // Came in the moment before the first one began to write.
        let (done, answer) = oneshot::channel();
        let second = Waiting { mails: mail(&store, 2).await, done };
        spooler.queue.lock().unwrap().waiting.push(second);
        let mut first = Box::pin(spooler.spool(mail(&store, 1).await));
        assert!(matches!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        drop(first);
        answer.await.unwrap().unwrap();
        spooler.spool(mail(&store, 3).await).await.unwrap();
        assert_eq!(store.read_now(|tx| store::spool::count(&mut tx.account(AccountId(1)))).await.unwrap(), 3);
    }
    #[test]
    fn a_runtime_that_ends_while_a_group_is_written_tells_whoever_waits() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let spooler = Spooler::new(store.clone());
        // The database hangs until it is let go.
        let (let_go, hangs) = std::sync::mpsc::channel::<()>();
        let (hanging, holder) = (std::sync::Mutex::new(hangs), store.clone());
        let held = std::thread::spawn(move || {
            holder.write_blocking(move |_| {
                let _ = hanging.lock().unwrap().recv();
                Ok(())
            })
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (done, answer) = oneshot::channel();
        runtime.block_on(async {
            let mut first = Box::pin(spooler.spool(mail(&store, 1).await));
            assert!(matches!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
            while !spooler.queue.lock().unwrap().waiting.is_empty() {
                tokio::task::yield_now().await;
            }
            let second = Waiting { mails: mail(&store, 2).await, done };
            spooler.queue.lock().unwrap().waiting.push(second);
        });
        drop(runtime);
        assert!(answer.blocking_recv().is_err(), "nobody will write it");
        drop(let_go);
        held.join().unwrap().unwrap();
        let after = tokio::runtime::Runtime::new().unwrap();
        after.block_on(async { spooler.spool(mail(&store, 3).await).await }).unwrap();
    }
}
