//! What the words of a subject or a text mean, as used by mail servers and answering machines.

use std::fmt;

/// The meaning of a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wording {
    /// A message could not be delivered.
    #[default]
    Returned,
    /// A message could not be delivered yet.
    Delayed,
    /// A message was delivered.
    Delivered,
    /// A message was opened.
    Receipt,
    /// An automatic reply.
    AutoReply,
    /// Words that people use too: away, on holiday, thank you for your mail.
    Away,
    /// A request to prove that a person wrote.
    Challenge,
    /// A message whose replies nobody reads.
    Unattended,
}

impl Wording {
    /// Whether mail servers say it about another message.
    pub(crate) fn is_about_delivery(self) -> bool {
        matches!(self, Self::Returned | Self::Delayed | Self::Delivered)
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Returned => "that a mail could not be delivered",
            Self::Delayed => "that a mail is delayed",
            Self::Delivered => "that a mail was delivered",
            Self::Receipt => "that a mail was read",
            Self::AutoReply => "that it is an automatic answer",
            Self::Away => "that somebody is away or thanks for a mail",
            Self::Challenge => "that the sender has to confirm",
            Self::Unattended => "that nobody reads answers to it",
        })
    }
}
