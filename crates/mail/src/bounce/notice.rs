//! A mail that may be a notice, as it is given to this room.

use crate::address::Mailbox;
use crate::wording::Wording;

/// A mail that may be the notice of a mail server.
#[derive(Debug)]
pub(crate) struct Notice<'a> {
    /// The text of the mail: the notice, and often the returned mail behind it.
    pub(crate) text: &'a str,
    /// What the subject says.
    pub(crate) wording: Option<Wording>,
    pub(crate) from: &'a [Mailbox],
    pub(crate) to: &'a [Mailbox],
    /// The addresses of X-Failed-Recipients.
    pub(crate) named: &'a [String],
}
