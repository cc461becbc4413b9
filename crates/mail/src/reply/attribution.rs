//! Lines that say who wrote what is quoted below: `On Monday Jane <jane@example.org> wrote:`, in any
//! language, over up to five lines.
//!
//! The words of many languages are in a table; common to all of them are a date, an address, a verb and a
//! colon.

use super::page::{Class, Page, is_dash, trim};
use crate::quoting::words::{self, WROTE_ANYWHERE};

/// How many lines before its last one an attribution may begin.
const LINES_BACK: usize = 4;

/// The longest attribution in octets.
const OCTETS: usize = 600;

/// An attribution that begins with a date has it within this many octets.
const DATE_OCTETS: usize = 60;

/// The longest name above a message replied to with Notes, in octets.
const NAME_OCTETS: usize = 80;

/// Verbs in addition to those of the shared table, sorted.
const MORE_VERBS: &[&str] = &[
    "ecrit",
    "escribía",
    "escrita",
    "escrito",
    "geschrieben",
    "menulisi",
    "napisano",
    "napsáno",
    "napísali",
    "schreibt",
    "schrieben",
    "scripsit",
    "scrisese",
    "scrive",
    "scriveva",
    "skreiv",
    "skribis",
    "skriver",
    "yazdi",
    "écrivit",
    "έγραφε",
    "написали",
    "писал",
    "писала",
    "писали",
    "пишуть",
];

/// Verbs that people use above a list or a quotation of their own.
const WEAK_VERBS: &[&str] = &[
    "sent",
    "said",
    "writes",
    "pisze",
    "schreibt",
    "scrive",
    "skriver",
    "пишет",
    "пише",
    "писал",
    "писала",
    "писали",
    "viết",
    "เขียน",
];

/// The writer is talking about something they wrote themselves.
const FIRST_PERSON: &[&str] = &[
    "i", "we", "ich", "wir", "je", "j", "ai", "nous", "yo", "io", "ho", "eu", "jeg", "jag", "ik", "я", "мы",
];

/// What some programs begin with when they name no date.
const QUOTING: &[&str] = &[
    "quoting ",
    "zitat von ",
    "citando ",
    "citation de ",
    "citaat van ",
    "cytowanie ",
    "citát ",
    "citerar ",
    "цитирую ",
    "quotando ",
];

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

fn is_verb(word: &str) -> bool {
    words::is_verb(word) || MORE_VERBS.binary_search(&word).is_ok()
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

/// What follows below an attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Quote,
    Blank,
    Text,
}

/// How an attribution begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// With the date, or the words before one: that is its first line.
    WithDate,
    /// With a name, or in the middle.
    Otherwise,
}

/// What one or more lines contain.
#[derive(Debug, Default)]
struct Facts {
    has_colon: bool,
    is_dashed: bool,
    has_address: bool,
    has_bracket: bool,
    /// The address is at the end, ignoring a bracket and the colon.
    ends_with_address: bool,
    /// Octet offset of the first date or time.
    date_at: Option<usize>,
    starts_with_date: bool,
    has_verb: bool,
    is_weak: bool,
    is_first_person: bool,
    /// How many words follow the verb.
    words_after_verb: usize,
    is_quoting: bool,
    is_iso: bool,
    /// Old Gmail wrote `2016-03-03 17:21 GMT+01:00 Jane`.
    is_zoned: bool,
}

impl Facts {
    fn of(joined: &str) -> Self {
        let bare = trim(joined.trim_matches(|c: char| is_dash(c) || matches!(c, ' ' | '|')));
        let opened = joined.trim_start().starts_with("--");
        let lower = with_ascii_digits(bare.to_lowercase());
        let said = lower.trim_end_matches([':', '：', ' ']);
        let mut facts = Self {
            has_colon: said.len() < lower.len(),
            is_dashed: opened && joined.trim_end().ends_with("--"),
            has_address: has_address(said),
            has_bracket: said.contains(['<', '(']),
            ends_with_address: said
                .rsplit(' ')
                .next()
                .is_some_and(|word| word.contains('@') || word.ends_with(['>', ')', ']']))
                || said.ends_with('>'),
            date_at: date_at(said),
            is_quoting: QUOTING.iter().any(|start| said.starts_with(start)),
            is_iso: starts_with_iso_date(said),
            is_zoned: names_zone(bare),
            ..Self::default()
        };
        facts.starts_with_date = facts.date_at.is_some_and(|at| at < DATE_OCTETS) && digit_comes_early(said);
        facts.read_words(said);
        facts
    }

    fn read_words(&mut self, said: &str) {
        let mut before = "";
        for word in said.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
            if is_verb(word) {
                self.has_verb = true;
                self.is_weak = WEAK_VERBS.contains(&word);
                self.is_first_person = FIRST_PERSON.contains(&before);
                self.words_after_verb = 0;
            } else if self.has_verb {
                self.is_first_person |=
                    self.words_after_verb == 0 && FIRST_PERSON.contains(&word) && word.len() > 1;
                self.words_after_verb = self.words_after_verb.saturating_add(1);
            }
            before = word;
        }
        // Scripts without spaces between words.
        if !self.has_verb && !said.is_ascii() && WROTE_ANYWHERE.iter().any(|verb| said.contains(verb))
            || said.ends_with("のメール")
        {
            self.has_verb = true;
        }
    }

    fn is_attribution(&self, next: Next) -> Option<Begin> {
        let is_quoted = next == Next::Quote;
        let has_date = self.date_at.is_some();
        let verb_ends = self.has_verb && self.words_after_verb <= 2;
        let is_one = if self.has_colon {
            match (self.has_verb, self.is_weak) {
                _ if self.is_first_person && !is_quoted => false,
                (true, false) => {
                    self.starts_with_date && (verb_ends || self.has_address || self.words_after_verb <= 5)
                        || verb_ends && (self.has_address || is_quoted)
                        || self.has_bracket && self.has_address && has_date
                }
                (true, true) => {
                    self.starts_with_date && (self.has_address || verb_ends && is_quoted)
                        || verb_ends && self.has_address && is_quoted
                }
                (false, _) => {
                    self.starts_with_date && self.ends_with_address && self.has_address
                        || self.is_quoting && (self.has_address || is_quoted)
                        || is_quoted && self.has_bracket && self.has_address && has_date
                }
            }
        } else if self.is_dashed {
            self.has_verb && !self.is_weak
        } else {
            next != Next::Text
                && (self.starts_with_date
                    && self.has_verb
                    && !self.is_weak
                    && self.has_address
                    && (self.words_after_verb == 0 || self.ends_with_address && self.has_bracket)
                    || self.is_iso && (self.ends_with_address && self.has_address || self.is_zoned))
        };
        is_one.then_some(if self.starts_with_date || self.is_quoting {
            Begin::WithDate
        } else {
            Begin::Otherwise
        })
    }
}

/// Converts the digits of Arabic and Persian dates.
fn with_ascii_digits(said: String) -> String {
    let other = |c: char| match c {
        '\u{660}'..='\u{669}' => u32::from(c).checked_sub(0x660),
        '\u{6f0}'..='\u{6f9}' => u32::from(c).checked_sub(0x6f0),
        _ => None,
    };
    if said.is_ascii() || !said.contains(|c| other(c).is_some()) {
        return said;
    }
    said.chars().map(|c| other(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)).collect()
}

/// `2016-03-03 17:21 GMT+01:00 Jane Roe`: a zone, then only a name.
fn names_zone(joined: &str) -> bool {
    let Some((_, rest)) = joined.split_once(" GMT+").or_else(|| joined.split_once(" GMT-")) else {
        return false;
    };
    let mut words = rest.split_whitespace();
    let is_zone = words.next().is_some_and(|zone| zone.len() == 5 && zone.contains(':'));
    let is_name = |word: &str| word.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
    is_zone && (1..=4).contains(&words.clone().count()) && words.all(is_name)
}

fn has_address(said: &str) -> bool {
    let Some((before, after)) = said.split_once('@') else { return said.contains("mailto:") };
    before.ends_with(|c: char| c.is_alphanumeric() || "_-+.'".contains(c))
        && after.starts_with(char::is_alphanumeric)
}

/// Octet offset of the first date or time: `10:30`, `1.2.2026`, `2026`, `3月`.
fn date_at(said: &str) -> Option<usize> {
    let octets = said.as_bytes();
    let digits_at = |from: usize| {
        octets.get(from..).unwrap_or_default().iter().take_while(|octet| octet.is_ascii_digit()).count()
    };
    let mut at = 0;
    while let Some(found) = octets.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at.saturating_add(found);
        let length = digits_at(start);
        let end = start.saturating_add(length);
        let mut before = octets.get(..start).unwrap_or_default().iter().rev();
        // Not the end of a phone number, and not a word or address containing a digit.
        let is_own = match before.next() {
            Some(b'-' | b'.') => !before.next().is_some_and(u8::is_ascii_digit),
            Some(octet) => !octet.is_ascii_alphanumeric() && !matches!(octet, b'@' | b'_' | b'+' | b'='),
            None => true,
        };
        let is_year = length == 4
            && said
                .get(start..end)
                .is_some_and(|year| ("1970".."2100").contains(&year) || ("2500".."2600").contains(&year));
        let is_counted =
            said.get(end..).is_some_and(|rest| rest.starts_with(['年', '月', '日', '년', '월', '일']));
        let next = end.saturating_add(1);
        let is_parted = matches!(octets.get(end), Some(b':' | b'.' | b'/' | b'-'))
            && (matches!(digits_at(next), 1 | 2 | 4)
                || octets.get(next).is_some_and(u8::is_ascii_alphabetic));
        if is_own && (is_year || is_counted || length <= 2 && is_parted) {
            return Some(start);
        }
        at = end;
    }
    None
}

/// A digit within the first words, none of them long: words before a date are `On Monday,` rather than the
/// start of a sentence.
fn digit_comes_early(said: &str) -> bool {
    said.split_whitespace().take(5).any(|word| {
        word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '"'))
            || word.contains(['年', '년'])
    })
}

/// `2026-03-01`, `2026/3/1`
fn starts_with_iso_date(said: &str) -> bool {
    let mut pieces = said.splitn(3, ['-', '/', '.']);
    let mut is_number = |octets: std::ops::RangeInclusive<usize>| {
        pieces.next().is_some_and(|piece| {
            let number = piece.bytes().take_while(u8::is_ascii_digit).count();
            octets.contains(&number) && (number == piece.len() || piece.as_bytes().get(number) == Some(&b' '))
        })
    };
    said.starts_with(['1', '2']) && is_number(4..=4) && is_number(1..=2) && is_number(1..=2)
}

fn last_word_is_verb(said: &str) -> bool {
    let said = said.trim_end_matches([':', '：', ' ', '-']);
    let word = said.rsplit(|c: char| !c.is_alphabetic()).find(|word| word.len() > 1).unwrap_or_default();
    word.len() <= 40 && is_verb(word.to_lowercase().as_str())
        || !word.is_ascii() && WROTE_ANYWHERE.iter().any(|verb| word.ends_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_found() {
        assert!(MORE_VERBS.is_sorted() && MORE_VERBS.iter().all(|verb| is_verb(verb)));
    }

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
