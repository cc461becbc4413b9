//! The sections of a configuration: what each key's value becomes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use intake::{Listen, Network};
use outbox::route::RelayUrl;

/// `[http]`
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// Where pages are served; port 0 picks a free one.
    pub(crate) listen: SocketAddr,
}

/// `[smtp]`
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    /// Where mail is accepted by SMTP; none: this door stays shut.
    pub(crate) listen: Option<SocketAddr>,
    /// Peers whose hop headers are believed.
    pub(crate) trusted_relays: Vec<Network>,
}

/// `[lmtp]`
#[derive(Debug, Clone)]
pub(crate) struct Lmtp {
    /// Where mail is accepted by LMTP; none: this door stays shut.
    pub(crate) listen: Option<Listen>,
}

/// `[mail]`
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// Native hosts of new accounts and brands are `SUBDOMAIN.` followed by this, lower-case.
    pub(crate) domain: String,
    /// The name in the greeting and in EHLO; [`Mail::domain`] when none is given.
    pub(crate) hostname: Option<String>,
    /// Whether senders are authenticated.
    pub(crate) authenticate: bool,
    /// The authserv-id of our own relay.
    pub(crate) authserv_id: Option<String>,
    /// Domains whose ARC seals are believed.
    pub(crate) trusted_sealers: BTreeSet<String>,
}

/// `[store]`
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// `sqlite:PATH` or `postgres://…`; none: `guichet.db` in the data folder. May hold a password.
    pub(crate) url: Option<String>,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub(crate) connections: usize,
    /// Accept a PostgreSQL that may forget commits.
    pub(crate) allow_unsafe: bool,
    /// Whether `serve` brings the tables up to date before it opens its doors.
    pub(crate) migrate: bool,
}

/// `[blobs]`
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    /// `file:PATH` or `s3://BUCKET/PREFIX`; none: `blobs` in the data folder.
    pub(crate) url: Option<String>,
}

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Out {
    /// None: mail waits.
    Waits,
    /// Through a relay.
    Relay(RelayUrl),
    /// Straight to mail exchangers.
    Direct,
}

/// `[delivery]`
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Which way.
    pub(crate) relay: Out,
    /// Authorities to trust besides the public ones, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// The port of mail exchangers.
    pub(crate) port: u16,
    /// Whether an exchanger may be this machine; none: only when `dns.servers` is set.
    pub(crate) allow_loopback: Option<bool>,
    /// When mail is given up, in milliseconds after it was created.
    pub(crate) give_up_after_ms: u64,
}

/// `[dns]`
#[derive(Debug, Clone)]
pub(crate) struct Dns {
    /// Name servers; empty: those of the system.
    pub(crate) servers: Vec<SocketAddr>,
}

/// `[limits]`
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Largest mail, bytes.
    pub(crate) max_mail_bytes: u64,
    /// Simultaneous connections to each door.
    pub(crate) connections: usize,
    /// Simultaneous connections from one client address to each door.
    pub(crate) connections_per_client: usize,
    /// Recipients of one mail.
    pub(crate) recipients: usize,
    /// Mails of one sender in an hour before they are held; 0: no limit.
    pub(crate) sender_per_hour: u32,
    /// Silence after which a session ends, milliseconds.
    pub(crate) idle_ms: u64,
    /// Memory for incoming messages, bytes.
    pub(crate) mail_memory_bytes: u64,
}

impl Limits {
    /// Memory for incoming messages, enough for the largest: its buffer grows by doubling.
    pub(crate) fn room_bytes(&self) -> u64 {
        self.mail_memory_bytes.max(self.max_mail_bytes.saturating_mul(2))
    }
}

/// `[tls]`
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The certificate with its chain, PEM.
    pub(crate) certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub(crate) key_file: Option<PathBuf>,
}

/// `[engine]`
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    /// How long a silent process keeps the accounts it processes, milliseconds.
    pub(crate) lease_ms: u64,
}

/// `[node]`
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The name of this process; the same after a restart, different from all others.
    pub(crate) name: Option<String>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// Text or JSON.
    pub(crate) format: LogFormat,
    /// A level, or directives as in tracing's filter.
    pub(crate) level: String,
}

/// A part of the work that a process takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The doors: SMTP and LMTP.
    Smtp,
    /// Deciding mail and closing tickets.
    Engine,
    /// Sending mail.
    Outbox,
    /// The pages.
    Web,
}

impl Role {
    /// Every role with its word.
    pub(crate) const ALL: [(&'static str, Role); 4] =
        [("smtp", Role::Smtp), ("engine", Role::Engine), ("outbox", Role::Outbox), ("web", Role::Web)];
}
