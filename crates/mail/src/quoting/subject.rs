//! The prefix of a subject: whether the message calls itself a forward or a reply.

use super::line::folded;
use super::words::{FORWARD_PREFIXES, REPLY_PREFIXES};

/// What a subject says about its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `Fwd:`, `WG:`, `[Fwd: …]`, `… (fwd)`
    Forward,
    /// `Re:`, `AW:`
    Reply,
    /// There is a subject, without such a prefix.
    Plain,
    /// There is no subject, or it is unknown.
    Unknown,
}

/// The longest prefix in octets.
const PREFIX_OCTETS: usize = 32;

/// Reads the outermost prefix of a subject.
pub(crate) fn manner(subject: &str) -> Manner {
    let mut rest = subject.trim();
    if rest.is_empty() {
        return Manner::Unknown;
    }
    // RFC 5256 §2.1 knows these two forms of old programs.
    let start = rest.as_bytes().get(..5);
    let end = rest.as_bytes().last_chunk::<5>();
    if start.is_some_and(|start| start.eq_ignore_ascii_case(b"[fwd:"))
        || end.is_some_and(|end| end.eq_ignore_ascii_case(b"(fwd)"))
    {
        return Manner::Forward;
    }
    // Mailing lists put a tag before the prefix.
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|tag| tag.split_once(']')) {
        rest = after.trim_start();
    }
    prefix(rest).map_or(Manner::Plain, |(manner, _)| manner)
}

/// A subject without its prefixes.
pub(crate) fn bare(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((_, after)) = prefix(rest) {
        rest = after.trim_start();
    }
    rest
}

/// Strips one prefix; never returns [`Manner::Plain`] or [`Manner::Unknown`].
pub(crate) fn prefix(subject: &str) -> Option<(Manner, &str)> {
    let (said, after) = subject.split_once([':', '：']).filter(|(said, _)| said.len() <= PREFIX_OCTETS)?;
    let said = folded(said);
    // `Re[2]`, `Fwd (3)`, `RE^2`
    let said = said.trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^ ".contains(c));
    if FORWARD_PREFIXES.contains(&said) {
        Some((Manner::Forward, after))
    } else if REPLY_PREFIXES.contains(&said) {
        Some((Manner::Reply, after))
    } else {
        None
    }
}
