//! A small SMTP receiver that plays the relay: takes mail, or refuses it as told, and keeps what happened and when. It
//! plays the peer in kill rounds: what it said 250 to has left the desk, whatever the desk noted.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use dialogue::Dialogue;
pub use refusals::{Refusals, Treatment, When};

mod dialogue;
mod refusals;

/// How the receiver behaves.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// Keeps the mails themselves too.
    pub keep_raw: bool,
    /// How long each mail waits for its 250.
    pub delay: Duration,
    /// Which mails it does not take; none by default.
    pub refusals: Option<Refusals>,
}

/// One mail that the sink said 250 to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Message-ID without `<>`; empty when the mail has none.
    pub message_id: String,
    /// First id of In-Reply-To without `<>`; empty when there is none.
    pub in_reply_to: String,
    /// Envelope recipients, lower-case.
    pub recipients: Vec<String>,
    /// The round that [`Sink::begin_round`] had named last.
    pub round: usize,
    /// When its transaction began.
    pub begun: Instant,
    /// The mail as it came, dots unstuffed; kept only when asked for.
    pub raw: Option<Vec<u8>>,
}

/// One transaction from MAIL to its last reply, whatever that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// How the peer called itself in EHLO.
    pub node: String,
    /// The outbox row, read from the return path `bounce+ROW-…@`; none if the return path was a different one.
    pub row: Option<i64>,
    /// When MAIL was read.
    pub begun: Instant,
    /// When the last reply was given.
    pub ended: Instant,
    /// The code that decided about the mail.
    pub code: u16,
}

/// The running receiver; it ends when dropped.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    options: SinkOptions,
    stop: AtomicBool,
    round: AtomicUsize,
    open: AtomicUsize,
    /// The most connections open at once, one entry a round.
    peaks: Mutex<Vec<usize>>,
    taken: Mutex<Vec<Taken>>,
    attempts: Mutex<Vec<Attempt>>,
    /// How often each outbox row was tried.
    tries: Mutex<BTreeMap<i64, usize>>,
}

impl Sink {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(options: SinkOptions) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding the sink's port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { options, ..Shared::default() });
        let inside = Arc::clone(&shared);
        let thread = thread::spawn(move || accept(&listener, &inside));
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names the round that later mails belong to.
    pub fn begin_round(&self, round: usize) {
        self.shared.round.store(round, Ordering::Release);
    }

    /// Everything taken so far, in the order of the 250s.
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.shared.taken).clone()
    }

    /// Every transaction so far that came to a decision, in the order of their ends.
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.shared.attempts).clone()
    }

    /// How many mails it has taken so far.
    pub fn count(&self) -> usize {
        lock(&self.shared.taken).len()
    }

    /// The most connections that were open at once in a round.
    pub fn peak(&self, round: usize) -> usize {
        lock(&self.shared.peaks).get(round).copied().unwrap_or(0)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // A connection wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            shared.enter();
            // A peer that was killed breaks off; that is what the sink is for.
            let _ = Dialogue::new(stream, &shared).and_then(Dialogue::run);
            shared.open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

impl Shared {
    fn enter(&self) {
        let open = self.open.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        self.note_peak(open);
    }

    fn note_peak(&self, open: usize) {
        let round = self.round.load(Ordering::Acquire);
        let mut peaks = lock(&self.peaks);
        if peaks.len() <= round {
            peaks.resize(round.saturating_add(1), 0);
        }
        if let Some(peak) = peaks.get_mut(round) {
            *peak = open.max(*peak);
        }
    }

    fn note_taken(&self, taken: Taken) {
        // A connection that outlives the change of rounds counts for the new round too.
        self.note_peak(self.open.load(Ordering::Acquire));
        lock(&self.taken).push(taken);
    }

    /// What becomes of a mail at its next try, which is counted.
    fn treat(&self, row: Option<i64>) -> Treatment {
        let Some((refusals, row)) = self.options.refusals.as_ref().zip(row) else {
            return Treatment::Take;
        };
        let mut tries = lock(&self.tries);
        let tried = tries.entry(row).or_default();
        *tried = tried.saturating_add(1);
        refusals.treat(row, *tried)
    }
}
