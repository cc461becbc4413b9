//! One SMTP conversation with one server, client side: greeting, EHLO, STARTTLS, AUTH, then mails one after another.
//!
//! Strictly in step: one command, one reply. What a server says out of turn is never taken for the answer to the
//! next command, and nothing that was said before TLS survives it (RFC 3207 §6). Bytes of a mail go out unchanged but
//! for the dots of RFC 5321 §4.5.2.

use std::{sync::Arc, time::Duration};

use base64::Engine as _;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    attempt::{Failure, Step, Trouble},
    extensions::Extensions,
    mailbox::Mailbox,
    reply::{NotAReply, Reply},
    route::Credentials,
};

/// How long a server may take for each step; the defaults are those of RFC 5321 §4.5.3.2, shorter where it only
/// costs a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For one TCP connection.
    pub connect: Duration,
    /// For a TLS handshake.
    pub tls: Duration,
    /// For the greeting, and for the answer to each command but DATA.
    pub command: Duration,
    /// For the answer to DATA.
    pub data: Duration,
    /// For each block of 64 KiB of the mail to be taken.
    pub block: Duration,
    /// For the answer after the mail's last byte; too short a wait causes duplicates.
    pub message: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(60),
            command: Duration::from_secs(5 * 60),
            data: Duration::from_secs(2 * 60),
            block: Duration::from_secs(3 * 60),
            message: Duration::from_secs(10 * 60),
        }
    }
}

/// How long to wait for the answer to QUIT, or for the last words of a server that hangs up.
const GOODBYE: Duration = Duration::from_secs(5);
/// How much of a mail is written at once, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

const OUT_OF_TURN: &str = "it spoke out of turn";

/// A connection's bytes, plain or encrypted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whether and how a connection is encrypted.
#[derive(Debug, Clone)]
pub(crate) enum TlsUse {
    /// Not at all.
    Never,
    /// If the server offers STARTTLS and takes it.
    Opportunistic(Arc<ClientConfig>),
    /// If the server offers STARTTLS; once offered it must work.
    Offered(Arc<ClientConfig>),
    /// STARTTLS, or no mail: a password would go in the clear.
    Required(Arc<ClientConfig>),
    /// From the first byte.
    Implicit(Arc<ClientConfig>),
}

/// What is to be done before the first mail.
#[derive(Debug, Clone)]
pub(crate) struct Opening<'a> {
    /// The server's name, for TLS and for sentences.
    pub(crate) host: &'a str,
    /// Our own name, for EHLO.
    pub(crate) hello_name: &'a str,
    pub(crate) tls: TlsUse,
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) timeouts: Timeouts,
}

/// An open conversation.
pub(crate) struct Session {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    offers: Extensions,
    timeouts: Timeouts,
    mails: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next mail may begin.
    Ready,
    /// An envelope was started and refused: RSET first.
    Dirty,
    /// Unusable.
    Broken,
}

/// The parts of one delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery<'a> {
    /// `None` is the null return path `<>`.
    pub(crate) mail_from: Option<&'a Mailbox>,
    pub(crate) rcpt_to: &'a Mailbox,
    /// The mail, with CRLF line ends.
    pub(crate) bytes: &'a [u8],
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("offers", &self.offers)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Conducts the conversation up to the first mail.
    pub(crate) async fn open(stream: Box<dyn Stream>, opening: &Opening<'_>) -> Result<Self, Failure> {
        let (offers, state) = (Extensions::default(), State::Ready);
        let unread = Vec::new();
        let mut session = Self { stream, unread, offers, timeouts: opening.timeouts, mails: 0, state };
        if let TlsUse::Implicit(config) = &opening.tls {
            session.encrypt(Step::Tls, config, opening.host).await?;
        }
        let greeting = session.reply(Step::Greeting, opening.timeouts.command).await?;
        wanted(greeting, Step::Greeting, 220)?;
        session.hello(opening.hello_name).await?;
        session.start_tls(opening).await?;
        if let Some(credentials) = opening.credentials {
            session.log_in(opening.host, credentials).await?;
        }
        Ok(session)
    }

    /// Sends one mail and returns the server's final answer.
    pub(crate) async fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Reply, Failure> {
        self.check_fit(delivery)?;
        if self.state == State::Dirty {
            self.reset().await?;
        }
        self.mails += 1;
        let command = self.mail_command(delivery);
        let reply = self.command(Step::MailFrom, &command).await?;
        self.taken_if(reply.code == 250, reply, Step::MailFrom)?;
        let reply = self.command(Step::RcptTo, &format!("RCPT TO:<{}>", delivery.rcpt_to)).await?;
        // RFC 5321 §3.3: 250, 251 (forwarded) and 252 (not verified) all take the recipient.
        self.taken_if((250..=252).contains(&reply.code), reply, Step::RcptTo)?;
        let reply = self.command(Step::Data, "DATA").await?;
        self.taken_if(reply.code == 354, reply, Step::Data)?;
        self.write_mail(delivery.bytes).await?;
        let reply = self.reply(Step::Message, self.timeouts.message).await?;
        let reply = self.taken_if(reply.severity() == 2, reply, Step::Message)?;
        self.state = State::Ready;
        Ok(reply)
    }

    /// Cancels a started envelope. Any answer but 250 says nothing about the next mail: the connection is dead.
    async fn reset(&mut self) -> Result<(), Failure> {
        match self.command(Step::MailFrom, "RSET").await {
            Ok(reply) if reply.code == 250 => Ok(()),
            _ => Err(self.broken(Step::MailFrom, Trouble::Protocol("it did not take RSET"))),
        }
    }

    /// Returns whether another mail may be sent over this connection.
    pub(crate) fn is_usable(&self, mails_per_connection: u32) -> bool {
        self.state != State::Broken && self.mails < mails_per_connection.max(1)
    }

    /// Says goodbye and closes; waits a few seconds for the answer, as RFC 5321 §4.1.1.10 asks, and no longer.
    pub(crate) async fn quit(mut self) {
        if self.state != State::Broken {
            // Nothing depends on the answer to QUIT.
            let _ = timeout(GOODBYE, self.command(Step::Message, "QUIT")).await;
        }
        let _ = timeout(GOODBYE, self.stream.shutdown()).await;
    }

    async fn hello(&mut self, hello_name: &str) -> Result<(), Failure> {
        let reply = self.command(Step::Hello, &format!("EHLO {hello_name}")).await?;
        if reply.code == 250 {
            self.offers = Extensions::read(&reply);
            return Ok(());
        }
        self.offers = Extensions::default();
        // RFC 5321 §3.2: a server that does not know EHLO may still know HELO.
        if !matches!(reply.code, 500 | 501 | 502 | 504) {
            return wanted(reply, Step::Hello, 250);
        }
        let reply = self.command(Step::Hello, &format!("HELO {hello_name}")).await?;
        wanted(reply, Step::Hello, 250)
    }

    async fn start_tls(&mut self, opening: &Opening<'_>) -> Result<(), Failure> {
        let (config, may_refuse) = match &opening.tls {
            TlsUse::Never | TlsUse::Implicit(_) => return Ok(()),
            TlsUse::Opportunistic(config) => (config, true),
            TlsUse::Offered(config) | TlsUse::Required(config) => (config, false),
        };
        if !self.offers.starttls {
            return match opening.tls {
                TlsUse::Required(_) => Err(unsafe_without_tls(opening.host)),
                _ => Ok(()),
            };
        }
        let reply = self.command(Step::StartTls, "STARTTLS").await?;
        if may_refuse && reply.code != 220 && reply.code != 421 {
            return Ok(());
        }
        wanted(reply, Step::StartTls, 220)?;
        // RFC 3207 §4.2 and §6: what came in the clear after 220 may be an attacker's.
        if !self.unread.is_empty() {
            return Err(self.broken(Step::StartTls, Trouble::Protocol("it went on in the clear")));
        }
        self.encrypt(Step::StartTls, config, opening.host).await?;
        self.hello(opening.hello_name).await
    }

    async fn encrypt(&mut self, step: Step, config: &Arc<ClientConfig>, host: &str) -> Result<(), Failure> {
        let failed = |words: String| Failure { step, trouble: Trouble::Tls(words) };
        // An address literal has brackets in mail, none in TLS.
        let bare = host.trim_start_matches('[').trim_start_matches("ipv6:").trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| failed(error.to_string()))?;
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, plain);
        match timeout(self.timeouts.tls, handshake).await {
            Ok(Ok(stream)) => self.stream = Box::new(stream),
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("no answer in time".to_owned())),
        }
        Ok(())
    }

    async fn log_in(&mut self, host: &str, credentials: &Credentials) -> Result<(), Failure> {
        let Credentials { user, password } = credentials;
        let reply = if self.offers.auth_plain {
            // RFC 4616 §2; the initial response of RFC 4954 §4 saves a round trip.
            let plain = base64(&format!("\0{user}\0{password}"));
            self.command(Step::Auth, &format!("AUTH PLAIN {plain}")).await?
        } else if self.offers.auth_login {
            let reply = self.command(Step::Auth, "AUTH LOGIN").await?;
            wanted(reply, Step::Auth, 334)?;
            let reply = self.command(Step::Auth, &base64(user)).await?;
            wanted(reply, Step::Auth, 334)?;
            self.command(Step::Auth, &base64(password)).await?
        } else {
            let sentence = format!(
                "the relay {host} offers neither AUTH PLAIN nor AUTH LOGIN, but the relay URL has a password; remove it or use another port"
            );
            return Err(Failure { step: Step::Auth, trouble: Trouble::Unsafe(sentence) });
        };
        wanted(reply, Step::Auth, 235)
    }

    /// Finds out before the envelope whether this server can take this mail at all.
    fn check_fit(&self, delivery: &Delivery<'_>) -> Result<(), Failure> {
        let unfit = |enhanced, words: &str| {
            let trouble = Trouble::Unfit(enhanced, words.to_owned());
            Err(Failure { step: Step::MailFrom, trouble })
        };
        let size_bytes = delivery.bytes.len() as u64;
        if self.offers.size.is_some_and(|limit| limit > 0 && size_bytes > limit) {
            return unfit("5.3.4", "the mail is larger than the server takes");
        }
        // RFC 6531 §3.2 and RFC 6152 §3: neither may be sent to a server that did not offer it.
        if self.needs_smtputf8(delivery) && !self.offers.smtputf8 {
            return unfit(
                "5.6.7",
                "the address has letters outside ASCII and the server does not take SMTPUTF8",
            );
        }
        if !delivery.bytes.is_ascii() && !self.offers.eight_bit {
            return unfit("5.6.3", "the mail has 8-bit text and the server does not take 8BITMIME");
        }
        Ok(())
    }

    fn needs_smtputf8(&self, delivery: &Delivery<'_>) -> bool {
        delivery.rcpt_to.needs_smtputf8() || delivery.mail_from.is_some_and(Mailbox::needs_smtputf8)
    }

    fn mail_command(&self, delivery: &Delivery<'_>) -> String {
        let path = delivery.mail_from.map(ToString::to_string).unwrap_or_default();
        let mut command = format!("MAIL FROM:<{path}>");
        if self.offers.size.is_some() {
            command.push_str(&format!(" SIZE={}", delivery.bytes.len()));
        }
        if !delivery.bytes.is_ascii() {
            command.push_str(" BODY=8BITMIME");
        }
        if self.needs_smtputf8(delivery) {
            command.push_str(" SMTPUTF8");
        }
        command
    }

    async fn write_mail(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut at_line_start = true;
        let mut out = Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 16);
        for block in bytes.chunks(BLOCK_BYTES) {
            stuff_dots(block, &mut at_line_start, &mut out);
            if out.len() >= BLOCK_BYTES {
                self.write(Step::Message, &out).await?;
                out.clear();
            }
        }
        // RFC 5321 §4.1.1.4: the CRLF that ends the last line belongs to the end mark; it is not added twice.
        let end: &[u8] = if at_line_start { b".\r\n" } else { b"\r\n.\r\n" };
        out.extend_from_slice(end);
        self.write(Step::Message, &out).await
    }

    /// Sends one command, without its CRLF, and returns the answer, whatever it is.
    async fn command(&mut self, step: Step, line: &str) -> Result<Reply, Failure> {
        if !self.unread.is_empty() {
            let trouble = self.taken(step)?.map_or(Trouble::Protocol(OUT_OF_TURN), out_of_turn);
            return Err(self.broken(step, trouble));
        }
        self.write(step, format!("{line}\r\n").as_bytes()).await?;
        let wait = if step == Step::Data { self.timeouts.data } else { self.timeouts.command };
        let reply = self.reply(step, wait).await?;
        if reply.code == 421 {
            self.state = State::Broken;
        }
        Ok(reply)
    }

    async fn write(&mut self, step: Step, bytes: &[u8]) -> Result<(), Failure> {
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        let trouble = match timeout(self.timeouts.block, write).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Trouble::Io(error),
            Err(_) => Trouble::TimedOut,
        };
        // A server that hangs up has often said why.
        match Box::pin(self.reply(step, GOODBYE)).await {
            Ok(reply) if reply.severity() > 3 => Err(self.broken(step, Trouble::Reply(reply))),
            _ => Err(self.broken(step, trouble)),
        }
    }

    async fn reply(&mut self, step: Step, wait: Duration) -> Result<Reply, Failure> {
        match timeout(wait, self.read_reply(step)).await {
            Ok(result) => result,
            Err(_) => Err(self.broken(step, Trouble::TimedOut)),
        }
    }

    async fn read_reply(&mut self, step: Step) -> Result<Reply, Failure> {
        loop {
            if let Some(reply) = self.taken(step)? {
                return Ok(reply);
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) => return Err(self.broken(step, Trouble::Closed)),
                Ok(_) => {}
                Err(error) => return Err(self.broken(step, Trouble::Io(error))),
            }
        }
    }

    fn taken(&mut self, step: Step) -> Result<Option<Reply>, Failure> {
        let taken = Reply::take(&mut self.unread);
        taken.map_err(|NotAReply(fault)| self.broken(step, Trouble::Protocol(fault)))
    }

    fn broken(&mut self, step: Step, trouble: Trouble) -> Failure {
        self.state = State::Broken;
        Failure { step, trouble }
    }

    /// Passes the reply on if it is the wanted one. After a plain refusal the connection can be used again; after
    /// 421, or a positive answer of the wrong kind, it cannot.
    fn taken_if(&mut self, is_wanted: bool, reply: Reply, step: Step) -> Result<Reply, Failure> {
        if is_wanted {
            return Ok(reply);
        }
        let refused = reply.severity() > 3 && reply.code != 421;
        self.state = if refused { State::Dirty } else { State::Broken };
        Err(Failure { step, trouble: Trouble::Reply(reply) })
    }
}

fn wanted(reply: Reply, step: Step, code: u16) -> Result<(), Failure> {
    match reply.code == code {
        true => Ok(()),
        false => Err(Failure { step, trouble: Trouble::Reply(reply) }),
    }
}

fn out_of_turn(reply: Reply) -> Trouble {
    match reply.code {
        // The server closes an idle connection.
        421 => Trouble::Reply(reply),
        _ => Trouble::Protocol(OUT_OF_TURN),
    }
}

fn unsafe_without_tls(host: &str) -> Failure {
    let sentence = format!(
        "the relay {host} does not offer STARTTLS, and the password is not sent in the clear; use smtps:// or a relay on this machine"
    );
    Failure { step: Step::StartTls, trouble: Trouble::Unsafe(sentence) }
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Doubles the dot at the start of a line (RFC 5321 §4.5.2); `at_line_start` is carried from block to block.
fn stuff_dots(block: &[u8], at_line_start: &mut bool, out: &mut Vec<u8>) {
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        if *at_line_start && line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        *at_line_start = line.last() == Some(&b'\n');
    }
}

#[cfg(test)]
mod tests;
