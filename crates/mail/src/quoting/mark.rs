//! The line between what the forwarder wrote and the forwarded message: `---------- Forwarded message
//! ---------`, `Begin forwarded message:`, `-----Original Message-----`, or a bare rule.

use super::line::{folded, trim};
use super::words::{self, END, OPENERS_WITH_NAME, is_opener};
use crate::text::cut_octets;

/// The longest text of a mark, in octets.
const MARK_OCTETS: usize = 300;

/// The longest mark without dashes whose words are not those of a known program, in octets.
const BARE_OCTETS: usize = 120;

/// The maximum number of words in a mark without dashes.
const BARE_WORDS: usize = 6;

/// What a line separates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It says that a message is forwarded, in the words of a mail program; needs no header after it.
    Opener,
    /// It seems to say that a message is forwarded.
    Forwarded,
    /// A few words ending with a colon; what they say counts only above a header, see [`says_forwarded`].
    Words,
    /// Words between rules: above a message that is forwarded or quoted.
    Other,
    /// The end of a message between such marks.
    End,
    /// Nothing but dashes or similar.
    Rule,
}

/// A separating line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark<'a> {
    pub(crate) kind: Kind,
    /// What follows the closing dashes on the same line; nearly always empty.
    pub(crate) rest: &'a str,
}

/// Reads a line, without its quote marks and surrounding whitespace, as a mark.
pub(crate) fn read(content: &str) -> Option<Mark<'_>> {
    let first = content.chars().next()?;
    if is_dash(first) {
        return between_dashes(content);
    }
    bare(content).map(|kind| Mark { kind, rest: "" })
}

/// A line without dashes around it: the exact words, or a few words ending with a colon.
fn bare(content: &str) -> Option<Kind> {
    if content.len() > MARK_OCTETS {
        return None;
    }
    let said = trim(content.trim_matches(['*', '_']));
    let (said, has_colon) = match said.strip_suffix([':', '：']) {
        Some(said) => (trim(said), true),
        None => (said, false),
    };
    // The Bat! writes no colon.
    if !has_colon && !said.eq_ignore_ascii_case("this is a forwarded message") {
        return None;
    }
    if said.split_ascii_whitespace().nth(BARE_WORDS).is_some() {
        return None;
    }
    let said = folded(said);
    if is_opener(&said) {
        return Some(Kind::Opener);
    }
    (said.len() <= BARE_OCTETS).then_some(Kind::Words)
}

/// Whether a line of [`Kind::Words`] says that a message is forwarded.
pub(crate) fn says_forwarded(content: &str) -> bool {
    words::says_forwarded(&folded(content))
}

fn between_dashes(content: &str) -> Option<Mark<'_>> {
    let opened = content.trim_start_matches(is_dash_or_blank);
    if opened.is_empty() {
        return (content.chars().filter(|c| is_dash(*c)).count() >= 3)
            .then_some(Mark { kind: Kind::Rule, rest: "" });
    }
    let opening = content.len().saturating_sub(opened.len());
    if content.bytes().take(opening).filter(|octet| !octet.is_ascii_whitespace()).count() < 2 {
        // A single star before it: bold words.
        return bare(content).map(|kind| Mark { kind, rest: "" });
    }
    // `===8<====Original message====`
    let opened = opened.strip_prefix("8<").map_or(opened, |cut| cut.trim_start_matches(is_dash_or_blank));
    let (said, rest) = opened.split_at_checked(closing(cut_octets(opened, MARK_OCTETS))?)?;
    let rest = trim(rest.trim_start_matches(is_dash_or_blank));
    // `-------- Preposlaná správa --- Forwarded Message --------`
    let is_double = rest.len() <= MARK_OCTETS && rest.ends_with(is_dash) && !rest.contains(':');
    let second = if is_double { plain_words(rest) } else { String::new() };
    let said = plain_words(said);
    // A separate word, so that `--a--` does not count.
    if said.chars().count() < 2 {
        return None;
    }
    let kind = match (kind_of(&said), kind_of(&second)) {
        (Kind::Other, second) => second,
        (first, _) => first,
    };
    Some(Mark { kind, rest: if is_double { "" } else { rest } })
}

/// Lower-case, without surrounding dashes, quotes and colons.
fn plain_words(said: &str) -> String {
    let edge = |c: char| {
        is_dash_or_blank(c)
            || matches!(c, ':' | '：' | '"' | '„' | '“' | '”' | '«' | '»' | '[' | ']' | '<' | '>')
    };
    folded(said.trim_matches(edge))
}

/// Where the closing dashes begin: at least two in a row.
fn closing(text: &str) -> Option<usize> {
    let mut last: Option<(usize, char)> = None;
    for (at, c) in text.char_indices() {
        match last {
            Some((start, before)) if is_dash(c) && c == before => return Some(start),
            _ => last = Some((at, c)),
        }
    }
    None
}

fn kind_of(said: &str) -> Kind {
    if is_opener(said) || OPENERS_WITH_NAME.iter().any(|opener| said.starts_with(opener)) {
        return Kind::Opener;
    }
    let forwarded = words::says_forwarded(said);
    let is_end = said.split(' ').any(|word| END.contains(&word)) && (forwarded || words::says_original(said));
    match (is_end, forwarded) {
        (true, _) => Kind::End,
        (false, true) => Kind::Forwarded,
        (false, false) => Kind::Other,
    }
}

/// Whether a line beginning with this character may be a drawn rule.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '=' | '*' | '~' | '#' | '+' | '\u{2010}'
            ..='\u{2015}' | '\u{2500}' | '\u{2501}' | '\u{2212}' | '\u{fe58}' | '\u{ff0d}' | '\u{30fc}'
    )
}

fn is_dash_or_blank(c: char) -> bool {
    is_dash(c) || c.is_whitespace()
}
