//! Time as a value.

/// Unix milliseconds, UTC.
pub type Millis = i64;

/// Milliseconds of a minute.
pub const MINUTE: Millis = 60_000;
/// Milliseconds of an hour.
pub const HOUR: Millis = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: Millis = 24 * HOUR;

/// Where the shell rooms get the time from; the product has one real one, tests turn theirs by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now.
    fn now(&self) -> Millis;
}
