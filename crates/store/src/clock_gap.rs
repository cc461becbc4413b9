//! How far the clock of this machine is from the one that all nodes share, which is the database's.

use std::sync::Arc;

use desk::clock::{Clock, Millis};

use crate::error::Result;
use crate::{Backend, Store};

/// How far a clock is from the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockGap {
    /// What has to be added to the clock, milliseconds.
    pub behind_ms: i64,
    /// How much of that may be the way to the database and back, milliseconds.
    pub within_ms: i64,
}

impl ClockGap {
    /// The gap when the database told its time between two looks at the clock.
    #[must_use]
    pub fn between(before: Millis, told: Millis, after: Millis) -> ClockGap {
        let way = (after - before).max(0);
        // Times are cut to whole milliseconds, the database's and ours.
        ClockGap { behind_ms: told - before - way / 2, within_ms: way / 2 + 2 }
    }
}

impl Store {
    /// Compares a clock with the database's; none where the database is part of this process and has the same.
    ///
    /// # Errors
    /// As the database says.
    pub async fn clock_gap(&self, clock: Arc<dyn Clock>) -> Result<Option<ClockGap>> {
        if matches!(self.inner.backend, Backend::Sqlite(_)) {
            return Ok(None);
        }
        // Inside, so that waiting for a connection does not count.
        let gap = self.read_now(move |tx| {
            let before = clock.now();
            let told = tx.database_now()?;
            Ok(ClockGap::between(before, told, clock.now()))
        });
        gap.await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_told_its_time_half_way() {
        let cases = [
            ("the same clock", (1_000, 1_010, 1_020), (0, 12)),
            ("a minute behind", (1_000, 61_000, 1_001), (60_000, 2)),
            ("a minute ahead", (61_000, 1_000, 61_000), (-60_000, 2)),
            ("set back meanwhile", (1_000, 1_000, 0), (0, 2)),
        ];
        for (name, (before, told, after), (behind_ms, within_ms)) in cases {
            assert_eq!(
                ClockGap::between(Millis(before), Millis(told), Millis(after)),
                ClockGap { behind_ms, within_ms },
                "{name}"
            );
        }
    }
}
