//! Lines that say who wrote what is quoted below: `On Monday Jane <jane@example.org> wrote:`, in any
//! language, over up to five lines.
//!
//! The words of many languages are in a table; common to all of them are a date, an address, a verb and a
//! colon.

mod date;
mod facts;
mod verb;

use super::page::{Class, Page, is_dash, trim};
use crate::quoting::words::WROTE_ANYWHERE;
use date::{DATE_OCTETS, date_at, starts_with_iso_date};
use facts::{Begin, Facts, Next};
use verb::{QUOTING, is_verb, last_word_is_verb};

/// How many lines before its last one an attribution may begin.
const LINES_BACK: usize = 4;

/// The longest attribution in octets.
const OCTETS: usize = 600;

/// The longest name above a message replied to with Notes, in octets.
const NAME_OCTETS: usize = 80;

/// Marks the attributions in own text, and a quote mark that merely closes the address of one.
pub(super) fn mark(page: &mut Page<'_>) {
    let mut telling = Telling::default();
    for end in 0..page.lines.len() {
        let body = page.body(end);
        if page.class(end) == Class::Text && (runs_on(body) || is_of_notes(body, end, page)) {
            page.set(end, Class::Attribution);
            continue;
        }
        let is_candidate = match page.class(end) {
            Class::Text => may_end(body),
            Class::Quote if is_between_arrows(body) => {
                page.set(end, Class::Attribution);
                false
            }
            Class::Quote => closes_address(body),
            _ => false,
        };
        if is_candidate
            && telling.is_near(end, page)
            && let Some(first) = first_line(end, page)
        {
            for index in first..=end {
                if page.class(index) != Class::Blank {
                    page.set(index, Class::Attribution);
                }
            }
        }
    }
}

/// The last line seen that contains something every attribution has. Each line is looked at once, because
/// joining and reparsing lines is expensive.
#[derive(Default)]
struct Telling {
    last: Option<usize>,
    /// The first line not looked at.
    next: usize,
}

impl Telling {
    /// Whether such a line is among those that an attribution ending at `end` may take.
    fn is_near(&mut self, end: usize, page: &Page<'_>) -> bool {
        // One more than the maximum number of lines, because a blank one may be skipped.
        let first = end.saturating_sub(LINES_BACK.saturating_add(1));
        let found = (first.max(self.next)..=end).rev().find(|index| is_telling(page.body(*index)));
        self.last = found.or(self.last);
        self.next = end.saturating_add(1);
        self.last.is_some_and(|last| last >= first)
    }
}

/// An address, a verb, a program's word, or an early date: see [`Facts::is_attribution`].
fn is_telling(body: &str) -> bool {
    let body = body.trim_start_matches(|c: char| is_dash(c) || matches!(c, ' ' | '|'));
    let is_certain = body.contains('@') || body.starts_with(char::is_numeric);
    if is_certain {
        return true;
    }
    let lower = body.to_lowercase();
    let is_anywhere = || {
        !lower.is_ascii()
            && (WROTE_ANYWHERE.iter().any(|verb| lower.contains(verb)) || lower.contains("のメール"))
    };
    lower.contains("mailto:")
        || lower.split(|c: char| !c.is_alphabetic()).any(|word| !word.is_empty() && is_verb(word))
        || QUOTING.iter().any(|start| lower.starts_with(start.trim_end()))
        || is_anywhere()
}

/// A cheap test of the line at which an attribution would end.
fn may_end(body: &str) -> bool {
    let end = body.trim_end_matches(|c: char| is_dash(c) || matches!(c, ' ' | '"' | '>'));
    match end.chars().next_back() {
        Some(':' | '：') => true,
        _ if body.len() != end.len() && body.starts_with('-') => true,
        // With an address at its end, or a verb.
        _ if !body.bytes().any(|octet| octet.is_ascii_digit()) => false,
        _ => {
            body.ends_with('>') && body.contains('@') || starts_with_iso_date(body) || last_word_is_verb(end)
        }
    }
}

/// `>>> Jane <jane@example.org> 3/3/2026 9:41 AM >>>`, as GroupWise writes it.
fn is_between_arrows(body: &str) -> bool {
    let said = body.strip_prefix(">>>").and_then(|rest| rest.strip_suffix(">>>"));
    said.is_some_and(|said| said.len() < OCTETS && date_at(said).is_some() && !said.contains(">>"))
}

/// `On Monday Jane<jane@example.org> wrote:   Hello`: Yahoo's phone app separates the quoted text only by
/// spaces.
fn runs_on(body: &str) -> bool {
    let Some(at) = memchr::memmem::find(body.as_bytes(), b":  ").filter(|at| *at < OCTETS) else {
        return false;
    };
    let Some(said) = body.get(..=at).filter(|said| said.contains('@')) else { return false };
    let facts = Facts::of(said);
    facts.has_address
        && facts.has_bracket
        && facts.has_verb
        && facts.is_attribution(Next::Text) == Some(Begin::WithDate)
}

/// `Jane Roe ---03/03/2026 09:41:12 AM---Hello`, as Notes writes it above the header of the original message.
fn is_of_notes(body: &str, index: usize, page: &Page<'_>) -> bool {
    let mut pieces = body.splitn(3, "---");
    let (Some(name), Some(date), Some(_)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return false;
    };
    let is_name =
        !name.trim().is_empty() && name.len() <= NAME_OCTETS && !name.contains(|c: char| c.is_ascii_digit());
    is_name
        && date.len() <= DATE_OCTETS
        && date_at(date) == Some(0)
        && page.class(page.next_written(index.saturating_add(1))) == Class::Header
}

/// `>:` or `> wrote:`: the address was broken before its end.
fn closes_address(body: &str) -> bool {
    let Some(rest) = body.strip_prefix('>').map(trim) else { return false };
    let Some(said) = rest.strip_suffix([':', '：']) else { return false };
    said.split_whitespace().count() <= 3 && said.len() <= 40 && (said.is_empty() || last_word_is_verb(said))
}

/// The first line of the attribution that ends at a line; `None` if there is none.
fn first_line(end: usize, page: &Page<'_>) -> Option<usize> {
    let next = page.next_written(end.saturating_add(1));
    let stands_before = match page.class(next) {
        Class::Quote => Next::Quote,
        _ if page.body(next).starts_with('|') => Next::Quote,
        _ if next > end.saturating_add(1) || next >= page.lines.len() => Next::Blank,
        _ => Next::Text,
    };
    let mut joined = String::new();
    let mut found = None;
    let mut index = end;
    loop {
        let body = page.body(index);
        if joined.len().saturating_add(body.len()) > OCTETS {
            break;
        }
        joined.insert(0, ' ');
        joined.insert_str(0, body);
        match Facts::of(&joined).is_attribution(stands_before) {
            Some(Begin::WithDate) => return Some(index),
            // The name may be on the line above the address; but so may own text.
            Some(Begin::Otherwise) if found.is_none_or(|found| lacks_name(page.body(found))) => {
                found = Some(index)
            }
            Some(Begin::Otherwise) => (),
            None => (),
        }
        let Some(before) = index.checked_sub(1).filter(|_| index.saturating_add(LINES_BACK) > end) else {
            break;
        };
        index = match page.class(before) {
            Class::Text => before,
            // `Jane`, a blank line, `<`, the address: programs break it there.
            Class::Blank
                if body.starts_with('<')
                    && !body.contains('>')
                    && before > 0
                    && page.class(before.saturating_sub(1)) == Class::Text =>
            {
                before.saturating_sub(1)
            }
            _ => break,
        };
    }
    found
}

fn lacks_name(body: &str) -> bool {
    body.starts_with(['<', '(']) || body.split_whitespace().next().is_some_and(|word| word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_attribution_lacks_is_seen_on_its_line() {
        for (line, want) in [
            ("On Monday Jane wrote:", true),
            ("--- Jane napsáno ---", true),
            ("Jane <jane@example.org>:", true),
            ("MAILTO:jane", true),
            ("Zitat von", true),
            ("| 2026-03-03 GMT+01:00 Jane", true),
            ("Janeさんは書きました:", true),
            ("--- and so on ---", false),
            ("From:ABC:DEF:", false),
            ("", false),
        ] {
            assert_eq!(is_telling(line), want, "{line}");
        }
    }
}
