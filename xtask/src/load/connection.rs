//! One SMTP or LMTP connection of the sender: greeting, pipelined envelope, content, and the time to 250.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::mails::Mail;

/// The last piece of a mail, dot line included, that is still to be written when the clock starts.
const LAST_PIECE: usize = 16 * 1024;

/// Which dialogue the receiver speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP (RFC 5321).
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
}

/// The result of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 250 after the content, and how long after the end of DATA it came.
    Accepted(Duration),
    /// A 4xx anywhere: the mail may be sent again. The text is the receiver's.
    Deferred(String),
    /// A 5xx anywhere.
    Refused(String),
}

/// Why a connection is of no further use.
#[derive(Debug)]
pub struct Lost {
    /// Whether the receiver may hold the whole mail although it did not say so.
    pub in_doubt: bool,
    /// What went wrong.
    pub cause: io::Error,
}

/// An open connection after EHLO or LHLO.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    eight_bit: bool,
}

impl Connection {
    /// Connects and greets; every later wait ends after `patience`.
    ///
    /// # Errors
    /// When nobody answers, the greeting is not positive, or PIPELINING is not offered.
    pub fn open(address: SocketAddr, protocol: Protocol, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let mut connection = Self { stream, unread: Vec::new(), eight_bit: false };
        expect_positive(&connection.reply()?)?;
        let greeting: &[u8] = match protocol {
            Protocol::Smtp => b"EHLO sender.example\r\n",
            Protocol::Lmtp => b"LHLO sender.example\r\n",
        };
        connection.stream.write_all(greeting)?;
        let offer = connection.reply()?;
        expect_positive(&offer)?;
        let offers = |keyword: &str| {
            offer.lines().any(|line| line.get(4..).is_some_and(|rest| rest.starts_with(keyword)))
        };
        if !offers("PIPELINING") {
            return Err(io::Error::other("the receiver does not offer PIPELINING"));
        }
        connection.eight_bit = offers("8BITMIME");
        Ok(connection)
    }

    /// Sends one mail: envelope and DATA in one group (RFC 2920 §3.1), then the content.
    ///
    /// # Errors
    /// When the connection breaks or the receiver keeps silent; [`Lost::in_doubt`] says what that means for the mail.
    pub fn submit(&mut self, mail: &Mail) -> Result<Answer, Lost> {
        if let Some(negative) = self.envelope(mail).map_err(lost_before_content)? {
            return Ok(negative);
        }
        let wire = mail.wire();
        let (head, tail) =
            wire.split_at_checked(wire.len().saturating_sub(LAST_PIECE)).unwrap_or((&[], wire));
        if !head.is_empty() {
            self.stream.write_all(head).map_err(lost_before_content)?;
        }
        // The clock starts before the piece that ends DATA is handed to the kernel: what is measured is never shorter
        // than the wait of the sender.
        let begun = Instant::now();
        self.stream.write_all(tail).map_err(lost_after_content)?;
        let reply = self.reply().map_err(lost_after_content)?;
        let waited = begun.elapsed();
        Ok(negative(&reply).unwrap_or(Answer::Accepted(waited)))
    }

    /// Says goodbye with QUIT; what the receiver answers does not matter.
    pub fn quit(mut self) {
        let _ = self.stream.write_all(b"QUIT\r\n").and_then(|()| self.reply());
    }

    fn envelope(&mut self, mail: &Mail) -> io::Result<Option<Answer>> {
        let body = if self.eight_bit { " BODY=8BITMIME" } else { "" };
        let group = format!("MAIL FROM:<{}>{body}\r\nRCPT TO:<{}>\r\nDATA\r\n", mail.from, mail.to);
        self.stream.write_all(group.as_bytes())?;
        let sender = self.reply()?;
        let recipient = self.reply()?;
        let data = self.reply()?;
        let negative = negative(&sender).or_else(|| negative(&recipient));
        if negative.is_some() && data.starts_with("354") {
            // RFC 2920 §3.1: DATA may be accepted although no recipient was; an empty mail ends it.
            self.stream.write_all(b".\r\n")?;
            self.reply()?;
        }
        if !data.starts_with("354") {
            self.stream.write_all(b"RSET\r\n")?;
            self.reply()?;
        }
        Ok(negative.or_else(|| if data.starts_with("354") { None } else { Some(Answer::Deferred(data)) }))
    }

    /// Reads one reply with all its lines.
    fn reply(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = reply_end(&self.unread) {
                let rest = self.unread.split_off(end);
                let reply = std::mem::replace(&mut self.unread, rest);
                let reply = String::from_utf8_lossy(&reply).into_owned();
                // RFC 5321 §3.8: 421 announces that the channel is being closed.
                return if reply.starts_with("421") { Err(io::Error::other(reply)) } else { Ok(reply) };
            }
            let mut piece = [0_u8; 1_024];
            let length = self.stream.read(&mut piece)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.unread.extend_from_slice(piece.get(..length).unwrap_or_default());
        }
    }
}

/// The end of the first whole reply: its last line has a space (or nothing) after the code.
fn reply_end(bytes: &[u8]) -> Option<usize> {
    let mut end = 0_usize;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end = end.saturating_add(line.len());
        if line.ends_with(b"\n") && line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}

fn expect_positive(reply: &str) -> io::Result<()> {
    if reply.starts_with('2') { Ok(()) } else { Err(io::Error::other(reply.trim().to_owned())) }
}

fn negative(reply: &str) -> Option<Answer> {
    match reply.bytes().next() {
        Some(b'2') => None,
        Some(b'5') => Some(Answer::Refused(reply.trim().to_owned())),
        _ => Some(Answer::Deferred(reply.trim().to_owned())),
    }
}

fn lost_before_content(cause: io::Error) -> Lost {
    Lost { in_doubt: false, cause }
}

fn lost_after_content(cause: io::Error) -> Lost {
    Lost { in_doubt: true, cause }
}
