//! What the lines of a possible attribution contain, and whether that is enough.

use super::date::{DATE_OCTETS, date_at, digit_comes_early, starts_with_iso_date};
use super::verb::{FIRST_PERSON, QUOTING, WEAK_VERBS, is_verb};
use crate::quoting::words::WROTE_ANYWHERE;
use crate::reply::page::{is_dash, trim};

/// What follows below an attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Quote,
    Blank,
    Text,
}

/// How an attribution begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the date, or the words before one: that is its first line.
    WithDate,
    /// With a name, or in the middle.
    Otherwise,
}

/// What one or more lines contain.
#[derive(Debug, Default)]
pub(super) struct Facts {
    has_colon: bool,
    is_dashed: bool,
    pub(super) has_address: bool,
    pub(super) has_bracket: bool,
    /// The address is at the end, ignoring a bracket and the colon.
    ends_with_address: bool,
    /// Octet offset of the first date or time.
    date_at: Option<usize>,
    starts_with_date: bool,
    pub(super) has_verb: bool,
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
    /// Collects the facts of a line, or of several joined.
    pub(super) fn of(joined: &str) -> Self {
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

    /// Whether they make an attribution, and how it begins; `next` is what follows below.
    pub(super) fn is_attribution(&self, next: Next) -> Option<Begin> {
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
