//! Reads the ledgers over and over, and notes when each mail was first seen decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::evidence::LedgerRow;
use super::read;
use crate::load::desk::Desk;

/// The pause between two readings; what is noted is late by at most this plus the time of a reading.
const PAUSE: Duration = Duration::from_millis(250);

/// A thread that reads them; it ends when told to, or when dropped.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<BTreeMap<String, Instant>>>,
}

impl Watch {
    /// Starts reading the ledgers of these accounts.
    pub(super) fn begin(desk: Arc<Desk>, accounts: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut decided = BTreeMap::new();
            while !told.load(Ordering::Acquire) {
                look(&desk, &accounts, &mut decided);
                thread::sleep(PAUSE);
            }
            look(&desk, &accounts, &mut decided);
            decided
        });
        Self { stop, thread: Some(thread) }
    }

    /// Reads them a last time, and returns when each mail was first seen decided, by its Message-ID.
    ///
    /// # Errors
    /// When the thread panicked.
    pub(super) fn end(mut self) -> Result<BTreeMap<String, Instant>> {
        self.stop.store(true, Ordering::Release);
        let decided = self.thread.take().map(JoinHandle::join).transpose();
        decided.map(Option::unwrap_or_default).map_err(|_| anyhow!("watching the ledger panicked"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A reading that fails is made up for by the next one.
fn look(desk: &Desk, accounts: &[String], decided: &mut BTreeMap<String, Instant>) {
    let rows: Vec<LedgerRow> = read::rows(desk, accounts, &["ledger", "list"]).unwrap_or_default();
    let now = Instant::now();
    for row in rows.into_iter().filter(|row| row.direction == "in" && row.outcome.is_some()) {
        if let Some(message_id) = row.message_id {
            decided.entry(message_id).or_insert(now);
        }
    }
}
