//! How long batches may wait for DNS: always a little, and longer for a part of the time.
//!
//! A batch holds up its account's mail while it waits. If every batch could wait as long as a single one may, a sender
//! with slow name servers could stall an account at will.

use std::time::{Duration, Instant};

/// What a batch may always wait.
const ALWAYS: Duration = Duration::from_millis(500);
/// The allowance grows by the elapsed time divided by this.
const PART: u32 = 5;

/// The allowance for waiting longer.
#[derive(Debug)]
pub(super) struct DnsBudget {
    /// What a batch may wait when no batch has waited for a while.
    most: Duration,
    /// What was left of the allowance, and when.
    left: Duration,
    as_of: Instant,
}

impl DnsBudget {
    /// Full: a batch may wait for `most`.
    pub(super) fn new(most: Duration, now: Instant) -> DnsBudget {
        DnsBudget { most, left: most.saturating_sub(ALWAYS), as_of: now }
    }

    /// How long a batch that starts now may wait.
    pub(super) fn at(&mut self, now: Instant) -> Duration {
        let grown = now.saturating_duration_since(self.as_of) / PART;
        self.left = self.left.saturating_add(grown).min(self.most.saturating_sub(ALWAYS));
        self.as_of = self.as_of.max(now);
        self.left.saturating_add(ALWAYS).min(self.most)
    }

    /// A batch has waited.
    pub(super) fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited.saturating_sub(ALWAYS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_long_is_paid_back_slowly() {
        let start = Instant::now();
        let mut patience = DnsBudget::new(Duration::from_secs(5), start);
        // At, what may be waited then, what is.
        for (at_ms, want_ms, waited_ms) in [
            (0, 5_000, 400),
            (1_000, 5_000, 2_500),
            (3_500, 3_500, 3_500),
            (7_000, 1_200, 1_200),
            (8_200, 740, 740),
            (8_940, 648, 500),
            (9_440, 748, 0),
            (1_000, 748, 0),
            (60_000, 5_000, 60_000),
            (60_000, 500, 500),
        ] {
            let may = patience.at(start + Duration::from_millis(at_ms));
            assert_eq!(may, Duration::from_millis(want_ms), "at {at_ms}");
            patience.spend(Duration::from_millis(waited_ms));
        }
    }

    #[test]
    fn a_bound_below_what_is_always_waited_holds() {
        let start = Instant::now();
        for most_ms in [0, 20, 499, 500, 501] {
            let most = Duration::from_millis(most_ms);
            assert_eq!(DnsBudget::new(most, start).at(start), most);
        }
    }
}
