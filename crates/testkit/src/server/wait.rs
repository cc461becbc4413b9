//! Waiting for something outside to happen, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long a server may take until it answers; far above what an idle machine needs.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `look` again and again until it gives a value, and returns that value.
///
/// # Errors
/// After `within`, an error that names `what`; at once, any error of `look` itself.
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = look()? {
            return Ok(value);
        }
        if begun.elapsed() > within {
            bail!("{what}: did not happen within {} s", within.as_secs());
        }
        thread::sleep(PAUSE);
    }
}
