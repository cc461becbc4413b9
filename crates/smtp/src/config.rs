//! What a session is told before it starts: its name, its protocol, its extensions, and its limits.

/// Which of the two receiving dialogues a session speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321: EHLO or HELO, one reply per message.
    Smtp,
    /// RFC 2033: LHLO, one reply for each accepted recipient of a message.
    Lmtp,
}

/// The limits of a session; exceeding one gets the reply named there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest command line in octets, including its CRLF; beyond: 500 5.5.2. RFC 5321 §4.5.3.1.4 asks for
    /// 512, RFC 6531 and the parameters of MAIL for more; 2,048 by default.
    pub command_line_bytes: usize,
    /// Longest line of a message in octets, including its CRLF; beyond: 554 5.6.0. RFC 5321 §4.5.3.1.6 asks
    /// for 1,000, but some senders put a whole page on one line; 1,000,000 by default.
    pub mail_line_bytes: u64,
    /// Largest header in octets, up to and including the first empty line; beyond: 554 5.6.0; 262,144 by
    /// default.
    pub header_bytes: u64,
    /// Most Received fields in a header; beyond: 554 5.4.6, since the message is looping. RFC 5321 §6.3 asks
    /// for at least 100, the default.
    pub received_fields: u32,
    /// Most accepted recipients of one message; beyond: 452 4.5.3, and the message goes to the earlier ones.
    /// RFC 5321 §4.5.3.1.8 asks for at least 100; 1,000 by default.
    pub recipients: usize,
    /// Most commands since the last accepted message (or the start); beyond: 421 4.7.0 and the end; 20,000 by
    /// default.
    pub commands: u32,
    /// Most refused commands since the last accepted message (or the start); beyond: 421 4.7.0 and the end;
    /// 100 by default. Unknown recipients count, our own temporary failures do not.
    pub errors: u32,
    /// Most messages begun in a session; beyond: 421 4.7.0 and the end; 100,000 by default.
    pub transactions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line_bytes: 2_048,
            mail_line_bytes: 1_000_000,
            header_bytes: 262_144,
            received_fields: 100,
            recipients: 1_000,
            commands: 20_000,
            errors: 100,
            transactions: 100_000,
        }
    }
}

/// What a session is and offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The name the server greets with; printable ASCII without spaces.
    pub hostname: String,
    /// Which dialogue is spoken.
    pub protocol: Protocol,
    /// Largest message in octets, counting line ends as two and excluding dot-stuffing (RFC 1870 §5); beyond:
    /// 552 5.3.4.
    pub max_mail_bytes: u64,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
    /// The limits.
    pub limits: Limits,
}

impl Config {
    /// A session without STARTTLS that accepts messages up to 50 MiB under the default limits.
    #[must_use]
    pub fn new(hostname: impl Into<String>, protocol: Protocol) -> Self {
        Self {
            hostname: hostname.into(),
            protocol,
            max_mail_bytes: 50 * 1024 * 1024,
            starttls: false,
            limits: Limits::default(),
        }
    }
}
