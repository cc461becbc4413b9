//! What readers of old mail find, and one file read as one mail. Like the readers it knows no store: they are fuzzed
//! without.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::raw_mail::{self, Unfit};

/// A mail of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldMail {
    /// Its bytes, without the mbox file's own.
    pub raw: Vec<u8>,
    /// The sender in the mbox file's `From ` line.
    pub from_line: Option<String>,
}

/// Something a reader found.
#[derive(Debug)]
pub struct Found {
    /// Where, for people: a path, or a place in an mbox file.
    pub place: String,
    /// The mail, or why it is none.
    pub mail: Result<OldMail, Skip>,
    /// How far the source is read, in the unit of [`Source::length`].
    pub position: u64,
}

/// Why something is not imported.
#[derive(Debug, thiserror::Error)]
pub enum Skip {
    /// A draft (Maildir flag D): it was never sent.
    #[error("it is a draft")]
    Draft,
    /// In the trash (Maildir flag T).
    #[error("it is in the trash")]
    Trashed,
    /// It is no mail that the doors take.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

impl Skip {
    /// Whether it is left out because it should be, and nobody has to act on it.
    #[must_use]
    pub fn is_meant(&self) -> bool {
        matches!(self, Skip::Draft | Skip::Trashed)
    }
}

/// Where old mail is read from.
pub trait Source: Iterator<Item = Found> + Send {
    /// How long it is, in bytes or files; none when that is not known.
    fn length(&self) -> Option<u64>;

    /// Whether lengths are bytes.
    fn is_in_bytes(&self) -> bool;
}

/// Reads one file as one mail.
pub(super) fn read_file(path: &Path, limit_bytes: u64) -> Result<OldMail, Skip> {
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    if size_bytes > limit_bytes {
        return Err(Unfit::TooLarge { size_bytes, limit_bytes }.into());
    }
    let mut raw = Vec::with_capacity(usize::try_from(size_bytes).unwrap_or_default());
    // It may grow while it is read.
    file.take(limit_bytes.saturating_add(1)).read_to_end(&mut raw)?;
    let from_line = raw_mail::take_from_line(&mut raw);
    raw_mail::check_file(&raw, limit_bytes)?;
    Ok(OldMail { raw, from_line })
}
