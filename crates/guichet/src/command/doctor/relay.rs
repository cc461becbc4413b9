//! Is there a way out, and does it take connections?

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::Finding;
use crate::config::{Loaded, Out};

/// How long a relay may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn check(loaded: &Loaded) -> Finding {
    match &loaded.config.delivery.relay {
        Out::Waits => Finding::warn(
            "delivery",
            "no way out: mail waits in the outbox",
            "set delivery.relay to smtp://…, smtps://… or direct",
        ),
        Out::Direct => Finding::ok(
            "delivery",
            "straight to mail exchangers; this needs a reverse DNS name and outgoing port 25",
        ),
        Out::Relay(relay) => match connect(&relay.host, relay.port) {
            Ok(()) => Finding::ok("delivery", format!("{relay} takes connections")),
            Err(error) => {
                let detail = format!("{relay} cannot be reached: {error}");
                Finding::warn(
                    "delivery",
                    detail,
                    "make sure that it is running and that delivery.relay is right; mail waits and is tried again",
                )
            }
        },
    }
}

fn connect(host: &str, port: u16) -> std::io::Result<()> {
    let mut last = std::io::Error::other("the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Level;
    use crate::command::doctor::tests::loaded;

    #[test]
    fn a_relay_is_tried_by_a_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let flag = format!("delivery.relay=smtp://u:hush@{}", listener.local_addr().unwrap());
        assert_eq!(check(&loaded(&[&flag])).level, Level::Ok);
        // A port that was free a moment ago may be another test's by now; nobody listens on port 1.
        let gone = check(&loaded(&["delivery.relay=smtp://u:hush@127.0.0.1:1"]));
        assert_eq!(gone.level, Level::Warn);
        assert!(!gone.detail.contains("hush"), "{gone:?}");
    }
}
