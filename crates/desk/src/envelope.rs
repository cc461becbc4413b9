//! The SMTP envelope of a message, kept next to its raw bytes.

use serde::{Deserialize, Serialize};

use crate::str_enum::open_str_enum;

open_str_enum! {
    /// The door a message came by (docs/behaviour/doors.md).
    pub enum Door {
        /// From a mail server or program.
        Smtp = "smtp",
        /// From a mail server that hands it on.
        Lmtp = "lmtp",
        /// From a provider's webhook.
        Http = "http",
        /// From the standard input of a command.
        Pipe = "pipe",
        /// Old mail that an import brings in.
        Import = "import",
    }
}

/// The envelope of an accepted mail. Stored as JSON: a file format, so fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The door it came by.
    pub door: Door,
    /// The peer's IP address; empty on a unix socket.
    #[serde(default)]
    pub client: String,
    /// What the peer called itself.
    #[serde(default)]
    pub helo: String,
    /// The return path without `<>`; none for the null sender.
    pub mail_from: Option<String>,
    /// The recipients of this account, at least one, as the client wrote them, in order.
    pub recipients: Vec<String>,
    /// Whether the peer is a relay the operator listed: only then are its hop headers believed.
    #[serde(default)]
    pub trusted: bool,
    /// Whether the connection was encrypted.
    #[serde(default)]
    pub tls: bool,
}

impl Envelope {
    /// Whether it is old mail: nobody is notified of it, and it opens nothing again (docs/behaviour/doors.md
    /// §3).
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.door == Door::Import
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_of_a_newer_version_is_read_and_written_with_its_own_door() {
        let stored =
            r#"{"door":"imap","mail_from":null,"recipients":["help@acme.example"],"folder":"INBOX"}"#;
        let envelope: Envelope = serde_json::from_str(stored).unwrap();
        assert_eq!(envelope.door, Door::Other("imap".into()));
        assert!(!envelope.is_quiet());
        assert!(serde_json::to_string(&envelope).unwrap().starts_with(r#"{"door":"imap","#));
    }
}
