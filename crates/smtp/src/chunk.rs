//! The chunks of BDAT (RFC 3030 §2): the one being read, and the result of those before it.

use crate::body::Body;
use crate::reply::Reply;

/// The result of the chunks of a message so far.
#[derive(Debug)]
pub(crate) enum Chunks {
    /// No BDAT yet.
    None,
    /// All chunks so far were accepted.
    Open(Body),
    /// A chunk was refused; only RSET helps.
    Failed,
}

impl Chunks {
    pub(crate) fn give_up(&mut self) {
        if let Self::Open(body) = self {
            body.give_up();
        }
    }

    pub(crate) fn buffered_bytes(&self) -> usize {
        match self {
            Self::Open(body) => body.buffered_bytes(),
            Self::None | Self::Failed => 0,
        }
    }
}

/// A chunk being read.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Octets still to come.
    pub(crate) left: u64,
    pub(crate) is_last: bool,
    /// Where the octets go, or why they are discarded.
    pub(crate) target: Result<Body, Reply>,
}

impl Chunk {
    /// Reads octets up to the end of the chunk and returns how many were consumed.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        if let Ok(body) = &mut self.target {
            body.feed(bytes.get(..count).unwrap_or_default());
        }
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        count
    }

    pub(crate) fn give_up(&mut self) {
        if let Ok(body) = &mut self.target {
            body.give_up();
        }
    }

    pub(crate) fn buffered_bytes(&self) -> usize {
        self.target.as_ref().map_or(0, Body::buffered_bytes)
    }
}
