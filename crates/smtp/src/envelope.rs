//! What is known about a message before its text.

use mail::address::AddressKey;

use crate::chunk::Chunks;
use crate::step::Recipient;

/// A message that has begun: what MAIL, RCPT and BDAT have said so far.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) mail_from: Option<AddressKey>,
    pub(crate) as_written: String,
    pub(crate) smtputf8: bool,
    pub(crate) body_8bit: bool,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) chunks: Chunks,
}
