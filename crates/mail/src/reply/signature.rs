//! The signature below own text: a separator above it, a closing phrase with a name, lines of addresses, or a
//! device line.

mod words;

use super::model::Hints;
use super::page::{Class, Page, trim};
use std::ops::Range;
use words::{CLOSINGS, DEVICE_ENDS, DEVICE_STARTS, DISCLAIMERS, EXCUSES, THANKS};

/// The maximum number of non-blank lines in a signature.
const SIGNATURE_LINES: usize = 30;

/// The maximum number of non-blank lines below a closing phrase.
const CLOSING_LINES: usize = 12;

/// The maximum number of non-blank lines below a rule, or with addresses.
const BLOCK_LINES: usize = 12;

/// The longest line of such a block, in characters.
const BLOCK_CHARACTERS: usize = 72;

/// The longest line of a signature without a separator, in characters.
const LINE_CHARACTERS: usize = 90;

/// What identifies a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A separator or a program's line: it certainly begins there.
    Marked,
    /// A closing phrase, a name, addresses.
    SignOff,
}

/// Where the signature at the end of a range of lines begins.
pub(super) fn find(page: &Page<'_>, range: Range<usize>, hints: &Hints<'_>) -> Option<(usize, Sign)> {
    let mut found = None;
    let mut end = range.end;
    // A device line, a closing and a separator may come one above the other.
    for _ in 0..6 {
        let lines = range.start..end;
        let step = trailing_marks(page, lines.clone())
            .or_else(|| dashes(page, lines.clone()))
            .or_else(|| footer(page, lines.clone(), hints))
            .map(|at| (at, Sign::Marked))
            .or_else(|| sign_off(page, lines, hints).map(|at| (at, Sign::SignOff)));
        let Some((at, sign)) = step else { break };
        end = at;
        found = Some((at, sign));
        if at <= range.start {
            break;
        }
    }
    found
}

/// Whether some lines are a closing phrase, perhaps with a name.
pub(super) fn is_sign_off(page: &Page<'_>, range: Range<usize>) -> bool {
    let lines: Vec<&str> = written(page, range).map(|index| page.body(index)).take(SIGNATURE_LINES).collect();
    let Some(first) = lines.first() else { return false };
    let with_name = |line: &str| {
        line.split_once([',', '!'])
            .is_some_and(|(head, name)| is_closing(head, true) && name.split_whitespace().count() <= 3)
    };
    lines.len() <= 8
        && lines.iter().all(|line| is_short(line) && !is_sentence(line))
        && (is_closing(first, true) || with_name(first))
}

/// Whether some lines are what companies append to every message.
pub(super) fn is_disclaimer(page: &Page<'_>, range: Range<usize>) -> bool {
    written(page, range).take(4).any(|index| {
        let said = page.body(index).to_lowercase();
        DISCLAIMERS.iter().any(|word| said.contains(word))
    })
}

/// The only line of a device or a program within a range, with own text above it and lines below.
pub(super) fn lone_device_line(page: &Page<'_>, range: Range<usize>) -> Option<usize> {
    let first = page.next_written(range.start);
    let is_alone = |index: usize| {
        page.class(index.saturating_add(1)) == Class::Blank
            && page.class(index.saturating_sub(1)) == Class::Blank
    };
    let found = written(page, range.clone())
        .find(|index| *index > first && is_alone(*index) && is_device(page.body(*index)))?;
    (page.next_written(found.saturating_add(1)) < range.end).then_some(found)
}

fn written<'a>(page: &'a Page<'_>, range: Range<usize>) -> impl Iterator<Item = usize> + use<'a> {
    let lines = page.lines.get(range.start..range.end).unwrap_or_default();
    lines.iter().zip(range).filter(|(line, _)| line.class != Class::Blank).map(|(_, index)| index)
}

/// Rules, marked lines and device lines at the end.
fn trailing_marks(page: &Page<'_>, range: Range<usize>) -> Option<usize> {
    let mut found = None;
    for index in range.rev() {
        match page.class(index) {
            Class::Blank => (),
            Class::Rule | Class::Dashes | Class::Signature => found = Some(index),
            Class::Text if is_device(page.body(index)) => found = Some(index),
            _ => break,
        }
    }
    found
}

/// The first `--` that has no more than a signature below it.
fn dashes(page: &Page<'_>, range: Range<usize>) -> Option<usize> {
    let mut below = 0_usize;
    let mut found = None;
    for index in range.rev() {
        match page.class(index) {
            Class::Blank => (),
            Class::Dashes => found = Some(index),
            _ => below = below.saturating_add(1),
        }
        if below > SIGNATURE_LINES {
            break;
        }
    }
    found
}

/// A rule with addresses, the sender's name, a disclaimer or a few lines below it.
fn footer(page: &Page<'_>, range: Range<usize>, hints: &Hints<'_>) -> Option<usize> {
    let mut below = 0_usize;
    let rule = range.clone().rev().find(|index| {
        below = below.saturating_add(usize::from(page.class(*index) != Class::Blank));
        page.class(*index) == Class::Rule || below > SIGNATURE_LINES
    });
    let rule = rule.filter(|index| page.class(*index) == Class::Rule)?;
    let tail = rule.saturating_add(1)..range.end;
    if is_disclaimer(page, tail.clone()) {
        return Some(rule);
    }
    let lines: Vec<&str> = written(page, tail.clone()).map(|index| page.body(index)).collect();
    let is_told = lines.iter().any(|line| is_contact(line) || names_sender(line, hints));
    // People divide their texts with dashes; with underscores, hardly ever.
    let is_paragraph =
        lines.len() <= 4 && tail.clone().zip(&lines).all(|(index, _)| page.class(index) != Class::Blank);
    let is_underscored = page.body(rule).starts_with('_') && is_paragraph;
    let is_block = lines.len() <= BLOCK_LINES
        && lines.iter().all(|line| line.chars().count() <= BLOCK_CHARACTERS && !is_sentence(line));
    (is_block && is_told || is_underscored).then_some(rule)
}

/// A closing phrase, the sender's name or lines of addresses.
fn sign_off(page: &Page<'_>, range: Range<usize>, hints: &Hints<'_>) -> Option<usize> {
    let first = page.next_written(range.start);
    let mut below: Vec<&str> = Vec::new();
    let mut found = None;
    for index in range.rev() {
        if !matches!(page.class(index), Class::Text | Class::Blank) || below.len() > CLOSING_LINES {
            break;
        }
        let body = page.body(index);
        if body.is_empty() {
            continue;
        }
        if !is_short(body) {
            break;
        }
        // Above a block that was found, only the closing phrase belongs to it.
        if let Some(block) = found {
            return Some(if is_closing(body, true) { index } else { block });
        }
        let begins = index > first && page.class(index.saturating_sub(1)) == Class::Blank;
        let named = below.iter().any(|line| names_sender(line, hints));
        if is_closing(body, false) && (named || below.len() >= 2) || is_closing(body, true) && named {
            return Some(index);
        }
        let contacts = below.iter().chain([&body]).filter(|line| is_contact(line)).count();
        if is_sentence(body) || body.ends_with(':') {
            break;
        }
        below.push(body);
        let is_block =
            below.len() <= BLOCK_LINES && below.iter().all(|line| line.chars().count() <= BLOCK_CHARACTERS);
        if begins
            && (names_sender(body, hints) || contacts >= 2 && below.len() >= 3 && is_block && is_name(body))
        {
            found = Some(index);
        }
    }
    found
}

fn is_short(body: &str) -> bool {
    body.len() <= LINE_CHARACTERS || body.chars().count() <= LINE_CHARACTERS
}

fn is_sentence(body: &str) -> bool {
    body.ends_with(['.', '?', '!', '。', '？', '！', ';', ':']) && body.split_whitespace().count() >= 5
}

/// A phrase people end letters with; thanks count only with the name of the sender.
fn is_closing(body: &str, with_thanks: bool) -> bool {
    if body.len() > 80 {
        return false;
    }
    let lower = body.to_lowercase();
    let is_known = |said: &str| {
        let said = said.trim_matches(|c: char| !c.is_alphanumeric());
        CLOSINGS.contains(&said) || with_thanks && THANKS.contains(&said)
    };
    is_known(&lower) || lower.contains('/') && lower.split('/').all(is_known)
}

fn names_sender(body: &str, hints: &Hints<'_>) -> bool {
    if hints.sender.is_empty() || body.len() > 120 {
        return false;
    }
    let said = body.to_lowercase();
    let said = said.trim_matches(|c: char| !c.is_alphanumeric());
    hints.sender.iter().map(|name| trim(name).to_lowercase()).filter(|name| name.chars().count() >= 2).any(
        |name| {
            let first = name.split([' ', ',', '@']).next().unwrap_or_default();
            said.starts_with(name.as_str())
                || said == first
                || name.contains('@') && said.contains(name.as_str())
        },
    )
}

/// A few words that may be a name: `Ann Other, Ph.D.`
fn is_name(body: &str) -> bool {
    let starts_like_one = body.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
    starts_like_one
        && body.split_whitespace().count() <= 5
        && !body.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | ':' | '=' | '<'))
}

/// An email or web address, or a phone number.
fn is_contact(body: &str) -> bool {
    let has_mail = body.split_once('@').is_some_and(|(before, after)| {
        before.ends_with(|c: char| c.is_ascii_alphanumeric())
            && after.starts_with(|c: char| c.is_ascii_alphanumeric())
            && after.contains('.')
    });
    has_mail || body.contains("://") || body.contains("www.") || is_number(body)
}

/// `+44 20 7946 0000`, `Tel.: 030/123456`; not a date or a time.
fn is_number(body: &str) -> bool {
    let number = body.trim_start_matches(|c: char| c.is_alphabetic() || matches!(c, '.' | ':' | ' ' | '-'));
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = number
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '+' | '-' | '.' | '/' | 'x'));
    is_plain && (6..=18).contains(&digits) && body.len().saturating_sub(number.len()) <= 16
}

/// `Sent from my iPhone`, in any language; not a sentence that begins like that.
pub(super) fn is_device(body: &str) -> bool {
    let body =
        body.trim_matches(|c: char| matches!(c, '<' | '(' | ')' | '[' | '*' | '_' | '"' | ' ' | '-' | '~'));
    if body.len() > 200 || body.len() < 6 {
        return false;
    }
    let lower = body.to_lowercase();
    if let Some(rest) = DEVICE_STARTS.iter().find_map(|start| lower.strip_prefix(start)) {
        return is_device_name(rest);
    }
    DEVICE_ENDS.iter().any(|(start, end)| {
        lower.strip_prefix(start).is_some_and(|rest| rest.trim_end_matches('.').ends_with(end))
            && lower.split_whitespace().count() <= 14
    })
}

/// A few words, perhaps a link, and perhaps an apology for typos.
fn is_device_name(rest: &str) -> bool {
    let rest =
        rest.split(['<', '(']).next().map_or(rest, |name| if name.trim().is_empty() { rest } else { name });
    let linked = rest.find("http").and_then(|at| rest.get(..at)).unwrap_or(rest);
    let (name, more) = linked.split_once([',', '.', ';', '!']).unwrap_or((linked, ""));
    // `Sent from Mail 2.0` is cut at its dot.
    let is_plain = more.split_whitespace().count() <= 2 && more.len() <= 16 && !linked.contains(',');
    name.split_whitespace().count() <= 7 && (is_plain || EXCUSES.iter().any(|excuse| more.contains(excuse)))
}
