//! The benchmark's waits: whatever stops making progress ends with an error that says what it was.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::load::mails::Mail;
use crate::load::sender::{Control, Fate, Sent, Target, send};

/// How long there may be no progress.
const STALLED_AFTER: Duration = Duration::from_secs(60);
/// The pause between two checks of a sender.
const LOOK: Duration = Duration::from_secs(1);
/// The pause between two checks of a count.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `count` has reached `wanted`.
///
/// # Errors
/// When it does not grow for [`STALLED_AFTER`]; any error of `count` itself is returned at once.
pub(crate) fn until_count(what: &str, wanted: usize, mut count: impl FnMut() -> Result<usize>) -> Result<()> {
    let mut most = 0;
    let mut moved = Instant::now();
    loop {
        let now = count()?;
        if now >= wanted {
            return Ok(());
        }
        if now > most {
            most = now;
            moved = Instant::now();
        }
        if moved.elapsed() > STALLED_AFTER {
            bail!("{what}: {now} of {wanted} done, and no more for {} s", STALLED_AFTER.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

/// Sends all mails.
///
/// # Errors
/// When none gets 250 for [`STALLED_AFTER`], or none at all; the receiver's complaints are in the error.
pub(crate) fn send_all(what: &str, mails: &[Mail], target: &Target) -> Result<Sent> {
    let control = Control::default();
    let done = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&control, &done));
        let sent = send(mails, target, &control);
        done.store(true, Ordering::Release);
        watch.thread().unpark();
        sent
    });
    let accepted = sent.count(Fate::Accepted);
    if control.is_stopped() || accepted == 0 {
        bail!(
            "{what} stopped taking mail: {accepted} of {} got 250; {}",
            mails.len(),
            sent.complaints.join("; ")
        );
    }
    Ok(sent)
}

/// Stops a sender that makes no more progress.
fn watch(control: &Control, done: &AtomicBool) {
    let mut most = 0;
    let mut moved = Instant::now();
    while !done.load(Ordering::Acquire) {
        thread::park_timeout(LOOK);
        let now = control.accepted();
        if now > most {
            most = now;
            moved = Instant::now();
        }
        if moved.elapsed() > STALLED_AFTER {
            control.stop();
            return;
        }
    }
}
