//! A small SMTP receiver that plays the relay: takes every mail, keeps its ids, and counts connections.
//!
//! It stands for the peer in kill rounds: what it said 250 to has left the desk, whatever the desk noted.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

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
    /// The mail as it came, dots unstuffed; kept only when asked for.
    pub raw: Option<Vec<u8>>,
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
    stop: AtomicBool,
    keep_raw: bool,
    round: AtomicUsize,
    open: AtomicUsize,
    /// The most connections open at once, one entry a round.
    peaks: Mutex<Vec<usize>>,
    taken: Mutex<Vec<Taken>>,
}

impl Sink {
    /// Listens on a free loopback port. `keep_raw` also keeps the mails themselves.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(keep_raw: bool) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding the sink's port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { keep_raw, ..Shared::default() });
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

    /// How many mails it took so far.
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
}

struct Dialogue<'shared> {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    shared: &'shared Shared,
    recipients: Vec<String>,
}

impl<'shared> Dialogue<'shared> {
    fn new(stream: TcpStream, shared: &'shared Shared) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream.try_clone()?),
            writer: stream,
            shared,
            recipients: Vec::new(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        self.say("220 sink.example ESMTP")?;
        let mut line = String::new();
        while self.reader.read_line(&mut line)? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            let verb: String = command.chars().take_while(char::is_ascii_alphabetic).collect();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "LHLO" => {
                    self.say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 104857600")?
                }
                "RCPT" => self.recipient(&command)?,
                "DATA" => self.data()?,
                "MAIL" | "RSET" => {
                    self.recipients.clear();
                    self.say("250 2.0.0 ok")?;
                }
                "HELO" | "NOOP" => self.say("250 2.0.0 ok")?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("500 5.5.2 not known here")?,
            }
        }
        Ok(())
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.writer.write_all(format!("{reply}\r\n").as_bytes())
    }

    fn recipient(&mut self, command: &str) -> io::Result<()> {
        let address = command.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
        self.recipients.push(address.to_lowercase());
        self.say("250 2.1.5 ok")
    }

    fn data(&mut self) -> io::Result<()> {
        if self.recipients.is_empty() {
            return self.say("554 5.5.1 no recipients");
        }
        self.say("354 go on")?;
        let mut raw = Vec::new();
        loop {
            let begin = raw.len();
            if self.reader.read_until(b'\n', &mut raw)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = raw.get(begin..).unwrap_or_default();
            if line == b".\r\n" {
                raw.truncate(begin);
                break;
            }
            if line.starts_with(b".") {
                raw.remove(begin);
            }
        }
        self.take(raw);
        self.say("250 2.0.0 taken")
    }

    fn take(&mut self, raw: Vec<u8>) {
        let text = String::from_utf8_lossy(&raw);
        let head =
            text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let taken = Taken {
            message_id: first_id(&head, "message-id:"),
            in_reply_to: first_id(&head, "in-reply-to:"),
            recipients: std::mem::take(&mut self.recipients),
            round: self.shared.round.load(Ordering::Acquire),
            raw: self.shared.keep_raw.then_some(raw),
        };
        // A connection that outlives the change of rounds counts for the new round too.
        self.shared.note_peak(self.shared.open.load(Ordering::Acquire));
        lock(&self.shared.taken).push(taken);
    }
}

/// The first `<id>` of a field, without `<>`; `name` is lower-case and ends in a colon.
fn first_id(head: &str, name: &str) -> String {
    let field = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap_or_default();
    let id = field.split('<').nth(1).and_then(|rest| rest.split('>').next());
    id.unwrap_or_default().to_owned()
}
