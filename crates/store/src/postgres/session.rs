//! One connection and its transactions: what is written waits for nobody and travels with the next statement whose answer is
//! wanted, or with COMMIT.

mod pipeline;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::future::join;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use super::chain;
use super::recent::Recent;
use super::server::Server;
use super::statement::{Failed, Sent};
use crate::error::{Result, StoreError, panic_text};
use crate::job::Job;
use crate::tx::{Answer, Inner, Tx};

/// A node that is frozen in the middle of a transaction must not keep its row locks: others could never take over.
///
/// Every statement that mail depends on has its index (a test says so), but a plan made while a table is new and empty may go
/// through all of it, or join all of it, and is kept while the table grows. Without JIT, which the price put on such a scan would call.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '30s';
                       SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Gives a transaction the planner's own choice: a list or a page may well go through a whole table, or join it, and each asks for
/// something else. Statements keep the plans they were made with, so those of pages are prepared by themselves.
const BEGIN_PAGE: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan TO DEFAULT;
                          SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT;
                          SET LOCAL plan_cache_mode = force_custom_plan";

/// Statements that a connection keeps prepared, of decisions and of pages each. There are some two hundred texts, most of them
/// with lists of a few lengths; conditions of views make more.
pub(crate) const STATEMENTS_MAX: usize = 512;
/// Merged statements that it keeps: each is one combination of tables with one row and with many.
const MERGED_MAX: usize = 256;

/// What a transaction may do, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    /// Reads for decisions, and whatever must not be late.
    Read,
    /// Reads a list or a page.
    ReadPage,
}

impl Access {
    fn begin(self) -> &'static str {
        match self {
            Access::Write => "BEGIN",
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::ReadPage => BEGIN_PAGE,
        }
    }
}

/// Transactions after which a session replans for the first time, and how much longer it keeps its plans each time:
/// an index chosen for an empty table may be one that finds a whole account where one row is wanted, until PostgreSQL next
/// takes statistics by itself.
const FIRST_PLANS: u64 = 16;
const LONGER: u64 = 4;

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
    statements: Recent<Arc<str>, Prepared>,
    /// Those of pages.
    page_statements: Recent<Arc<str>, Prepared>,
    /// Statements merged of others, by the places of those others' texts.
    merged: Recent<Vec<usize>, Merged>,
    /// For whom the transaction is.
    access: Access,
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
    /// Transactions so far, and after how many the session replans.
    transactions: u64,
    plans_until: u64,
}

/// A prepared statement with its text.
type Prepared = (Arc<str>, Statement);

/// A statement merged of others, and their texts: while it is kept, no other text can have their places.
type Merged = (Prepared, Vec<Arc<str>>);

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
            statements: Recent::new(STATEMENTS_MAX),
            page_statements: Recent::new(STATEMENTS_MAX),
            merged: Recent::new(MERGED_MAX),
            access: Access::Write,
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
    /// taken before, so a primary key refuses what is there already.
    pub(super) fn transaction(
        &mut self,
        job: &mut Job,
        access: Access,
    ) -> std::result::Result<Box<dyn std::any::Any + Send>, Failure> {
        (self.again, self.failed, self.stage) = (false, false, Stage::Wanted(access.begin()));
        self.access = access;
        self.waiting.clear();
        self.answers.clear();
        let outcome = {
            let mut tx = Tx { inner: Inner::Postgres(self), clock: None };
            catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
                .unwrap_or_else(|payload| Err(StoreError::Panicked(panic_text(payload.as_ref()))))
        };
        // Also when the connection was found closed before BEGIN could be sent.
        if self.stage == Stage::NotBegun
            || (matches!(self.stage, Stage::Wanted(_)) && self.client.is_closed())
        {
            return Err(Failure::NotBegun);
        }
        match outcome {
            Ok(_) if self.failed => {
                self.roll_back();
                Err(Failure::Final(StoreError::Statement(
                    "a statement failed and its closure went on".into(),
                )))
            }
            // A closure that asked nothing needs no transaction.
            Ok(value) if matches!(self.stage, Stage::Wanted(_)) && self.waiting.is_empty() => Ok(value),
            Ok(value) if access != Access::Write && self.waiting.is_empty() => {
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

    fn statement(&mut self, sql: &str) -> Result<Prepared> {
        if let Some(known) = self.known().get(sql) {
            return Ok(known.clone());
        }
        let made: Prepared = (sql.into(), self.prepared(sql)?);
        self.known().insert(Arc::clone(&made.0), made.clone());
        Ok(made)
    }

    /// The statements of such transactions.
    fn known(&mut self) -> &mut Recent<Arc<str>, Prepared> {
        match self.access {
            Access::Write | Access::Read => &mut self.statements,
            Access::ReadPage => &mut self.page_statements,
        }
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement> {
        let prepared = self.runtime.block_on(self.client.prepare(sql));
        prepared.map_err(|error| self.convert(&error, sql))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.flush()?;
        let work = async { self.client.batch_execute(sql).await.map_err(|error| (error, sql.into())) };
        let done = drive(&self.runtime, &self.client, &mut self.stage, work);
        done.map_err(|(error, sql)| self.convert(&error, &sql))
    }

    /// Whether a query gives a row, asked in a way that leaves no snapshot open in the transaction.
    pub(super) fn has_row(&mut self, sql: &str) -> Result<bool> {
        let answered = self.runtime.block_on(self.client.simple_query(sql));
        let messages = answered.map_err(|error| self.convert(&error, sql))?;
        Ok(messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
    }

    /// Replans periodically, for tables that have grown since.
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

    #[cfg(feature = "testing")]
    pub(crate) fn prepare_only(&mut self, sql: &str) -> Result<()> {
        self.statement(sql).map(|_| ())
    }

    fn convert(&mut self, error: &tokio_postgres::Error, sql: &str) -> StoreError {
        self.failed = true;
        let Some(code) = error.code() else { return StoreError::Unavailable(chain(error)) };
        self.again = matches!(*code, SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED);
        let text = chain(error);
        // A transaction or statement that took too long: less at once may do.
        if [SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, SqlState::QUERY_CANCELED].contains(code) {
            return StoreError::TimedOut(text);
        }
        // A standby or a database set read-only; a right, a table or a column that is missing: true for all accounts alike.
        if [
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
        ]
        .contains(code)
        {
            return StoreError::Unavailable(text);
        }
        match code.code().get(..2) {
            // Unique and other constraints.
            Some("23") => StoreError::Conflict(text),
            // A value that cannot be: its encoding, its length, or that it stands twice in one statement.
            Some("21" | "22" | "54") => StoreError::Refused(format!("{text} in {sql:?}")),
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
