//! Content-Type and Content-Disposition: a value with parameters (RFC 2045 §5.1, RFC 2183), also those of RFC 2231.

use crate::charset;
use crate::defect::Defects;
use crate::encoded_word;
use crate::transfer::hex;

/// How many parameters of one field are read.
const MAX_PARAMETERS: usize = 100;

/// A field's value and its parameters, in the order written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parametered {
    /// Lower-cased, without comments; may be empty.
    pub(crate) value: String,
    /// Names lower-cased, quotes taken off, otherwise as written.
    parameters: Vec<(String, String)>,
}

impl Parametered {
    /// Reads an unfolded field value; never fails.
    pub(crate) fn read(text: &str) -> Self {
        let (value, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let value = value.split(['(', ' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
        let mut parameters = Vec::new();
        while let Some(from) = rest.strip_prefix(';')
            && parameters.len() < MAX_PARAMETERS
        {
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
        Self { value: value.to_ascii_lowercase(), parameters }
    }

    /// A parameter as written.
    pub(crate) fn plain(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as text: extended or continued (RFC 2231), else plain, where encoded words are read as meant.
    pub(crate) fn text(&self, name: &str, defects: &mut Defects) -> Option<String> {
        let starred = |suffix: String| self.plain(&format!("{name}{suffix}"));
        if let Some(extended) = starred("*".to_owned()) {
            return Some(Extended::default().with(extended, true).finish(defects));
        }
        let mut joined = Extended::default();
        let mut pieces = 0_usize;
        loop {
            if let Some(extended) = starred(format!("*{pieces}*")) {
                joined = joined.with(extended, pieces == 0);
            } else if let Some(plain) = starred(format!("*{pieces}")) {
                joined.octets.extend_from_slice(plain.as_bytes());
            } else {
                break;
            }
            pieces = pieces.saturating_add(1);
        }
        if pieces > 0 {
            return Some(joined.finish(defects));
        }
        self.plain(name).map(|plain| encoded_word::decode(plain, defects).into_owned())
    }
}

/// Reads what follows the `=`: a quoted string or a token, and passes on to the next `;`.
fn read_value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return (token.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            // Only what must be escaped is: Windows paths are written with single backslashes.
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
    let rest = characters.as_str();
    (value, rest.find(';').and_then(|at| rest.get(at..)).unwrap_or_default())
}

/// Octets of an RFC 2231 value and their charset.
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
            ("continued and extended", "attachment; filename*0*=utf-8''%c3; filename*1*=%A9; filename*2=.pdf", Some("é.pdf")),
            ("out of order", r#"attachment; filename*1=b; filename*0=a"#, Some("ab")),
            ("encoded word", r#"attachment; filename="=?utf-8?Q?caf=C3=A9.pdf?=""#, Some("café.pdf")),
            ("undeclared UTF-8", r#"attachment; filename="café.pdf""#, Some("café.pdf")),
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
        for (field, want) in
            [("Text/HTML (a comment); charset=utf-8", "text/html"), ("; x=y", ""), ("", ""), (" inline ", "inline")]
        {
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
