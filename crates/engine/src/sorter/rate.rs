//! How many accounts are started per second: a turn costs a transaction however little mail the account has. Where more
//! accounts have mail than there is time for turns, each waits a little and has more mail when its turn comes.

use std::time::{Duration, Instant};

/// Turns per second for each processor.
const TURNS: u32 = 150;
/// Maximum number of processors counted.
const MOST: u32 = 1_000;
/// Turns that may start at once after a pause.
const AT_ONCE: u32 = 64;

/// The turns left; they refill over time.
#[derive(Debug)]
pub(crate) struct Rate {
    every: Duration,
    /// The time up to which turns were given out; it lags by the number that may start at once.
    spent: Instant,
}

impl Default for Rate {
    /// The rate of this machine from now on.
    fn default() -> Rate {
        let processors = std::thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
        Rate::new(processors.min(MOST), Instant::now())
    }
}

impl Rate {
    /// A rate for this many processors, with all turns left.
    pub(crate) fn new(processors: u32, now: Instant) -> Rate {
        let every = Duration::from_secs(1) / (TURNS * processors.max(1));
        let mut rate = Rate { every, spent: now };
        rate.spent = rate.longest_ago(now);
        rate
    }

    fn longest_ago(&self, now: Instant) -> Instant {
        now.checked_sub(self.every * AT_ONCE).unwrap_or(now)
    }

    /// How many turns may start now.
    pub(crate) fn left(&mut self, now: Instant) -> usize {
        self.spent = self.spent.max(self.longest_ago(now));
        let turns = now.saturating_duration_since(self.spent).as_nanos() / self.every.as_nanos().max(1);
        usize::try_from(turns).unwrap_or(usize::MAX)
    }

    /// Takes turns that [`Rate::left`] gave.
    pub(crate) fn take(&mut self, turns: usize) {
        self.spent += self.every * u32::try_from(turns).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_refill_over_time_up_to_what_may_start_at_once() {
        let begun = Instant::now() + Duration::from_secs(60);
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let mut rate = Rate::new(2, at(0));
        // (milliseconds, turns taken, turns left before)
        for (ms, taken, left) in
            [(0, 64, 64), (0, 0, 0), (20, 6, 6), (22, 0, 0), (40, 0, 6), (50, 5, 9), (1_000, 0, 64)]
        {
            assert_eq!(rate.left(at(ms)), left, "at {ms} ms");
            rate.take(taken);
        }
        assert_eq!(Rate::new(0, at(0)).left(at(0)), 64, "a machine that does not tell has one processor");
    }
}
