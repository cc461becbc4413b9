//! A listener and its connections, counted in all and per client.

use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Peer, Stream};
use crate::shared::Shared;
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

impl Door {
    pub(crate) async fn bind(intake: Intake, options: DoorOptions) -> std::io::Result<Door> {
        let listener = match &options.listen {
            Listen::Tcp(address) => Listener::Tcp(TcpListener::bind(address).await?),
            Listen::Unix(path) => bind_unix(path)?,
        };
        Ok(Door { listener, shared: Arc::new(Shared::new(intake, options)) })
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
        // New clients are refused at once and try elsewhere or later, instead of waiting in the backlog.
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
        let counted = shared.enter(peer.ip);
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

/// Whether a socket is there that nobody listens on. Anything else is left alone: the path may be a mistake.
fn is_stale(path: &std::path::Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let refuses = || {
        let connected = std::os::unix::net::UnixStream::connect(path);
        connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    is_socket && refuses()
}

#[cfg(test)]
mod tests;
