//! A listener and its connections, counted in all and per client.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Peer, Stream};
use crate::{DoorOptions, Intake, Listen};

/// A bound door.
#[derive(Debug)]
pub struct Door {
    listener: Listener,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, std::path::PathBuf),
}

/// What a door's connections share.
pub(crate) struct Shared {
    pub(crate) intake: Intake,
    pub(crate) options: DoorOptions,
    pub(crate) config: Arc<smtp::Config>,
    pub(crate) acceptor: Option<TlsAcceptor>,
    open: Mutex<BTreeMap<Option<IpAddr>, usize>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("listen", &self.options.listen).finish_non_exhaustive()
    }
}

impl Door {
    pub(crate) async fn bind(intake: Intake, options: DoorOptions) -> std::io::Result<Door> {
        let listener = match &options.listen {
            Listen::Tcp(address) => Listener::Tcp(TcpListener::bind(address).await?),
            Listen::Unix(path) => bind_unix(path)?,
        };
        let mut config = smtp::Config::new(options.hostname.clone(), options.protocol);
        config.max_mail_bytes = options.max_mail_bytes;
        config.limits = options.limits.clone();
        config.starttls = options.tls.is_some();
        let acceptor = options.tls.clone().map(TlsAcceptor::from);
        let shared = Shared { intake, options, config: Arc::new(config), acceptor, open: Mutex::default() };
        Ok(Door { listener, shared: Arc::new(shared) })
    }

    /// Where it listens, as people write it.
    #[must_use]
    pub fn local_addr(&self) -> String {
        match &self.listener {
            Listener::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "?".into(), |address| address.to_string())
            }
            Listener::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// Takes connections until told to stop; then lets each finish the mail in hand.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer, &mut connections, &stop),
                    Err(error) => {
                        // Out of file descriptors, mostly: the ones in use must end first.
                        tracing::warn!(%error, "Cannot take a connection");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                },
                () = stop.cancelled() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        // Whoever comes now is refused at once and tries elsewhere or later, instead of waiting in the backlog.
        if let Listener::Unix(listener, path) = self.listener {
            drop(listener);
            let _ = std::fs::remove_file(path);
        } else {
            drop(self.listener);
        }
        while connections.join_next().await.is_some() {}
    }

    async fn accept(&self) -> std::io::Result<(Stream, Peer)> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Replies are small and awaited.
                stream.set_nodelay(true)?;
                let ip = address.ip().to_canonical();
                let trusted = self.shared.options.trusted_relays.iter().any(|network| network.contains(ip));
                Ok((Stream::Tcp(stream), Peer { ip: Some(ip), trusted }))
            }
            Listener::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                // Only this machine's own mail server reaches a unix socket.
                Ok((Stream::Unix(stream), Peer { ip: None, trusted: true }))
            }
        }
    }

    fn take(&self, stream: Stream, peer: Peer, connections: &mut JoinSet<()>, stop: &CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let counted = Counted::new(&shared, &peer);
        let session = match &counted {
            Some(_) => smtp::Session::new(Arc::clone(&shared.config)),
            None => smtp::Session::too_many_connections(Arc::clone(&shared.config)),
        };
        let connection = Connection::new(shared, session, stream, peer);
        let stop = stop.clone();
        connections.spawn(async move {
            connection.run(stop).await;
            drop(counted);
        });
    }
}

fn bind_unix(path: &std::path::Path) -> std::io::Result<Listener> {
    use std::os::unix::fs::PermissionsExt as _;
    if is_stale(path) {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    // The mail server runs as a user of its own; a loopback port would be as open.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(Listener::Unix(listener, path.to_owned()))
}

/// Whether a socket is there that nobody listens at. Anything else is left alone: the path may be a mistake.
fn is_stale(path: &std::path::Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let refuses = || {
        let connected = std::os::unix::net::UnixStream::connect(path);
        connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    is_socket && refuses()
}

/// A place among the open connections, given back when it is dropped.
struct Counted {
    shared: Arc<Shared>,
    ip: Option<IpAddr>,
}

impl Counted {
    fn new(shared: &Arc<Shared>, peer: &Peer) -> Option<Counted> {
        let mut open = shared.open.lock().expect("plain map");
        let all: usize = open.values().sum();
        let of_client = open.get(&peer.ip).copied().unwrap_or_default();
        let allowed = all < shared.options.connections && of_client < shared.options.connections_per_client;
        if !allowed {
            return None;
        }
        open.insert(peer.ip, of_client + 1);
        Some(Counted { shared: Arc::clone(shared), ip: peer.ip })
    }
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

#[cfg(test)]
mod tests;
