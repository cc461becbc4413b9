//! Statements on their way: values in the bytes of the wire, inserts made one, rows that come back.

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::error::{Result, StoreError};
use crate::value::{Cell, Row, Value, storable};

/// A statement on its way.
pub(super) struct Sent {
    pub(super) sql: Arc<str>,
    pub(super) statement: Statement,
    pub(super) params: Vec<Encoded>,
    pub(super) place: Option<usize>,
}

impl Sent {
    /// The table that an insert of values fills, of which no answer is wanted.
    pub(super) fn table(&self) -> Option<&str> {
        let reads_no_table = self.sql.contains(" VALUES (") || self.sql.contains(" FROM unnest(");
        let mut words = self.sql.split_whitespace();
        let is_insert = words.next() == Some("INSERT") && words.next() == Some("INTO");
        words.next().filter(|_| is_insert && reads_no_table && self.place.is_none())
    }
}

/// One text of several inserts, each with its number of parameters: all but the last as parts of a WITH.
pub(super) fn merged(inserts: &[(&str, usize)]) -> String {
    let Some(((last, _), parts)) = inserts.split_last() else { return String::new() };
    let (mut text, mut before) = (String::from("WITH"), 0);
    for (at, (sql, params)) in parts.iter().enumerate() {
        let _ = write!(text, "{} part{at} AS (", if at == 0 { "" } else { "," });
        renumber(sql, before, &mut text);
        text.push(')');
        before += params;
    }
    text.push(' ');
    renumber(last, before, &mut text);
    text
}

/// Copies a text with its parameters counted on from `before`.
fn renumber(sql: &str, before: usize, out: &mut String) {
    replace_numbers(sql, out, |number, out| {
        let _ = write!(out, "${}", number + before);
    });
}

/// Copies a text; `replace` writes what stands for each of its parameters.
fn replace_numbers(sql: &str, out: &mut String, mut replace: impl FnMut(usize, &mut String)) {
    let mut pieces = sql.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        replace(number.parse().unwrap_or_default(), out);
        out.push_str(rest);
    }
}

/// What a statement gave.
pub(super) struct Done {
    pub(super) rows: Vec<tokio_postgres::Row>,
    pub(super) changed: u64,
}

/// What went wrong, and in which statement.
pub(super) type Failed = (tokio_postgres::Error, Arc<str>);

pub(super) async fn run_all(client: &Client, sent: &[Sent]) -> std::result::Result<Vec<Done>, Failed> {
    let mut runs: Vec<_> = sent.iter().map(|sent| Box::pin(run_one(client, sent))).collect();
    // A first poll sends; answers come in the same order, so of several failures the first is the true one.
    let mut polled = Vec::with_capacity(runs.len());
    for run in &mut runs {
        polled.push(futures_util::poll!(run.as_mut()));
    }
    let mut all = Vec::with_capacity(runs.len());
    for ((run, polled), sent) in runs.into_iter().zip(polled).zip(sent) {
        let done = match polled {
            Poll::Ready(done) => done,
            Poll::Pending => run.await,
        };
        all.push(done.map_err(|error| (error, Arc::clone(&sent.sql)))?);
    }
    Ok(all)
}

async fn run_one(client: &Client, sent: &Sent) -> std::result::Result<Done, tokio_postgres::Error> {
    let params: Vec<&(dyn ToSql + Sync)> = sent.params.iter().map(|param| param as _).collect();
    // Only statements that return columns are queries: of the others the count is wanted.
    if sent.statement.columns().is_empty() {
        let changed = client.execute(&sent.statement, &params).await?;
        return Ok(Done { rows: Vec::new(), changed });
    }
    Ok(Done { rows: client.query(&sent.statement, &params).await?, changed: 0 })
}

pub(super) type Unencodable = Box<dyn std::error::Error + Sync + Send>;

/// A value in the bytes of the wire; none for NULL.
#[derive(Debug)]
pub(super) struct Encoded(pub(super) Option<Bytes>);

impl ToSql for Encoded {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Unencodable> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The parameters of a statement that is made one for many rows.
pub(super) struct Given<'t> {
    /// The types of the one-row statement's parameters, in the order of their numbers.
    pub(super) types: &'t [Type],
    /// Whether `$1` is the account, one for all rows.
    pub(super) has_account: bool,
}

impl Given<'_> {
    /// What stands for a parameter of the one-row statement.
    fn put(&self, number: usize, out: &mut String) {
        let kind = number.checked_sub(1).and_then(|at| self.types.get(at));
        let _ = match kind {
            Some(kind) if self.has_account && number == 1 => write!(out, "$1::{}", kind.name()),
            _ => write!(out, "given.v{number}"),
        };
    }

    /// The rows as a table `given`, with a column `v` and number for each of their values.
    fn table(&self) -> String {
        let columns = (1..).zip(self.types).skip(usize::from(self.has_account));
        let arrays: Vec<String> =
            columns.clone().map(|(number, kind)| format!("${number}::{}[]", kind.name())).collect();
        let names: Vec<String> = columns.map(|(number, _)| format!("v{number}")).collect();
        format!("unnest({}) AS given ({})", arrays.join(", "), names.join(", "))
    }
}

/// Turns `INSERT … VALUES ($1, …) tail` into `INSERT … SELECT $1, given.v2, … FROM unnest($2::type[], …) AS given (v2, …) tail`.
///
/// The account is a value and no array: the database sees at once where all the rows belong.
pub(super) fn inserted_from_columns(sql: &str, given: &Given<'_>) -> Result<String> {
    let wrong = || StoreError::Statement(format!("no VALUES list of parameters in {sql:?}"));
    let (head, rest) = sql.split_once("VALUES").ok_or_else(wrong)?;
    let (list, tail) =
        rest.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(wrong)?;
    if !list.split(',').all(|value| is_parameter(value.trim())) || tail.contains('$') {
        return Err(wrong());
    }
    let mut text = format!("{head}SELECT ");
    replace_numbers(list, &mut text, |number, out| given.put(number, out));
    let _ = write!(text, " FROM {}{tail}", given.table());
    Ok(text)
}

fn is_parameter(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Turns `DELETE FROM t WHERE a = $1 AND b = $2 …` into
/// `DELETE FROM t USING unnest($2::type[], …) AS given (v2, …) WHERE a = $1 AND b = given.v2 …`.
pub(super) fn deleted_by_columns(sql: &str, given: &Given<'_>) -> Result<String> {
    let wrong = || StoreError::Statement(format!("no WHERE in {sql:?}"));
    let (head, condition) = sql.split_once(" WHERE ").ok_or_else(wrong)?;
    let mut text = format!("{head} USING {} WHERE ", given.table());
    replace_numbers(condition, &mut text, |number, out| given.put(number, out));
    Ok(text)
}

/// One column of many rows, sent as a one-dimensional array without being copied first.
#[derive(Debug)]
pub(super) struct Column<'r, const N: usize> {
    pub(super) rows: &'r [[Value<'r>; N]],
    pub(super) at: usize,
}

impl<const N: usize> ToSql for Column<'_, N> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Unencodable> {
        let cells: Vec<Value<'_>> = self.rows.iter().filter_map(|row| row.get(self.at)).copied().collect();
        cells.to_sql(kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Unencodable> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Value::Int(value) => value.to_sql(kind, out),
            Value::Text(value) => storable(value).to_sql(kind, out),
            Value::Bytes(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(super) fn row_of(row: &tokio_postgres::Row) -> std::result::Result<Row, tokio_postgres::Error> {
    let mut cells = Vec::with_capacity(row.len());
    for (at, column) in row.columns().iter().enumerate() {
        cells.push(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Int),
            Type::INT4 => {
                row.try_get::<_, Option<i32>>(at)?.map_or(Cell::Null, |value| Cell::Int(value.into()))
            }
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map_or(Cell::Null, Cell::Bytes),
            _ => row.try_get::<_, Option<String>>(at)?.map_or(Cell::Null, Cell::Text),
        });
    }
    Ok(Row::new(cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(types: &[Type], has_account: bool) -> Given<'_> {
        Given { types, has_account }
    }

    #[test]
    fn a_delete_of_many_rows_is_one_statement() {
        let types = [Type::TEXT, Type::INT8];
        let sql = "delete from work WHERE kind = $1 AND id = $2";
        assert_eq!(
            deleted_by_columns(sql, &given(&types, false)).unwrap(),
            "delete from work USING unnest($1::text[], $2::int8[]) AS given (v1, v2) WHERE kind = given.v1 AND id = given.v2"
        );
        assert!(deleted_by_columns("delete from work", &given(&types, false)).is_err());
    }

    #[test]
    fn a_delete_of_many_rows_of_an_account_names_it_once() {
        let types = [Type::INT8, Type::TEXT, Type::INT8];
        let sql = "delete from spool WHERE id = $3 AND account_id = $1 AND kind = $2";
        assert_eq!(
            deleted_by_columns(sql, &given(&types, true)).unwrap(),
            "delete from spool USING unnest($2::text[], $3::int8[]) AS given (v2, v3) \
             WHERE id = given.v3 AND account_id = $1::int8 AND kind = given.v2"
        );
    }

    #[test]
    fn an_insert_of_many_rows_takes_values_in_any_order() {
        let types = [Type::INT8, Type::TEXT, Type::INT8];
        let sql = "insert into a (id, account_id, kind) VALUES ($3, $1, $2) ON CONFLICT (id) DO NOTHING";
        assert_eq!(
            inserted_from_columns(sql, &given(&types, true)).unwrap(),
            "insert into a (id, account_id, kind) SELECT given.v3, $1::int8, given.v2 \
             FROM unnest($2::text[], $3::int8[]) AS given (v2, v3) ON CONFLICT (id) DO NOTHING"
        );
        assert_eq!(
            inserted_from_columns("insert into a (b, c) VALUES ($2, $1)", &given(&types[1..], false))
                .unwrap(),
            "insert into a (b, c) SELECT given.v2, given.v1 FROM unnest($1::text[], $2::int8[]) AS given (v1, v2)"
        );
    }

    #[test]
    fn an_insert_that_cannot_be_made_one_of_many_is_refused() {
        let types = [Type::INT8, Type::TEXT];
        for sql in [
            "insert into a (b, c) SELECT $1, $2",
            "insert into a (b, c) VALUES ($1, 'x')",
            "insert into a (b, c) VALUES ($1, lower($2))",
            "insert into a (b, c) VALUES ($1, $2) ON CONFLICT (b) DO UPDATE SET c = $2",
        ] {
            assert!(inserted_from_columns(sql, &given(&types, true)).is_err(), "{sql}");
        }
    }

    #[test]
    fn inserts_are_merged_with_their_parameters_counted_on() {
        let inserts = [("put a ($1, $2)", 2), ("put b (unnest($1::int8[]))", 1), ("put c ($1, $2)", 2)];
        let text = " part0 AS (put a ($1, $2)), part1 AS (put b (unnest($3::int8[]))) put c ($4, $5)";
        assert_eq!(merged(&inserts).strip_prefix("WITH"), Some(text));
    }
}
