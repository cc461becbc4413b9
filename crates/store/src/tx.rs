//! One transaction on either database.

use std::sync::Arc;

use desk::clock::Clock;

use crate::postgres;
use crate::value::Row;

/// An open transaction. It commits when the closure that got it returns `Ok`.
///
/// An account's data is reached through [`Tx::account`] alone.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(crate) inner: Inner<'a>,
    /// What counts as the database's clock, in tests that turn it; none: the database's own.
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

/// A question whose answer is fetched later.
///
/// SQLite answers at once. On PostgreSQL everything asked and written since the last answer travels together, in order, in one
/// round trip: with the next statement that is waited for, or with COMMIT.
#[derive(Debug)]
#[must_use = "an error of the statement shows when its answer is fetched, or at the end of the transaction"]
pub struct Asked(pub(crate) Reply);

#[derive(Debug)]
pub(crate) enum Reply {
    Here(Answer),
    /// A place among the session's answers.
    Sent(usize),
}

/// What statements gave.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    pub(crate) changed: u64,
}

#[derive(Debug)]
pub(crate) enum Inner<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut postgres::Session),
}
