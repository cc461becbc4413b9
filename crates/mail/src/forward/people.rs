//! Mailboxes as forwarding programs print them, which is not how RFC 5322 writes them.
//!
//! `Doe, John <john@example.org>; Jane Roe [mailto:jane@example.org]`, `John <john@example.org<mailto:john@example.org>>`,
//! `Foo (foo@example.org)`, names without an address. One pass over the value.

use crate::address::{AddressKey, Mailbox};
use crate::quoting::line::{is_invisible, trim};
use crate::text::one_line;

/// The longest display name in characters; the rest is cut.
const NAME_CHARACTERS: usize = 255;

/// Reads the people of a printed field, at most `limit`; people without an address get an empty one.
pub(super) fn read(value: &str, limit: usize) -> Vec<Mailbox> {
    let mut reader = Reader {
        people: Vec::new(),
        limit,
        has_semicolons: value.contains([';', '；']),
        ..Reader::default()
    };
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        if reader.people.len() >= limit {
            break;
        }
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '<' | '[' | '(' => reader.group(rest, after),
            '"' => reader.quoted(after),
            ',' | ';' | '，' | '；' | '、' => {
                reader.separator(c);
                after
            }
            _ => {
                reader.said.push(c);
                after
            }
        };
    }
    reader.end();
    reader.people.truncate(limit);
    reader.people
}

#[derive(Default)]
struct Reader {
    people: Vec<Mailbox>,
    limit: usize,
    /// Then commas do not separate people.
    has_semicolons: bool,
    /// The text outside brackets since the last separator.
    said: String,
    /// The offset in `said` after the last comma.
    comma: Option<usize>,
    address: Option<String>,
    /// The name, once the address is known.
    name: String,
}

impl Reader {
    /// Reads `<…>`, `[…]` or `(…)`: an address, or part of the name.
    fn group<'a>(&mut self, from: &'a str, after: &'a str) -> &'a str {
        let end = group_end(from);
        let inner = after.get(..end.saturating_sub(1)).unwrap_or(after);
        let rest = from.get(end.saturating_add(1)..).unwrap_or_default();
        match address_in(inner) {
            Some(address) => self.found(address),
            None if from.starts_with('<') => (),
            None => self.said.push_str(from.get(..end.saturating_add(1)).unwrap_or(from)),
        }
        rest
    }

    fn found(&mut self, address: String) {
        if self.address.is_none() {
            self.name = std::mem::take(&mut self.said);
            self.address = Some(address);
        }
    }

    /// A quoted name may contain separators.
    fn quoted<'a>(&mut self, after: &'a str) -> &'a str {
        match after.split_once('"') {
            Some((name, rest)) => {
                self.said.push_str(name);
                rest
            }
            None => after,
        }
    }

    fn separator(&mut self, c: char) {
        let is_comma = matches!(c, ',' | '，' | '、');
        if self.address.is_some() || !is_comma {
            self.end();
            return;
        }
        let piece = self.said.get(self.comma.unwrap_or(0)..).unwrap_or_default();
        if bare_address(piece).is_some() {
            self.end();
            return;
        }
        // A comma within a name: `Doe, John`. Two words before it are a person of their own.
        self.said.push(',');
        self.comma = Some(self.said.len());
    }

    fn end(&mut self) {
        let said = std::mem::take(&mut self.said);
        self.comma = None;
        if let Some(address) = self.address.take() {
            let name = std::mem::take(&mut self.name);
            let name = if self.has_semicolons { name.as_str() } else { self.people_before(&name) };
            self.push(name, address);
            return;
        }
        let last = if self.has_semicolons { said.as_str() } else { self.people_before(&said) };
        match bare_address(last) {
            Some((name, address)) => self.push(&name, address),
            None => self.push(last, String::new()),
        }
    }

    /// Adds the people without an address before the last one, as in `Jane Roe, Bob Poe <bob@example.org>`;
    /// returns what is left.
    fn people_before<'n>(&mut self, name: &'n str) -> &'n str {
        let mut rest = name;
        while let Some((piece, after)) = rest.split_once(',') {
            let words = |piece: &str| piece.split_whitespace().count();
            if self.people.len() >= self.limit
                || words(piece) < 2
                || words(after.split(',').next().unwrap_or_default()) < 2
            {
                break;
            }
            self.push(piece, String::new());
            rest = after;
        }
        rest
    }

    fn push(&mut self, name: &str, address: String) {
        let name = clean_name(name);
        let is_address = !address.is_empty() && name.eq_ignore_ascii_case(&address);
        let name = if is_address { String::new() } else { name };
        if !(name.is_empty() && address.is_empty()) {
            self.people.push(Mailbox { name, address });
        }
    }
}

/// Where the bracket that `from` begins with is closed, counting nested ones; if it never is, the end of the
/// word.
fn group_end(from: &str) -> usize {
    let mut depth = 0_usize;
    let (open, close) = match from.as_bytes().first() {
        Some(b'<') => (b'<', b'>'),
        Some(b'[') => (b'[', b']'),
        _ => (b'(', b')'),
    };
    for (at, octet) in from.bytes().enumerate() {
        if octet == open {
            depth = depth.saturating_add(1);
        } else if octet == close {
            depth = depth.saturating_sub(1);
        }
        // No address list has a group that long.
        if depth == 0 || at >= 1_000 {
            return if depth == 0 { at } else { word_end(from) };
        }
    }
    word_end(from)
}

fn word_end(from: &str) -> usize {
    from.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .map_or(from.len(), |end| end.saturating_sub(1))
}

/// The address within brackets, without `mailto:` and the repetition of a link.
fn address_in(inner: &str) -> Option<String> {
    let inner = inner.trim_start_matches(['<', '[', '(', ' ']);
    let inner = strip_mailto(inner);
    let end =
        inner.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '[' | ']' | '(' | ')' | '|' | '?'));
    as_address(end.and_then(|end| inner.get(..end)).unwrap_or(inner))
}

fn strip_mailto(text: &str) -> &str {
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text.get(7..).unwrap_or_default(),
        _ => text,
    }
    .trim_start()
}

/// A text that is an address, with anything clinging to it removed.
fn as_address(text: &str) -> Option<String> {
    let text = strip_mailto(text)
        .trim_matches(|c: char| is_invisible(c) || c.is_whitespace() || "'\"<>()[],;:.*_`«»".contains(c));
    (text.contains('@') && AddressKey::parse(text).is_ok()).then(|| text.to_owned())
}

/// The address in a piece without brackets, and the words before it.
fn bare_address(piece: &str) -> Option<(String, String)> {
    let at = piece.find('@')?;
    let start = piece.get(..at)?.rfind(char::is_whitespace).map_or(0, |blank| blank.saturating_add(1));
    let start = piece.floor_char_boundary(start);
    let from = piece.get(start..)?.trim_start();
    let word = from.split_whitespace().next()?;
    let before = piece.get(..start)?;
    // RFC 5322 §4.4: the obsolete form has the name in a comment after the address.
    let name = if before.trim().is_empty() {
        from.get(word.len()..)?.trim().trim_matches(['(', ')'])
    } else {
        before
    };
    Some((name.to_owned(), as_address(word)?))
}

/// A name without surrounding quotes, stars and whitespace, on one line.
fn clean_name(name: &str) -> String {
    let edge = |c: char| c.is_whitespace() || is_invisible(c) || "\"'*_,;:«»„“”‘’‹›「」".contains(c);
    one_line(trim(name).trim_matches(edge), NAME_CHARACTERS)
}
