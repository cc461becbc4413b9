//! One attempt: takes a mail for one recipient to the next server and says what happened.
//!
//! A [`Transport`] is shared by all workers of a process. It keeps connections for the next mail, holds each
//! destination to its number of connections, and never fails: whatever happens becomes an [`Attempt`]. It stores
//! nothing and retries nothing; the only thing it does twice is to replace a kept connection that had died before
//! the mail began.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hickory_resolver::net::NetError;
use rand::seq::SliceRandom;
use tokio::{net::TcpStream, task::AbortHandle, time::timeout};

use crate::{
    attempt::{Attempt, AttemptResult, Failure, Peer, Scope, Step, Trouble},
    mailbox::Mailbox,
    mx::{Exchanger, Exchangers},
    pool::{Destinations, Limits, Place},
    reply::Reply,
    retry::Class,
    route::{RelayUrl, Route},
    session::{Delivery, Opening, Session, TlsUse},
    tls::TlsConfigs,
};
pub use crate::{session::Timeouts, tls::TlsError};

/// The most mail exchangers of one domain that are tried in one attempt.
const EXCHANGERS_LIMIT: usize = 8;
/// After this time no further exchanger is tried in the same attempt.
const EXCHANGERS_WITHIN: Duration = Duration::from_secs(600);
/// How often unused connections are looked through.
const SWEEP: Duration = Duration::from_secs(5);

/// Settings of a [`Transport`] other than its route.
#[derive(Debug, Clone)]
pub struct Options {
    /// Our own host name, for EHLO and to find ourselves among mail exchangers.
    pub hello_name: String,
    /// Limits of connections.
    pub limits: Limits,
    /// How long servers may take.
    pub timeouts: Timeouts,
    /// PEM certificates of authorities to trust in addition to the public ones. With them a relay on loopback is
    /// verified too; without them it is not.
    pub extra_ca_pem: Option<Vec<u8>>,
}

impl Options {
    /// Returns the default settings with a host name.
    #[must_use]
    pub fn new(hello_name: impl Into<String>) -> Self {
        let (limits, timeouts) = (Limits::default(), Timeouts::default());
        Self { hello_name: hello_name.into(), limits, timeouts, extra_ca_pem: None }
    }
}

/// Why a transport cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The extra CA or TLS itself is unusable.
    #[error("outgoing TLS cannot be prepared")]
    Tls(#[from] TlsError),
    /// The system's resolver configuration is unusable; only for [`Route::Direct`].
    #[error("the name servers cannot be used")]
    Dns(#[from] Box<NetError>),
    /// Our host name would break the EHLO command.
    #[error("the host name {0:?} cannot be used in EHLO")]
    HelloName(String),
}

/// The envelope of one outgoing mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The return path without `<>`; `None` is the null return path of automatic notices.
    pub mail_from: Option<String>,
    /// The recipient without `<>`.
    pub rcpt_to: String,
}

/// Sends mail; cheap to clone, all clones share connections and limits.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    way: Way,
    options: Options,
    tls: TlsConfigs,
    destinations: Arc<Destinations<Session>>,
    sweeper: AbortHandle,
}

#[derive(Debug)]
enum Way {
    None,
    Relay(RelayUrl),
    Direct { exchangers: Box<Exchangers>, port: u16, allow_loopback: bool },
}

/// A server to be talked to.
#[derive(Debug, Clone, Copy)]
struct Server<'a> {
    peer: Peer,
    host: &'a str,
    port: u16,
}

impl Transport {
    /// Prepares a transport; opens no connection. Must be called inside a tokio runtime, which then also closes
    /// connections that are idle for too long.
    ///
    /// # Errors
    /// A [`TransportError`] if TLS, name servers or the host name cannot be used.
    pub fn new(route: Route, options: Options) -> Result<Self, TransportError> {
        let name = &options.hello_name;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TransportError::HelloName(name.clone()));
        }
        let tls = TlsConfigs::new(options.extra_ca_pem.as_deref())?;
        let mut places = options.limits.per_destination;
        let way = match route {
            Route::None => Way::None,
            Route::Relay(relay) => {
                places = options.limits.to_relay;
                Way::Relay(relay)
            }
            Route::Direct { port, dns_servers, allow_loopback } => {
                let exchangers = Exchangers::new(&dns_servers, name, allow_loopback).map_err(Box::new)?;
                Way::Direct { exchangers: Box::new(exchangers), port, allow_loopback }
            }
        };
        let destinations = Arc::new(Destinations::new(places, options.limits.idle));
        let sweeper = tokio::spawn(sweep(Arc::clone(&destinations))).abort_handle();
        Ok(Self(Arc::new(Inner { way, options, tls, destinations, sweeper })))
    }

    /// What is down when an attempt says so with [`crate::attempt::Scope::Host`]: the relay for every recipient, else
    /// the recipient's domain, lower-cased.
    #[must_use]
    pub fn destination(&self, recipient: &str) -> String {
        match &self.0.way {
            Way::Relay(relay) => relay.host.clone(),
            Way::None | Way::Direct { .. } => {
                recipient.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase()
            }
        }
    }

    /// Whether there is any way out: a relay, or delivery to mail exchangers.
    #[must_use]
    pub fn can_deliver(&self) -> bool {
        !matches!(self.0.way, Way::None)
    }

    /// Whether all mail goes to the same destination, the relay.
    #[must_use]
    pub fn has_one_destination(&self) -> bool {
        matches!(self.0.way, Way::Relay(_))
    }

    /// Most connections to one destination at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        match &self.0.way {
            Way::Relay(_) => self.0.options.limits.to_relay,
            Way::None | Way::Direct { .. } => self.0.options.limits.per_destination,
        }
    }

    /// Makes one attempt to deliver `bytes` (CRLF line ends) to one recipient, and says what happened.
    ///
    /// Waits for a free connection if the destination has none; then, before the first byte of the mail, asks whether
    /// it may still begin: `None` if not. If the future is dropped the connection is closed, and the server may or may
    /// not have taken the mail: in doubt it must be sent again.
    pub async fn send(&self, envelope: Envelope, bytes: &[u8], may_begin: MayBegin<'_>) -> Option<Attempt> {
        match read(&envelope) {
            Err(sentence) => Some(Attempt::bounced("", "5.1.3", sentence)),
            // RFC 5321 §2.3.8. A lone CR or LF is how one mail is smuggled inside another, so it never leaves.
            Ok((_, rcpt_to)) if has_bare_line_end(bytes) => {
                let sentence = "the mail has a line end other than CRLF, and was not sent".to_owned();
                Some(Attempt::bounced(rcpt_to.domain(), "5.6.0", sentence))
            }
            Ok((mail_from, rcpt_to)) => {
                let delivery = Delivery { mail_from: mail_from.as_ref(), rcpt_to: &rcpt_to, bytes };
                self.0.send(&delivery, may_begin).await.ok()
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

/// Whether a mail that waited for its connection may still be started.
pub type MayBegin<'a> = &'a (dyn Fn() -> bool + Sync);

/// It may not.
struct NotBegun;

impl Inner {
    async fn send(&self, delivery: &Delivery<'_>, may_begin: MayBegin<'_>) -> Result<Attempt, NotBegun> {
        match &self.way {
            Way::None => {
                let sentence = "no relay is configured, so mail waits; set delivery.relay".to_owned();
                Ok(Attempt::deferred("", Class::Operator, Scope::Host, sentence))
            }
            Way::Relay(relay) => {
                let server = Server { peer: Peer::Relay, host: &relay.host, port: relay.port };
                Ok(match self.deliver(server, delivery, may_begin).await? {
                    Ok(reply) => Attempt::sent(server.host, &reply),
                    Err(failure) => failure.attempt(server.host, server.peer),
                })
            }
            Way::Direct { exchangers, port, .. } => {
                self.send_direct(exchangers, *port, delivery, may_begin).await
            }
        }
    }

    /// Tries the domain's exchangers in order until one has heard the envelope.
    async fn send_direct(
        &self,
        exchangers: &Exchangers,
        port: u16,
        delivery: &Delivery<'_>,
        may_begin: MayBegin<'_>,
    ) -> Result<Attempt, NotBegun> {
        let domain = delivery.rcpt_to.domain();
        let mut hosts = match exchangers.of_domain(domain).await {
            Ok(hosts) => hosts,
            Err(trouble) => {
                return Ok(Failure { step: Step::Connect, trouble }.attempt(domain, Peer::Exchanger));
            }
        };
        self.order(&mut hosts, port);
        let mut outcome: Option<Attempt> = None;
        let begun = Instant::now();
        for Exchanger { host, .. } in hosts.iter().take(EXCHANGERS_LIMIT) {
            let server = Server { peer: Peer::Exchanger, host, port };
            let failure = match self.deliver(server, delivery, may_begin).await? {
                Ok(reply) => return Ok(Attempt::sent(host, &reply)),
                Err(failure) => failure,
            };
            let attempt = failure.attempt(host, server.peer);
            if !failure.is_before_envelope() {
                return Ok(attempt);
            }
            // One host that may answer later is enough to try again: a bounce needs all of them.
            let keeps_hope =
                outcome.as_ref().is_some_and(|earlier| earlier.result == AttemptResult::Deferred);
            if !keeps_hope || attempt.result == AttemptResult::Deferred {
                outcome = Some(attempt);
            }
            // Servers that answer slowly on purpose would keep a row, and with it its account, for hours.
            if begun.elapsed() >= EXCHANGERS_WITHIN {
                break;
            }
        }
        Ok(outcome.unwrap_or_else(|| {
            let sentence = format!("no mail exchanger of {domain} could be tried");
            Attempt::deferred(domain, Class::Connection, Scope::Host, sentence)
        }))
    }

    /// Spreads the load over exchangers of equal preference (RFC 5321 §5.1), but prefers one we are connected to.
    fn order(&self, hosts: &mut [Exchanger], port: u16) {
        hosts.shuffle(&mut rand::rng());
        hosts.sort_by_cached_key(|exchanger| {
            let is_connected = self.destinations.has_unused(&key(&exchanger.host, port));
            (exchanger.preference, !is_connected)
        });
    }

    async fn deliver(
        &self,
        server: Server<'_>,
        delivery: &Delivery<'_>,
        may_begin: MayBegin<'_>,
    ) -> Result<Result<Reply, Failure>, NotBegun> {
        let place = self.destinations.place(&key(server.host, server.port)).await;
        if let Some(mut session) = place.unused() {
            if !may_begin() {
                self.put_back(place, session).await;
                return Err(NotBegun);
            }
            match session.deliver(delivery).await {
                // It died while it was unused, and the envelope was not heard: a fresh one may do.
                Err(failure) if had_died(&failure) => {}
                result => {
                    self.put_back(place, session).await;
                    return Ok(result);
                }
            }
        }
        let mut session = match self.open(server).await {
            Ok(session) => session,
            Err(failure) => return Ok(Err(failure)),
        };
        let result = if may_begin() { Ok(session.deliver(delivery).await) } else { Err(NotBegun) };
        self.put_back(place, session).await;
        result
    }

    async fn put_back(&self, place: Place<Session>, session: Session) {
        if session.is_usable(self.options.limits.mails_per_connection) {
            place.keep(session);
        } else {
            session.quit().await;
        }
    }

    async fn open(&self, server: Server<'_>) -> Result<Session, Failure> {
        let (stream, address) = self.connect(server).await?;
        let tls = self.tls_use(server, address);
        let may_go_plain = matches!(tls, TlsUse::Opportunistic(_));
        match self.converse(server, stream, tls).await {
            // An exchanger that offers TLS and cannot do it still gets its mail, as from one that never offered it:
            // refusing would protect nobody, since the offer itself is not protected (RFC 7435 §3).
            Err(Failure { trouble: Trouble::Tls(_), .. }) if may_go_plain => {
                let (stream, _) = self.connect(server).await?;
                self.converse(server, stream, TlsUse::Never).await
            }
            result => result,
        }
    }

    async fn converse(&self, server: Server<'_>, stream: TcpStream, tls: TlsUse) -> Result<Session, Failure> {
        let credentials = match &self.way {
            Way::Relay(relay) => relay.credentials.as_ref(),
            Way::None | Way::Direct { .. } => None,
        };
        let (hello_name, timeouts) = (self.options.hello_name.as_str(), self.options.timeouts);
        let opening = Opening { host: server.host, hello_name, tls, credentials, timeouts };
        Session::open(Box::new(stream), &opening).await
    }

    fn tls_use(&self, server: Server<'_>, address: SocketAddr) -> TlsUse {
        let Way::Relay(relay) = &self.way else {
            debug_assert_eq!(server.peer, Peer::Exchanger);
            return TlsUse::Opportunistic(Arc::clone(&self.tls.unverified));
        };
        let stays_here = address.ip().to_canonical().is_loopback();
        let config = match stays_here && !self.tls.has_extra_ca {
            true => &self.tls.unverified,
            false => &self.tls.verified,
        };
        let config = Arc::clone(config);
        match relay.credentials {
            _ if relay.implicit_tls => TlsUse::Implicit(config),
            Some(_) if !stays_here => TlsUse::Required(config),
            _ => TlsUse::Offered(config),
        }
    }

    async fn connect(&self, server: Server<'_>) -> Result<(TcpStream, SocketAddr), Failure> {
        let failed = |trouble| Failure { step: Step::Connect, trouble };
        let mut last = Trouble::Dns(format!("{} has no address", server.host));
        for address in self.addresses(server).await.map_err(failed)? {
            let connection = timeout(self.options.timeouts.connect, TcpStream::connect(address)).await;
            match connection.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
                Ok(stream) if self.is_ourselves(&stream) => {
                    let sentence = format!("the mail exchanger {} is this machine", server.host);
                    return Err(failed(Trouble::Unfit("5.4.6", sentence)));
                }
                Ok(stream) => {
                    // Commands are short and each waits for its answer.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, address));
                }
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => last = Trouble::TimedOut,
                Err(error) => last = Trouble::Io(error),
            }
        }
        Err(failed(last))
    }

    async fn addresses(&self, server: Server<'_>) -> Result<Vec<SocketAddr>, Trouble> {
        let Server { host, port, .. } = server;
        if let Way::Direct { exchangers, .. } = &self.way {
            let addresses = exchangers.addresses(host).await?;
            return Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect());
        }
        // The operator's relay may well be named in the hosts file, which the system's resolver knows.
        match timeout(self.options.timeouts.connect, tokio::net::lookup_host((host, port))).await {
            Ok(Ok(addresses)) => Ok(addresses.collect()),
            Ok(Err(error)) => {
                Err(Trouble::Dns(format!("the address of {host} could not be looked up: {error}")))
            }
            Err(_) => Err(Trouble::Dns(format!("the address of {host} could not be looked up in time"))),
        }
    }

    /// Returns whether an exchanger's address is one of our own, whatever its name.
    fn is_ourselves(&self, stream: &TcpStream) -> bool {
        let Way::Direct { allow_loopback: false, .. } = self.way else {
            return false;
        };
        // A connection to oneself has the same address at both ends.
        matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(peer)) if own.ip() == peer.ip())
    }
}

/// Closes idle connections until the transport is dropped.
async fn sweep(destinations: Arc<Destinations<Session>>) {
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        ticks.tick().await;
        let goodbyes = destinations.take_stale().into_iter().map(Session::quit);
        futures_util::future::join_all(goodbyes).await;
    }
}

fn key(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}

fn had_died(failure: &Failure) -> bool {
    let died = match &failure.trouble {
        Trouble::Closed | Trouble::Io(_) | Trouble::Protocol(_) => true,
        Trouble::Reply(reply) => reply.code == 421,
        _ => false,
    };
    died && failure.step == Step::MailFrom
}

fn read(envelope: &Envelope) -> Result<(Option<Mailbox>, Mailbox), String> {
    let mail_from = envelope.mail_from.as_deref().map(Mailbox::parse).transpose()?;
    Ok((mail_from, Mailbox::parse(&envelope.rcpt_to)?))
}

fn has_bare_line_end(bytes: &[u8]) -> bool {
    let mut after_cr = false;
    for byte in bytes {
        if (*byte == b'\n') != after_cr {
            return true;
        }
        after_cr = *byte == b'\r';
    }
    after_cr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_line_ends_are_found() {
        for (bytes, want) in [
            ("", false),
            ("a", false),
            ("a\r\nb\r\n", false),
            ("\r\n\r\n", false),
            ("a\nb", true),
            ("a\rb", true),
            ("a\r\r\n", true),
            ("a\r", true),
            ("\n", true),
            ("a\r\n\n", true),
        ] {
            assert_eq!(has_bare_line_end(bytes.as_bytes()), want, "{bytes:?}");
        }
    }
}
