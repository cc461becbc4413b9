//! The session on which migrations run: one process at a time has it, while nodes go on working.

use std::time::Duration;

use super::server::Server;
use super::session::{Access, Failure, Session};
use crate::error::{Result, StoreError};
use crate::job::{Job, Outcome};

/// Gives a row to the process that has the lock from now on. In brackets, as it is no statement for both databases.
const TAKE_LOCK: &str = "(SELECT 1 WHERE pg_try_advisory_xact_lock(4711001))";
/// How often a process that waits for the lock looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The lock is a transaction's: a pooler then keeps its connection, and it falls when the process dies. It is tried for and
/// never waited for, since a statement that waits holds a snapshot, and `CREATE INDEX CONCURRENTLY` waits for those.
const LOCK_SESSION: &str =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0";

/// A change of a table waits for its readers, and everybody else waits for the change: so it waits briefly, and is tried
/// again. Plans are the planner's own choice, since a piece may well go through a whole table.
const STEP_SESSION: &str = "SET lock_timeout = '2s'; SET statement_timeout = 0;
    RESET enable_seqscan; RESET enable_hashjoin; RESET enable_mergejoin";
/// What runs outside a transaction locks nobody out while it waits, so it may wait.
const OUTSIDE_SESSION: &str = "SET lock_timeout = 0; SET statement_timeout = 0";

/// How often a step is tried that could not get its locks, and the pause between.
const TRIES: usize = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// The session of the process that migrates.
#[derive(Debug)]
pub(crate) struct Migrating {
    session: Session,
    /// Holds the lock until it is dropped.
    _lock: Session,
}

impl Migrating {
    /// Waits until no other process migrates, for as long as that takes. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub(super) fn begin(server: &Server) -> Result<Migrating> {
        let mut lock = Session::connect(server)?;
        lock.batch(LOCK_SESSION)?;
        let mut is_told = false;
        while !lock.has_row(TAKE_LOCK)? {
            if !is_told {
                tracing::info!("Another process brings the tables up to date: waiting until it has ended");
                is_told = true;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let mut session = Session::connect(server)?;
        session.batch(STEP_SESSION)?;
        Ok(Migrating { session, _lock: lock })
    }

    /// Runs a closure in a transaction.
    pub(crate) fn write(&mut self, mut job: Job) {
        let outcome = self.attempt(&mut job);
        job.finish(outcome);
    }

    fn attempt(&mut self, job: &mut Job) -> Outcome {
        let mut tries = 1;
        loop {
            let error = match self.session.transaction(job, Access::Write) {
                Ok(outcome) => return Ok(outcome),
                Err(Failure::NotBegun) => {
                    return Err(StoreError::Unavailable("the connection was lost".into()));
                }
                Err(Failure::Retry(error)) => error,
                Err(Failure::Final(error @ (StoreError::Unavailable(_) | StoreError::TimedOut(_))))
                    if !self.session.is_closed() =>
                {
                    error
                }
                Err(Failure::Final(error)) => return Err(error),
            };
            if tries == TRIES {
                return Err(error);
            }
            tries += 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// Runs one statement outside a transaction.
    ///
    /// # Errors
    /// As the database says.
    pub(crate) fn outside(&mut self, statement: &str) -> Result<()> {
        self.session.batch(OUTSIDE_SESSION)?;
        self.session.batch(statement)?;
        self.session.batch(STEP_SESSION)
    }
}
