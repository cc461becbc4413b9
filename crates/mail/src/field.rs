//! The header: from bytes to fields (RFC 5322 §2.2), without reading what they say.

use crate::charset;
use crate::defect::{Defect, Defects};
use memchr::memchr;
use std::borrow::Cow;

/// The header field with which we mark our own mail; its value is a signed id. Worth nothing before its signature is checked.
pub const OWN_MARK: &str = "X-Guichet-Mail";

/// The header field that carries the token of a forwarding probe.
pub const PROBE: &str = "X-Guichet-Probe";

/// How many header fields of one header are read.
pub const MAX_FIELDS: usize = 5_000;

/// The longest field name in octets; a longer one ends the header.
const NAME_OCTETS: usize = 200;

/// One header field as it stands in the mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// As written, without the colon.
    pub(crate) name: &'a [u8],
    /// What follows the colon, folded as it came, with its last line end.
    pub(crate) value: &'a [u8],
}

/// A header taken apart, and what follows it.
pub(crate) struct Header<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: &'a [u8],
    /// The octets of the header, empty line included.
    pub(crate) octets: usize,
}

impl<'a> Field<'a> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, without line ends and NULs, trimmed; encoded words are left as they are.
    pub(crate) fn text(&self, defects: &mut Defects) -> Cow<'a, str> {
        let value = self.value.trim_ascii();
        let text = match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                defects.note(Defect::EightBitHeader);
                Cow::Owned(charset::windows_1252(value))
            }
        };
        if memchr::memchr3(b'\n', b'\r', b'\0', text.as_bytes()).is_none() {
            return text;
        }
        // RFC 5322 §2.2.3: unfolding takes the line ends out and nothing else.
        Cow::Owned(text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect())
    }
}

/// The header of a whole mail; a leading mbox line (`From …`) is passed over.
pub(crate) fn header_of_mail<'a>(raw: &'a [u8], defects: &mut Defects) -> Header<'a> {
    let skipped = match raw.starts_with(b"From ") || raw.starts_with(b">From ") {
        true => memchr(b'\n', raw).map_or(raw.len(), |end| end.saturating_add(1)),
        false => 0,
    };
    let header = split(raw, skipped, false, defects);
    if header.fields.is_empty() {
        defects.note(Defect::NoHeader);
    }
    header
}

/// The header of a MIME part; a line that may be a boundary ends it.
pub(crate) fn header_of_part<'a>(raw: &'a [u8], defects: &mut Defects) -> Header<'a> {
    split(raw, 0, true, defects)
}

/// Takes lines from `start` on while they are header fields.
fn split<'a>(raw: &'a [u8], start: usize, in_part: bool, defects: &mut Defects) -> Header<'a> {
    let mut fields: Vec<Field<'a>> = Vec::with_capacity(if in_part { 4 } else { 32 });
    let mut open: Option<Open<'a>> = None;
    let mut at = start;
    let body_at = loop {
        let rest = raw.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break at;
        }
        let length = memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
        let line = rest.get(..length).unwrap_or_default();
        if matches!(line, b"\n" | b"\r\n") {
            break at.saturating_add(length);
        }
        if !(line.starts_with(b" ") || line.starts_with(b"\t")) {
            let Some(name) = field_name(line).filter(|_| !(in_part && line.starts_with(b"--"))) else {
                if !in_part {
                    defects.note(Defect::HeaderNotEnded);
                }
                break at;
            };
            close(&mut fields, open.take(), raw, at, defects);
            open = Some(Open { name, value_at: at.saturating_add(memchr(b':', line).unwrap_or(0)).saturating_add(1) });
        }
        at = at.saturating_add(length);
    };
    let end = body_at.min(at);
    close(&mut fields, open, raw, end, defects);
    Header { fields, body: raw.get(body_at..).unwrap_or_default(), octets: body_at }
}

struct Open<'a> {
    name: &'a [u8],
    value_at: usize,
}

fn close<'a>(fields: &mut Vec<Field<'a>>, open: Option<Open<'a>>, raw: &'a [u8], end: usize, defects: &mut Defects) {
    let Some(open) = open else { return };
    if fields.len() >= MAX_FIELDS {
        defects.note(Defect::TooManyFields);
        return;
    }
    fields.push(Field { name: open.name, value: raw.get(open.value_at..end).unwrap_or_default() });
}

/// RFC 5322 §3.6.8 field-name, with the blanks before the colon that §4.5 allowed once.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let (name, _) = line.split_at_checked(memchr(b':', line)?)?;
    let name = name.trim_ascii_end();
    let is_name = (1..=NAME_OCTETS).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: &str) -> (Vec<(String, String)>, String, Vec<Defect>) {
        let mut defects = Defects::default();
        let header = header_of_mail(raw.as_bytes(), &mut defects);
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let list = header.fields.iter().map(|f| (text(f.name), f.text(&mut Defects::default()).into_owned())).collect();
        assert_eq!(header.octets + header.body.len(), raw.len());
        (list, text(header.body), defects.into_sorted())
    }

    #[test]
    fn headers_are_taken_apart() {
        type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static [Defect]);
        let cases: [Case; 11] = [
            ("CRLF", "A: 1\r\nB: 2\r\n\r\nbody\r\n", &[("A", "1"), ("B", "2")], "body\r\n", &[]),
            ("LF", "A: 1\nB:2\n\nbody", &[("A", "1"), ("B", "2")], "body", &[]),
            ("folded", "A: 1\r\n 2\r\n\t3\r\n\r\n", &[("A", "1 2\t3")], "", &[]),
            ("blank before the colon", "A : 1\n\n", &[("A", "1")], "", &[]),
            ("no body", "A: 1", &[("A", "1")], "", &[]),
            ("no empty line", "A: 1\nbody\nB: 2\n", &[("A", "1")], "body\nB: 2\n", &[Defect::HeaderNotEnded]),
            ("mbox line", "From a@b Sat\nA: 1\n\nx", &[("A", "1")], "x", &[]),
            ("no header", "\nbody", &[], "body", &[Defect::NoHeader]),
            ("only text", "hello world\n", &[], "hello world\n", &[Defect::NoHeader, Defect::HeaderNotEnded]),
            ("empty", "", &[], "", &[Defect::NoHeader]),
            ("NUL", "A: 1\x002\n\n", &[("A", "12")], "", &[]),
        ];
        for (name, raw, want, body, defects) in cases {
            let want: Vec<(String, String)> = want.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(fields(raw), (want, body.to_owned(), defects.to_vec()), "{name}");
        }
    }

    #[test]
    fn field_limit_holds_at_n_and_breaks_at_n_plus_one() {
        for (count, want, cut) in [(MAX_FIELDS, MAX_FIELDS, false), (MAX_FIELDS + 1, MAX_FIELDS, true)] {
            let (list, body, defects) = fields(&format!("{}\nbody", "A: 1\n".repeat(count)));
            assert_eq!((list.len(), body.as_str()), (want, "body"));
            assert_eq!(defects.contains(&Defect::TooManyFields), cut);
        }
    }

    #[test]
    fn name_limit_holds_at_n_and_breaks_at_n_plus_one() {
        assert_eq!(fields(&format!("{}: 1\n\n", "n".repeat(NAME_OCTETS))).0.len(), 1);
        assert_eq!(fields(&format!("{}: 1\n\n", "n".repeat(NAME_OCTETS + 1))).0.len(), 0);
    }

    #[test]
    fn eight_bit_header_is_read_as_windows_1252() {
        let mut defects = Defects::default();
        let field = Field { name: b"Subject", value: b" caf\xe9\r\n" };
        assert_eq!(field.text(&mut defects), "café");
        assert_eq!(defects.into_sorted(), [Defect::EightBitHeader]);
    }
}
