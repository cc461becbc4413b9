//! Reads raw mails so that none can take the others down: a panic is caught, a stall is left behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use desk::suspension::Cause;
use mail::letter::Letter;

use crate::{Fault, Step};

/// What reading a mail gave: the letter, or why there is none.
pub(crate) type Read = Result<Arc<Letter>, Unread>;

/// Why a mail could not be read.
#[derive(Debug, Clone)]
pub(crate) struct Unread {
    /// What it is held for.
    pub(crate) cause: Cause,
    /// The sentence.
    pub(crate) why: String,
}

impl Unread {
    pub(crate) fn failed(why: impl Into<String>) -> Unread {
        Unread { cause: Cause::UnprocessableEmail, why: why.into() }
    }
}

/// Reads mails in order on blocking threads; each may take `budget` at most.
///
/// A thread that stalls cannot be stopped: it is left alone with its mail, and the rest goes on in another.
pub(crate) async fn read_all(raws: Vec<Arc<Vec<u8>>>, budget: Duration, fault: Option<Fault>) -> Vec<Read> {
    let mut done: Vec<Read> = Vec::with_capacity(raws.len());
    while done.len() < raws.len() {
        let rest: Vec<Arc<Vec<u8>>> = raws.iter().skip(done.len()).cloned().collect();
        let progress = Arc::new(Mutex::new(Vec::with_capacity(rest.len())));
        let finished = start(rest, Arc::clone(&progress), fault.clone());
        let stalled = !watch(finished, &progress, budget).await;
        let read = std::mem::take(&mut *progress.lock().expect("plain push"));
        done.extend(read);
        if stalled && done.len() < raws.len() {
            let why = format!("reading it took longer than {} seconds", budget.as_secs());
            done.push(Err(Unread { cause: Cause::ContentProcessorTimedOut, why }));
        }
    }
    done.truncate(raws.len());
    done
}

fn start(rest: Vec<Arc<Vec<u8>>>, progress: Arc<Mutex<Vec<Read>>>, fault: Option<Fault>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        for raw in rest {
            let read = catch_unwind(AssertUnwindSafe(|| {
                if let Some(fault) = &fault {
                    fault(Step::Parse, &raw);
                }
                Arc::new(Letter::parse(&raw))
            }));
            progress.lock().expect("plain push").push(read.map_err(|_| Unread::failed("reading it panicked")));
        }
    })
}

/// Waits until the thread is through; false when one mail took longer than the budget.
async fn watch(mut finished: tokio::task::JoinHandle<()>, progress: &Mutex<Vec<Read>>, budget: Duration) -> bool {
    let mut before = 0;
    loop {
        if tokio::time::timeout(budget, &mut finished).await.is_ok() {
            return true;
        }
        let now = progress.lock().expect("plain push").len();
        if now == before {
            return false;
        }
        before = now;
    }
}
