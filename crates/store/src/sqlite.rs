//! The embedded database: one writer thread with group commit, read-only readers, WAL with `synchronous=FULL`.

mod housekeeping;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use self::housekeeping::Housekeeping;
use crate::checkpointer::Checkpointer;
use crate::error::{Result, StoreError, panic_text};
use crate::job::{Job, Outcome};
use crate::tx::{Inner, Tx};
use crate::value::{Bound, Cell, Row, Rows, Value, storable};

/// How long a writer waits for another process (a command besides the server) before it says "busy".
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// The most closures committed by one sync.
const GROUP_MAX: usize = 64;
/// Bytes of page cache for the writer and for each reader, in KiB.
const WRITER_CACHE_KIB: i64 = 24 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;

/// Prepared statements that the writer and each reader keep; the one not used for the longest time gives way.
const WRITER_STATEMENTS: usize = 256;
const READER_STATEMENTS: usize = 128;

/// The SQLite side of the store.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Arc<Readers>,
}

#[derive(Debug)]
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    open: Mutex<usize>,
    freed: Condvar,
    max: usize,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, readers: usize) -> Result<Sqlite> {
        if let Some(folder) = path.parent() {
            crate::folder::make(folder)
                .map_err(|error| StoreError::setup(format!("cannot create {}: {error}", folder.display())))?;
        }
        // The log and the shared memory next to it get the file's own permissions.
        crate::folder::touch(path)
            .map_err(|error| StoreError::setup(format!("cannot create {}: {error}", path.display())))?;
        let mut connection = open_writer(path)?;
        let checkpointer = Checkpointer::start(path, &mut connection)?;
        let (sender, jobs) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write_loop(&connection, &jobs, checkpointer))
            .map_err(|error| StoreError::setup(format!("cannot start the writer thread: {error}")))?;
        Ok(Sqlite {
            writer: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            readers: Arc::new(Readers {
                path: path.to_owned(),
                idle: Mutex::new(Vec::new()),
                open: Mutex::new(0),
                freed: Condvar::new(),
                max: readers.max(1),
            }),
        })
    }

    /// Hands a closure to the writer thread.
    pub(crate) fn write(&self, job: Job) {
        let writer = self.writer.lock().expect("no closure runs under this lock");
        if let Some(sender) = writer.as_ref() {
            // The receiver lives as long as the thread; a send fails only after close(), when the job's waiter is told by its drop.
            let _ = sender.send(job);
        }
    }

    /// Runs a closure on a reader, on the calling thread.
    pub(crate) fn read(&self, job: Job) {
        match self.readers.take() {
            Ok(connection) => {
                let outcome = run_read(&connection, job);
                self.readers.put(connection);
                outcome();
            }
            Err(error) => job.finish(Err(error)),
        }
    }

    /// Finishes what is queued, copies the log back and closes.
    pub(crate) fn close(&self) {
        self.writer.lock().expect("no closure runs under this lock").take();
        if let Some(thread) = self.thread.lock().expect("no closure runs under this lock").take() {
            let _ = thread.join();
        }
        self.readers.idle.lock().expect("no closure runs under this lock").clear();
    }
}

impl Readers {
    fn take(&self) -> Result<Connection> {
        if let Some(connection) = self.idle.lock().expect("plain push and pop").pop() {
            return Ok(connection);
        }
        let mut open = self.open.lock().expect("plain counter");
        while *open >= self.max {
            if let Some(connection) = self.idle.lock().expect("plain push and pop").pop() {
                return Ok(connection);
            }
            open = self.freed.wait(open).expect("plain counter");
        }
        let connection = open_reader(&self.path)?;
        *open += 1;
        Ok(connection)
    }

    fn put(&self, connection: Connection) {
        let _open = self.open.lock().expect("plain counter");
        self.idle.lock().expect("plain push and pop").push(connection);
        self.freed.notify_one();
    }
}

fn open_writer(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|error| cannot_open(path, &error))?;
    let setup = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Must come before the first table: pages freed by retention go back to the file system in small steps.
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL, not NORMAL: 250 relies on this commit.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
        Ok(())
    };
    setup().map_err(|error| cannot_open(path, &error))?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| convert(&error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| convert(&error))?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(|error| convert(&error))?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(connection)
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::setup(format!("cannot open the database {}: {error}", path.display()))
}

fn write_loop(connection: &Connection, jobs: &mpsc::Receiver<Job>, checkpointer: Checkpointer) {
    let mut housekeeping = Housekeeping::new();
    while let Ok(first) = jobs.recv() {
        commit_group(connection, first, jobs);
        housekeeping.after_commit(connection);
        checkpointer.after_commit(connection);
    }
    // Its connection must be gone before the log can be cut.
    drop(checkpointer);
    let _ = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
}

/// Runs the first job and those that wait after it in one transaction, and answers after the commit.
///
/// Those after it run in a savepoint each. The first needs none, which spares the copies a savepoint keeps of every page
/// that is changed: it is alone as yet, so when it fails the transaction is rolled back.
fn commit_group(connection: &Connection, mut first: Job, jobs: &mpsc::Receiver<Job>) {
    if let Err(error) = statement(connection, "BEGIN IMMEDIATE") {
        first.finish(Err(error));
        return;
    }
    let outcome = run(connection, &mut first);
    if outcome.is_err() {
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        first.finish(outcome);
        return;
    }
    let mut finished: Vec<(Job, Outcome)> = vec![(first, outcome)];
    let mut next = if connection.is_autocommit() { None } else { jobs.try_recv().ok() };
    while let Some(mut job) = next {
        let outcome = run_in_savepoint(connection, &mut job);
        finished.push((job, outcome));
        // A full disk or an I/O error may have rolled back the whole transaction.
        if connection.is_autocommit() {
            break;
        }
        next = if finished.len() < GROUP_MAX { jobs.try_recv().ok() } else { None };
    }
    let committed = if connection.is_autocommit() {
        Err(StoreError::Unavailable("the transaction was rolled back by the database".into()))
    } else {
        statement(connection, "COMMIT")
    };
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (job, outcome) in finished {
        match (&committed, outcome) {
            (Err(lost), Ok(_)) => job.finish(Err(StoreError::Unavailable(lost.to_string()))),
            (_, outcome) => job.finish(outcome),
        }
    }
}

fn run_in_savepoint(connection: &Connection, job: &mut Job) -> Outcome {
    statement(connection, "SAVEPOINT job")?;
    let outcome = run(connection, job);
    if outcome.is_err() && !connection.is_autocommit() && statement(connection, "ROLLBACK TO job").is_err() {
        // Half a job must not be committed with its neighbours: all of the group is undone and asked to try again.
        let _ = connection.execute_batch("ROLLBACK");
    }
    if !connection.is_autocommit() {
        statement(connection, "RELEASE job")?;
    }
    outcome
}

/// Runs a statement that controls the transaction.
fn statement(connection: &Connection, sql: &str) -> Result<()> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(|error| convert(&error))
}

fn run(connection: &Connection, job: &mut Job) -> Outcome {
    let mut tx = Tx { inner: Inner::Sqlite(connection), clock: None };
    catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
        .unwrap_or_else(|payload| Err(StoreError::Panicked(panic_text(payload.as_ref()))))
}

/// Runs a read inside one snapshot; the answer is given after the connection went back.
fn run_read(connection: &Connection, mut job: Job) -> impl FnOnce() + use<> {
    let outcome = match connection.execute_batch("BEGIN") {
        Ok(()) => run(connection, &mut job),
        Err(error) => Err(convert(&error)),
    };
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("COMMIT");
    }
    move || job.finish(outcome)
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(value)),
            Value::Text(value) => match storable(value) {
                Cow::Borrowed(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
                Cow::Owned(text) => ToSqlOutput::Owned(text.into()),
            },
            Value::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
        })
    }
}

/// The text as SQLite takes it.
///
/// `$n` would be a name there, numbered by its first use; `?n` is bound by its number. Row locks are PostgreSQL's: here
/// `BEGIN IMMEDIATE` has locked everything already.
fn translated(sql: &str) -> String {
    let text = sql.find("FOR UPDATE").and_then(|at| sql.get(..at)).unwrap_or(sql);
    text.replace('$', "?")
}

fn bind(statement: &mut Statement<'_>, bound: Bound<'_>) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if bound.len() != wanted {
        return Err(rusqlite::Error::InvalidParameterCount(bound.len(), wanted));
    }
    for (number, value) in (1..).zip(bound.iter()) {
        statement.raw_bind_parameter(number, value)?;
    }
    Ok(())
}

pub(crate) fn query(connection: &Connection, sql: &str, bound: Bound<'_>) -> Result<Vec<Row>> {
    read(connection, sql, bound).map_err(|error| in_statement(&error, sql))
}

fn read(connection: &Connection, sql: &str, bound: Bound<'_>) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(&translated(sql))?;
    let width = statement.column_count();
    bind(&mut statement, bound)?;
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..width).map(|at| row.get_ref(at).map_or(Cell::Null, cell)).collect();
        out.push(Row::new(cells));
    }
    Ok(out)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

pub(crate) fn execute(connection: &Connection, sql: &str, bound: Bound<'_>) -> Result<u64> {
    let run = || {
        let mut statement = connection.prepare_cached(&translated(sql))?;
        bind(&mut statement, bound)?;
        statement.raw_execute()
    };
    run().map(|changed| changed as u64).map_err(|error| in_statement(&error, sql))
}

pub(crate) fn execute_rows<const N: usize>(
    connection: &Connection,
    sql: &str,
    rows: Rows<'_, N>,
) -> Result<u64> {
    let run = || {
        let mut statement = connection.prepare_cached(&translated(sql))?;
        let mut changed = 0;
        for row in rows.rows {
            bind(&mut statement, Bound { account: rows.account, values: row })?;
            changed += statement.raw_execute()?;
        }
        Ok(changed)
    };
    run().map(|changed| changed as u64).map_err(|error| in_statement(&error, sql))
}

pub(crate) fn batch(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|e| in_statement(&e, sql))
}

#[cfg(feature = "testing")]
pub(crate) fn prepare(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare(&translated(sql)).map(|_| ()).map_err(|error| in_statement(&error, sql))
}

fn in_statement(error: &rusqlite::Error, sql: &str) -> StoreError {
    match convert(error) {
        StoreError::Statement(reason) => StoreError::Statement(format!("{reason} in {sql:?}")),
        other => other,
    }
}

fn convert(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict(text),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted
            | ErrorCode::SchemaChanged
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase,
        ) => StoreError::Unavailable(text),
        Some(ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange) => {
            StoreError::Refused(text)
        }
        _ => StoreError::Statement(text),
    }
}
