//! A closure on its way to a database thread, and its answer on the way back.

use std::any::Any;
use std::fmt;

use crate::error::{Result, StoreError};
use crate::tx::Tx;

/// What a closure gave, its type hidden from the threads that carry it.
pub(crate) type Outcome = Result<Box<dyn Any + Send>>;

/// What a job's waiter gets: the outcome, and the closure back. What the closure holds (a batch of parsed mails) is freed
/// by the waiter: the database thread has others to serve.
type Answer = (Outcome, Option<Run>);

/// What a database thread runs: the closure, with its result's type hidden.
type Run = Box<dyn FnMut(&mut Tx<'_>) -> Outcome + Send>;

/// A closure that waits for its turn. Dropping it unanswered tells its waiter that the store was closed.
pub(crate) struct Job {
    run: Run,
    done: tokio::sync::oneshot::Sender<Answer>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// The other end of a [`Job`].
pub(crate) struct Waiter(tokio::sync::oneshot::Receiver<Answer>);

impl Job {
    pub(crate) fn new<T, F>(mut closure: F) -> (Job, Waiter)
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (done, answer) = tokio::sync::oneshot::channel();
        let run =
            Box::new(move |tx: &mut Tx<'_>| closure(tx).map(|value| Box::new(value) as Box<dyn Any + Send>));
        (Job { run, done }, Waiter(answer))
    }

    pub(crate) fn run(&mut self, tx: &mut Tx<'_>) -> Outcome {
        (self.run)(tx)
    }

    pub(crate) fn finish(self, outcome: Outcome) {
        // When nobody waits any more, the caller was cancelled. What was committed stays committed.
        let _ = self.done.send((outcome, Some(self.run)));
    }
}

impl Waiter {
    pub(crate) async fn wait<T: 'static>(self) -> Result<T> {
        unpack(self.0.await.unwrap_or_else(|_| closed()).0)
    }

    pub(crate) fn wait_blocking<T: 'static>(self) -> Result<T> {
        unpack(self.0.blocking_recv().unwrap_or_else(|_| closed()).0)
    }
}

fn closed() -> Answer {
    (Err(StoreError::Unavailable("the store is closed".into())), None)
}

fn unpack<T: 'static>(outcome: Outcome) -> Result<T> {
    outcome.map(|value| *value.downcast::<T>().expect("the job was made with this type"))
}
