//! A message that may be a notice, as this module receives it.

use crate::address::Mailbox;
use crate::wording::Wording;

/// A message that may be a notice from a mail server.
#[derive(Debug)]
pub(crate) struct Notice<'a> {
    /// The text of the message: the notice, often followed by the returned message.
    pub(crate) text: &'a str,
    /// What the subject says.
    pub(crate) wording: Option<Wording>,
    pub(crate) from: &'a [Mailbox],
    pub(crate) to: &'a [Mailbox],
    /// The addresses of X-Failed-Recipients.
    pub(crate) named: &'a [String],
}
