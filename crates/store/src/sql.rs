//! How statements are run, the same for all tables: on one account's data through [`crate::AccountTx`], on what all
//! accounts share through [`Tx`].
//!
//! SQL is written once for both databases. Values are bound by number, so `$1` may stand anywhere in a text. A list is
//! written `IN ($2..)`: it takes all values from that number on and is padded to a power of two, so that few texts are ever
//! prepared.

use crate::error::{Result, StoreError};
use crate::tx::{Answer, Asked, Inner, Reply, Tx};
use crate::value::{Bound, Row, Rows, Value};
use crate::{postgres, sqlite};

use desk::id::AccountId;

/// The most values in one `IN` list; longer lists are asked in several statements.
const LIST_CHUNK: usize = 512;

/// Where a statement runs, and for which account.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "tests reach it, by the feature `testing`")]
pub struct Target<'t> {
    pub(crate) database: Database<'t>,
    /// Bound as `$1`, on one account's data.
    pub(crate) account: Option<AccountId>,
}

/// The connection of the open transaction.
#[derive(Debug)]
pub(crate) enum Database<'t> {
    Sqlite(&'t rusqlite::Connection),
    Postgres(&'t mut postgres::Session),
}

/// Runs statements. Only this crate names tables: it is not exported except to tests.
#[allow(unreachable_pub, reason = "tests reach it, by the feature `testing`")]
pub trait Sql {
    /// Where the statements run.
    fn target(&mut self) -> Target<'_>;

    /// Runs a query and returns all its rows.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let asked = self.ask(sql, values)?;
        self.rows(asked)
    }

    /// Runs a query of which at most one row is wanted.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn find(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Runs a query whose text ends a list with `$n..`; `list` fills it, in as many statements as needed.
    ///
    /// An empty list asks nothing. Rows come in no order across chunks.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn query_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<Vec<Row>> {
        let asked = self.ask_in(sql, fixed, list)?;
        self.rows(asked)
    }

    /// Asks as [`Sql::query`] does, for an answer that is wanted later.
    ///
    /// # Errors
    /// As [`Sql::query`]; on PostgreSQL most of them with the answer.
    fn ask(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Asked> {
        let Target { database, account } = self.target();
        let bound = Bound { account, values };
        Ok(Asked(match database {
            Database::Sqlite(connection) => {
                Reply::Here(Answer { rows: sqlite::query(connection, sql, bound)?, changed: 0 })
            }
            Database::Postgres(session) => {
                let place = session.place();
                session.send(sql, bound, Some(place))?;
                Reply::Sent(place)
            }
        }))
    }

    /// Asks as [`Sql::query_in`] does, for an answer that is wanted later.
    ///
    /// # Errors
    /// As [`Sql::ask`].
    fn ask_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<Asked> {
        let Target { database, account } = self.target();
        let mut statements = list.chunks(LIST_CHUNK).map(|chunk| expand(sql, fixed, chunk));
        Ok(Asked(match database {
            Database::Sqlite(connection) => {
                let mut rows = Vec::new();
                for (text, values) in statements {
                    rows.extend(sqlite::query(connection, &text, Bound { account, values: &values })?);
                }
                Reply::Here(Answer { rows, changed: 0 })
            }
            Database::Postgres(session) => {
                let place = session.place();
                statements.try_for_each(|(text, values)| {
                    session.send(&text, Bound { account, values: &values }, Some(place))
                })?;
                Reply::Sent(place)
            }
        }))
    }

    /// The rows that were asked for.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn rows(&mut self, asked: Asked) -> Result<Vec<Row>> {
        answer(self.target().database, asked).map(|answer| answer.rows)
    }

    /// How many rows the statements changed.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn changed(&mut self, asked: Asked) -> Result<u64> {
        answer(self.target().database, asked).map(|answer| answer.changed)
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let Target { database, account } = self.target();
        let bound = Bound { account, values };
        match database {
            Database::Sqlite(connection) => sqlite::execute(connection, sql, bound),
            Database::Postgres(session) => {
                let place = session.place();
                session.send(sql, bound, Some(place))?;
                Ok(session.answer(place)?.changed)
            }
        }
    }

    /// As [`Sql::query_in`] for a statement; returns how many rows were changed in all.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn execute_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<u64> {
        let mut changed = 0;
        for chunk in list.chunks(LIST_CHUNK) {
            let (text, values) = expand(sql, fixed, chunk);
            changed += self.execute(&text, &values)?;
        }
        Ok(changed)
    }

    /// Runs a statement of which nothing is wanted except that it is done.
    ///
    /// # Errors
    /// As [`Sql::query`]; on PostgreSQL with the next answer, or at the end of the transaction.
    fn write(&mut self, sql: &str, values: &[Value<'_>]) -> Result<()> {
        let Target { database, account } = self.target();
        let bound = Bound { account, values };
        match database {
            Database::Sqlite(connection) => sqlite::execute(connection, sql, bound).map(drop),
            Database::Postgres(session) => session.send(sql, bound, None),
        }
    }

    /// As [`Sql::execute_in`] without a count.
    ///
    /// # Errors
    /// As [`Sql::write`].
    fn write_in(&mut self, sql: &str, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<()> {
        list.chunks(LIST_CHUNK).try_for_each(|chunk| {
            let (text, values) = expand(sql, fixed, chunk);
            self.write(&text, &values)
        })
    }

    /// Inserts many rows with the text of a one-row `INSERT … VALUES ($1, …)`, optionally followed by `ON CONFLICT`.
    ///
    /// SQLite runs the prepared statement in a loop; PostgreSQL gets one statement over `unnest`, so every value in the
    /// `VALUES` list must be a parameter, never a literal.
    ///
    /// # Errors
    /// As [`Sql::write`].
    fn insert_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let Target { database, account } = self.target();
        match database {
            Database::Sqlite(connection) => {
                sqlite::execute_rows(connection, sql, Rows { account, rows }).map(drop)
            }
            Database::Postgres(session) => session.insert_rows(sql, Rows { account, rows }),
        }
    }

    /// Runs one prepared statement for each row of values, for a count that is wanted later. PostgreSQL gets a DELETE once for
    /// all rows, so its columns must be those of one table.
    ///
    /// # Errors
    /// As [`Sql::ask`].
    fn ask_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<Asked> {
        let Target { database, account } = self.target();
        let rows = Rows { account, rows };
        Ok(Asked(match database {
            Database::Sqlite(connection) => Reply::Here(Answer {
                rows: Vec::new(),
                changed: sqlite::execute_rows(connection, sql, rows)?,
            }),
            Database::Postgres(session) => {
                let place = session.place();
                session.send_rows(sql, rows, Some(place))?;
                Reply::Sent(place)
            }
        }))
    }

    /// Runs one prepared statement for each row of values; returns how many rows were changed in all.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn execute_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        let asked = self.ask_rows(sql, rows)?;
        self.changed(asked)
    }

    /// As [`Sql::execute_rows`] without a count.
    ///
    /// # Errors
    /// As [`Sql::write`].
    fn write_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<()> {
        let Target { database, account } = self.target();
        let rows = Rows { account, rows };
        match database {
            Database::Sqlite(connection) => sqlite::execute_rows(connection, sql, rows).map(drop),
            Database::Postgres(session) => session.send_rows(sql, rows, None),
        }
    }

    /// Runs statements that take no values, as migrations do.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn batch(&mut self, sql: &str) -> Result<()> {
        match self.target().database {
            Database::Sqlite(connection) => sqlite::batch(connection, sql),
            Database::Postgres(session) => session.batch(sql),
        }
    }

    #[cfg(feature = "testing")]
    /// Prepares a statement without running it.
    ///
    /// # Errors
    /// [`StoreError::Statement`] with the database's words when it does not accept the text.
    fn prepare(&mut self, sql: &str) -> Result<()> {
        let (text, _) = expand(sql, &[], &[Value::Null, Value::Null]);
        match self.target().database {
            Database::Sqlite(connection) => sqlite::prepare(connection, &text),
            Database::Postgres(session) => session.prepare_only(&text),
        }
    }
}

impl Sql for Tx<'_> {
    fn target(&mut self) -> Target<'_> {
        let database = match &mut self.inner {
            Inner::Sqlite(connection) => Database::Sqlite(connection),
            Inner::Postgres(session) => Database::Postgres(session),
        };
        Target { database, account: None }
    }
}

fn answer(database: Database<'_>, asked: Asked) -> Result<Answer> {
    match (asked.0, database) {
        (Reply::Here(answer), _) => Ok(answer),
        (Reply::Sent(place), Database::Postgres(session)) => session.answer(place),
        (Reply::Sent(_), Database::Sqlite(_)) => {
            Err(StoreError::Statement("an answer was asked for in another transaction".into()))
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

    #[test]
    fn a_list_may_stand_before_a_value_with_a_smaller_number() {
        let (text, _) = expand("b IN ($3..) AND c = $2", &[], &[2, 3].map(Value::Int));
        assert_eq!(text, "b IN ($3, $4) AND c = $2");
    }
}
