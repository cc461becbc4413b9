//! The real clock: the one place of the product that asks the operating system for the time of day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use desk::clock::{Clock, Millis};
use store::{ClockGap, Store};

/// A gap above which the operator is told of it.
const TOLD_FROM_MS: i64 = 1_000;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock that everything else is given")]
    fn now(&self) -> Millis {
        // A clock before 1970 is broken; 0 keeps the desk working until it is set.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).map_or(Millis::MAX, Millis)
    }
}

/// The clock of a process that works on a database: the system's, set to the database's where that is another machine, so that
/// mail that came in by several nodes is in order, and its times agree (docs/operating.md §12).
#[derive(Debug, Default)]
pub(crate) struct SharedClock {
    /// What is added to the system's clock.
    behind_ms: AtomicI64,
}

impl Clock for SharedClock {
    fn now(&self) -> Millis {
        SystemClock.now() + self.behind_ms.load(Ordering::Relaxed)
    }
}

impl SharedClock {
    /// The clock of a command. A database that does not answer is for the command itself to meet.
    pub(crate) async fn of(store: &Store) -> Arc<SharedClock> {
        let clock = SharedClock::default();
        if let Err(error) = clock.set_by(store).await {
            tracing::debug!(%error, "The database's clock cannot be asked now");
        }
        Arc::new(clock)
    }

    /// Sets the clock by the database's.
    ///
    /// # Errors
    /// As the database says; what was known of its clock stays.
    pub(crate) async fn set_by(&self, store: &Store) -> store::Result<()> {
        if let Some(gap) = store.clock_gap(Arc::new(SystemClock)).await? {
            self.correct(gap);
        }
        Ok(())
    }

    fn correct(&self, gap: ClockGap) {
        let known = self.behind_ms.load(Ordering::Relaxed);
        // A clock that jumps to and fro with each look would be worse than one that is a little off.
        if (gap.behind_ms - known).abs() <= gap.within_ms {
            return;
        }
        self.behind_ms.store(gap.behind_ms, Ordering::Relaxed);
        if (gap.behind_ms - known).abs() >= TOLD_FROM_MS {
            tracing::warn!(
                behind_ms = gap.behind_ms,
                "This machine's clock is not the database's, which counts: let both follow the same time server"
            );
        }
    }
}

/// A time as people and programs read it: RFC 3339 in UTC with milliseconds.
#[must_use]
pub(crate) fn written(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |time| format!("{time:.3}"))
}

/// A time in tables and texts: to the minute, marked as UTC.
#[must_use]
pub(crate) fn short(at: Millis) -> String {
    let long = written(at);
    long.get(..16).map_or(long.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_when_more_than_the_way_to_the_database_is_between_them() {
        let clock = SharedClock::default();
        // (what the database is ahead, how much of that may be the way, what the clock is corrected by)
        for (behind_ms, within_ms, corrected) in [
            (3, 4, 0),
            (60_000, 4, 60_000),
            (59_996, 4, 60_000),
            (60_300, 400, 60_000),
            (-30, 2, -30),
            (1, 2, 1),
        ] {
            clock.correct(ClockGap { behind_ms, within_ms });
            assert_eq!(clock.behind_ms.load(Ordering::Relaxed), corrected, "{behind_ms} within {within_ms}");
        }
    }

    #[test]
    fn times_are_written_for_programs_and_for_tables() {
        assert_eq!(written(Millis(1_794_000_000_123)), "2026-11-06T21:20:00.123Z");
        assert_eq!(short(Millis(1_794_000_000_123)), "2026-11-06 21:20 UTC");
        assert_eq!(written(Millis(0)), "1970-01-01T00:00:00.000Z");
    }
}
