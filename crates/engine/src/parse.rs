//! Reads raw mails so that none can take the others down: a panic is caught, a stalled thread is abandoned.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use desk::suspension::Cause;
use mail::letter::Letter;

use tokio::sync::Semaphore;

use crate::{Fault, Step};

/// The result of reading a mail: the letter, or why there is none.
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

/// How far a thread has got.
#[derive(Debug, Default)]
struct Progress {
    has_begun: bool,
    read: Vec<Read>,
}

/// As many threads read mail at once as there are processors: with more, each would only be slower, and a mail that is
/// merely large would count as stalled.
#[derive(Debug, Clone)]
pub(crate) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Readers {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Readers(Arc::new(Semaphore::new(processors)))
    }
}

/// Reads mails in order on blocking threads; each may take `budget`, and is given up before one and a half times that
/// has passed.
///
/// A thread that stalls cannot be stopped: it is abandoned with its mail, and the rest continues in another.
pub(crate) async fn read_all(
    readers: &Readers,
    raws: Vec<Arc<Vec<u8>>>,
    budget: Duration,
    fault: Option<Fault>,
) -> Vec<Read> {
    let mut done: Vec<Read> = Vec::with_capacity(raws.len());
    while done.len() < raws.len() {
        // Released when this round ends, also by a stall: an abandoned thread keeps nobody waiting.
        let _turn = readers.0.acquire().await;
        let rest: Vec<Arc<Vec<u8>>> = raws.iter().skip(done.len()).cloned().collect();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let finished = start(rest, Arc::clone(&progress), fault.clone());
        let stalled = !watch(finished, &progress, budget).await;
        let read = std::mem::take(&mut progress.lock().expect("plain push").read);
        done.extend(read);
        if stalled && done.len() < raws.len() {
            let why = format!("reading it took longer than {} seconds", budget.as_secs());
            done.push(Err(Unread { cause: Cause::ContentProcessorTimedOut, why }));
        }
    }
    done.truncate(raws.len());
    done
}

fn start(
    rest: Vec<Arc<Vec<u8>>>,
    progress: Arc<Mutex<Progress>>,
    fault: Option<Fault>,
) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        progress.lock().expect("plain push").has_begun = true;
        for raw in rest {
            let read = catch_unwind(AssertUnwindSafe(|| {
                if let Some(fault) = &fault {
                    fault(Step::Parse, &raw);
                }
                Arc::new(Letter::parse(&raw))
            }));
            progress
                .lock()
                .expect("plain push")
                .read
                .push(read.map_err(|_| Unread::failed("reading it panicked")));
        }
    })
}

/// Waits until the thread is through; false when one mail took longer than the budget.
///
/// It looks every half budget, and a stall is what two looks in a row found as it was: a process that was frozen wakes
/// to one look that is long due, and a thread that waits for its turn has not begun.
async fn watch(
    mut finished: tokio::task::JoinHandle<()>,
    progress: &Mutex<Progress>,
    budget: Duration,
) -> bool {
    let (mut before, mut unchanged) = (None, 0);
    while unchanged < 2 {
        if tokio::time::timeout(budget / 2, &mut finished).await.is_ok() {
            return true;
        }
        let now = {
            let progress = progress.lock().expect("plain push");
            progress.has_begun.then_some(progress.read.len())
        };
        unchanged = if now.is_some() && now == before { unchanged + 1 } else { 0 };
        before = now;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a budget of the paused clock goes by between two looks; what `progress` says at each is the table.
    #[tokio::test(start_paused = true)]
    async fn a_stall_is_what_two_looks_in_a_row_found_as_it_was() {
        // (whether it had begun and how many mails it had read, at each look; looks until it is given up)
        for (looks, given_up_after) in [
            (&[(true, 0), (true, 0), (true, 0)][..], 3),
            (&[(false, 0), (false, 0), (false, 0), (true, 0), (true, 0), (true, 0)], 6),
            (&[(true, 0), (true, 0), (true, 1), (true, 1), (true, 1)], 5),
        ] {
            let progress = Mutex::new(Progress::default());
            let set = |at: usize| {
                if let Some((has_begun, count)) = looks.get(at) {
                    let read = (0..*count).map(|_| Err(Unread::failed("read"))).collect();
                    *progress.lock().unwrap() = Progress { has_begun: *has_begun, read };
                }
            };
            let (budget, begun) = (Duration::from_secs(10), tokio::time::Instant::now());
            let never = tokio::spawn(std::future::pending());
            let script = async {
                for at in 0..looks.len() {
                    set(at);
                    tokio::time::sleep(budget / 2).await;
                }
            };
            let (is_through, ()) = tokio::join!(watch(never, &progress, budget), script);
            assert!(!is_through);
            assert_eq!(begun.elapsed(), budget / 2 * given_up_after, "{looks:?}");
        }
    }
}
