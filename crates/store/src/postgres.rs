//! The PostgreSQL side: a bounded pool of threads, each with its own connection and its own small runtime.
//!
//! A thread drives its connection itself, so a statement costs no hop to another thread, and rows of one statement
//! can be pipelined. Serialisation failures and deadlocks run the closure again; a lost connection is made anew.

mod crier;
mod server;
mod tls;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::{join, try_join_all};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::error::{Result, StoreError, panic_text};
use crate::job::{Job, Outcome};
use crate::tx::{Inner, Insert, Tx};
use crate::value::{Cell, Row, Value, storable};
use crate::work::Wakes;

use crier::Crier;
use server::Server;

/// How often a closure is run again after a serialisation failure or a deadlock.
const RETRIES: usize = 5;

/// A node that is frozen in the middle of a transaction must not keep its row locks: others could never take over.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '30s'";

enum Work {
    Read(Job),
    Write(Job),
}

/// The PostgreSQL side of the store.
#[derive(Debug)]
pub(crate) struct Postgres {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    crier: Crier,
}

impl Postgres {
    pub(crate) fn open(url: &str, connections: usize, allow_unsafe: bool, wakes: Arc<Wakes>) -> Result<Postgres> {
        let server = Server::parse(url)?;
        check_durability(&server, allow_unsafe)?;
        let (sender, receiver) = mpsc::channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for number in 0..connections.max(1) {
            let (server, receiver) = (server.clone(), Arc::clone(&receiver));
            let thread = std::thread::Builder::new()
                .name(format!("postgres-{number}"))
                .spawn(move || work_loop(&server, &receiver))
                .map_err(|error| StoreError::setup(format!("cannot start a database thread: {error}")))?;
            threads.push(thread);
        }
        let crier = Crier::start(server, wakes)?;
        Ok(Postgres { queue: Mutex::new(Some(sender)), threads: Mutex::new(threads), crier })
    }

    pub(crate) fn write(&self, job: Job) {
        self.send(Work::Write(job));
    }

    pub(crate) fn read(&self, job: Job) {
        self.send(Work::Read(job));
    }

    fn send(&self, work: Work) {
        if let Some(sender) = self.queue.lock().expect("no closure runs under this lock").as_ref() {
            // After close() the job is dropped, which tells its waiter.
            let _ = sender.send(work);
        }
    }

    /// Hears what other nodes ring from now on.
    pub(crate) fn listen(&self) {
        self.crier.listen();
    }

    /// Tells other nodes of a bell.
    pub(crate) fn tell(&self, bell: &'static str) {
        self.crier.tell(bell);
    }

    pub(crate) fn close(&self) {
        self.crier.close();
        self.queue.lock().expect("no closure runs under this lock").take();
        for thread in self.threads.lock().expect("no closure runs under this lock").drain(..) {
            let _ = thread.join();
        }
    }
}

/// 250 is said on the strength of a commit, so a server that forgets commits is refused.
fn check_durability(server: &Server, allow_unsafe: bool) -> Result<()> {
    let mut session = Session::connect(server).map_err(|error| {
        let why = if let StoreError::Unavailable(why) = error { why } else { error.to_string() };
        StoreError::setup(format!("cannot reach PostgreSQL: {why}; check store.url and that the server runs"))
    })?;
    for (setting, weak) in [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")] {
        let mut row = session.query(&format!("SHOW {setting}"), &[])?.into_iter().next();
        let value = row.as_mut().map(Row::text).transpose()?.unwrap_or_default();
        if value == weak && !allow_unsafe {
            return Err(StoreError::setup(format!(
                "PostgreSQL runs with {setting}={value}: accepted mail could vanish in a power cut; \
                 set {setting}=on there, or store.allow_unsafe = true here if this is only a trial"
            )));
        }
    }
    Ok(())
}

fn work_loop(server: &Server, queue: &Mutex<mpsc::Receiver<Work>>) {
    let mut session: Option<Session> = None;
    loop {
        let work = match queue.lock().expect("nothing panics while waiting").recv() {
            Ok(work) => work,
            Err(mpsc::RecvError) => return,
        };
        let (mut job, read_only) = match work {
            Work::Read(job) => (job, true),
            Work::Write(job) => (job, false),
        };
        let outcome = attempt(server, &mut session, &mut job, read_only);
        job.finish(outcome);
    }
}

fn attempt(server: &Server, slot: &mut Option<Session>, job: &mut Job, read_only: bool) -> Outcome {
    let mut retries = 0;
    loop {
        if slot.as_ref().is_none_or(|session| session.client.is_closed()) {
            *slot = Some(Session::connect(server)?);
        }
        let Some(session) = slot.as_mut() else { continue };
        match session.transaction(job, read_only) {
            Err(Failure::Retry(_)) if retries < RETRIES => retries += 1,
            // An idle connection that the server had closed: nothing was begun, so begin on a new one.
            Err(Failure::NotBegun) if retries < RETRIES => {
                retries += 1;
                *slot = None;
            }
            Err(Failure::NotBegun) => return Err(StoreError::Unavailable("PostgreSQL closes its connections".into())),
            Err(Failure::Retry(error) | Failure::Final(error)) => return Err(error),
            Ok(outcome) => return Ok(outcome),
        }
    }
}

enum Failure {
    NotBegun,
    Retry(StoreError),
    Final(StoreError),
}

/// One connection with its prepared statements.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
    statements: HashMap<String, Statement>,
    /// Whether the last error was one after which the same closure may succeed.
    again: bool,
    /// Whether a statement of the open transaction failed: PostgreSQL then answers COMMIT with a rollback and no error.
    failed: bool,
    /// How far the transaction is.
    stage: Stage,
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
    /// Committed with its last statements.
    Committed,
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
        let mut session =
            Session { runtime, client, statements: HashMap::new(), again: false, failed: false, stage: Stage::Begun };
        session.batch(SESSION)?;
        Ok(session)
    }

    fn transaction(&mut self, job: &mut Job, read_only: bool) -> std::result::Result<Box<dyn std::any::Any + Send>, Failure> {
        let begin = if read_only { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        (self.again, self.failed, self.stage) = (false, false, Stage::Wanted(begin));
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
                let _ = self.batch("ROLLBACK");
                Err(Failure::Final(StoreError::Statement("a statement failed and its closure went on".into())))
            }
            // A closure that asked for nothing needs no transaction.
            Ok(value) if matches!(self.stage, Stage::Committed | Stage::Wanted(_)) => Ok(value),
            Ok(value) => match self.batch("COMMIT") {
                Ok(()) => Ok(value),
                Err(error) if self.again => Err(Failure::Retry(error)),
                Err(error) => Err(Failure::Final(error)),
            },
            Err(error) => {
                let _ = self.batch("ROLLBACK");
                if self.again { Err(Failure::Retry(error)) } else { Err(Failure::Final(error)) }
            }
        }
    }

    fn statement(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let prepared = self.runtime.block_on(self.client.prepare(sql));
        let statement = prepared.map_err(|error| self.convert(&error, sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = drive(&self.runtime, &self.client, &mut self.stage, self.client.query(&statement, &params));
        let rows = rows.map_err(|error| self.convert(&error, sql))?;
        rows.iter().map(|row| row_of(row).map_err(|error| self.convert(&error, sql))).collect()
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let changed = drive(&self.runtime, &self.client, &mut self.stage, self.client.execute(&statement, &params));
        changed.map_err(|error| self.convert(&error, sql))
    }

    pub(crate) fn execute_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        let statement = self.statement(sql)?;
        let client = &self.client;
        let runs = rows.iter().map(|row| {
            let statement = &statement;
            async move {
                let params: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| value as _).collect();
                client.execute(statement, &params).await
            }
        });
        let changed = drive(&self.runtime, &self.client, &mut self.stage, try_join_all(runs));
        changed.map(|counts| counts.iter().sum()).map_err(|error| self.convert(&error, sql))
    }

    pub(crate) fn insert_rows<const N: usize>(&mut self, sql: &str, rows: &[[Value<'_>; N]]) -> Result<u64> {
        if let [row] = rows {
            return self.execute(sql, row);
        }
        let statement = self.unnested_statement(sql)?;
        let columns: Vec<Column<'_, [Value<'_>; N]>> = (0..N).map(|at| Column { rows, at }).collect();
        let params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
        let changed = drive(&self.runtime, &self.client, &mut self.stage, self.client.execute(&statement, &params));
        changed.map_err(|error| self.convert(&error, sql))
    }

    fn unnested_statement(&mut self, sql: &str) -> Result<Statement> {
        let types: Vec<Type> = self.statement(sql)?.params().to_vec();
        let text = unnested(sql, &types)?;
        self.statement(&text)
    }

    /// All rows of all inserts, then COMMIT, without waiting in between: one round trip, with BEGIN's.
    pub(crate) fn insert_last(&mut self, inserts: &[Insert<'_, '_>]) -> Result<()> {
        let mut prepared = Vec::with_capacity(inserts.len());
        for insert in inserts.iter().filter(|insert| !insert.rows.is_empty()) {
            let width = insert.rows.first().map_or(0, |row| row.len());
            let columns: Vec<Column<'_, &[Value<'_>]>> = (0..width).map(|at| Column { rows: &insert.rows, at }).collect();
            prepared.push((self.unnested_statement(insert.sql)?, columns));
        }
        let client = &self.client;
        let runs = prepared.iter().map(|(statement, columns)| async move {
            let params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
            client.execute(statement, &params).await
        });
        let work = async {
            // A statement that fails turns this COMMIT into a rollback; its own error tells.
            let (done, committed) = join(try_join_all(runs), client.batch_execute("COMMIT")).await;
            done.and(committed)
        };
        let done = drive(&self.runtime, client, &mut self.stage, work);
        done.map_err(|error| self.convert(&error, "the last statements of a transaction"))?;
        self.stage = Stage::Committed;
        Ok(())
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        let done = drive(&self.runtime, &self.client, &mut self.stage, self.client.batch_execute(sql));
        done.map_err(|error| self.convert(&error, sql))
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

/// Runs a statement, with BEGIN in front of it when that was not sent yet: both travel together.
fn drive<T>(
    runtime: &tokio::runtime::Runtime,
    client: &Client,
    stage: &mut Stage,
    work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> std::result::Result<T, tokio_postgres::Error> {
    let Stage::Wanted(begin) = *stage else { return runtime.block_on(work) };
    // Polled in this order, so sent in this order.
    let (begun, done) = runtime.block_on(join(client.batch_execute(begin), work));
    *stage = if begun.is_ok() { Stage::Begun } else { Stage::NotBegun };
    begun.and(done)
}

/// The whole chain of causes: the outermost error of the driver says only "db error".
fn chain(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => {
            let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
            causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
        }
    }
}

/// Turns `INSERT … VALUES ($1, …) tail` into `INSERT … SELECT * FROM unnest($1::type[], …) tail`.
fn unnested(sql: &str, types: &[Type]) -> Result<String> {
    let wrong = || StoreError::Statement(format!("no VALUES list in {sql:?}"));
    let (head, rest) = sql.split_once("VALUES").ok_or_else(wrong)?;
    let (_, tail) = rest.split_once(')').ok_or_else(wrong)?;
    let arrays: Vec<String> = types.iter().enumerate().map(|(at, kind)| format!("${}::{}[]", at + 1, kind.name())).collect();
    Ok(format!("{head}SELECT * FROM unnest({}){tail}", arrays.join(", ")))
}

/// One column of many rows, sent as a one-dimensional array without being copied first.
#[derive(Debug)]
struct Column<'r, R> {
    rows: &'r [R],
    at: usize,
}

impl<'v, R: AsRef<[Value<'v>]> + std::fmt::Debug> ToSql for Column<'_, R> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let cells: Vec<Value<'_>> = self.rows.iter().filter_map(|row| row.as_ref().get(self.at)).copied().collect();
        cells.to_sql(kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
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

fn row_of(row: &tokio_postgres::Row) -> std::result::Result<Row, tokio_postgres::Error> {
    let mut cells = Vec::with_capacity(row.len());
    for (at, column) in row.columns().iter().enumerate() {
        cells.push(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Int),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map_or(Cell::Null, |value| Cell::Int(value.into())),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map_or(Cell::Null, Cell::Bytes),
            _ => row.try_get::<_, Option<String>>(at)?.map_or(Cell::Null, Cell::Text),
        });
    }
    Ok(Row::new(cells))
}
