//! Why a message was given its nature.

use crate::wording::Wording;
use std::fmt;

/// How much of a value a sign shows, in characters.
pub(super) const VALUE_CHARACTERS: usize = 60;

/// One observation about a message; its text is a plain clause that fits after "because".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sign {
    /// A header field in its usual spelling, and the beginning of its value; that may be empty.
    Field(&'static str, String),
    /// A local part in From that only mail servers use.
    Daemon(String),
    /// A local part in From used by servers and people alike: postmaster and similar.
    Office(String),
    /// A local part in From whose replies nobody reads.
    Unattended(String),
    /// The header has an empty Return-Path.
    NullPath,
    /// What the subject says.
    Subject(Wording),
    /// What the first lines say.
    Text(Wording),
    /// A report part, by its media type, or the name of a report file.
    Part(String),
    /// How many Received fields there are.
    Received(u32),
}

impl Sign {
    /// Whether no person can be writing from there.
    pub(crate) fn is_sure(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// Whether the sender alone suffices as proof of a machine, in the absence of other signs.
    pub(crate) fn is_postmaster(&self) -> bool {
        match self {
            Self::Daemon(_) => true,
            Self::Office(local) => local
                .chars()
                .filter(char::is_ascii_alphabetic)
                .collect::<String>()
                .eq_ignore_ascii_case("postmaster"),
            _ => false,
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name, value) if value.is_empty() => write!(f, "it has a field {name}"),
            Self::Field(name, value) => write!(f, "it has {name}: {value}"),
            Self::Daemon(local) => write!(f, "it is from {local}, with which only mail servers write"),
            Self::Office(local) => write!(f, "it is from {local}, with which mail servers write"),
            Self::Unattended(local) => write!(f, "it is from {local}, where nobody reads answers"),
            Self::NullPath => write!(f, "its Return-Path is empty"),
            Self::Subject(wording) => write!(f, "its subject says {wording}"),
            Self::Text(wording) => write!(f, "its text says {wording}"),
            Self::Part(what) => write!(f, "it has a part {what}"),
            Self::Received(count) => write!(f, "it has {count} Received fields, so it goes in circles"),
        }
    }
}
