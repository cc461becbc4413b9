//! Doors in: SMTP and LMTP listeners that feed the dialogue, raw mail by HTTP or from a pipe, imports of old mail. They
//! ask the directory and write the spool; nothing else.
//!
//! A mail is acknowledged after its commit and never before. Knows no ticket: what becomes of a mail is decided by the
//! reader of the spool.

mod connection;
mod directory;
mod door;
pub mod http;
pub mod import;
mod memory;
mod network;
pub mod parcel;
pub mod raw_mail;
mod shared;
mod spooler;

use std::path::PathBuf;
use std::sync::Arc;

use desk::clock::Clock;
use store::Store;

pub use door::Door;
pub use network::{Network, NetworkError};

/// Where a door listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address; port 0 takes a free one.
    Tcp(std::net::SocketAddr),
    /// A unix socket; a stale one is replaced.
    Unix(PathBuf),
}

/// Limits of doors without a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest mail in octets, counted as on the wire.
    pub max_mail_bytes: u64,
    /// Recipients of a mail.
    pub recipients: usize,
}

/// What a door is and allows.
#[derive(Debug, Clone)]
pub struct DoorOptions {
    /// Where it listens.
    pub listen: Listen,
    /// Which dialogue it speaks.
    pub protocol: smtp::Protocol,
    /// The name it greets with.
    pub hostname: String,
    /// Largest mail in octets.
    pub max_mail_bytes: u64,
    /// Limits of a session.
    pub limits: smtp::Limits,
    /// The certificate; none: STARTTLS is not offered.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Peers whose hop headers (Delivered-To and the like) are believed.
    pub trusted_relays: Vec<Network>,
    /// Connections at once; beyond: 421.
    pub connections: usize,
    /// Connections of one client address at once; beyond: 421.
    pub connections_per_client: usize,
    /// Silence after which a session ends with 421, milliseconds. RFC 5321 §4.5.3.2.7 asks for five minutes.
    pub idle_ms: u64,
    /// Time for one mail, from its first recipient to its end, after which the session ends with 421, milliseconds.
    pub mail_ms: u64,
}

/// What all doors share: the directory of recipients, memory, and the spool writer.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    clock: Arc<dyn Clock>,
    directory: Arc<directory::Directory>,
    spooler: spooler::Spooler,
    memory: memory::MemoryBudget,
}

impl Intake {
    /// Intake into a store. `room_bytes` is the memory for mails that are coming in by SMTP, LMTP and HTTP.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, room_bytes: u64) -> Intake {
        let spooler = spooler::Spooler::new(store.clone());
        let directory = Arc::new(directory::Directory::new(store.clone()));
        Intake { store, clock, directory, spooler, memory: memory::MemoryBudget::new(room_bytes) }
    }

    /// Binds a door. It takes no connection before [`Door::run`].
    ///
    /// # Errors
    /// The operating system's, such as an address in use.
    pub async fn open(&self, options: DoorOptions) -> std::io::Result<Door> {
        Door::bind(self.clone(), options).await
    }
}
