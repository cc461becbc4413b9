//! What the connections of one door share: the way in, the settings, and how many of them are open.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio_rustls::TlsAcceptor;

use crate::{DoorOptions, Intake};

/// What a door's connections share.
pub(crate) struct Shared {
    pub(crate) intake: Intake,
    pub(crate) options: DoorOptions,
    pub(crate) config: Arc<smtp::Config>,
    pub(crate) acceptor: Option<TlsAcceptor>,
    /// Open connections by client; those of a unix socket have no address.
    open: Mutex<BTreeMap<Option<IpAddr>, usize>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("listen", &self.options.listen).finish_non_exhaustive()
    }
}

impl Shared {
    /// Nothing is open yet.
    pub(crate) fn new(intake: Intake, options: DoorOptions) -> Shared {
        let mut config = smtp::Config::new(options.hostname.clone(), options.protocol);
        config.max_mail_bytes = options.max_mail_bytes;
        config.limits = options.limits.clone();
        config.starttls = options.tls.is_some();
        let acceptor = options.tls.clone().map(TlsAcceptor::from);
        Shared { intake, options, config: Arc::new(config), acceptor, open: Mutex::default() }
    }

    /// Counts a connection of this client; none when as many are open as may be, in all or of this client.
    pub(crate) fn enter(self: &Arc<Shared>, ip: Option<IpAddr>) -> Option<Counted> {
        let mut open = self.open.lock().expect("plain map");
        let all: usize = open.values().sum();
        let of_client = open.get(&ip).copied().unwrap_or_default();
        let is_allowed = all < self.options.connections && of_client < self.options.connections_per_client;
        if !is_allowed {
            return None;
        }
        open.insert(ip, of_client + 1);
        Some(Counted { shared: Arc::clone(self), ip })
    }
}

/// A place among the open connections, released when it is dropped.
pub(crate) struct Counted {
    shared: Arc<Shared>,
    ip: Option<IpAddr>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock().expect("plain map");
        match open.get_mut(&self.ip) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.ip);
            }
        }
    }
}
