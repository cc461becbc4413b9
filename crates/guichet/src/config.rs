//! The configuration: what can be set, its defaults, and how the layers are put together.
//!
//! Defaults < guichet.toml < `GUICHET_SECTION__KEY` environment < flags. Read once, here; the rooms get plain values. Every
//! key is declared once in [`key::KEYS`], from which reading, `guichet check` and the reference page are made. A problem never
//! stops the reading: all of them are reported at once.

pub(crate) mod key;
pub(crate) mod load;
pub(crate) mod problem;
pub(crate) mod reference;
pub(crate) mod value;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use engine::AuthenticateOptions;
use intake::{Listen, Network};
use outbox::route::{RelayUrl, Route};
use store::StoreOptions;

/// Everything that can be configured, with the defaults of a desk on one machine.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The pages.
    pub(crate) http: Http,
    /// The SMTP door.
    pub(crate) smtp: Smtp,
    /// The LMTP door.
    pub(crate) lmtp: Lmtp,
    /// Names of this installation.
    pub(crate) mail: Mail,
    /// The database.
    pub(crate) store: Database,
    /// The larger raw mails.
    pub(crate) blobs: Blobs,
    /// The way out.
    pub(crate) delivery: Delivery,
    /// Name servers.
    pub(crate) dns: Dns,
    /// Limits of the doors.
    pub(crate) limits: Limits,
    /// The certificate of the doors.
    pub(crate) tls: Tls,
    /// How mail is worked.
    pub(crate) engine: Engine,
    /// This process among others on the same database.
    pub(crate) node: Node,
    /// The log.
    pub(crate) log: Log,
    /// What this process does; all by default.
    pub(crate) roles: Vec<Role>,
}

/// `[http]`
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// Where pages are served; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
}

/// `[smtp]`
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    /// Where mail is taken by SMTP; none: this door stays shut.
    pub(crate) listen: Option<SocketAddr>,
    /// Peers whose hop headers are believed.
    pub(crate) trusted_relays: Vec<Network>,
}

/// `[lmtp]`
#[derive(Debug, Clone)]
pub(crate) struct Lmtp {
    /// Where mail is taken by LMTP; none: this door stays shut.
    pub(crate) listen: Option<Listen>,
}

/// `[mail]`
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// Native hosts of new accounts and brands are `SUBDOMAIN.` and this, lower-case.
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

/// Which way mail leaves.
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
    /// When mail is given up, milliseconds after it was made.
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
    /// Connections of each door at once.
    pub(crate) connections: usize,
    /// Connections of one client address to each door at once.
    pub(crate) connections_per_client: usize,
    /// Recipients of one mail.
    pub(crate) recipients: usize,
    /// Mails of one sender in an hour before they are held; 0: no limit.
    pub(crate) sender_per_hour: u32,
    /// Silence after which a session ends, milliseconds.
    pub(crate) idle_ms: u64,
    /// Memory for mails that are coming in, bytes.
    pub(crate) mail_memory_bytes: u64,
}

impl Limits {
    /// Memory for mails that are coming in, enough for the largest: it grows by doubling.
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
    /// How long a silent process keeps the accounts it works, milliseconds.
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
    /// A level, or directives as of tracing's filter.
    pub(crate) level: String,
}

/// A part of the work that a process takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The doors in: SMTP and LMTP.
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

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl Default for Config {
    fn default() -> Config {
        let trusted = ["127.0.0.0/8", "::1"].iter().filter_map(|network| network.parse().ok()).collect();
        Config {
            http: Http { listen: loopback(8080) },
            smtp: Smtp { listen: Some(loopback(2525)), trusted_relays: trusted },
            lmtp: Lmtp { listen: Some(Listen::Tcp(loopback(2424))) },
            mail: Mail {
                domain: "guichet.localhost".into(),
                hostname: None,
                authenticate: true,
                authserv_id: None,
                trusted_sealers: BTreeSet::new(),
            },
            store: Database { url: None, connections: 8, allow_unsafe: false, migrate: true },
            blobs: Blobs { url: None },
            delivery: Delivery {
                relay: Out::Waits,
                ca_file: None,
                port: 25,
                allow_loopback: None,
                give_up_after_ms: 5 * 24 * 3_600_000,
            },
            dns: Dns { servers: vec![] },
            limits: Limits {
                max_mail_bytes: 50_000_000,
                connections: 1_000,
                connections_per_client: 50,
                recipients: 1_000,
                sender_per_hour: 20,
                idle_ms: 300_000,
                mail_memory_bytes: 512_000_000,
            },
            tls: Tls { certificate_file: None, key_file: None },
            engine: Engine { lease_ms: 15_000 },
            node: Node { name: None },
            log: Log { format: LogFormat::Text, level: "info".into() },
            roles: Role::ALL.map(|(_, role)| role).to_vec(),
        }
    }
}

impl Config {
    /// Whether this process takes a role on.
    #[must_use]
    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether mail can leave.
    #[must_use]
    pub(crate) fn can_deliver(&self) -> bool {
        self.delivery.relay != Out::Waits
    }

    /// The name the doors greet with.
    #[must_use]
    pub(crate) fn hostname(&self) -> &str {
        self.mail.hostname.as_deref().unwrap_or(&self.mail.domain)
    }

    /// How senders are authenticated; none: not at all.
    #[must_use]
    pub(crate) fn authenticate(&self) -> Option<AuthenticateOptions> {
        self.mail.authenticate.then(|| AuthenticateOptions {
            dns_servers: self.dns.servers.clone(),
            authserv_id: self.mail.authserv_id.clone(),
            trusted_sealers: self.mail.trusted_sealers.clone(),
            ..AuthenticateOptions::default()
        })
    }

    /// How the database is opened; `data` is the data folder.
    #[must_use]
    pub(crate) fn store_options(&self, data: &Path) -> StoreOptions {
        let inside = |scheme: &str, name: &str| format!("{scheme}:{}", data.join(name).display());
        StoreOptions {
            url: self.store.url.clone().unwrap_or_else(|| inside("sqlite", "guichet.db")),
            blobs: self.blobs.url.clone().unwrap_or_else(|| inside("file", "blobs")),
            connections: self.store.connections,
            allow_unsafe: self.store.allow_unsafe,
        }
    }

    /// The file of an embedded database; none for PostgreSQL.
    #[must_use]
    pub(crate) fn sqlite_file(&self, data: &Path) -> Option<PathBuf> {
        self.store_options(data).url.strip_prefix("sqlite:").map(PathBuf::from)
    }

    /// The way out as the outbox takes it.
    #[must_use]
    pub(crate) fn route(&self) -> Route {
        match &self.delivery.relay {
            Out::Waits => Route::None,
            Out::Relay(relay) => Route::Relay(relay.clone()),
            Out::Direct => Route::Direct {
                port: self.delivery.port,
                dns_servers: self.dns.servers.clone(),
                allow_loopback: self.delivery.allow_loopback.unwrap_or(!self.dns.servers.is_empty()),
            },
        }
    }
}

/// Reads `IP` or `IP:PORT`, the port 53 by default.
pub(crate) fn name_server(text: &str) -> Option<SocketAddr> {
    let with_port = text.parse::<SocketAddr>().ok();
    with_port.or_else(|| text.parse::<IpAddr>().ok().map(|address| SocketAddr::from((address, 53))))
}

/// A configuration that can be used, and the data folder.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// The values.
    pub(crate) config: Config,
    /// The data folder.
    pub(crate) data: PathBuf,
}
