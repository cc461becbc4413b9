//! One connection and its transactions: what is written waits for nobody and travels with the next statement whose answer is
//! wanted, or with COMMIT.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::BytesMut;
use futures_util::future::join;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::chain;
use super::server::Server;
use super::statement::{
    Column, Encoded, Failed, Given, Sent, Unencodable, deleted_by_columns, inserted_from_columns, merged, row_of, run_all,
};
use crate::error::{Result, StoreError, panic_text};
use crate::job::Job;
use crate::tx::{Answer, Inner, Tx};
use crate::value::Value;

/// A node that is frozen in the middle of a transaction must not keep its row locks: others could never take over.
///
/// Every statement that mail depends on has its index (a test says so), but a plan made while a table is new and empty may go
/// through all of it, or join all of it, and is kept while the table grows. Without JIT, which the price put on such a scan would call.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '30s';
                       SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Transactions after which a session has its plans made anew for the first time, and how much longer it keeps them each time:
/// an index chosen for an empty table may be one that finds a whole account where one row is wanted, until PostgreSQL next
/// takes statistics by itself.
const FIRST_PLANS: u64 = 16;
const LONGER: u64 = 4;

/// Merged statements that a connection keeps: each is one combination of tables with one row and with many.
const MERGED_MAX: usize = 256;

/// Why a transaction did not stand.
pub(super) enum Failure {
    /// Nothing was begun: the connection was closed.
    NotBegun,
    /// The same closure may succeed.
    Retry(StoreError),
    /// It will not.
    Final(StoreError),
}

/// One connection with its prepared statements.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
    statements: HashMap<Arc<str>, Statement>,
    /// Statements merged of others, by the places of those others' texts, which stay in `statements`.
    merged: HashMap<Vec<usize>, (Arc<str>, Statement)>,
    /// Whether the last error was one after which the same closure may succeed.
    again: bool,
    /// Whether a statement of the open transaction failed: PostgreSQL then answers COMMIT with a rollback and no error.
    failed: bool,
    /// How far the transaction is.
    stage: Stage,
    /// Statements that travel with the next one whose answer is wanted, or with COMMIT.
    waiting: Vec<Sent>,
    /// Answers of this transaction, by their places.
    answers: Vec<Answer>,
    /// Transactions so far, and after how many plans are made anew.
    transactions: u64,
    plans_until: u64,
}

/// How far a transaction is: BEGIN travels with the first statement and COMMIT, where it can, with the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent yet; this text begins the transaction.
    Wanted(&'static str),
    /// BEGIN was sent and failed, as on a connection that the server has closed.
    NotBegun,
    /// Open.
    Begun,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    pub(crate) fn connect(server: &Server) -> Result<Session> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (client, connection) = runtime.block_on(server.connect())?;
        runtime.spawn(async move {
            // Its end shows as `client.is_closed()`.
            let _ = connection.await;
        });
        let mut session = Session {
            runtime,
            client,
            statements: HashMap::new(),
            merged: HashMap::new(),
            again: false,
            failed: false,
            stage: Stage::Begun,
            waiting: Vec::new(),
            answers: Vec::new(),
            transactions: 0,
            plans_until: FIRST_PLANS,
        };
        session.batch(SESSION)?;
        Ok(session)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a closure in a transaction.
    ///
    /// A closure may be run again though the server did commit what it sent last and only its answer was lost: all ids are
    /// taken before, so that a primary key refuses what is there already.
    pub(super) fn transaction(
        &mut self,
        job: &mut Job,
        read_only: bool,
    ) -> std::result::Result<Box<dyn std::any::Any + Send>, Failure> {
        let begin = if read_only { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        (self.again, self.failed, self.stage) = (false, false, Stage::Wanted(begin));
        self.waiting.clear();
        self.answers.clear();
        let outcome = {
            let mut tx = Tx { inner: Inner::Postgres(self) };
            catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
                .unwrap_or_else(|payload| Err(StoreError::Panicked(panic_text(payload.as_ref()))))
        };
        // Also when the connection was found closed before BEGIN could be sent.
        if self.stage == Stage::NotBegun || (matches!(self.stage, Stage::Wanted(_)) && self.client.is_closed()) {
            return Err(Failure::NotBegun);
        }
        match outcome {
            Ok(_) if self.failed => {
                self.roll_back();
                Err(Failure::Final(StoreError::Statement("a statement failed and its closure went on".into())))
            }
            // A closure that asked for nothing needs no transaction.
            Ok(value) if matches!(self.stage, Stage::Wanted(_)) && self.waiting.is_empty() => Ok(value),
            Ok(value) if read_only && self.waiting.is_empty() => {
                self.send_only("COMMIT");
                Ok(value)
            }
            Ok(value) => match self.commit() {
                Ok(()) => Ok(value),
                Err(_) if self.stage == Stage::NotBegun => Err(Failure::NotBegun),
                Err(error) if self.again => Err(Failure::Retry(error)),
                Err(error) => Err(Failure::Final(error)),
            },
            Err(error) => {
                let again = self.again;
                self.roll_back();
                if again { Err(Failure::Retry(error)) } else { Err(Failure::Final(error)) }
            }
        }
    }

    fn roll_back(&mut self) {
        self.waiting.clear();
        if self.stage == Stage::Begun {
            let _ = self.batch("ROLLBACK");
        }
    }

    fn statement(&mut self, sql: &str) -> Result<(Arc<str>, Statement)> {
        if let Some((text, statement)) = self.statements.get_key_value(sql) {
            return Ok((Arc::clone(text), statement.clone()));
        }
        let statement = self.prepared(sql)?;
        let text: Arc<str> = sql.into();
        self.statements.insert(Arc::clone(&text), statement.clone());
        Ok((text, statement))
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement> {
        let prepared = self.runtime.block_on(self.client.prepare(sql));
        prepared.map_err(|error| self.convert(&error, sql))
    }

    /// A place for an answer.
    pub(crate) fn place(&mut self) -> usize {
        self.answers.push(Answer::default());
        self.answers.len() - 1
    }

    /// Puts a statement behind those that wait to travel; `place` is where its answer is wanted.
    pub(crate) fn send(&mut self, sql: &str, values: &[Value<'_>], place: Option<usize>) -> Result<()> {
        let params: Vec<&dyn ToSql> = values.iter().map(|value| value as _).collect();
        self.put(sql, &params, place)
    }

    pub(crate) fn insert_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<()> {
        match rows {
            [row] => self.send(sql, row, None),
            _ => self.send_columns(sql, inserted_from_columns, rows, None),
        }
    }

    /// As [`Session::send`], for each row.
    pub(crate) fn send_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]], place: Option<usize>) -> Result<()> {
        match rows {
            [_, _, ..] if sql.split_whitespace().next() == Some("DELETE") => {
                self.send_columns(sql, deleted_by_columns, rows, place)
            }
            _ => rows.iter().try_for_each(|row| self.send(sql, row, place)),
        }
    }

    /// Sends one statement for all rows, with an array for each of their columns.
    fn send_columns<const N: usize>(
        &mut self,
        sql: &str,
        rewrite: fn(&str, &[Type]) -> Result<String>,
        rows: &[[Value<'_>; N]],
        place: Option<usize>,
    ) -> Result<()> {
        let text = rewrite(sql, self.statement(sql)?.1.params())?;
        let columns: Vec<Column<'_, N>> = (0..N).map(|at| Column { rows, at }).collect();
        let params: Vec<&dyn ToSql> = columns.iter().map(|column| column as _).collect();
        self.put(&text, &params, place)
    }

    fn put(&mut self, sql: &str, params: &[&dyn ToSql], place: Option<usize>) -> Result<()> {
        let (sql, statement) = self.statement(sql)?;
        let kinds = statement.params();
        if params.len() != kinds.len() {
            let (given, wanted) = (params.len(), kinds.len());
            return Err(StoreError::Statement(format!("{given} values where {wanted} are wanted in {sql:?}")));
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
            Some((sql, statement)) => (Arc::clone(sql), statement.clone()),
            None => {
                let texts: Vec<(&str, usize)> = inserts.iter().map(|insert| (&*insert.sql, insert.params.len())).collect();
                let text = merged(&texts);
                let made = (Arc::from(text.as_str()), self.prepared(&text)?);
                if self.merged.len() >= MERGED_MAX {
                    // The server forgets those that nobody holds any more.
                    self.merged.clear();
                }
                self.merged.insert(key, made.clone());
                made
            }
        };
        let params = inserts.into_iter().flat_map(|insert| insert.params).collect();
        Ok(Some(Sent { sql, statement, params, place: None }))
    }

    /// Sends everything that waits, without waiting in between: one round trip.
    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let sent = self.take_waiting()?;
        let done = drive(&self.runtime, &self.client, &mut self.stage, run_all(&self.client, &sent));
        self.take_answers(&sent, done)
    }

    /// Sends everything that waits, and COMMIT behind it.
    fn commit(&mut self) -> Result<()> {
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

    fn take_answers(&mut self, sent: &[Sent], done: std::result::Result<Vec<Given>, Failed>) -> Result<()> {
        let given = done.map_err(|(error, sql)| self.convert(&error, &sql))?;
        for (sent, given) in sent.iter().zip(given) {
            let Some(answer) = sent.place.and_then(|place| self.answers.get_mut(place)) else { continue };
            answer.changed += given.changed;
            for row in &given.rows {
                match row_of(row) {
                    Ok(row) => answer.rows.push(row),
                    Err(error) => return Err(self.convert(&error, &sent.sql)),
                }
            }
        }
        Ok(())
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.flush()?;
        let work = async { self.client.batch_execute(sql).await.map_err(|error| (error, sql.into())) };
        let done = drive(&self.runtime, &self.client, &mut self.stage, work);
        done.map_err(|(error, sql)| self.convert(&error, &sql))
    }

    /// Has all plans made anew now and then, for tables that have grown since.
    pub(super) fn renew_plans(&mut self) {
        self.transactions += 1;
        if self.transactions >= self.plans_until {
            self.plans_until = self.plans_until.saturating_mul(LONGER);
            self.send_only("DISCARD PLANS");
        }
    }

    /// Sends what cannot fail, such as the end of a transaction that changed nothing; its answer is read with those of the next.
    fn send_only(&self, text: &str) {
        self.runtime.block_on(async {
            let mut sent = std::pin::pin!(self.client.batch_execute(text));
            let _ = futures_util::poll!(&mut sent);
            // The task that owns the socket writes now.
            tokio::task::yield_now().await;
        });
    }

    pub(crate) fn prepare_only(&mut self, sql: &str) -> Result<()> {
        self.statement(sql).map(|_| ())
    }

    fn convert(&mut self, error: &tokio_postgres::Error, sql: &str) -> StoreError {
        self.failed = true;
        let Some(code) = error.code() else { return StoreError::Unavailable(chain(error)) };
        self.again = matches!(*code, SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED);
        let text = chain(error);
        if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
            return StoreError::Unavailable(text);
        }
        match code.code().get(..2) {
            // Unique and other constraints.
            Some("23") => StoreError::Conflict(text),
            // Connection, resources (disk full), a lock not had in time, operator intervention, system error, retry classes.
            Some("08" | "53" | "55" | "57" | "58" | "40") => StoreError::Unavailable(text),
            _ => StoreError::Statement(format!("{text} in {sql:?}")),
        }
    }
}

/// Runs statements, with BEGIN in front of them when that was not sent yet: all travel together.
fn drive<T>(
    runtime: &tokio::runtime::Runtime,
    client: &Client,
    stage: &mut Stage,
    work: impl Future<Output = std::result::Result<T, Failed>>,
) -> std::result::Result<T, Failed> {
    let Stage::Wanted(begin) = *stage else { return runtime.block_on(work) };
    // Polled in this order, so sent in this order.
    let (begun, done) = runtime.block_on(join(client.batch_execute(begin), work));
    *stage = if begun.is_ok() { Stage::Begun } else { Stage::NotBegun };
    begun.map_err(|error| (error, begin.into())).and(done)
}
