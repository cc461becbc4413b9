//! A way to a PostgreSQL on which the answer to a chosen COMMIT is lost.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The end of the server's answer when no transaction is open any more: ReadyForQuery, "idle" (the PostgreSQL protocol, message
/// formats).
const COMMITTED: &[u8] = b"Z\0\0\0\x05I";

/// Relays connections to a PostgreSQL. The transaction that carries a chosen text is committed by the server, and the connection
/// breaks before its client hears of that.
#[derive(Debug)]
pub struct LossyRelay {
    port: u16,
    server: String,
    chosen: Arc<Mutex<Option<Vec<u8>>>>,
}

impl LossyRelay {
    /// Starts a relay to the server of a URL, `postgres://user@host:port/database`. It ends with the process.
    ///
    /// # Panics
    /// When the URL is another one.
    #[must_use]
    pub fn to(url: &str) -> LossyRelay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let server = url.split(['@', '/']).nth(3).expect("the URL names a host and a port").to_owned();
        let chosen: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
        let relay = LossyRelay { port, server: server.clone(), chosen: Arc::clone(&chosen) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                relay_between(client, upstream, &chosen);
            }
        });
        relay
    }

    /// A URL of the server, by way of this relay.
    #[must_use]
    pub fn by_way_of(&self, url: &str) -> String {
        url.replace(&self.server, &format!("127.0.0.1:{}", self.port))
    }

    /// Loses the answer to the COMMIT of the next transaction that carries this text, as plain text.
    pub fn lose(&self, text: &str) {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.as_bytes().to_vec());
    }

    /// Whether what was chosen has been lost.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// Starts a thread for each direction.
fn relay_between(client: TcpStream, server: TcpStream, chosen: &Arc<Mutex<Option<Vec<u8>>>>) {
    let (Ok(to_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
    // Whether the transaction of this connection carries the text.
    let carries = Arc::new(Mutex::new(false));
    let (seen, chosen_here) = (Arc::clone(&carries), Arc::clone(chosen));
    thread::spawn(move || {
        pass(client, to_server, |bytes| {
            let text = chosen_here.lock().unwrap_or_else(PoisonError::into_inner);
            if text.as_ref().is_some_and(|text| contains(bytes, text)) {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = true;
            }
            true
        });
    });
    let chosen = Arc::clone(chosen);
    thread::spawn(move || {
        pass(server, to_client, |bytes| {
            let is_lost =
                *carries.lock().unwrap_or_else(PoisonError::into_inner) && contains(bytes, COMMITTED);
            if is_lost {
                *chosen.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            !is_lost
        });
    });
}

/// Passes on what comes until one side ends, or `goes_on` says no to it.
fn pass(mut from: TcpStream, mut to: TcpStream, mut goes_on: impl FnMut(&[u8]) -> bool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let Some(come) = bytes.get(..count).filter(|come| goes_on(come)) else { break };
        if to.write_all(come).is_err() {
            break;
        }
    }
    // Whoever reads on either side hears that it is over.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
