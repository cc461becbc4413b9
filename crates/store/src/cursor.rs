//! A place in a list by time, from which the next page is read.

use desk::clock::Millis;

/// The time and the id of the last row that was read; the next page holds what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// The row's time.
    pub at: Millis,
    /// Its id, which orders rows of one time.
    pub id: i64,
}

impl Before {
    /// Before everything was read: the first page holds the newest rows.
    pub const FIRST: Before = Before { at: Millis::MAX, id: i64::MAX };
}
