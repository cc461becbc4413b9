//! The PostgreSQL side: a bounded pool of threads, each with its own connection and its own small runtime.
//!
//! A thread drives its connection itself, so a statement costs no hop to another thread, and rows of one statement
//! can be pipelined. Serialisation failures and deadlocks run the closure again; a lost connection is made anew.

mod crier;
mod server;
mod tls;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::error::{Result, StoreError, panic_text};
use crate::job::{Job, Outcome};
use crate::tx::{Answer, Inner, Tx};
use crate::value::{Cell, Row, Value, storable};
use crate::work::Wakes;

use crier::Crier;
use server::Server;

/// How often a closure is run again after a serialisation failure or a deadlock.
const RETRIES: usize = 5;

/// A node that is frozen in the middle of a transaction must not keep its row locks: others could never take over.
///
/// Every statement that mail depends on has its index (a test says so), but a plan made while a table is new and empty may go
/// through all of it, or join all of it, and is kept while the table grows. Without JIT, which the price put on such a scan would call.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '30s';
                       SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

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
        let mut row = Tx { inner: Inner::Postgres(&mut session) }.find(&format!("SHOW {setting}"), &[])?;
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
        };
        session.batch(SESSION)?;
        Ok(session)
    }

    fn transaction(&mut self, job: &mut Job, read_only: bool) -> std::result::Result<Box<dyn std::any::Any + Send>, Failure> {
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
                self.end_read();
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
        let prepared = self.runtime.block_on(self.client.prepare(sql));
        let statement = prepared.map_err(|error| self.convert(&error, sql))?;
        let text: Arc<str> = sql.into();
        self.statements.insert(Arc::clone(&text), statement.clone());
        Ok((text, statement))
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
        if let [row] = rows {
            return self.send(sql, row, None);
        }
        let text = unnested(sql, self.statement(sql)?.1.params())?;
        let columns: Vec<Column<'_, N>> = (0..N).map(|at| Column { rows, at }).collect();
        let params: Vec<&dyn ToSql> = columns.iter().map(|column| column as _).collect();
        self.put(&text, &params, None)
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
                let made = self.statement(&merged(&texts))?;
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

    /// Ends a transaction that changed nothing: COMMIT is sent, and its answer is read with those of the next one.
    fn end_read(&mut self) {
        let client = &self.client;
        self.runtime.block_on(async {
            let mut ending = std::pin::pin!(client.batch_execute("COMMIT"));
            let _ = futures_util::poll!(&mut ending);
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

/// A statement on its way.
struct Sent {
    sql: Arc<str>,
    statement: Statement,
    params: Vec<Encoded>,
    place: Option<usize>,
}

impl Sent {
    /// The table that an insert of values fills, of which no answer is wanted.
    fn table(&self) -> Option<&str> {
        let reads_no_table = self.sql.contains(" VALUES (") || self.sql.contains(" FROM unnest(");
        let mut words = self.sql.split_whitespace();
        let is_insert = words.next() == Some("INSERT") && words.next() == Some("INTO");
        words.next().filter(|_| is_insert && reads_no_table && self.place.is_none())
    }
}

/// One text of several inserts, each with its number of parameters: all but the last as parts of a WITH.
fn merged(inserts: &[(&str, usize)]) -> String {
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
    let mut pieces = sql.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let _ = write!(out, "${}{rest}", number.parse::<usize>().unwrap_or_default() + before);
    }
}

/// What a statement gave.
struct Given {
    rows: Vec<tokio_postgres::Row>,
    changed: u64,
}

/// What went wrong, and in which statement.
type Failed = (tokio_postgres::Error, Arc<str>);

async fn run_all(client: &Client, sent: &[Sent]) -> std::result::Result<Vec<Given>, Failed> {
    let mut runs: Vec<_> = sent.iter().map(|sent| Box::pin(run_one(client, sent))).collect();
    // A first poll sends; answers come in the same order, so that of several failures the first is the true one.
    let mut polled = Vec::with_capacity(runs.len());
    for run in &mut runs {
        polled.push(futures_util::poll!(run.as_mut()));
    }
    let mut given = Vec::with_capacity(runs.len());
    for ((run, polled), sent) in runs.into_iter().zip(polled).zip(sent) {
        let done = match polled {
            Poll::Ready(done) => done,
            Poll::Pending => run.await,
        };
        given.push(done.map_err(|error| (error, Arc::clone(&sent.sql)))?);
    }
    Ok(given)
}

async fn run_one(client: &Client, sent: &Sent) -> std::result::Result<Given, tokio_postgres::Error> {
    let params: Vec<&(dyn ToSql + Sync)> = sent.params.iter().map(|param| param as _).collect();
    // Only statements that return columns are queries: of the others the count is wanted.
    if sent.statement.columns().is_empty() {
        let changed = client.execute(&sent.statement, &params).await?;
        return Ok(Given { rows: Vec::new(), changed });
    }
    Ok(Given { rows: client.query(&sent.statement, &params).await?, changed: 0 })
}

type Unencodable = Box<dyn std::error::Error + Sync + Send>;

/// A value in the bytes of the wire; none for NULL.
#[derive(Debug)]
struct Encoded(Option<Bytes>);

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
struct Column<'r, const N: usize> {
    rows: &'r [[Value<'r>; N]],
    at: usize,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_are_merged_with_their_parameters_counted_on() {
        let inserts = [("put a ($1, $2)", 2), ("put b (unnest($1::int8[]))", 1), ("put c ($1, $2)", 2)];
        let text = " part0 AS (put a ($1, $2)), part1 AS (put b (unnest($3::int8[]))) put c ($4, $5)";
        assert_eq!(merged(&inserts).strip_prefix("WITH"), Some(text));
    }
}
