//! Address lists of header fields (RFC 5322 §3.4), read as real mail writes them.
//!
//! One pass over the field, comments and groups included, no recursion. Keeps mailboxes with something that
//! may be an address; [`Mailbox::key`](crate::Mailbox::key) tells whether it is one.

use crate::address::Mailbox;
use crate::defect::Defects;
use crate::encoded_word;
use crate::text::{cut_octets, one_line};
use std::borrow::Cow;

/// The longest display name in characters; the rest is cut.
const NAME_CHARACTERS: usize = 255;

/// The longest text that is kept as an address, in octets; anything longer cannot be one.
const ADDRESS_OCTETS: usize = 1_000;

/// Reads the mailboxes of an unfolded field value, at most `limit`; the flag says that there were more.
pub(crate) fn read(text: &str, limit: usize, defects: &mut Defects) -> (Vec<Mailbox>, bool) {
    let mut reader = Reader::default();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        reader.take(c, &mut characters, defects);
        // One more than the limit, to detect the overflow.
        if reader.mailboxes.len() > limit {
            break;
        }
    }
    reader.end_mailbox(defects);
    let overflow = reader.mailboxes.len() > limit;
    reader.mailboxes.truncate(limit);
    (reader.mailboxes, overflow)
}

#[derive(Default)]
struct Reader {
    mailboxes: Vec<Mailbox>,
    /// Words outside brackets and comments, without quotes.
    phrase: String,
    /// The same with quotes, in case it turns out to be a bare address with a quoted local part.
    written: String,
    /// Whether `phrase` contains an `@`, so that it cannot name a group.
    has_at: bool,
    /// The content of the last `<…>`.
    angle: Option<String>,
    comment: String,
    /// Text before a comma that cannot be an address: perhaps the family name of the next mailbox.
    half_name: String,
    comments_are_open: bool,
}

impl Reader {
    fn take(&mut self, c: char, rest: &mut std::str::Chars<'_>, defects: &mut Defects) {
        match c {
            '"' if rest.as_str().contains('"') => self.quoted(rest),
            // An unterminated quote was not meant to quote all the rest.
            '"' => (),
            '\\' if rest.as_str().starts_with('"') => self.escaped_quotes(rest),
            '(' if self.comment_ends(rest.as_str()) => self.comment(rest),
            '<' => self.angle(angle(rest)),
            // Outlook separates with semicolons, and groups (RFC 5322 §3.4) end with one.
            ',' => self.end_at_comma(defects),
            ';' => self.end_mailbox(defects),
            // The text before a colon named a group.
            ':' if !self.has_at && self.angle.is_none() => self.clear(),
            '>' => (),
            _ => {
                self.has_at |= c == '@';
                self.phrase.push(c);
                self.written.push(c);
            }
        }
    }

    fn quoted(&mut self, rest: &mut std::str::Chars<'_>) {
        self.written.push('"');
        while let Some(c) = rest.next() {
            match c {
                '"' => break,
                '\\' => {
                    if let Some(escaped) = rest.next() {
                        self.phrase.push(escaped);
                        self.written.extend(['\\', escaped]);
                    }
                }
                _ => {
                    self.phrase.push(c);
                    self.written.push(c);
                }
            }
        }
        self.written.push('"');
    }

    /// `\"Alice: Sales\" <alice@…>`: quotes that a program escaped once too often.
    fn escaped_quotes(&mut self, rest: &mut std::str::Chars<'_>) {
        rest.next();
        // If none follows, there is no need to search again.
        let Some((inner, after)) = rest.as_str().split_once('"') else { return };
        let inner = inner.strip_suffix('\\').unwrap_or(inner);
        self.phrase.push_str(inner);
        self.written.push_str(inner);
        *rest = after.chars();
    }

    /// Whether a comment ends; once none does, no later one can, so nothing is searched twice.
    fn comment_ends(&mut self, rest: &str) -> bool {
        self.comments_are_open = self.comments_are_open || !rest.contains(')');
        !self.comments_are_open
    }

    fn comment(&mut self, rest: &mut std::str::Chars<'_>) {
        let mut depth = 1_usize;
        while let Some(c) = rest.next() {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                '\\' => self.comment.extend(rest.next()),
                _ => self.comment.push(c),
            }
            if depth == 0 {
                break;
            }
        }
    }

    /// Of several brackets, the one with an address counts.
    fn angle(&mut self, inner: String) {
        if inner.contains('@') || !self.angle.as_ref().is_some_and(|before| before.contains('@')) {
            self.angle = Some(inner);
        }
    }

    /// A comma within a name that should have been quoted: `Doe, John <john@…>`.
    fn end_at_comma(&mut self, defects: &mut Defects) {
        let is_half_a_name = !self.has_at && self.angle.is_none() && !self.phrase.trim().is_empty();
        if !is_half_a_name {
            self.end_mailbox(defects);
            return;
        }
        let half = std::mem::take(&mut self.phrase);
        self.clear();
        self.half_name = half;
    }

    fn end_mailbox(&mut self, defects: &mut Defects) {
        let half_name = std::mem::take(&mut self.half_name);
        let joined;
        let (name, address) = match &self.angle {
            Some(angle) => {
                let phrase = self.phrase.trim();
                joined = match (half_name.trim(), phrase) {
                    ("", phrase) => phrase.to_owned(),
                    (half, "") => half.to_owned(),
                    (half, phrase) => format!("{half}, {phrase}"),
                };
                (if joined.is_empty() { self.comment.as_str() } else { &joined }, bracketed(angle))
            }
            // RFC 5322 §4.4: an obsolete form has the name in a comment after a bare address.
            None => bare(self.written.trim(), &self.comment),
        };
        if !address.is_empty() && (self.angle.is_some() || address.contains('@')) {
            let name = one_line(&encoded_word::decode(name.trim(), defects), NAME_CHARACTERS);
            self.mailboxes.push(Mailbox {
                name: without_quotes(&name).to_owned(),
                address: one_line(cut_octets(&address, ADDRESS_OCTETS), ADDRESS_OCTETS),
            });
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.phrase.clear();
        self.written.clear();
        self.comment.clear();
        self.half_name.clear();
        self.has_at = false;
        self.angle = None;
    }
}

/// The name and the address of a mailbox without brackets; some programs forget them, and the text before is
/// the name.
fn bare<'a>(written: &'a str, comment: &'a str) -> (&'a str, Cow<'a, str>) {
    if written.starts_with('"') {
        return (comment, Cow::Borrowed(written));
    }
    let written = without_marks(written);
    if !written.contains([' ', '\t']) {
        return (comment, Cow::Borrowed(scheme_off(written)));
    }
    let tight = tightened(written);
    if !tight.contains(' ') {
        return (comment, Cow::Owned(tight));
    }
    let Some((before, address)) =
        written.rsplit_once([' ', '\t']).filter(|(_, address)| address.contains('@'))
    else {
        // Words after the address are not part of it.
        let mut addresses = written.split([' ', '\t']).filter(|word| word.contains('@'));
        return match (addresses.next(), addresses.next()) {
            (Some(address), None) => (comment, Cow::Borrowed(scheme_off(without_marks(address)))),
            _ => (comment, Cow::Borrowed(written)),
        };
    };
    let address = scheme_off(without_marks(address));
    (if before.contains('@') { comment } else { before.trim() }, Cow::Borrowed(address))
}

/// Removes the apostrophes, the bracket and the dot that programs leave around an address.
fn without_marks(address: &str) -> &str {
    let address = address.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')).unwrap_or(address);
    let address =
        if address.contains("@[") { address } else { address.trim_start_matches('[').trim_end_matches(']') };
    address.trim_end_matches('.')
}

/// RFC 5322 §4.4: whitespace was once allowed around the dots and the `@` of an address.
fn tightened(address: &str) -> String {
    let mut tight = String::with_capacity(address.len());
    for word in address.split_whitespace() {
        if !tight.is_empty() && !tight.ends_with(['.', '@']) && !word.starts_with(['.', '@']) {
            tight.push(' ');
        }
        tight.push_str(word);
    }
    tight
}

/// The address within brackets: without comments, whitespace, source route and scheme.
fn bracketed(angle: &str) -> Cow<'_, str> {
    let address = route_off(angle);
    if address.starts_with('"') || !address.contains(['(', ' ', '\t']) {
        return Cow::Borrowed(if address.starts_with('"') { address } else { without_marks(address) });
    }
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && !c.is_whitespace() => kept.push(c),
            _ => (),
        }
    }
    Cow::Owned(kept)
}

/// Outlook puts an address that serves as a name between apostrophes.
fn without_quotes(name: &str) -> &str {
    name.strip_prefix('\'')
        .and_then(|name| name.strip_suffix('\''))
        .filter(|name| name.contains('@'))
        .unwrap_or(name)
}

/// The text before the `>`; a quoted local part may contain one, and if the `>` is missing the next mailbox
/// ends it.
fn angle(rest: &mut std::str::Chars<'_>) -> String {
    let mut inner = String::new();
    if let Some(local) = rest.as_str().strip_prefix('"').and_then(quoted_local) {
        inner.extend(rest.by_ref().take(local));
    }
    // RFC 5322 §4.4: only a source route contains commas.
    let is_route = rest.as_str().trim_start().starts_with('@');
    // Tracked alongside the text, which would otherwise be searched again at each bracket.
    let mut has_content = !inner.is_empty();
    let mut has_at = inner.contains('@');
    loop {
        let mut ahead = rest.clone();
        match ahead.next() {
            Some('<') if !has_content => (),
            Some(',' | ';' | '<') if !is_route && has_at => break,
            Some('>') | None => {
                *rest = ahead;
                break;
            }
            Some(c) => {
                has_content |= !c.is_whitespace();
                has_at |= c == '@';
                if inner.len() < ADDRESS_OCTETS {
                    inner.push(c);
                }
            }
        }
        *rest = ahead;
    }
    inner
}

/// The characters of a quoted local part, including quotes, if its closing quote precedes an `@` and is not
/// too far away.
fn quoted_local(after_quote: &str) -> Option<usize> {
    let mut is_escaped = false;
    let end = after_quote.chars().take(ADDRESS_OCTETS).position(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    (after_quote.chars().nth(end.saturating_add(1)) == Some('@')).then_some(end.saturating_add(2))
}

/// Removes a source route (RFC 5322 §4.4: `@a,@b:user@host`) and a scheme.
fn route_off(angle: &str) -> &str {
    let angle = scheme_off(angle.trim());
    match angle.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, address)) => address.trim(),
        None => angle,
    }
}

fn scheme_off(address: &str) -> &str {
    let after = |scheme: &str| {
        address
            .get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .and_then(|_| address.get(scheme.len()..))
    };
    after("mailto:").or_else(|| after("smtp:")).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(field: &str) -> String {
        let (mailboxes, _) = read(field, 100, &mut Defects::default());
        mailboxes.iter().map(|m| format!("{}|{}", m.name, m.address)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn address_lists_are_read() {
        for (name, field, want) in [
            ("bare", "a@x.example", "|a@x.example"),
            ("angle", "Alice B <a@x.example>", "Alice B|a@x.example"),
            ("quoted name", r#""B, Alice" <a@x.example>"#, "B, Alice|a@x.example"),
            ("escaped quote", r#""Alice \"A\" B" <a@x.example>"#, r#"Alice "A" B|a@x.example"#),
            ("two", "a@x.example, Bob <b@x.example>", "|a@x.example\nBob|b@x.example"),
            ("semicolons", "a@x.example; b@x.example", "|a@x.example\n|b@x.example"),
            ("address as name", "a@x.example <a@x.example>", "a@x.example|a@x.example"),
            ("comment as name", "a@x.example (Alice (A) B)", "Alice A B|a@x.example"),
            ("comment and name", "Alice (home) <a@x.example>", "Alice|a@x.example"),
            ("encoded name", "=?utf-8?Q?J=C3=B6rg?= <j@x.example>", "Jörg|j@x.example"),
            ("encoded comma", "=?utf-8?Q?B=2C_J=C3=B6rg?= <j@x.example>", "B, Jörg|j@x.example"),
            ("encoded in quotes", r#""=?utf-8?Q?J=C3=B6rg?=" <j@x.example>"#, "Jörg|j@x.example"),
            ("single quotes", r#""'a@x.example'" <a@x.example>"#, "a@x.example|a@x.example"),
            (
                "group",
                "Team: a@x.example, B <b@x.example>;, c@x.example",
                "|a@x.example\nB|b@x.example\n|c@x.example",
            ),
            ("empty group", "undisclosed-recipients:;", ""),
            ("quoted local part", r#""a b"@x.example"#, r#"|"a b"@x.example"#),
            (
                "> in a quoted local part",
                r#"A <"a> b"@x.example>, b@x.example"#,
                "A|\"a> b\"@x.example\n|b@x.example",
            ),
            ("source route", "<@y.example,@z.example:a@x.example>", "|a@x.example"),
            ("mailto", "<mailto:a@x.example>", "|a@x.example"),
            ("no address", "Alice, b@x.example", "|b@x.example"),
            ("no domain in brackets", "Cron <root>", "Cron|root"),
            ("empty brackets", "Alice <>", ""),
            ("open bracket", "Alice <a@x.example", "Alice|a@x.example"),
            ("open quote", r#""Alice <a@x.example>"#, "Alice|a@x.example"),
            (
                "open comment",
                "Alice (home <a@x.example>, b@x.example",
                "Alice (home|a@x.example\n|b@x.example",
            ),
            (
                "comments in an address",
                r"Pete(A \) chap) <pete(his)@silly.example(his host)>",
                "Pete|pete@silly.example",
            ),
            ("blanks in an address", "Alice < a . b @ x . example >", "Alice|a.b@x.example"),
            ("blanks in a bare address", "a . b @ x.example", "|a.b@x.example"),
            ("folded address", "Alice <a@x.\texample>", "Alice|a@x.example"),
            ("no brackets", "Alice B a@x.example", "Alice B|a@x.example"),
            ("words behind it", "a@x.example www.x.example", "|a@x.example"),
            (
                "quotes escaped too often",
                r#"\"Alice: Sales\" <a@x.example>, b@x.example"#,
                "Alice: Sales|a@x.example\n|b@x.example",
            ),
            ("an escaped quote alone", r#"Alice \" <a@x.example>"#, "Alice|a@x.example"),
            ("square brackets", "Alice [mailto:a@x.example]", "|a@x.example"),
            (
                "comma in a name",
                "Doe, Alice <a@x.example>, b@x.example",
                "Doe, Alice|a@x.example\n|b@x.example",
            ),
            ("comma behind a name", "Alice, <a@x.example>", "Alice|a@x.example"),
            ("doubled brackets", "Alice <<a@x.example>>, b@x.example", "Alice|a@x.example\n|b@x.example"),
            ("two brackets", "Alice <alice> <a@x.example>", "Alice|a@x.example"),
            (
                "bracket never closed",
                "Alice <a@x.example, Bob <b@x.example>",
                "Alice|a@x.example\nBob|b@x.example",
            ),
            ("apostrophes", "'a@x.example', <'b@x.example'>", "|a@x.example\n|b@x.example"),
            ("mailto without brackets", "mailto:a@x.example", "|a@x.example"),
            ("Exchange", "Alice <SMTP:a@x.example>", "Alice|a@x.example"),
            ("dot at the end", "a@x.example., <b@x.example.>", "|a@x.example\n|b@x.example"),
            ("control characters", "A\tB <a@x.example>", "A B|a@x.example"),
            ("UTF-8", "Jörg <jörg@x.example>", "Jörg|jörg@x.example"),
            ("empty", "", ""),
            ("commas", ",,a@x.example,", "|a@x.example"),
        ] {
            assert_eq!(check(field), want, "{name}");
        }
    }

    #[test]
    fn limit_holds_at_n_and_breaks_at_n_plus_one() {
        for (count, overflow) in [(5, false), (6, true)] {
            let (mailboxes, more) = read(&"a@x.example, ".repeat(count), 5, &mut Defects::default());
            assert_eq!((mailboxes.len(), more), (5, overflow));
        }
    }

    proptest! {
        #[test]
        fn any_field_is_read(field in r#"([a-z@<>,;:()"\\ é]|=\?utf-8\?q\?a\?=){0,40}"#) {
            let (mailboxes, _) = read(&field, 3, &mut Defects::default());
            prop_assert!(mailboxes.len() <= 3);
            prop_assert!(mailboxes.iter().all(|m| !m.address.is_empty() && !m.name.contains(['\r', '\n', '\0'])));
        }
    }
}
