//! A clock that stands still until it is turned.

use std::sync::atomic::{AtomicI64, Ordering};

use desk::clock::{Clock, Millis};

/// Where a desk's clock starts.
const NOW: Millis = Millis(1_900_000_000_000);

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl Default for FakeClock {
    fn default() -> Self {
        FakeClock(AtomicI64::new(NOW.0))
    }
}

impl FakeClock {
    /// Moves the time forward.
    pub fn turn(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}
