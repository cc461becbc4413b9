//! What a session wants from its shell, and what the shell answers.

use mail::address::AddressKey;

use crate::config::Protocol;

/// What the shell has to do next.
///
/// Replies wait in [`Session::take_output`](crate::Session::take_output); write them before reading again,
/// starting TLS, or closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write the replies, read more bytes and push them. Also returned while an answer is due.
    NeedInput,
    /// Ask the directory and call [`Session::recipient`](crate::Session::recipient).
    CheckRecipient(Recipient),
    /// Make the message durable and call [`Session::accepted`](crate::Session::accepted), or
    /// [`accepted_each`](crate::Session::accepted_each) for LMTP.
    Mail(Transaction),
    /// Write the replies, discard what was read but not pushed, perform the handshake, and call
    /// [`Session::tls_started`](crate::Session::tls_started); close if the handshake fails.
    StartTls,
    /// Write the replies and close. Returned from then on.
    Close,
}

/// Whom a RCPT command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A mailbox.
    Address {
        /// The normalised address.
        address: AddressKey,
        /// The address as written, without brackets and source route.
        as_written: String,
    },
    /// `<postmaster>` without a domain, which every server accepts (RFC 5321 §4.5.1).
    Postmaster,
}

impl Recipient {
    /// The address as written; `postmaster` for the one without a domain.
    #[must_use]
    pub fn as_written(&self) -> &str {
        match self {
            Self::Address { as_written, .. } => as_written,
            Self::Postmaster => "postmaster",
        }
    }
}

/// One message with its envelope, complete and within the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The return path, normalised; `None` for `<>`, the return path of bounces.
    pub mail_from: Option<AddressKey>,
    /// The return path as written, without brackets and source route; empty for `<>`.
    pub mail_from_as_written: String,
    /// The accepted recipients in the order they came, at least one; duplicates are kept.
    pub recipients: Vec<Recipient>,
    /// The name the client gave in EHLO, HELO or LHLO; not checked; at most 255 octets.
    pub helo: String,
    /// Which dialogue was spoken.
    pub protocol: Protocol,
    /// Whether the session runs over TLS.
    pub tls: bool,
    /// Whether the client declared SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Whether the client declared BODY=8BITMIME (RFC 6152).
    pub body_8bit: bool,
    /// The message with dot-stuffing removed; lines end in CRLF, except possibly the last one if it came in
    /// chunks.
    pub raw: Vec<u8>,
}

/// What the directory says about a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientAnswer {
    /// The address is ours: 250 2.1.5.
    Accepted,
    /// Nobody has this address: 550 5.1.1.
    Unknown,
    /// The directory cannot answer now: 451 4.3.0.
    Temporary,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAnswer {
    /// The message is durable: 250 2.0.0 with the id.
    Accepted {
        /// The name under which the operator finds the message; anything but printable ASCII is replaced.
        id: String,
    },
    /// The message could not be stored now: 451 4.3.0; the connection stays.
    Temporary,
}
