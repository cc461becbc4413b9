//! The incoming bytes of a message: end of data, dot-stuffing, stray newlines, limits.
//!
//! The hot path of the crate. Bytes are searched in bulk for the next CR or LF and copied once, line by line,
//! into the message; only the two or three bytes around a line end go through the small state machine of
//! [`Tail`].
//!
//! A CR without LF, or an LF without CR, never ends a message or starts a line that may end it, so that
//! nobody can smuggle a second message inside a first one. It is kept as received: messages with stray
//! newlines do arrive from well-run servers, the raw message is the truth, and a signature covers only the
//! bytes that were signed. It is never sent on by SMTP, where another server could see a different end.

use memchr::memchr2;

use crate::config::Config;
use crate::reply::{self, Reply};

/// How the end of a message is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// CRLF `.` CRLF, with dots at the start of lines doubled (RFC 5321 §4.5.2).
    Dots,
    /// The octets are counted elsewhere (RFC 3030).
    Octets,
}

/// What the bytes read so far end in, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// The start of the message, or CRLF.
    LineStart,
    /// A dot at the start of a line, not yet kept: either the end of the message or stuffing.
    Dot,
    /// A dot at the start of a line and a CR, neither kept.
    DotCr,
    /// A CR within a line, not yet kept.
    Cr,
    /// Anything else; a bare LF leads here too, so that no dot after it counts.
    Text,
}

/// Why a message is refused at its end; if there are several reasons, the greatest is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The only one that may no longer apply when the message is sent again.
    NoRoom,
    TooManyHops,
    LineTooLong,
    HeaderTooLarge,
    TooLarge,
}

/// A message being received.
#[derive(Debug)]
pub(crate) struct Body {
    framing: Framing,
    tail: Tail,
    ended: bool,
    raw: Vec<u8>,
    /// Octets of the message so far, including discarded ones.
    size: u64,
    /// Octets of the unfinished line.
    line: u64,
    /// Where the unfinished line starts in `raw`.
    line_start: usize,
    in_header: bool,
    received_fields: u32,
    /// After a fault nothing more is kept.
    fault: Option<Fault>,
    rules: Rules,
}

/// The limits from the configuration that apply to a message.
#[derive(Debug, Clone, Copy)]
struct Rules {
    mail_bytes: u64,
    line_bytes: u64,
    header_bytes: u64,
    received_fields: u32,
}

/// Space reserved for a message at its start; it grows as bytes arrive, whatever size was declared.
const FIRST_CAPACITY: usize = 16 * 1024;

impl Body {
    pub(crate) fn new(framing: Framing, config: &Config) -> Self {
        Self {
            framing,
            tail: Tail::LineStart,
            ended: false,
            raw: Vec::with_capacity(FIRST_CAPACITY),
            size: 0,
            line: 0,
            line_start: 0,
            in_header: true,
            received_fields: 0,
            fault: None,
            rules: Rules {
                mail_bytes: config.max_mail_bytes,
                line_bytes: config.limits.mail_line_bytes,
                header_bytes: config.limits.header_bytes,
                received_fields: config.limits.received_fields,
            },
        }
    }

    /// Whether the end of the data has been read; later bytes belong to the next command.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn buffered_bytes(&self) -> usize {
        self.raw.capacity()
    }

    /// Reads bytes up to the end of the data and returns how many were consumed.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let (false, Some(&next)) = (self.ended, rest.first()) {
            rest = match self.tail {
                Tail::Text => self.feed_text(rest),
                _ => self.feed_tail(next, rest),
            };
        }
        bytes.len().saturating_sub(rest.len())
    }

    /// Reads the one byte that decides what a line end or a dot means; leaves it if it is plain text.
    fn feed_tail<'a>(&mut self, next: u8, rest: &'a [u8]) -> &'a [u8] {
        let after = rest.get(1..).unwrap_or_default();
        match (self.tail, next) {
            (Tail::LineStart, b'.') if self.framing == Framing::Dots => {
                self.tail = Tail::Dot;
                after
            }
            (Tail::Dot, b'\r') => {
                self.tail = Tail::DotCr;
                after
            }
            (Tail::DotCr, b'\n') => {
                self.ended = true;
                after
            }
            (Tail::Cr, b'\n') => {
                self.end_line(b"\r\n");
                self.tail = Tail::LineStart;
                after
            }
            (Tail::DotCr | Tail::Cr, _) => {
                self.bare_cr();
                rest
            }
            (Tail::LineStart | Tail::Dot | Tail::Text, _) => {
                self.tail = Tail::Text;
                rest
            }
        }
    }

    /// Reads up to and including the next line end.
    fn feed_text<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let Some((text, after)) = memchr2(b'\r', b'\n', rest).and_then(|at| rest.split_at_checked(at)) else {
            self.keep(rest);
            return &[];
        };
        if let Some(next_line) = after.strip_prefix(b"\r\n") {
            let line = rest.len().saturating_sub(next_line.len());
            self.end_line(rest.get(..line).unwrap_or_default());
            self.tail = Tail::LineStart;
            return next_line;
        }
        self.keep(text);
        if after.first() == Some(&b'\n') {
            self.end_line(b"\n");
        } else {
            self.tail = Tail::Cr;
        }
        after.get(1..).unwrap_or_default()
    }

    /// Ends the message, after CRLF `.` CRLF or after the last counted octet: returns its bytes, or why it is
    /// refused.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, Reply> {
        if self.tail == Tail::Cr {
            self.bare_cr();
        }
        self.check_line(b"");
        match self.fault {
            None => Ok(self.raw),
            Some(Fault::TooLarge) => Err(reply::TOO_LARGE),
            Some(Fault::HeaderTooLarge) => Err(reply::HEADER_TOO_LARGE),
            Some(Fault::LineTooLong) => Err(reply::MAIL_LINE_TOO_LONG),
            Some(Fault::TooManyHops) => Err(reply::TOO_MANY_HOPS),
            Some(Fault::NoRoom) => Err(reply::NO_ROOM),
        }
    }

    /// Gives up the message for lack of memory: the rest of it is counted and discarded.
    pub(crate) fn give_up(&mut self) {
        self.refuse(Fault::NoRoom);
    }

    /// Why the message is already refused, so that the offending chunk can say so.
    pub(crate) fn refused_already(&self) -> Option<Reply> {
        match self.fault {
            Some(Fault::TooLarge) => Some(reply::TOO_LARGE),
            Some(Fault::NoRoom) => Some(reply::NO_ROOM),
            _ => None,
        }
    }

    fn bare_cr(&mut self) {
        self.keep(b"\r");
        self.tail = Tail::Text;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(count);
        self.line = self.line.saturating_add(count);
        if self.size > self.rules.mail_bytes {
            self.refuse(Fault::TooLarge);
        }
        if self.fault.is_none() {
            self.raw.extend_from_slice(bytes);
        }
    }

    /// Keeps the rest of a line, including its end.
    fn end_line(&mut self, bytes: &[u8]) {
        self.keep(bytes);
        self.check_line(bytes);
        self.line = 0;
        self.line_start = self.raw.len();
    }

    fn check_line(&mut self, rest: &[u8]) {
        if self.line > self.rules.line_bytes {
            self.refuse(Fault::LineTooLong);
        }
        if self.in_header {
            self.check_header_line(rest);
        }
    }

    fn check_header_line(&mut self, rest: &[u8]) {
        if self.size > self.rules.header_bytes {
            self.refuse(Fault::HeaderTooLarge);
        }
        // A line with nothing but its end. Counted, since the bytes may have been discarded.
        self.in_header = self.line != if rest.ends_with(b"\r\n") { 2 } else { 1 };
        let line = self.raw.get(self.line_start..).unwrap_or_default();
        if line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"received:")) {
            self.received_fields = self.received_fields.saturating_add(1);
        }
        if self.received_fields > self.rules.received_fields {
            self.refuse(Fault::TooManyHops);
        }
    }

    fn refuse(&mut self, fault: Fault) {
        self.fault = self.fault.max(Some(fault));
        self.raw = Vec::new();
        self.line_start = 0;
    }
}
