//! One line of a printed header: `From: …`, `*Von:* …`, `发件人：…`, or all fields on one line.

use crate::quoting::line::{folded, trim};
use crate::quoting::words::{Field, LABEL_OCTETS, LABEL_WORDS, field_of};
use crate::text::cut_octets;
use memchr::memchr;

/// How many colons per line are examined for labels.
const COLONS: usize = 64;

/// A label and the text after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labelled<'a> {
    /// `None` for an unknown label.
    pub(super) field: Option<Field>,
    /// Without surrounding whitespace and bold stars.
    pub(super) value: &'a str,
}

/// Reads a line without its quote marks as a label and a value; `None` if it does not look like one.
pub(super) fn read(content: &str) -> Option<Labelled<'_>> {
    let near = cut_octets(content, LABEL_OCTETS);
    let at = match memchr(b':', near.as_bytes()) {
        Some(at) if near.is_ascii() => at,
        found => near.find('：').into_iter().chain(found).min()?,
    };
    let (said, rest) = content.split_at_checked(at)?;
    let value = rest.strip_prefix(':').or_else(|| rest.strip_prefix('：'))?;
    let is_bold = said.starts_with(['*', '_']);
    let label = trim(said.trim_matches(['*', '_']));
    // Cheap test first: most colons are in sentences.
    if label.split_ascii_whitespace().nth(LABEL_WORDS).is_some()
        || label.bytes().any(|octet| octet.is_ascii_digit())
    {
        return None;
    }
    let field = field_of(&folded(label));
    let looks_like_one = field.is_some()
        || !is_sentence(label) && (value.is_empty() || value.starts_with([' ', '\t', '*', '\u{a0}']));
    looks_like_one
        .then(|| Labelled { field, value: if is_bold { without_stars(value) } else { trim(value) } })
}

/// More than a label may contain: many characters, or anything but letters.
fn is_sentence(label: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || !c.is_ascii() || matches!(c, '-' | '.' | '/' | ' ');
    label.is_empty() || label.chars().count() > 30 || !label.chars().all(is_letter)
}

/// `*From:* Alice`, `*From: *Alice`, `*From: Alice*`
fn without_stars(value: &str) -> &str {
    let value = trim(value);
    match value.strip_prefix(['*', '_']) {
        Some(rest) => trim(rest.trim_start_matches(['*', '_'])),
        None => trim(value.trim_end_matches(['*', '_'])),
    }
}

/// The fields of a header printed on one line, in order; empty if the line does not begin with a label.
///
/// In flattened HTML a value runs into the next label: `… 09:26:50 CETSubject: …`. So a label may begin after
/// anything that is not a letter and, with a capital, after anything at all.
pub(super) fn read_inline(content: &str) -> Vec<(Field, &str)> {
    let mut found: Vec<(Field, usize, usize)> = Vec::new();
    let mut floor = 0;
    for (colon, sign) in content.match_indices([':', '：']).take(COLONS) {
        // No label contains a colon.
        let label = label_before(content, floor, colon);
        floor = colon.saturating_add(sign.len());
        let Some((field, start)) = label else { continue };
        let is_new = !found.iter().any(|(known, ..)| *known == field);
        if found.is_empty() && content.get(..start).is_none_or(|before| !trim(before).is_empty()) {
            return Vec::new();
        }
        if is_new {
            found.push((field, start, floor));
        }
    }
    let ends = found.iter().skip(1).map(|(_, start, _)| *start).chain([content.len()]);
    found
        .iter()
        .zip(ends)
        .map(|((field, _, value), end)| (*field, trim(content.get(*value..end).unwrap_or_default())))
        .collect()
}

/// The longest label that ends at a colon.
fn label_before(content: &str, floor: usize, colon: usize) -> Option<(Field, usize)> {
    let window = content.get(..colon)?;
    let lowest = window.floor_char_boundary(colon.saturating_sub(LABEL_OCTETS)).max(floor);
    let near = window.get(lowest..)?;
    let mut before: Option<char> = None;
    for (at, c) in near.char_indices() {
        let may_begin =
            c.is_alphabetic() && (c.is_uppercase() || before.is_none_or(|before| !before.is_alphabetic()));
        before = Some(c);
        if !may_begin {
            continue;
        }
        let field = near.get(at..).and_then(|label| field_of(&folded(label.trim_end())));
        if let Some(field) = field.filter(|field| *field != Field::Other) {
            return Some((field, lowest.saturating_add(at)));
        }
    }
    None
}
