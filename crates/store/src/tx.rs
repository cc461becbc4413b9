//! One transaction on either database: the only way statements are run.
//!
//! SQL is written once. `$1 …` are numbered in order of first use and used once each. A list is written `IN ($2..)`:
//! it takes all remaining values and is padded to a power of two, so that few texts are ever prepared.

use crate::error::Result;
use crate::value::{Row, Value};
use crate::{postgres, sqlite};

/// The most values in one `IN` list; longer lists are asked in several statements.
const LIST_CHUNK: usize = 512;

/// An open transaction. It commits when the closure that got it returns `Ok`.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(crate) inner: Inner<'a>,
}

/// A question whose answer is fetched later with [`Tx::rows`] or [`Tx::changed`].
///
/// SQLite answers at once. On PostgreSQL everything asked and written since the last answer travels together, in order, in one
/// round trip: with the next statement that is waited for, or with COMMIT.
#[derive(Debug)]
#[must_use = "an error of the statement shows when its answer is fetched, or at the end of the transaction"]
pub struct Asked(Reply);

#[derive(Debug)]
enum Reply {
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

impl Tx<'_> {
    /// Runs a query and returns all its rows.
    ///
    /// # Errors
    /// [`crate::StoreError`] as the database says.
    pub fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let asked = self.ask(sql, values)?;
        self.rows(asked)
    }

    /// Runs a query of which at most one row is wanted.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn find(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Runs a query whose text ends a list with `$n..`; `list` fills it, in as many statements as needed.
    ///
    /// An empty list asks nothing. Rows come in no order across chunks.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn query_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<Vec<Row>> {
        let asked = self.ask_in(sql, fixed, list)?;
        self.rows(asked)
    }

    /// Asks as [`Tx::query`] does, for an answer that is wanted later.
    ///
    /// # Errors
    /// As [`Tx::query`]; on PostgreSQL most of them with the answer.
    pub fn ask(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Asked> {
        Ok(Asked(match &mut self.inner {
            Inner::Sqlite(connection) => {
                Reply::Here(Answer { rows: sqlite::query(connection, sql, values)?, changed: 0 })
            }
            Inner::Postgres(session) => {
                let place = session.place();
                session.send(sql, values, Some(place))?;
                Reply::Sent(place)
            }
        }))
    }

    /// Asks as [`Tx::query_in`] does, for an answer that is wanted later.
    ///
    /// # Errors
    /// As [`Tx::ask`].
    pub fn ask_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<Asked> {
        let mut statements = list.chunks(LIST_CHUNK).map(|chunk| expand(sql, fixed, chunk));
        Ok(Asked(match &mut self.inner {
            Inner::Sqlite(connection) => {
                let mut rows = Vec::new();
                for (text, values) in statements {
                    rows.extend(sqlite::query(connection, &text, &values)?);
                }
                Reply::Here(Answer { rows, changed: 0 })
            }
            Inner::Postgres(session) => {
                let place = session.place();
                statements.try_for_each(|(text, values)| session.send(&text, &values, Some(place)))?;
                Reply::Sent(place)
            }
        }))
    }

    /// The rows that were asked for.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn rows(&mut self, asked: Asked) -> Result<Vec<Row>> {
        self.answer(asked).map(|answer| answer.rows)
    }

    /// How many rows the statements changed.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn changed(&mut self, asked: Asked) -> Result<u64> {
        self.answer(asked).map(|answer| answer.changed)
    }

    fn answer(&mut self, asked: Asked) -> Result<Answer> {
        match (asked.0, &mut self.inner) {
            (Reply::Here(answer), _) => Ok(answer),
            (Reply::Sent(place), Inner::Postgres(session)) => session.answer(place),
            (Reply::Sent(_), Inner::Sqlite(_)) => Ok(Answer::default()),
        }
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Inner::Postgres(session) => {
                let place = session.place();
                session.send(sql, values, Some(place))?;
                Ok(session.answer(place)?.changed)
            }
        }
    }

    /// As [`Tx::query_in`] for a statement; returns how many rows were changed in all.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<u64> {
        let mut changed = 0;
        for chunk in list.chunks(LIST_CHUNK) {
            let (text, values) = expand(sql, fixed, chunk);
            changed += self.execute(&text, &values)?;
        }
        Ok(changed)
    }

    /// Runs a statement of which nothing is wanted but that it is done.
    ///
    /// # Errors
    /// As [`Tx::query`]; on PostgreSQL with the next answer, or at the end of the transaction.
    pub fn write(&mut self, sql: &str, values: &[Value<'_>]) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute(connection, sql, values).map(drop),
            Inner::Postgres(session) => session.send(sql, values, None),
        }
    }

    /// As [`Tx::execute_in`] without a count.
    ///
    /// # Errors
    /// As [`Tx::write`].
    pub fn write_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<()> {
        list.chunks(LIST_CHUNK).try_for_each(|chunk| {
            let (text, values) = expand(sql, fixed, chunk);
            self.write(&text, &values)
        })
    }

    /// Inserts many rows with the text of a one-row `INSERT … VALUES ($1, …)`, an `ON CONFLICT` behind it allowed.
    ///
    /// SQLite runs the prepared statement in a loop; PostgreSQL gets one statement over `unnest`, so every value in the
    /// `VALUES` list must be a parameter, never a literal.
    ///
    /// # Errors
    /// As [`Tx::write`].
    pub fn insert_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute_rows(connection, sql, rows).map(drop),
            Inner::Postgres(session) => session.insert_rows(sql, rows),
        }
    }

    /// Runs one prepared statement for each row of values, for a count that is wanted later. PostgreSQL gets a DELETE once for
    /// all rows, so its columns must be those of one table.
    ///
    /// # Errors
    /// As [`Tx::ask`].
    pub fn ask_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<Asked> {
        Ok(Asked(match &mut self.inner {
            Inner::Sqlite(connection) => Reply::Here(Answer {
                rows: Vec::new(),
                changed: sqlite::execute_rows(connection, sql, rows)?,
            }),
            Inner::Postgres(session) => {
                let place = session.place();
                session.send_rows(sql, rows, Some(place))?;
                Reply::Sent(place)
            }
        }))
    }

    /// Runs one prepared statement for each row of values; returns how many rows were changed in all.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        let asked = self.ask_rows(sql, rows)?;
        self.changed(asked)
    }

    /// As [`Tx::execute_rows`] without a count.
    ///
    /// # Errors
    /// As [`Tx::write`].
    pub fn write_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute_rows(connection, sql, rows).map(drop),
            Inner::Postgres(session) => session.send_rows(sql, rows, None),
        }
    }

    /// Runs statements that take no values, as migrations do.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::batch(connection, sql),
            Inner::Postgres(session) => session.batch(sql),
        }
    }

    /// Prepares a statement without running it.
    ///
    /// # Errors
    /// [`crate::StoreError::Statement`] with the database's words when it does not accept the text.
    pub fn prepare(&mut self, sql: &str) -> Result<()> {
        let (text, _) = expand(sql, &[], &[Value::Null, Value::Null]);
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::prepare(connection, &text),
            Inner::Postgres(session) => session.prepare_only(&text),
        }
    }
}

/// Replaces `$n..` by as many parameters as the padded list has, and returns the values to bind.
fn expand<'v>(sql: &str, fixed: &[Value<'v>], list: &[Value<'v>]) -> (String, Vec<Value<'v>>) {
    let mut values = fixed.to_vec();
    let Some((head, tail)) = sql.split_once("..") else {
        values.extend_from_slice(list);
        return (sql.to_owned(), values);
    };
    let padded = list.len().next_power_of_two();
    let last = list.last().copied().unwrap_or(Value::Null);
    values.extend_from_slice(list);
    values.extend(std::iter::repeat_n(last, padded - list.len()));
    let first: usize = head.rsplit('$').next().and_then(|digits| digits.parse().ok()).unwrap_or(1);
    let mut text = String::with_capacity(sql.len() + padded * 5);
    text.push_str(head);
    for number in first + 1..first + padded {
        text.push_str(", $");
        text.push_str(&number.to_string());
    }
    text.push_str(tail);
    (text, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_padded_to_a_power_of_two_with_the_last_value() {
        let (text, values) =
            expand("a = $1 AND b IN ($2..) ORDER", &[Value::Int(1)], &[2, 3, 4].map(Value::Int));
        assert_eq!(text, "a = $1 AND b IN ($2, $3, $4, $5) ORDER");
        assert_eq!(values, [1, 2, 3, 4, 4].map(Value::Int));
    }
}
