//! The real clock: the one place of the product that asks the operating system for the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use desk::clock::{Clock, Millis};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock that everything else is given")]
    fn now(&self) -> Millis {
        // A clock before 1970 is a broken one; 0 keeps the desk working until it is set.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }
}

/// A time as people and programs read it: RFC 3339 in UTC with milliseconds.
#[must_use]
pub(crate) fn written(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |time| format!("{time:.3}"))
}

/// A time in tables and texts: to the minute, and said to be UTC.
#[must_use]
pub(crate) fn short(at: Millis) -> String {
    let long = written(at);
    long.get(..16).map_or(long.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_programs_and_for_tables() {
        assert_eq!(written(1_794_000_000_123), "2026-11-06T21:20:00.123Z");
        assert_eq!(short(1_794_000_000_123), "2026-11-06 21:20 UTC");
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
    }
}
