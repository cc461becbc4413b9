//! A name server of a test's own: it knows the records it was given and that nothing else exists.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, MX, SOA, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

/// How long a character-string of a TXT record may be (RFC 1035 §3.3.14).
const STRING_OCTETS: usize = 255;
/// The longest question or answer by UDP.
const DATAGRAM_OCTETS: usize = 4_096;

/// One record: a name, and what it says.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    /// Text; cut into strings where it is long.
    Txt(&'a str, &'a str),
    /// An address.
    A(&'a str, Ipv4Addr),
    /// A mail exchanger with preference 10.
    Mx(&'a str, &'a str),
}

/// A name server on a loopback port, by UDP and TCP; stops when it is dropped.
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    _server: Option<Server<Catalog>>,
    _silent: Option<UdpSocket>,
    _relay: Option<AbortOnDrop>,
}

/// What a server has trouble with, by the ends of names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble<'a> {
    /// Questions about these are not answered.
    pub silent: &'a [&'a str],
    /// Questions about these are answered with a failure of the server.
    pub failing: &'a [&'a str],
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl std::fmt::Debug for NameServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NameServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl NameServer {
    /// Starts a server that is the authority for everything.
    ///
    /// # Panics
    /// When a name is none, or no port is free.
    pub async fn start(entries: &[Entry<'_>]) -> NameServer {
        let mut zone: InMemoryZoneHandler<TokioRuntimeProvider> =
            InMemoryZoneHandler::empty(Name::root(), ZoneType::Primary, AxfrPolicy::Deny);
        let soa = SOA::new(name("ns.invalid"), name("admin.invalid"), 1, 3_600, 600, 86_400, 60);
        zone.upsert_mut(Record::from_rdata(Name::root(), 60, RData::SOA(soa)), 1);
        for entry in entries {
            assert!(zone.upsert_mut(record(entry), 1), "{entry:?} was taken");
        }
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&Name::root()), vec![Arc::new(zone)]);
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().expect("a bound socket has an address");
        let mut server = Server::new(catalog);
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(5), 4_096);
        NameServer { address, _server: Some(server), _silent: None, _relay: None }
    }

    /// Starts a server that has trouble with some names. It speaks UDP alone.
    ///
    /// # Panics
    /// When a name is none, or no port is free.
    pub async fn start_troubled(entries: &[Entry<'_>], trouble: Trouble<'_>) -> NameServer {
        let server = NameServer::start(entries).await;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let ends = |names: &[&str]| names.iter().map(|end| wire(end)).collect::<Vec<_>>();
        let (silent, failing) = (ends(trouble.silent), ends(trouble.failing));
        let relay = tokio::spawn(relay(Arc::new(socket), server.address, silent, failing));
        NameServer { address, _relay: Some(AbortOnDrop(relay.abort_handle())), ..server }
    }

    /// Starts one that takes questions and never answers.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn silent() -> NameServer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        NameServer { address, _server: None, _silent: Some(socket), _relay: None }
    }
}

/// Hands questions on and answers back, but for those with trouble.
async fn relay(socket: Arc<UdpSocket>, server: SocketAddr, silent: Vec<Vec<u8>>, failing: Vec<Vec<u8>>) {
    loop {
        let mut question = vec![0; DATAGRAM_OCTETS];
        let Ok((length, peer)) = socket.recv_from(&mut question).await else { break };
        question.truncate(length);
        let asks = |ends: &[Vec<u8>]| {
            let lower = question.to_ascii_lowercase();
            ends.iter().any(|end| lower.windows(end.len()).any(|part| part == end.as_slice()))
        };
        if asks(&silent) {
            continue;
        }
        if asks(&failing) {
            // RFC 1035 §4.1.1: a response, and SERVFAIL.
            if let [_, _, flags, code, ..] = question.as_mut_slice() {
                (*flags, *code) = (*flags | 0x80, 2);
            }
            let _ = socket.send_to(&question, peer).await;
            continue;
        }
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            let Ok(own) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { return };
            let mut answer = vec![0; DATAGRAM_OCTETS];
            if own.send_to(&question, server).await.is_ok()
                && let Ok(length) = own.recv(&mut answer).await
            {
                answer.truncate(length);
                let _ = socket.send_to(&answer, peer).await;
            }
        });
    }
}

/// A name as a question carries it (RFC 1035 §3.1).
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).expect("a label of a test is short");
        [length].into_iter().chain(label.bytes())
    });
    labels.chain([0]).collect()
}

/// A UDP and a TCP socket on one port.
async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = udp.local_addr().expect("a bound socket has an address");
        if let Ok(tcp) = TcpListener::bind(address).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP");
}

fn record(entry: &Entry<'_>) -> Record {
    let (owner, data) = match *entry {
        Entry::Txt(owner, text) => {
            let strings =
                text.as_bytes().chunks(STRING_OCTETS).map(|part| String::from_utf8_lossy(part).into_owned());
            (owner, RData::TXT(TXT::new(strings.collect())))
        }
        Entry::A(owner, address) => (owner, RData::A(A(address))),
        Entry::Mx(owner, exchange) => (owner, RData::MX(MX::new(10, name(exchange)))),
    };
    Record::from_rdata(name(owner), 300, data)
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).expect("a name of a test is one")
}
