//! Header fields as mail programs print them above a quoted message: `From:`, `Sent:`, `To:`, `Subject:`, in
//! any language.

use super::page::{Class, Page, is_dash, trim};
use crate::quoting::words::{Field, LABEL_OCTETS, field_of};

/// The maximum number of lines of a header field.
const FIELD_LINES: usize = 3;

/// The maximum number of lines of a block.
const BLOCK_LINES: usize = 40;

/// Fields found, one bit each.
const FROM: u8 = 1;
const DATE: u8 = 2;
const TO: u8 = 4;
const CC: u8 = 8;
const SUBJECT: u8 = 16;
const OTHER: u8 = 32;

/// Marks the lines of all header blocks in own text.
pub(super) fn mark(page: &mut Page<'_>) {
    let mut index = 0;
    while index < page.lines.len() {
        if page.class(index) != Class::Text || field(page.body(index)).is_none() {
            index = index.saturating_add(1);
            continue;
        }
        let (end, is_block) = block(index, page);
        if is_block {
            for line in page.lines.get_mut(index..end).unwrap_or_default() {
                if line.class != Class::Blank {
                    line.class = Class::Header;
                }
            }
        }
        index = end;
    }
}

/// Reads the block that begins at a line; returns the line after it and whether it is one.
fn block(first: usize, page: &Page<'_>) -> (usize, bool) {
    let mut found = 0_u8;
    let mut has_address = false;
    let mut end = first;
    let mut index = first;
    let mut unlabelled = 0;
    while index < first.saturating_add(BLOCK_LINES) {
        // Some programs put a blank line between the fields.
        if page.class(index) == Class::Blank {
            let next = index.saturating_add(1);
            if page.class(next) == Class::Text && field(page.body(next)).is_some() && index > first {
                index = next;
                continue;
            }
            break;
        }
        if page.class(index) != Class::Text {
            break;
        }
        let body = page.body(index);
        if let Some(bit) = field(body) {
            // The same field again begins another block.
            if found & bit != 0 && bit != OTHER {
                break;
            }
            found |= bit;
            unlabelled = 0;
            has_address |= body.contains('@');
            end = index.saturating_add(1);
        } else {
            unlabelled += 1;
            if unlabelled >= FIELD_LINES {
                break;
            }
            has_address |= body.contains('@');
        }
        index = index.saturating_add(1);
    }
    // The last value may continue, up to the blank line.
    if page.class(index) == Class::Blank && unlabelled < FIELD_LINES {
        end = index.max(end);
    }
    // Reports begin with To or Subject; what a mail program prints above a quote does not.
    let opens = field(page.body(first)).is_some_and(|bit| bit & (FROM | DATE) != 0) || found & FROM != 0;
    let is_announced = is_announced(first, page);
    (end, (opens || is_announced) && is_block(found, has_address, is_announced))
}

/// People write `From: Berlin`, `To: Vienna`, `Date: 5 May` themselves, and contact forms send `From:` and
/// `Subject:`.
fn is_block(found: u8, has_address: bool, is_announced: bool) -> bool {
    let has = |bits: u8| found & bits == bits;
    let is_dated = has(FROM | DATE) || has(DATE | TO);
    let is_full = has(FROM | TO | SUBJECT) || has(DATE | SUBJECT) && (has_address || has(TO));
    if is_announced {
        found.count_ones() >= 1 && (has(FROM) || has(DATE) || has(TO))
    } else {
        is_dated && (has_address || has(SUBJECT)) || is_full
    }
}

/// Whether a rule or `-----Original Message-----` precedes it.
fn is_announced(first: usize, page: &Page<'_>) -> bool {
    let before = page.lines.get(..first).unwrap_or_default();
    let before = before.iter().rev().find(|line| line.class != Class::Blank);
    before.is_some_and(|line| line.class == Class::Original)
}

/// The field whose label a line begins with, as one bit.
fn field(body: &str) -> Option<u8> {
    let (label, _) = labelled(body)?;
    let plain = label.trim_start_matches(|c: char| is_dash(c) || c == '|').trim_end_matches('*');
    let label = trim(plain).to_lowercase();
    // French webmail providers print the date this way, with or without a colon.
    if label
        .strip_prefix("message du")
        .is_some_and(|date| date.is_empty() || date.trim_start().starts_with(|c: char| c.is_ascii_digit()))
    {
        return Some(DATE);
    }
    Some(match field_of(&label)? {
        Field::From => FROM,
        Field::Date => DATE,
        Field::To => TO,
        Field::Cc => CC,
        Field::Subject => SUBJECT,
        Field::Other => OTHER,
    })
}

/// Whether a line begins with the label of a header field.
pub(super) fn is_field(body: &str) -> bool {
    field(body).is_some()
}

/// Whether a line begins with something that may be a label: a few letters, then a colon.
pub(super) fn has_label(body: &str) -> bool {
    labelled(body).is_some_and(|(label, _)| {
        label.chars().any(char::is_alphabetic) && label.split_whitespace().count() <= 3
    })
}

fn labelled(body: &str) -> Option<(&str, &str)> {
    let window = body.get(..body.floor_char_boundary(LABEL_OCTETS))?;
    let at = window.find([':', '：'])?;
    // A time or a web address.
    let after = body.get(at..)?;
    if after.starts_with("://") {
        return None;
    }
    body.split_at_checked(at)
}
