//! The kinds of work that an account can have.

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Mail to decide.
    Mail,
    /// Mail to send.
    Outbox,
    /// Solved tickets to close.
    Close,
    /// Suspended tickets to delete for good.
    Purge,
    /// Suspended tickets to tell somebody of.
    Digest,
    /// Forwarding probes that did not come back in time.
    Probe,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Kind] = &[Kind::Mail, Kind::Outbox, Kind::Close, Kind::Purge, Kind::Digest, Kind::Probe];

    /// The word in the database, in rings and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Mail => "mail",
            Kind::Outbox => "outbox",
            Kind::Close => "close",
            Kind::Purge => "purge",
            Kind::Digest => "digest",
            Kind::Probe => "probe",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> std::result::Result<Kind, UnknownKind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or(UnknownKind)
    }
}

/// A kind of work that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;
