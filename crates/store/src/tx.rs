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

/// Rows for one insert of [`Tx::insert_last`]; its text is as for [`Tx::insert_rows`].
#[derive(Debug)]
pub(crate) struct Insert<'r, 'v> {
    pub(crate) sql: &'r str,
    pub(crate) rows: Vec<&'r [Value<'v>]>,
}

impl<'r, 'v> Insert<'r, 'v> {
    pub(crate) fn new<const N: usize>(sql: &'r str, rows: &'r [[Value<'v>; N]]) -> Insert<'r, 'v> {
        Insert { sql, rows: rows.iter().map(<[Value<'v>; N]>::as_slice).collect() }
    }
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
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::query(connection, sql, values),
            Inner::Postgres(session) => session.query(sql, values),
        }
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
        let mut rows = Vec::new();
        for chunk in list.chunks(LIST_CHUNK) {
            let (text, values) = expand(sql, fixed, chunk);
            rows.extend(self.query(&text, &values)?);
        }
        Ok(rows)
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Inner::Postgres(session) => session.execute(sql, values),
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

    /// Inserts many rows with the text of a one-row `INSERT … VALUES ($1, …)`, an `ON CONFLICT` behind it allowed.
    ///
    /// SQLite runs the prepared statement in a loop; PostgreSQL gets one statement over `unnest`, so every value in the
    /// `VALUES` list must be a parameter, never a literal.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn insert_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute_rows(connection, sql, rows),
            Inner::Postgres(session) => session.insert_rows(sql, rows),
        }
    }

    /// The last inserts of a transaction. PostgreSQL commits with them, in the same round trip: nothing may follow, and the
    /// closure must return `Ok` when this did.
    ///
    /// # Errors
    /// As [`Tx::query`]; nothing of the transaction stays then.
    pub(crate) fn insert_last(&mut self, inserts: &[Insert<'_, '_>]) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                inserts.iter().try_for_each(|insert| sqlite::execute_rows(connection, insert.sql, &insert.rows).map(drop))
            }
            Inner::Postgres(session) => session.insert_last(inserts),
        }
    }

    /// Runs one prepared statement for each row of values, pipelined where that saves round trips.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        match &mut self.inner {
            Inner::Sqlite(connection) => sqlite::execute_rows(connection, sql, rows),
            Inner::Postgres(session) => session.execute_rows(sql, rows),
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
        let (text, values) = expand("a = $1 AND b IN ($2..) ORDER", &[Value::Int(1)], &[2, 3, 4].map(Value::Int));
        assert_eq!(text, "a = $1 AND b IN ($2, $3, $4, $5) ORDER");
        assert_eq!(values, [1, 2, 3, 4, 4].map(Value::Int));
    }
}
