//! Time as a value.

use std::ops::{Add, AddAssign, Sub};

/// A point in time: Unix milliseconds, UTC. A span of time is a plain number of milliseconds, so that two points
/// cannot be added and a span cannot be taken for a point.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Later than anything.
    pub const MAX: Millis = Millis(i64::MAX);
    /// Earlier than anything; 1970 is [`Millis::default`].
    pub const MIN: Millis = Millis(i64::MIN);
}

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// So much later; what would lie beyond [`Millis::MAX`] stops there.
impl Add<i64> for Millis {
    type Output = Millis;

    fn add(self, span_ms: i64) -> Millis {
        Millis(self.0.saturating_add(span_ms))
    }
}

impl AddAssign<i64> for Millis {
    fn add_assign(&mut self, span_ms: i64) {
        *self = *self + span_ms;
    }
}

/// So much earlier; what would lie before [`Millis::MIN`] stops there.
impl Sub<i64> for Millis {
    type Output = Millis;

    fn sub(self, span_ms: i64) -> Millis {
        Millis(self.0.saturating_sub(span_ms))
    }
}

/// The span from the other to this one, negative when the other is later.
impl Sub for Millis {
    type Output = i64;

    fn sub(self, earlier: Millis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds of a minute.
pub const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// Where the shell rooms get the time from; the product has one real one, tests turn theirs by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now.
    fn now(&self) -> Millis;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_spans_keep_within_what_a_number_can_say() {
        let noon = Millis(1_000);
        assert_eq!((noon + MINUTE, noon - 1_500, Millis(400) - noon), (Millis(61_000), Millis(-500), -600));
        assert_eq!((Millis::MAX + 1, Millis::MIN - 1), (Millis::MAX, Millis::MIN));
        assert_eq!((Millis::MAX - Millis::MIN, Millis::MIN - Millis::MAX), (i64::MAX, i64::MIN));
    }

    #[test]
    fn a_time_is_a_plain_number_in_json() {
        assert_eq!(serde_json::to_string(&Some(Millis(7))).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Millis>("7").unwrap(), Millis(7));
    }
}
