//! The single line that replaces a header: `On 28/10/2021 12:46, "John Doe" <john@example.org> wrote:`.
//!
//! Programs put it above replies; some also put it above forwarded messages, and then only the subject tells
//! them apart.

use super::people;
use crate::address::Mailbox;
use crate::quoting::line::{folded, trim};
use crate::quoting::words::{self, BEFORE_DATE, FILLERS, WROTE_ANYWHERE};

/// The longest such line in octets.
const INTRO_OCTETS: usize = 600;

/// What the line says.
#[derive(Debug)]
pub(super) struct Intro {
    /// Who wrote; may have no address.
    pub(super) from: Mailbox,
    /// When, as printed; may be empty.
    pub(super) date: String,
}

/// Reads a line, or two or three of them joined.
pub(super) fn read(said: &str) -> Option<Intro> {
    let said = trim(said).strip_suffix([':', '：']).filter(|said| said.len() <= INTRO_OCTETS).map(trim)?;
    if !has_date(said) {
        return None;
    }
    let verb = said.split_whitespace().find(|word| is_verb(word));
    let has_verb = verb.is_some() || says_anywhere(said);
    let (left, person, after) = match said.find('@') {
        Some(at) => with_address(said, at)?,
        None => without_address(said, verb?)?,
    };
    let from = people::read(&person, 1).pop()?;
    if from.address.is_empty() && !has_verb {
        return None;
    }
    let date = [left, after].into_iter().map(clean_date).find(|date| has_date(date)).unwrap_or_default();
    Some(Intro { from, date: date.to_owned() })
}

/// Whether a line may be such a line, or part of one: it contains an address or a verb.
pub(super) fn may_be(content: &str) -> bool {
    content.len() <= INTRO_OCTETS
        && (content.contains('@') || says_anywhere(content) || content.split_whitespace().any(is_verb))
}

fn says_anywhere(said: &str) -> bool {
    !said.is_ascii() && WROTE_ANYWHERE.iter().any(|verb| said.contains(verb))
}

/// The text before the person, the person, and the text after.
fn with_address(said: &str, at: usize) -> Option<(&str, String, &str)> {
    let (before, from) = said.split_at_checked(at)?;
    let word = before.rsplit(is_gap).next().unwrap_or_default();
    // `John Doe<john@example.org>`
    let local = word.find(['<', '(', '[']).and_then(|bracket| word.get(bracket..)).unwrap_or(word);
    let (before, local) = before.split_at_checked(before.len().saturating_sub(local.len()))?;
    let domain = from.split(is_gap).next().unwrap_or_default();
    let (left, name) = split_name(before);
    Some((left, format!("{name}{local}{domain}"), from.get(domain.len()..).unwrap_or_default()))
}

/// Without an address, the person is everything between date and verb, or after the verb.
fn without_address<'a>(said: &'a str, verb: &str) -> Option<(&'a str, String, &'a str)> {
    let (before, after) = said.split_once(verb)?;
    let (left, name) = split_name(before);
    if trim(name).is_empty() {
        Some((before, after.to_owned(), ""))
    } else {
        Some((left, name.to_owned(), after))
    }
}

/// At least two groups of digits, one of them a year or a time.
fn has_date(said: &str) -> bool {
    let groups = said.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    let (count, years) = groups.fold((0_usize, 0_usize), |(count, years), group| {
        (count.saturating_add(1), years.saturating_add(usize::from(group.len() == 4)))
    });
    let is_time = |piece: &[u8]| matches!(piece, [before, b':' | b'.', after] if before.is_ascii_digit() && after.is_ascii_digit());
    count >= 2 && (years > 0 || said.as_bytes().windows(3).any(is_time))
}

fn is_verb(word: &str) -> bool {
    words::is_verb(&folded(word.trim_matches([',', ';', '"', ':'])))
}

/// Splits the text before the address into the date with its words, and the name.
fn split_name(before: &str) -> (&str, &str) {
    let trimmed = before.trim_end();
    if let Some(open) = trimmed.strip_suffix('"').and_then(|inner| inner.rfind('"')) {
        return before.split_at_checked(open).unwrap_or((before, ""));
    }
    let mut name = trimmed;
    if let Some(digit) = trimmed.rfind(|c: char| c.is_ascii_digit()) {
        // Anything that follows without a space is part of the date: `12:46h`, `2021年`.
        let rest = trimmed.get(digit..).unwrap_or_default();
        name = rest.find(is_gap).and_then(|end| rest.get(end..)).unwrap_or_default();
    }
    loop {
        name = name.trim_start_matches(is_gap);
        let word = name.split(is_gap).next().unwrap_or_default();
        if word.is_empty() || !is_filler(word) && !is_verb(word) {
            let date = before
                .len()
                .saturating_sub(name.len())
                .saturating_sub(before.len().saturating_sub(trimmed.len()));
            return before.split_at_checked(date).unwrap_or((before, ""));
        }
        name = name.get(word.len()..).unwrap_or_default();
    }
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == ','
}

fn is_filler(word: &str) -> bool {
    let word = word.trim_matches(['(', ')', '.', ';', ':', '[', ']', '-', '+', '–']).to_lowercase();
    word.is_empty() || FILLERS.contains(&word.as_str())
}

/// The date without the words around it.
fn clean_date(said: &str) -> &str {
    let mut date = trim(said).trim_matches([',', ' ', ';', ')', '(', '<', '>']);
    loop {
        let (first, rest) = date.split_once(char::is_whitespace).unwrap_or(("", date));
        if !first.is_empty() && (BEFORE_DATE.contains(&first.to_lowercase().as_str()) || is_verb(first)) {
            date = rest.trim_start();
            continue;
        }
        let (rest, last) = date.rsplit_once([' ', ',']).unwrap_or((date, ""));
        if last.is_empty() && rest.len() < date.len() || is_verb(last) || is_noise(last) {
            date = rest.trim_end();
            continue;
        }
        return date;
    }
}

/// Words between date and name that do not belong to the date.
fn is_noise(word: &str) -> bool {
    let word = word.to_lowercase();
    matches!(
        word.as_str(),
        "heeft"
            | "ha"
            | "je"
            | "by"
            | "używatel"
            | "používateľ"
            | "uživatel"
            | "użytkownik"
            | "korisnik"
            | "пользователь"
            | "користувач"
            | "tarihinde"
            | "şunu"
    )
}
