//! The forwarded original: who wrote it, to whom, when and what, extracted from the text of the message that
//! forwards it.
//!
//! Forwarding programs agree only on the general shape: what the forwarder wrote, perhaps a separator line, a
//! header in the forwarder's language, the original. Their words are in tables (`quoting/words.rs`); the
//! shapes are recognised line by line, in one pass over the text. The outermost original counts. Described in
//! `docs/behaviour/forwarded-mail.md`.

mod body;
mod header;
mod intro;
mod label;
mod people;
mod scan;
mod when;

use crate::address::Mailbox;
use crate::attachment;
use crate::quoting::line::trim;
use crate::quoting::subject::{self, Manner};
use crate::reading::header::MAX_ADDRESSES;
use crate::reading::{self, Reading};
use header::Header;
use intro::Intro;
use scan::{Found, Top};

/// How far into a text the start of a forwarded message is looked for, in octets; the message itself may be
/// of any length.
pub const SEARCHED_OCTETS: usize = 262_144;

/// A message as shown by the one that forwards it. What is not shown is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarded {
    /// What the forwarder wrote above it, trimmed; may be empty.
    pub message: String,
    /// What follows below the original, if its end can be determined, trimmed; may be empty.
    pub below: String,
    /// The author of the original, or `None` if not shown; the address is empty if only a name is shown.
    pub from: Option<Mailbox>,
    /// The author as printed, on one line.
    pub from_line: String,
    /// At most [`MAX_ADDRESSES`]; people shown without an address have an empty one.
    pub to: Vec<Mailbox>,
    /// The recipients as printed, on one line.
    pub to_line: String,
    /// At most [`MAX_ADDRESSES`]; people shown without an address have an empty one.
    pub cc: Vec<Mailbox>,
    /// The copied recipients as printed, on one line.
    pub cc_line: String,
    /// The date as printed.
    pub date_line: String,
    /// Unix milliseconds, in UTC if no zone is printed; `None` if unreadable or ambiguous.
    pub date: Option<i64>,
    /// The subject as printed, including prefixes; if none is printed, that of the forwarding message,
    /// without prefixes.
    pub subject: String,
    /// The text of the original, LF line ends, quote marks and indentation removed, no blank lines around it.
    pub body: String,
    /// The octet offset in the text where the forwarded block begins, including its separator.
    pub at: usize,
}

/// The original that a message forwards: the one in its text, else the one attached to it.
///
/// The text takes precedence: it is what the forwarder had in front of them.
pub(crate) fn of(reading: &Reading<'_>) -> Option<Forwarded> {
    match original(&reading.body.text, &reading.header.subject) {
        Some(found) if found.from.is_some() => Some(found),
        nameless => attached(reading).or(nameless),
    }
}

/// Finds the outermost forwarded original in a text with LF line ends; `outer_subject` is the subject of the
/// message containing it.
///
/// Replies quote in the same shapes. Something that only looks forwarded (a header without a word for
/// "forwarded") counts unless the outer subject marks the message as a reply; a line such as `On …, Alice
/// wrote:` counts only if the subject says "forwarded". Linear in the length of the text; only the first
/// [`SEARCHED_OCTETS`] are searched.
#[must_use]
pub fn original(text: &str, outer_subject: &str) -> Option<Forwarded> {
    let mut found = scan::find(text, outer_subject)?.forwarded(text);
    if found.subject.is_empty() && subject::manner(outer_subject) == Manner::Forward {
        subject::bare(outer_subject).clone_into(&mut found.subject);
    }
    Some(found)
}

/// The original of a message that carries it as its only attached message; `None` if there are several.
///
/// [`Forwarded::at`] is the length of the text. Messages attached to the original are not examined.
fn attached(outer: &Reading<'_>) -> Option<Forwarded> {
    let mut mails = outer
        .attachments
        .iter()
        .filter(|part| part.content_type == "message/rfc822" || part.name.ends_with(".eml"));
    let (mail, None) = (mails.next()?, mails.next()) else { return None };
    let raw = attachment::octets(outer.parts, mail.part)?;
    reading::read(&raw, |inner, _| of_attached(&outer.body.text, inner))
}

fn of_attached(message: &str, inner: Reading<'_>) -> Option<Forwarded> {
    let header = inner.header;
    if header.from.is_empty() && header.subject.is_empty() {
        return None;
    }
    Some(Forwarded {
        message: trim(message).to_owned(),
        below: String::new(),
        from_line: printed(header.from.get(..1).unwrap_or_default()),
        from: header.from.first().cloned(),
        to_line: printed(&header.to),
        to: header.to,
        cc_line: printed(&header.cc),
        cc: header.cc,
        date_line: header.date.map(crate::date::format).unwrap_or_default(),
        date: header.date,
        subject: header.subject,
        body: inner.body.text,
        at: message.len(),
    })
}

fn printed(people: &[Mailbox]) -> String {
    let one = |person: &Mailbox| match person.name.as_str() {
        "" => person.address.clone(),
        name if person.address.is_empty() => name.to_owned(),
        name => format!("{name} <{}>", person.address),
    };
    people.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Found {
    fn forwarded(self, text: &str) -> Forwarded {
        let (top, end, depth) = match self.top {
            Top::Header(header) => {
                let place = (header.end, header.depth);
                (of_header(&header), place.0, place.1)
            }
            Top::Intro { intro, end, depth } => (of_intro(intro), end, depth),
            Top::Bare { end, depth } => (Forwarded::default(), end, depth),
        };
        let body = body::read(text, end, depth);
        let below = trim(text.get(body.end..).unwrap_or_default()).to_owned();
        Forwarded { message: message_above(text, self.at), below, body: body.text, at: self.at, ..top }
    }
}

fn of_header(header: &Header) -> Forwarded {
    let line = |line: &Option<String>| line.clone().unwrap_or_default();
    let people = |line: &Option<String>| people::read(line.as_deref().unwrap_or_default(), MAX_ADDRESSES);
    Forwarded {
        from: header.from.as_deref().and_then(|from| people::read(from, 1).pop()),
        from_line: line(&header.from),
        to: people(&header.to),
        to_line: line(&header.to),
        cc: people(&header.cc),
        cc_line: line(&header.cc),
        date: header.date.as_deref().and_then(when::read),
        date_line: line(&header.date),
        subject: line(&header.subject),
        ..Forwarded::default()
    }
}

fn of_intro(intro: Intro) -> Forwarded {
    Forwarded {
        from_line: printed(std::slice::from_ref(&intro.from)),
        from: Some(intro.from),
        date: when::read(&intro.date),
        date_line: intro.date,
        ..Forwarded::default()
    }
}

/// What is above the block, without trailing blank lines and bare quote marks.
fn message_above(text: &str, at: usize) -> String {
    let mut message = text.get(..at).unwrap_or_default();
    while let Some((rest, line)) = message.trim_end_matches('\n').rsplit_once('\n')
        && trim(line.trim_start_matches(['>', ' '])).is_empty()
    {
        message = rest;
    }
    let message = trim(message);
    if message.trim_start_matches(['>', ' ']).is_empty() { String::new() } else { message.to_owned() }
}

#[cfg(test)]
mod tests;
