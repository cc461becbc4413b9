//! A scripted SMTP server: answers well unless told otherwise, and remembers what it heard.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// In place of an answer: closes the connection.
pub(crate) const DROP: &str = "DROP";

/// What the server does. Steps are named by their verb; `greeting` and `.` are the two without one.
#[derive(Default)]
pub(crate) struct Script {
    once: BTreeMap<&'static str, VecDeque<String>>,
    always: BTreeMap<&'static str, String>,
    offers: Vec<&'static str>,
    tls: Option<TlsAcceptor>,
    implicit_tls: bool,
    gate: Option<Arc<Semaphore>>,
}

impl Script {
    /// Gives one answer the next time the step comes, on whichever connection.
    pub(crate) fn once(mut self, step: &'static str, answer: &str) -> Self {
        self.once.entry(step).or_default().push_back(answer.to_owned());
        self
    }

    /// Gives the same answer whenever the step comes.
    pub(crate) fn always(mut self, step: &'static str, answer: &str) -> Self {
        self.always.insert(step, answer.to_owned());
        self
    }

    /// Extensions an extension in the EHLO answer.
    pub(crate) fn offer(mut self, extension: &'static str) -> Self {
        self.offers.push(extension);
        self
    }

    /// Can do TLS with this certificate; offered as STARTTLS unless it starts at once.
    pub(crate) fn tls(mut self, certificate: &Certificate, implicit: bool) -> Self {
        self.tls = Some(certificate.acceptor());
        self.implicit_tls = implicit;
        if implicit { self } else { self.offer("STARTTLS") }
    }

    /// Answers a mail's last byte only when the gate gives a permit.
    pub(crate) fn gate(mut self, gate: &Arc<Semaphore>) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }

    /// Starts the server on a free port of 127.0.0.1.
    pub(crate) async fn start(self) -> Server {
        self.start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// Starts the server at an address.
    pub(crate) async fn start_at(self, address: SocketAddr) -> Server {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut tasks = JoinSet::new();
        let shared = Arc::new(Shared { script: Mutex::new(self), heard: Arc::clone(&heard) });
        tasks.spawn(accept(listener, shared));
        Server { address, heard, _tasks: tasks }
    }
}

/// A self-signed certificate and its key.
pub(crate) struct Certificate(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Certificate {
    pub(crate) fn for_name(name: &str) -> Self {
        Self(rcgen::generate_simple_self_signed([name.to_owned()]).unwrap())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.cert.pem().into_bytes()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.0.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config =
            config.with_no_client_auth().with_single_cert(vec![self.0.cert.der().clone()], key).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A running server; it ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    _tasks: JoinSet<()>,
}

/// What the server heard, over all connections.
#[derive(Default, Clone)]
pub(crate) struct Heard {
    /// Accepted connections.
    pub(crate) connections: usize,
    /// Completed TLS handshakes.
    pub(crate) handshakes: usize,
    /// Command lines in order, without line ends.
    pub(crate) lines: Vec<String>,
    /// Mails as they came, the end mark taken off and the dots undone.
    pub(crate) mails: Vec<Vec<u8>>,
}

impl Server {
    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }
}

struct Shared {
    script: Mutex<Script>,
    heard: Arc<Mutex<Heard>>,
}

impl Shared {
    fn answer(&self, step: &str, usual: &str) -> String {
        let mut script = self.script.lock().unwrap();
        if let Some(answer) = script.once.get_mut(step).and_then(VecDeque::pop_front) {
            return answer;
        }
        script.always.get(step).cloned().unwrap_or_else(|| usual.to_owned())
    }

    fn ehlo(&self, encrypted: bool) -> String {
        let script = self.script.lock().unwrap();
        let offers = script.offers.iter().filter(|offer| !(encrypted && **offer == "STARTTLS"));
        let lines: String = offers.map(|offer| format!("250-{offer}\r\n")).collect();
        format!("250-server.example\r\n{lines}250 PIPELINING")
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.heard.lock().unwrap().connections += 1;
        connections.spawn(serve(Box::new(stream), Arc::clone(&shared)));
    }
}

/// Holds one conversation; `None` when it ends.
async fn serve(stream: Box<dyn Stream>, shared: Arc<Shared>) -> Option<()> {
    let mut peer = Conversation { stream, unread: Vec::new(), encrypted: false, shared };
    if peer.shared.script.lock().unwrap().implicit_tls {
        peer.encrypt().await?;
    }
    peer.say("greeting", "220 server.example").await?;
    loop {
        let line = peer.until(b"\r\n").await?;
        let line = String::from_utf8(line).unwrap();
        peer.shared.heard.lock().unwrap().lines.push(line.clone());
        peer.obey(line.split(' ').next().unwrap()).await?;
    }
}

struct Conversation {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    encrypted: bool,
    shared: Arc<Shared>,
}

impl Conversation {
    async fn obey(&mut self, verb: &str) -> Option<()> {
        match verb {
            "EHLO" => {
                let offers = self.shared.ehlo(self.encrypted);
                self.say("EHLO", &offers).await.map(drop)
            }
            "STARTTLS" => match self.say("STARTTLS", "220 go ahead").await? {
                true => self.encrypt().await,
                false => Some(()),
            },
            "AUTH" => self.say("AUTH", "235 welcome").await.map(drop),
            "DATA" => match self.say("DATA", "354 go ahead").await? {
                true => self.take_mail().await,
                false => Some(()),
            },
            "QUIT" => {
                self.say("QUIT", "221 bye").await?;
                None
            }
            verb => self.say(verb, "250 fine").await.map(drop),
        }
    }

    async fn take_mail(&mut self) -> Option<()> {
        let mut mail = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            match line.strip_prefix(b".") {
                Some(b"") => break,
                Some(rest) => mail.extend_from_slice(rest),
                None => mail.extend_from_slice(&line),
            }
            mail.extend_from_slice(b"\r\n");
        }
        self.shared.heard.lock().unwrap().mails.push(mail);
        let gate = self.shared.script.lock().unwrap().gate.clone();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        self.say(".", "250 2.0.0 taken").await.map(drop)
    }

    /// Says the step's answer; `true` if it is the usual positive one, `None` if the connection ends here.
    async fn say(&mut self, step: &str, usual: &str) -> Option<bool> {
        let answer = self.shared.answer(step, usual);
        if answer == DROP {
            return None;
        }
        self.stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()?;
        // A server that says 421 closes (RFC 5321 §3.8).
        if answer.starts_with("421") { None } else { Some(answer.starts_with(['2', '3'])) }
    }

    /// Sets up TLS; hangs up if there is no certificate to do it with.
    async fn encrypt(&mut self) -> Option<()> {
        let acceptor = self.shared.script.lock().unwrap().tls.clone()?;
        assert!(self.unread.is_empty(), "the client pipelined before TLS");
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = Box::new(acceptor.accept(plain).await.ok()?);
        self.shared.heard.lock().unwrap().handshakes += 1;
        self.encrypted = true;
        Some(())
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                let line = self.unread.drain(..at + end.len()).collect::<Vec<u8>>();
                return line.strip_suffix(end).map(<[u8]>::to_vec);
            }
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
    }
}
