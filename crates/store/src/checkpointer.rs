//! Copies SQLite's write-ahead log back into the database on a thread of its own, so no commit waits for it.
//!
//! A log can start over only when all of it was copied back, and under load the writer adds to it all the time. So the
//! thread does the bulk while the writer goes on, and tells it when so little is left that the writer can copy the rest itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};

use crate::error::{Result, StoreError};

/// The log is copied back once it has this many pages.
const BEGIN_PAGES: i64 = 4_000;
/// What may be left for the writer: its share of the pause is then a few milliseconds.
const REST_PAGES: i64 = 400;
/// A writer faster than the disk would keep the thread going round; after this many rounds it takes what is left.
const PASSES: usize = 5;

/// Where the copying stands, seen by both threads.
#[derive(Debug, Default)]
struct Progress {
    /// Pages in the log after the latest commit.
    log_pages: AtomicI64,
    /// Whether the thread has been asked and has not answered.
    is_running: AtomicBool,
    /// Whether the writer shall copy the rest.
    is_rest: AtomicBool,
}

/// The writer's end: asked after every commit.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    progress: Arc<Progress>,
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Takes the copying over from SQLite's own trigger, for this writer's connection.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the thread cannot be started.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> Result<Checkpointer> {
        let progress = Arc::new(Progress::default());
        let (ask, asked) = sync_channel(1);
        let (path, seen) = (path.to_owned(), Arc::clone(&progress));
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || copy_loop(&path, &asked, &seen));
        let thread = thread
            .map_err(|error| StoreError::setup(format!("cannot start the checkpoint thread: {error}")))?;
        let counted = Arc::clone(&progress);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            counted.log_pages.store(i64::from(pages), Ordering::Relaxed);
            Ok(())
        };
        writer
            .wal_hook(Some(hook))
            .map_err(|error| StoreError::setup(format!("cannot watch the log: {error}")))?;
        Ok(Checkpointer { progress, ask: Some(ask), thread: Some(thread) })
    }

    /// Called by the writer between two transactions: sets the thread to work, or copies the rest it has left.
    pub(crate) fn after_commit(&self, writer: &Connection) {
        let progress = &self.progress;
        if progress.is_rest.swap(false, Ordering::Acquire) {
            // What cannot be copied now (a full disk, a reader on old pages) stays in the log, which is just as durable.
            let _ = checkpoint(writer);
        } else if progress.log_pages.load(Ordering::Relaxed) >= BEGIN_PAGES
            && !progress.is_running.swap(true, Ordering::AcqRel)
            && let Some(ask) = &self.ask
        {
            let _ = ask.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.ask.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn copy_loop(path: &PathBuf, asked: &Receiver<()>, progress: &Progress) {
    // Opened when it is first needed: a command that writes a row or two never has so long a log.
    let mut open: Option<Connection> = None;
    while asked.recv().is_ok() {
        if open.is_none() {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            open = Connection::open_with_flags(path, flags).ok();
        }
        if let Some(connection) = &open {
            for _ in 0..PASSES {
                let Ok(copied) = checkpoint(connection) else { break };
                if progress.log_pages.load(Ordering::Relaxed) - copied <= REST_PAGES {
                    break;
                }
            }
        }
        progress.is_rest.store(true, Ordering::Release);
        progress.is_running.store(false, Ordering::Release);
    }
}

/// Copies what can be copied without waiting for anybody; returns how many pages of the log are copied in all.
fn checkpoint(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}
