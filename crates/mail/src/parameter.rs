//! Content-Type and Content-Disposition: a value with parameters (RFC 2045 §5.1, RFC 2183), including those
//! of RFC 2231.

use crate::charset;
use crate::defect::Defects;
use crate::encoded_word;
use crate::transfer::hex;

/// How many parameters of one field are read.
const MAX_PARAMETERS: usize = 100;

/// Names that begin a parameter even if the `;` before them was forgotten.
const KNOWN: &[&str] = &[
    "boundary",
    "charset",
    "delsp",
    "filename",
    "format",
    "method",
    "micalg",
    "name",
    "protocol",
    "report-type",
    "size",
    "type",
];

/// A field's value and its parameters, in the order written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parametered {
    /// Lower-cased, without comments; may be empty.
    pub(crate) value: String,
    /// Names lower-cased, without quotes, otherwise as written.
    parameters: Vec<(String, String)>,
}

impl Parametered {
    /// Parses an unfolded field value; never fails.
    pub(crate) fn read(text: &str) -> Self {
        let (value, mut rest) = text.trim_start().split_at(end_of_value(text.trim_start()));
        let mut parameters = Vec::new();
        while !rest.is_empty() && parameters.len() < MAX_PARAMETERS {
            let from = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
            let name_end = from.find(['=', ';']).unwrap_or(from.len());
            let (name, after) = from.split_at(name_end);
            let Some(after) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let (value, after) = read_value(after);
            parameters.push((name.trim().to_ascii_lowercase(), value));
            rest = after;
        }
        let value = value.split(['(', ' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
        Self { value: value.trim_end_matches([',', ':']).to_ascii_lowercase(), parameters }
    }

    /// A parameter as written.
    pub(crate) fn plain(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as text: extended or continued (RFC 2231), else plain, with encoded words read as
    /// intended.
    pub(crate) fn text(&self, name: &str, defects: &mut Defects) -> Option<String> {
        if let Some(extended) = self.extended(name, defects) {
            return Some(extended);
        }
        let plain = self.plain(name)?;
        Some(match is_extended(plain) {
            true => Extended::default().with(plain, true).finish(defects),
            false => encoded_word::decode(plain, defects).into_owned(),
        })
    }

    /// A parameter in the form of RFC 2231, in one piece or in several.
    fn extended(&self, name: &str, defects: &mut Defects) -> Option<String> {
        let is_starred = |(other, _): &(String, String)| {
            other.strip_prefix(name).is_some_and(|rest| rest.starts_with('*'))
        };
        if !self.parameters.iter().any(is_starred) {
            return None;
        }
        let starred = |suffix: String| self.plain(&format!("{name}{suffix}"));
        if let Some(extended) = starred("*".to_owned()) {
            return Some(Extended::default().with(extended, true).finish(defects));
        }
        let mut joined = Extended::default();
        let mut pieces = 0_usize;
        // Some programs count from 1.
        let first = usize::from(starred("*0*".to_owned()).or_else(|| starred("*0".to_owned())).is_none());
        loop {
            let place = pieces.saturating_add(first);
            if let Some(extended) = starred(format!("*{place}*")) {
                joined = joined.with(extended, pieces == 0);
            } else if let Some(plain) = starred(format!("*{place}")) {
                joined.octets.extend_from_slice(plain.as_bytes());
            } else {
                break;
            }
            pieces = pieces.saturating_add(1);
        }
        if pieces > 0 {
            let is_marked = !joined.charset.is_empty();
            let text = joined.finish(defects);
            return Some(if is_marked { text } else { encoded_word::decode(&text, defects).into_owned() });
        }
        None
    }
}

/// Where the value ends and the parameters begin; a comment may follow the value.
fn end_of_value(text: &str) -> usize {
    text.find([';', '(', ' ', '\t']).map_or(text.len(), |end| match text.get(end..) {
        Some(comment) if comment.trim_start().starts_with('(') => {
            comment.find(')').map_or(text.len(), |close| end.saturating_add(close).saturating_add(1))
        }
        _ => end,
    })
}

/// Whether a value not marked as extended was written as one: `charset'language'%41`.
fn is_extended(value: &str) -> bool {
    let mut quotes = value.splitn(3, '\'');
    let is_label =
        |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    match (quotes.next(), quotes.next(), quotes.next()) {
        (Some(charset), Some(language), Some(encoded)) => {
            !charset.is_empty() && is_label(charset) && is_label(language) && encoded.contains('%')
        }
        _ => false,
    }
}

/// Reads what follows the `=`: a quoted string or a token; returns what follows it.
fn read_value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(end_of_token(text));
        return (token.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' if ends_value(characters.as_str()) => break,
            // Only what must be escaped is unescaped: Windows paths are written with single backslashes.
            '\\' => match characters.clone().next() {
                Some(escaped @ ('"' | '\\')) => {
                    value.push(escaped);
                    characters.next();
                }
                _ => value.push(c),
            },
            _ => value.push(c),
        }
    }
    (value, characters.as_str())
}

/// Whether a quote before `rest` closes a value, rather than being one that somebody forgot to escape.
fn ends_value(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with([';', '(']) || begins_known(rest)
}

/// Tokens contain no whitespace, but file names with spaces are written as tokens all the same.
fn end_of_token(text: &str) -> usize {
    let end = text.find(';').unwrap_or(text.len());
    let token = text.get(..end).unwrap_or_default();
    let blanks = token.match_indices([' ', '\t']);
    blanks
        .map(|(at, _)| at)
        .find(|at| token.get(at.saturating_add(1)..).is_some_and(begins_known))
        .unwrap_or(end)
}

fn begins_known(text: &str) -> bool {
    let name_end = text.bytes().take(16).position(|octet| matches!(octet, b'=' | b'*'));
    let name = name_end.and_then(|end| text.get(..end)).unwrap_or_default();
    !name.is_empty() && KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The octets of an RFC 2231 value and their charset.
#[derive(Default)]
struct Extended {
    charset: String,
    octets: Vec<u8>,
}

impl Extended {
    /// Adds a percent-encoded piece; the first one names charset and language (RFC 2231 §4).
    fn with(mut self, piece: &str, first: bool) -> Self {
        let mut quotes = piece.splitn(3, '\'');
        let encoded = match (first, quotes.next(), quotes.next(), quotes.next()) {
            (true, Some(charset), Some(_language), Some(encoded)) => {
                charset.clone_into(&mut self.charset);
                encoded
            }
            _ => piece,
        };
        let mut rest = encoded.as_bytes();
        while let Some((&octet, tail)) = rest.split_first() {
            rest = tail;
            if octet == b'%'
                && let [high, low, after @ ..] = tail
                && let (Some(high), Some(low)) = (hex(*high), hex(*low))
            {
                self.octets.push((high << 4) | low);
                rest = after;
            } else {
                self.octets.push(octet);
            }
        }
        self
    }

    fn finish(self, defects: &mut Defects) -> String {
        charset::decode(&self.octets, Some(&self.charset), defects).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read() {
        for (name, field, want) in [
            ("token", "attachment; filename=a.pdf", Some("a.pdf")),
            ("quoted", r#"attachment; filename="a b.pdf"; size=3"#, Some("a b.pdf")),
            ("semicolon in quotes", r#"attachment; filename="a;b.pdf""#, Some("a;b.pdf")),
            ("escaped quote", r#"attachment; filename="a\"b.pdf""#, Some(r#"a"b.pdf"#)),
            ("Windows path", r#"attachment; filename="C:\tmp\a.pdf""#, Some(r"C:\tmp\a.pdf")),
            ("no closing quote", r#"attachment; filename="a.pdf"#, Some("a.pdf")),
            ("blank in token", "attachment; filename=a b.pdf", Some("a b.pdf")),
            ("RFC 2231", "attachment; filename*=UTF-8'en'%e2%82%ac%20rates.txt", Some("€ rates.txt")),
            ("RFC 2231 Latin-1", "attachment; filename*=iso-8859-1''caf%E9.txt", Some("café.txt")),
            ("RFC 2231 wins", r#"attachment; filename="x"; filename*=utf-8''y"#, Some("y")),
            ("continued", r#"attachment; filename*0="long "; filename*1="name.pdf""#, Some("long name.pdf")),
            (
                "continued and extended",
                "attachment; filename*0*=utf-8''%c3; filename*1*=%A9; filename*2=.pdf",
                Some("é.pdf"),
            ),
            ("out of order", r#"attachment; filename*1=b; filename*0=a"#, Some("ab")),
            (
                "encoded word in pieces",
                r#"attachment; filename*0="=?utf-8?Q?caf"; filename*1="=C3=A9?=.pdf""#,
                Some("café.pdf"),
            ),
            (
                "what looks like an encoded word",
                "attachment; filename*=utf-8''%3D?utf-8?q?a?%3D",
                Some("=?utf-8?q?a?="),
            ),
            ("encoded word", r#"attachment; filename="=?utf-8?Q?caf=C3=A9.pdf?=""#, Some("café.pdf")),
            ("undeclared UTF-8", r#"attachment; filename="café.pdf""#, Some("café.pdf")),
            ("counted from 1", "attachment; filename*1=a; filename*2=b", Some("ab")),
            ("charset of its own", "attachment; filename*0*=koi8-r''%C6; filename*1*=%C1", Some("фа")),
            ("extended without its mark", r#"attachment; filename="UTF-8''caf%C3%A9.pdf""#, Some("café.pdf")),
            ("apostrophes", r#"attachment; filename="it's 5% o'clock""#, Some("it's 5% o'clock")),
            ("quotes not escaped", r#"attachment; filename="a "b" c.pdf"; size=3"#, Some(r#"a "b" c.pdf"#)),
            ("no semicolon", r#"attachment filename="a.pdf""#, Some("a.pdf")),
            ("no semicolon between", r#"attachment; size=3 filename="a.pdf""#, Some("a.pdf")),
            ("two semicolons", "attachment;; filename=a.pdf;;", Some("a.pdf")),
            ("blanks around =", r#"attachment; filename = "a.pdf""#, Some("a.pdf")),
            ("comment", r#"attachment (a; b); filename="a.pdf" (c)"#, Some("a.pdf")),
            ("no value", "attachment; filename; x=y", None),
            ("none", "attachment", None),
        ] {
            let field = Parametered::read(field);
            assert_eq!(field.text("filename", &mut Defects::default()).as_deref(), want, "{name}");
            assert_eq!(field.value, "attachment", "{name}");
        }
    }

    #[test]
    fn values_are_read() {
        for (field, want) in [
            ("Text/HTML (a comment); charset=utf-8", "text/html"),
            ("; x=y", ""),
            ("", ""),
            (" inline ", "inline"),
            ("text/html,", "text/html"),
        ] {
            assert_eq!(Parametered::read(field).value, want, "{field}");
        }
    }

    #[test]
    fn parameter_limit_holds_at_n_and_breaks_at_n_plus_one() {
        let field = |count: usize| format!("a/b{}; last=1", "; x=y".repeat(count - 1));
        assert_eq!(Parametered::read(&field(MAX_PARAMETERS)).plain("last"), Some("1"));
        assert_eq!(Parametered::read(&field(MAX_PARAMETERS + 1)).plain("last"), None);
    }

    proptest! {
        #[test]
        fn any_field_is_read(text in "([a-z/;=\"\\\\*0-9'% ]|é|filename){0,40}") {
            let _ = Parametered::read(&text).text("filename", &mut Defects::default());
        }
    }
}
