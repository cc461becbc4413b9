//! Address lists of header fields (RFC 5322 §3.4), read as real mail writes them.
//!
//! One pass over the field, comments and groups included, nothing recurses. Kept are mailboxes with something that may be an
//! address; whether it is one says [`Mailbox::key`](crate::Mailbox::key).

use crate::address::Mailbox;
use crate::defect::Defects;
use crate::encoded_word;
use crate::text::{cut_octets, one_line};

/// The longest display name in characters; the rest is cut.
const NAME_CHARACTERS: usize = 255;

/// The longest text that is kept as an address, in octets; a longer one can be no address.
const ADDRESS_OCTETS: usize = 1_000;

/// Reads the mailboxes of an unfolded field value, at most `limit`; the flag says that there were more.
pub(crate) fn read(text: &str, limit: usize, defects: &mut Defects) -> (Vec<Mailbox>, bool) {
    let mut reader = Reader::default();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        reader.take(c, &mut characters, defects);
        // One more than the limit, so that the overflow is known.
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
    /// Words outside brackets and comments, quotes taken off.
    phrase: String,
    /// The same with its quotes, in case it turns out to be a bare address with a quoted local part.
    written: String,
    /// Whether `phrase` holds an `@`, so that it cannot name a group.
    has_at: bool,
    /// What stood in the last `<…>`.
    angle: Option<String>,
    comment: String,
}

impl Reader {
    fn take(&mut self, c: char, rest: &mut std::str::Chars<'_>, defects: &mut Defects) {
        match c {
            '"' => self.quoted(rest),
            '(' => self.comment(rest),
            '<' => self.angle = Some(angle(rest)),
            // Outlook separates with semicolons, and groups (RFC 5322 §3.4) end with one.
            ',' | ';' => self.end_mailbox(defects),
            // What stood before a colon named a group.
            ':' if !self.has_at && self.angle.is_none() => self.clear(),
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

    fn end_mailbox(&mut self, defects: &mut Defects) {
        let (name, address) = match &self.angle {
            Some(angle) => (if self.phrase.trim().is_empty() { &self.comment } else { &self.phrase }, route_off(angle)),
            // RFC 5322 §4.4: an old form has the name in a comment behind a bare address.
            None => (&self.comment, self.written.trim()),
        };
        if !address.is_empty() && (self.angle.is_some() || address.contains('@')) {
            let name = one_line(&encoded_word::decode(name.trim(), defects), NAME_CHARACTERS);
            self.mailboxes.push(Mailbox {
                name: without_quotes(&name).to_owned(),
                address: one_line(cut_octets(address, ADDRESS_OCTETS), ADDRESS_OCTETS),
            });
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.phrase.clear();
        self.written.clear();
        self.comment.clear();
        self.has_at = false;
        self.angle = None;
    }
}

/// Outlook puts an address that serves as a name between apostrophes.
fn without_quotes(name: &str) -> &str {
    name.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')).filter(|name| name.contains('@')).unwrap_or(name)
}

/// What stands before the `>`; a quoted local part may hold one.
fn angle(rest: &mut std::str::Chars<'_>) -> String {
    let mut inner = String::new();
    if let Some(local) = rest.as_str().strip_prefix('"').and_then(quoted_local) {
        inner.extend(rest.by_ref().take(local));
    }
    inner.extend(rest.take_while(|&c| c != '>'));
    inner
}

/// The characters of a quoted local part, quotes included, when its end quote stands before an `@` and not too far away.
fn quoted_local(after_quote: &str) -> Option<usize> {
    let mut is_escaped = false;
    let end = after_quote.chars().take(ADDRESS_OCTETS).position(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    (after_quote.chars().nth(end.saturating_add(1)) == Some('@')).then_some(end.saturating_add(2))
}

/// Takes off a source route (RFC 5322 §4.4: `@a,@b:user@host`) and a `mailto:`.
fn route_off(angle: &str) -> &str {
    let angle = angle.trim();
    let angle = match angle.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => angle.get(7..).unwrap_or_default(),
        _ => angle,
    };
    match angle.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, address)) => address.trim(),
        None => angle,
    }
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
            ("group", "Team: a@x.example, B <b@x.example>;, c@x.example", "|a@x.example\nB|b@x.example\n|c@x.example"),
            ("empty group", "undisclosed-recipients:;", ""),
            ("quoted local part", r#""a b"@x.example"#, r#"|"a b"@x.example"#),
            ("> in a quoted local part", r#"A <"a> b"@x.example>, b@x.example"#, "A|\"a> b\"@x.example\n|b@x.example"),
            ("source route", "<@y.example,@z.example:a@x.example>", "|a@x.example"),
            ("mailto", "<mailto:a@x.example>", "|a@x.example"),
            ("no address", "Alice, b@x.example", "|b@x.example"),
            ("no domain in brackets", "Cron <root>", "Cron|root"),
            ("empty brackets", "Alice <>", ""),
            ("open bracket", "Alice <a@x.example", "Alice|a@x.example"),
            ("open quote", r#""Alice <a@x.example>"#, r#"|"Alice <a@x.example>""#),
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
