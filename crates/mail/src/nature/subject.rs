//! What a subject says: whether the message is a reply or a forward, and the wording used by mail servers and
//! answering machines.
//!
//! Only the beginning counts, after brackets and punctuation: people who write about such messages put words
//! in front, or reply and forward. The tables of wording are in `nature/subject/`, one file per meaning, a
//! line per language.

mod auto_reply;
mod delivery;

use super::phrase::begins_with;
use crate::quoting::subject::{Manner, prefix};
use crate::wording::Wording;

/// What a subject says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    /// Begins with `Re:` or similar.
    pub(crate) is_answer: bool,
    /// Begins with `Fwd:` or similar.
    pub(crate) is_forward: bool,
    pub(crate) wording: Option<Wording>,
    /// The wording of an automatic reply is all there is: people add what they are asking about.
    pub(crate) is_alone: bool,
}

/// How much of a subject is examined, in octets.
const SUBJECT_OCTETS: usize = 200;

/// Reads a decoded subject.
pub(crate) fn of(subject: &str) -> Subject {
    let lower = squeezed(subject);
    let mut rest = start(&lower);
    let mut read = Subject::default();
    while let Some((manner, behind)) = prefix(rest) {
        if manner == Manner::Forward {
            read.is_forward = true;
        } else {
            read.is_answer = true;
        }
        rest = start(behind);
    }
    read.wording = wording(rest);
    read.is_alone = auto_reply::SURE.contains(&rest.trim_end_matches(|c: char| !c.is_alphanumeric()));
    read
}

/// The wording of a subject without its prefixes.
fn wording(rest: &str) -> Option<Wording> {
    let first = rest.as_bytes().first();
    let is_auto_reply = || {
        let mut likely = auto_reply::SURE.iter().filter(|phrase| phrase.as_bytes().first() == first);
        likely.any(|phrase| rest.strip_prefix(phrase).is_some_and(ends_phrase))
    };
    delivery::wording(rest)
        .or_else(|| is_auto_reply().then_some(Wording::AutoReply))
        .or_else(|| auto_reply::names_person_away(rest).then_some(Wording::AutoReply))
        .or_else(|| delivery::is_receipt(rest).then_some(Wording::Receipt))
        .or_else(|| begins_with(rest, auto_reply::PERHAPS).then_some(Wording::Away))
}

/// Whether a text begins with words of answering machines, including those that people use too.
pub(super) fn begins_as_answer(text: &str) -> bool {
    begins_with(text, auto_reply::SURE) || begins_with(text, auto_reply::PERHAPS)
}

/// Whether a phrase ends here: nothing follows, or something that separates it from the original subject.
fn ends_phrase(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty()
        || rest.starts_with([
            ':', '：', ']', ')', '】', '-', '–', '—', '.', '!', '"', '(', '>', '|', '/', '（', '[',
        ])
}

/// Lower-cased, with runs of whitespace collapsed, cut to the limit.
pub(crate) fn squeezed(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(SUBJECT_OCTETS)).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c == '\u{2019}' {
            out.push('\'');
        } else if !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}') {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// The text after brackets, quotes, stars and other marks.
fn start(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests;
