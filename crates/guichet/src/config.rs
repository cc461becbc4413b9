//! The configuration: what can be set, its defaults, and how the layers are put together.
//!
//! Defaults < guichet.toml < `GUICHET_SECTION__KEY` environment < flags. Read once, here; the rooms get plain values. Every
//! key is declared once in [`key::KEYS`], from which reading, `guichet check` and the reference page are made. A problem never
//! stops the reading: all of them are reported at once.

pub(crate) mod key;
pub(crate) mod load;
pub(crate) mod problem;
pub(crate) mod reference;
mod section;
pub(crate) mod value;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use engine::AuthenticateOptions;
use intake::Listen;
use outbox::route::Route;
use store::StoreOptions;

pub(crate) use section::{
    Blobs, Database, Delivery, Dns, Engine, Http, Limits, Lmtp, Log, LogFormat, Mail, Node, Out, Role, Smtp,
    Tls,
};

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
    /// How mail is processed.
    pub(crate) engine: Engine,
    /// This process among others on the same database.
    pub(crate) node: Node,
    /// The log.
    pub(crate) log: Log,
    /// What this process does; all by default.
    pub(crate) roles: Vec<Role>,
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
            engine: Engine { lease_ms: 8_000 },
            node: Node { name: None },
            log: Log { format: LogFormat::Text, level: "info".into() },
            roles: Role::ALL.map(|(_, role)| role).to_vec(),
        }
    }
}

impl Config {
    /// Whether this process has a role.
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

    /// How senders are authenticated; none: they are not.
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
            clock: None,
        }
    }

    /// The file of an embedded database; none for PostgreSQL.
    #[must_use]
    pub(crate) fn sqlite_file(&self, data: &Path) -> Option<PathBuf> {
        self.store_options(data).url.strip_prefix("sqlite:").map(PathBuf::from)
    }

    /// The way out in the form that the outbox takes.
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
