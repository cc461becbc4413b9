//! Free loopback ports, and waiting until somebody answers on one.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::wait::{READY_WITHIN, until};

/// Below the range from which Linux takes the source ports of outgoing connections, so that none of those can take a
/// port between our look and the server's bind.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Returns a loopback TCP port on which nobody listens; never the same one twice in a process.
///
/// # Panics
/// When the whole range of 12,000 ports is in use.
#[must_use]
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let first = rand::random_range(RANGE);
    let port = (first..RANGE.end)
        .chain(RANGE.start..first)
        .find(|port| !given.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("twelve thousand ports are not all taken");
    given.insert(port);
    port
}

/// Waits until something accepts connections on a loopback TCP port.
///
/// # Errors
/// When nobody does within [`READY_WITHIN`].
pub fn wait_for_port(port: u16) -> Result<()> {
    until(&format!("a server on port {port}"), READY_WITHIN, || {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop))
    })
}

/// Waits until something accepts connections on a unix socket.
///
/// # Errors
/// When nobody does within [`READY_WITHIN`].
pub fn wait_for_socket(path: &Path) -> Result<()> {
    until(&format!("a server on {}", path.display()), READY_WITHIN, || {
        Ok(UnixStream::connect(path).ok().map(drop))
    })
}
