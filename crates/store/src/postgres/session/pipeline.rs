//! Statements of a transaction on their way: they wait for the next one whose answer is wanted, or for COMMIT.

use std::sync::Arc;

use bytes::BytesMut;
use futures_util::future::join;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::super::statement::{
    Column, Done, Encoded, Failed, Given, Sent, Unencodable, deleted_by_columns, inserted_from_columns,
    merged, row_of, run_all,
};
use super::{Session, Stage, drive};
use crate::error::{Result, StoreError};
use crate::tx::Answer;
use crate::value::{Bound, Rows, Value};

impl Session {
    /// A place for an answer.
    pub(crate) fn place(&mut self) -> usize {
        self.answers.push(Answer::default());
        self.answers.len() - 1
    }

    /// Adds a statement to those that wait to travel; `place` is where its answer is wanted.
    pub(crate) fn send(&mut self, sql: &str, bound: Bound<'_>, place: Option<usize>) -> Result<()> {
        let account = bound.account.map(Value::from);
        let params: Vec<&dyn ToSql> = account.iter().chain(bound.values).map(|value| value as _).collect();
        self.put(sql, &params, place)
    }

    pub(crate) fn insert_rows<const N: usize>(&mut self, sql: &str, rows: Rows<'_, N>) -> Result<()> {
        match rows.rows {
            [row] => self.send(sql, Bound { account: rows.account, values: row }, None),
            _ => self.send_columns(sql, inserted_from_columns, rows, None),
        }
    }

    /// As [`Session::send`], for each row.
    pub(crate) fn send_rows<const N: usize>(
        &mut self,
        sql: &str,
        rows: Rows<'_, N>,
        place: Option<usize>,
    ) -> Result<()> {
        match rows.rows {
            [_, _, ..] if sql.split_whitespace().next() == Some("DELETE") => {
                self.send_columns(sql, deleted_by_columns, rows, place)
            }
            each => each
                .iter()
                .try_for_each(|row| self.send(sql, Bound { account: rows.account, values: row }, place)),
        }
    }

    /// Sends one statement for all rows: their account as it is, and an array for each of their columns.
    fn send_columns<const N: usize>(
        &mut self,
        sql: &str,
        rewrite: fn(&str, &Given<'_>) -> Result<String>,
        rows: Rows<'_, N>,
        place: Option<usize>,
    ) -> Result<()> {
        let statement = self.statement(sql)?.1;
        let text = rewrite(sql, &Given { types: statement.params(), has_account: rows.account.is_some() })?;
        let account = rows.account.map(Value::from);
        let columns: Vec<Column<'_, N>> = (0..N).map(|at| Column { rows: rows.rows, at }).collect();
        let columns = columns.iter().map(|column| column as &dyn ToSql);
        let params: Vec<&dyn ToSql> = account.iter().map(|value| value as _).chain(columns).collect();
        self.put(&text, &params, place)
    }

    fn put(&mut self, sql: &str, params: &[&dyn ToSql], place: Option<usize>) -> Result<()> {
        let (sql, statement) = self.statement(sql)?;
        let kinds = statement.params();
        if params.len() != kinds.len() {
            let (given, wanted) = (params.len(), kinds.len());
            return Err(StoreError::Statement(format!(
                "{given} values where {wanted} are wanted in {sql:?}"
            )));
        }
        let encode = |(param, kind): (&&dyn ToSql, &Type)| {
            let mut bytes = BytesMut::new();
            let is_null = matches!(param.to_sql_checked(kind, &mut bytes)?, IsNull::Yes);
            Ok(Encoded((!is_null).then(|| bytes.freeze())))
        };
        let params = params.iter().zip(kinds).map(encode).collect::<std::result::Result<_, Unencodable>>();
        let params = params.map_err(|error| StoreError::Statement(format!("{error} in {sql:?}")))?;
        self.waiting.push(Sent { sql, statement, params, place });
        Ok(())
    }

    /// What the statements of a place gave; sends all that wait first when it is not there yet.
    pub(crate) fn answer(&mut self, place: usize) -> Result<Answer> {
        self.flush()?;
        Ok(self.answers.get_mut(place).map(std::mem::take).unwrap_or_default())
    }

    /// What waits, with inserts into several tables made one statement where nothing stands between them: each statement has an
    /// answer, and each answer wakes this thread.
    fn take_waiting(&mut self) -> Result<Vec<Sent>> {
        let mut sent = Vec::with_capacity(self.waiting.len());
        let mut inserts: Vec<Sent> = Vec::new();
        for next in std::mem::take(&mut self.waiting) {
            let table = next.table();
            // The parts of one statement do not see each other.
            if table.is_none() || inserts.iter().any(|insert| insert.table() == table) {
                sent.extend(self.merged(std::mem::take(&mut inserts))?);
            }
            if table.is_some() { inserts.push(next) } else { sent.push(next) }
        }
        sent.extend(self.merged(inserts)?);
        Ok(sent)
    }

    fn merged(&mut self, mut inserts: Vec<Sent>) -> Result<Option<Sent>> {
        if inserts.len() < 2 {
            return Ok(inserts.pop());
        }
        let key: Vec<usize> = inserts.iter().map(|insert| insert.sql.as_ptr().addr()).collect();
        let (sql, statement) = match self.merged.get(&key) {
            Some((made, _)) => made.clone(),
            None => {
                let texts: Vec<(&str, usize)> =
                    inserts.iter().map(|insert| (&*insert.sql, insert.params.len())).collect();
                let text = merged(&texts);
                let made: super::Prepared = (Arc::from(text.as_str()), self.prepared(&text)?);
                let parts = inserts.iter().map(|insert| Arc::clone(&insert.sql)).collect();
                self.merged.insert(key, (made.clone(), parts));
                made
            }
        };
        let params = inserts.into_iter().flat_map(|insert| insert.params).collect();
        Ok(Some(Sent { sql, statement, params, place: None }))
    }

    /// Sends everything that waits, without waiting in between: one round trip.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let sent = self.take_waiting()?;
        let done = drive(&self.runtime, &self.client, &mut self.stage, run_all(&self.client, &sent));
        self.take_answers(&sent, done)
    }

    /// Sends everything that waits, followed by COMMIT.
    pub(super) fn commit(&mut self) -> Result<()> {
        let sent = self.take_waiting()?;
        let client = &self.client;
        // One statement is a transaction by itself.
        if matches!((self.stage, sent.as_slice()), (Stage::Wanted(_), [_])) {
            let done = self.runtime.block_on(run_all(client, &sent));
            if done.is_err() && client.is_closed() {
                self.stage = Stage::NotBegun;
            }
            return self.take_answers(&sent, done);
        }
        let work = async {
            // A statement that fails turns this COMMIT into a rollback; its own error tells.
            let (done, committed) = join(run_all(client, &sent), client.batch_execute("COMMIT")).await;
            done.and_then(|answers| committed.map(|()| answers).map_err(|error| (error, "COMMIT".into())))
        };
        let done = drive(&self.runtime, client, &mut self.stage, work);
        self.take_answers(&sent, done)
    }

    fn take_answers(&mut self, sent: &[Sent], done: std::result::Result<Vec<Done>, Failed>) -> Result<()> {
        let done = done.map_err(|(error, sql)| self.convert(&error, &sql))?;
        for (sent, done) in sent.iter().zip(done) {
            let Some(answer) = sent.place.and_then(|place| self.answers.get_mut(place)) else { continue };
            answer.changed += done.changed;
            for row in &done.rows {
                match row_of(row) {
                    Ok(row) => answer.rows.push(row),
                    Err(error) => return Err(self.convert(&error, &sent.sql)),
                }
            }
        }
        Ok(())
    }
}
