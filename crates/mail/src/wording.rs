//! What the words of a subject or of a text are about, as far as mail servers and answering machines use them.

use std::fmt;

/// What a wording is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wording {
    /// A mail could not be delivered.
    #[default]
    Returned,
    /// A mail could not be delivered yet.
    Delayed,
    /// A mail was delivered.
    Delivered,
    /// A mail was opened.
    Receipt,
    /// An automatic answer.
    AutoReply,
    /// Words that people use too: away, on holiday, thank you for your mail.
    Away,
    /// A request to prove that a person wrote.
    Challenge,
    /// A mail that nobody reads the answers of.
    Unattended,
}

impl Wording {
    /// Whether a mail server says it of another mail.
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
