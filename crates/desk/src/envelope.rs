//! What SMTP said of a mail, kept beside its raw bytes.

use serde::{Deserialize, Serialize};

/// The door of old mail that an import brings in.
pub const IMPORT: &str = "import";

/// The envelope of an accepted mail. Stored as JSON: a file format, so fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The door it came by: `smtp`, `lmtp`, `http`, `pipe`, [`IMPORT`].
    pub door: String,
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
    /// Whether it is old mail: nobody is notified of it, and it opens nothing again (docs/behaviour/doors.md §3).
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.door == IMPORT
    }
}
