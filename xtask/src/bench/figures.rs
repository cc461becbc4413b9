//! The figures of a benchmark: one struct per kind of row, with the arithmetic between them. Serialised by `--json`.

use std::time::Duration;

use serde::Serialize;

/// What the rows of the measured program are called.
pub(crate) const GUICHET: &str = "guichet";
/// What the rows of an older program are called.
pub(crate) const BESIDE: &str = "beside";

/// Everything one run of `bench intake` found.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// The machine, the file system and the durability settings.
    pub machine: Vec<(String, String)>,
    /// Mails in the sample, and their mean raw size in bytes.
    pub sample: (usize, u64),
    /// Bare loops.
    pub floors: Vec<Floor>,
    /// Parsing alone.
    pub parsing: Option<Floor>,
    /// Postfix into a Maildir.
    pub postfix: Vec<Served>,
    /// Guichet.
    pub guichet: Vec<Served>,
    /// Space of each desk after its runs.
    pub disk: Vec<Disk>,
}

/// A loop without any of the product in it.
#[derive(Debug, Clone, Serialize)]
pub struct Floor {
    /// `sqlite`, `postgres` or `parse`.
    pub what: String,
    /// Mails in one transaction.
    pub group: usize,
    /// Mails a second.
    pub rate: f64,
    /// CPU per mail in milliseconds, the database server's share included.
    pub cpu_ms: f64,
}

/// A mail server under load.
#[derive(Debug, Clone, Serialize)]
pub struct Served {
    /// `guichet`, `beside` (an older program of ours) or `postfix`.
    pub what: String,
    /// `sqlite` or `postgres`; empty for Postfix.
    pub database: String,
    /// What the desk already held: `addresses=3000`; empty for the plain case.
    pub with: String,
    /// Connections of the sender.
    pub connections: usize,
    /// Mails that got 250.
    pub accepted: usize,
    /// Mails a second to 250.
    pub rate_accepted: f64,
    /// Mails a second until the last one is a ticket (Postfix: a file in the Maildir).
    pub rate_done: f64,
    /// CPU per mail in milliseconds, of the server's whole process tree and the database server's.
    pub cpu_ms: f64,
    /// The database server's share of `cpu_ms`.
    pub database_cpu_ms: f64,
    /// CPU per mail of the sender, in milliseconds.
    pub sender_cpu_ms: f64,
    /// From end of DATA to 250, in milliseconds: median and 99th percentile.
    pub accept_ms: (f64, f64),
    /// From 250 to the ticket, in milliseconds: median and 99th percentile; as the server itself counted.
    pub done_ms: Option<(f64, f64)>,
    /// Resident memory before the load, in bytes.
    pub idle_bytes: u64,
    /// Peak resident memory, in bytes.
    pub peak_bytes: u64,
    /// 4xx answers, and the first complaints; both should be empty.
    pub deferred: usize,
    /// What went wrong, in the receiver's words.
    pub complaints: Vec<String>,
}

/// Space on disk after a checkpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Disk {
    /// As in [`Served`].
    pub what: String,
    /// As in [`Served`].
    pub database: String,
    /// As in [`Served`].
    pub with: String,
    /// Growth of database and blobs over the runs, in bytes.
    pub grown_bytes: u64,
    /// The same after a vacuum, where the database has one.
    pub vacuumed_bytes: Option<u64>,
    /// The raw mails of those runs, in bytes.
    pub raw_bytes: u64,
}

impl Floor {
    /// From a count of mails, the wall time and the CPU time they took.
    pub(crate) fn new(what: &str, group: usize, mails: usize, took: Duration, cpu: Duration) -> Self {
        Self { what: what.to_owned(), group, rate: rate(mails, took), cpu_ms: each_ms(cpu, mails) }
    }
}

/// Mails a second; 0 for no time at all.
pub(crate) fn rate(mails: usize, took: Duration) -> f64 {
    ratio(to_f64(mails), took.as_secs_f64())
}

/// Milliseconds per mail.
pub(crate) fn each_ms(time: Duration, mails: usize) -> f64 {
    ratio(time.as_secs_f64() * 1_000.0, to_f64(mails))
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// `of` per `base`; 0 when there is no base.
pub(crate) fn ratio(of: f64, base: f64) -> f64 {
    if base > 0.0 { of / base } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2⁵²")]
pub(crate) fn to_f64(count: usize) -> f64 {
    count as f64
}
