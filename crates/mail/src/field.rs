//! The header: from bytes to fields (RFC 5322 §2.2), without interpreting them.

use crate::charset;
use crate::defect::{Defect, Defects};
use crate::encoded_word;
use crate::parameter::Parametered;
use encoding_rs::Encoding;
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// The header field that marks our own messages; its value is a signed id, worthless until the signature has
/// been checked.
pub const OWN_MARK: &str = "X-Guichet-Mail";

/// The header field that carries the token of a forwarding probe.
pub const PROBE: &str = "X-Guichet-Probe";

/// The maximum number of fields read from one header.
pub const MAX_FIELDS: usize = 5_000;

/// The longest field name, in octets; a longer one ends the header.
const NAME_OCTETS: usize = 200;

/// How many lines after a malformed one are examined to find out whether the header continues.
const LOOK_AHEAD_LINES: usize = 100;

/// How many octets of the body may hint at the charset of the header.
const HINT_OCTETS: usize = 8_192;

/// One header field as it appears in the message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    /// As written, without the colon.
    pub(crate) name: &'a [u8],
    /// Everything after the colon, still folded, with its last line end.
    pub(crate) value: &'a [u8],
    /// The most likely charset of its non-ASCII octets if they are not UTF-8.
    pub(crate) charset: Option<&'static Encoding>,
}

/// A header taken apart, and what follows it.
pub(crate) struct Header<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: &'a [u8],
    /// The length of the header in octets, empty line included.
    pub(crate) octets: usize,
}

impl<'a> Field<'a> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, without line ends and NULs, trimmed; encoded words are kept as they are.
    pub(crate) fn text(&self, defects: &mut Defects) -> Cow<'a, str> {
        let value = self.value.trim_ascii();
        let text = match std::str::from_utf8(value) {
            Ok(text) if memchr(0x1b, value).is_none() => Cow::Borrowed(text),
            _ => self.raw_text(value, defects),
        };
        if memchr::memchr3(b'\n', b'\r', b'\0', text.as_bytes()).is_none() {
            return text;
        }
        // RFC 5322 §2.2.3: unfolding removes the line ends and nothing else.
        Cow::Owned(text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect())
    }

    /// Text written without encoded words, in a charset that has to be guessed.
    fn raw_text(&self, value: &[u8], defects: &mut Defects) -> Cow<'a, str> {
        let value = encoded_word::with_octets_quoted(value);
        let (text, was_guessed) = charset::undeclared(&value, self.charset);
        if was_guessed {
            defects.note(Defect::EightBitHeader);
        }
        Cow::Owned(text.into_owned())
    }
}

/// The header of a whole message; anything programs put before it (a byte order mark, blank lines, an mbox
/// line `From …`) is skipped.
pub(crate) fn header_of_mail<'a>(raw: &'a [u8], defects: &mut Defects) -> Header<'a> {
    let mut header = split(raw, start_of_header(raw), false, defects);
    if header.fields.is_empty() {
        defects.note(Defect::NoHeader);
    }
    let written = raw.get(..header.octets).unwrap_or_default();
    if !written.is_ascii() {
        let charset = charset_of(&header);
        header.fields.iter_mut().for_each(|field| field.charset = charset);
    }
    header
}

/// The header of a MIME part; a line that may be a boundary ends it.
pub(crate) fn header_of_part<'a>(raw: &'a [u8], defects: &mut Defects) -> Header<'a> {
    split(raw, 0, true, defects)
}

fn start_of_header(raw: &[u8]) -> usize {
    let mut rest = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let content = rest.trim_ascii_start();
    // Text that begins with a blank line is text rather than a header.
    if content.len() < rest.len()
        && [&b"Received:"[..], b"Return-Path:", b"From:", b"From "]
            .iter()
            .any(|name| content.starts_with(name))
    {
        rest = content;
    }
    if rest.starts_with(b"From ") || rest.starts_with(b">From ") {
        rest = rest.get(line_length(rest)..).unwrap_or_default();
    }
    raw.len().saturating_sub(rest.len())
}

/// The most likely charset of the non-ASCII octets of a header: what the message declares for its text if it
/// fits, else what the octets look like.
fn charset_of(header: &Header<'_>) -> Option<&'static Encoding> {
    let foreign: Vec<&[u8]> = header
        .fields
        .iter()
        .map(|field| field.value)
        .filter(|value| std::str::from_utf8(value).is_err())
        .collect();
    if foreign.is_empty() {
        return None;
    }
    let foreign = foreign.concat();
    let fits = |encoding: &&'static Encoding| !encoding.decode_without_bom_handling(&foreign).1;
    let declared = header.fields.iter().find(|field| field.is("Content-Type")).and_then(|field| {
        let content_type = Parametered::read(&String::from_utf8_lossy(field.value));
        charset::eight_bit(content_type.plain("charset")?)
    });
    let start = header.body.get(..HINT_OCTETS.min(header.body.len())).unwrap_or_default();
    let of_part = || {
        let label = start.get(memmem::find(start, b"charset=")?.saturating_add(8)..)?;
        let end = label.iter().position(|octet| matches!(octet, b';' | b'\r' | b'\n' | b' ' | b'\t'))?;
        charset::eight_bit(std::str::from_utf8(label.get(..end)?).ok()?)
    };
    // UTF-8 text says nothing about octets that are not.
    let is_utf8 = std::str::from_utf8(start).err().is_none_or(|error| error.error_len().is_none());
    let detected = || charset::detect(&if is_utf8 { foreign.clone() } else { [&foreign, start].concat() });
    Some(declared.filter(fits).or_else(|| of_part().filter(fits)).unwrap_or_else(detected))
}

/// Reads lines from `start` on for as long as they are header fields.
fn split<'a>(raw: &'a [u8], start: usize, in_part: bool, defects: &mut Defects) -> Header<'a> {
    let mut fields: Vec<Field<'a>> = Vec::with_capacity(if in_part { 4 } else { 32 });
    let mut open: Option<Open<'a>> = None;
    let mut at = start;
    let body_at = loop {
        let rest = raw.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break at;
        }
        let length = line_length(rest);
        let line = rest.get(..length).unwrap_or_default();
        if is_empty_line(line) {
            break at.saturating_add(length);
        }
        if !is_folded(line) {
            // Also at the first boundary of a message, if the line above it contains whitespace and therefore
            // ends nothing.
            let may_delimit = line.starts_with(b"--") && (in_part || field_name(line).is_none());
            let name = field_name(line).filter(|_| !may_delimit);
            if name.is_none() && (may_delimit || open.is_none() || !goes_on(rest)) {
                if !in_part {
                    defects.note(Defect::HeaderNotEnded);
                }
                break at;
            }
            close(&mut fields, open.take(), raw, at, defects);
            match name {
                Some(name) => {
                    let colon = memchr(b':', line).unwrap_or(0);
                    open = Some(Open { name, value_at: at.saturating_add(colon).saturating_add(1) });
                }
                None => defects.note(Defect::HeaderJunk),
            }
        }
        at = at.saturating_add(length);
    };
    let end = body_at.min(at);
    close(&mut fields, open, raw, end, defects);
    Header { fields, body: raw.get(body_at..).unwrap_or_default(), octets: body_at }
}

/// Whether only fields stand between the malformed line at the start of `text` and the next empty line.
///
/// So at most one line in every [`LOOK_AHEAD_LINES`] is skipped, and looking ahead stays linear.
fn goes_on(text: &[u8]) -> bool {
    let mut rest = text.get(line_length(text)..).unwrap_or_default();
    let mut has_field = false;
    for _ in 0..LOOK_AHEAD_LINES {
        let line = rest.get(..line_length(rest)).unwrap_or_default();
        if line.is_empty() || line.starts_with(b"--") {
            return false;
        }
        if is_empty_line(line) {
            return has_field;
        }
        if !is_folded(line) {
            if field_name(line).is_none() {
                return false;
            }
            has_field = true;
        }
        rest = rest.get(line.len()..).unwrap_or_default();
    }
    has_field
}

/// The octets of the line at the start of `text`, its line end included.
fn line_length(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |end| end.saturating_add(1))
}

fn is_folded(line: &[u8]) -> bool {
    line.starts_with(b" ") || line.starts_with(b"\t")
}

/// Some relays double the carriage return.
fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n" | b"\r\r\n")
}

struct Open<'a> {
    name: &'a [u8],
    value_at: usize,
}

fn close<'a>(
    fields: &mut Vec<Field<'a>>,
    open: Option<Open<'a>>,
    raw: &'a [u8],
    end: usize,
    defects: &mut Defects,
) {
    let Some(open) = open else { return };
    if fields.len() >= MAX_FIELDS {
        defects.note(Defect::TooManyFields);
        return;
    }
    fields.push(Field {
        name: open.name,
        value: raw.get(open.value_at..end).unwrap_or_default(),
        charset: None,
    });
}

/// RFC 5322 §3.6.8 field-name, with the whitespace before the colon that §4.5 used to allow.
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
        let list = header
            .fields
            .iter()
            .map(|f| (text(f.name), f.text(&mut Defects::default()).into_owned()))
            .collect();
        assert_eq!(header.octets + header.body.len(), raw.len());
        (list, text(header.body), defects.into_sorted())
    }

    #[test]
    fn headers_are_taken_apart() {
        struct Case {
            name: &'static str,
            raw: &'static str,
            want: &'static [(&'static str, &'static str)],
            body: &'static str,
            defects: &'static [Defect],
        }
        fn usual() -> Case {
            Case { name: "", raw: "", want: &[], body: "", defects: &[] }
        }

        let cases = [
            Case {
                name: "CRLF",
                raw: "A: 1\r\nB: 2\r\n\r\nbody\r\n",
                want: &[("A", "1"), ("B", "2")],
                body: "body\r\n",
                ..usual()
            },
            Case {
                name: "LF",
                raw: "A: 1\nB:2\n\nbody",
                want: &[("A", "1"), ("B", "2")],
                body: "body",
                ..usual()
            },
            Case { name: "folded", raw: "A: 1\r\n 2\r\n\t3\r\n\r\n", want: &[("A", "1 2\t3")], ..usual() },
            Case { name: "blank before the colon", raw: "A : 1\n\n", want: &[("A", "1")], ..usual() },
            Case { name: "no body", raw: "A: 1", want: &[("A", "1")], ..usual() },
            Case {
                name: "no empty line",
                raw: "A: 1\nbody\nB: 2\n",
                want: &[("A", "1")],
                body: "body\nB: 2\n",
                defects: &[Defect::HeaderNotEnded],
            },
            Case {
                name: "mbox line",
                raw: "From a@b Sat\nA: 1\n\nx",
                want: &[("A", "1")],
                body: "x",
                ..usual()
            },
            Case { name: "no header", raw: "\nbody", want: &[], body: "body", defects: &[Defect::NoHeader] },
            Case {
                name: "only text",
                raw: "hello world\n",
                want: &[],
                body: "hello world\n",
                defects: &[Defect::NoHeader, Defect::HeaderNotEnded],
            },
            Case { name: "empty", raw: "", want: &[], defects: &[Defect::NoHeader], ..usual() },
            Case {
                name: "byte order mark",
                raw: "\u{feff}A: 1\n\nx",
                want: &[("A", "1")],
                body: "x",
                ..usual()
            },
            Case {
                name: "blank lines before it",
                raw: "\n\r\nFrom: a\n\nx",
                want: &[("From", "a")],
                body: "x",
                ..usual()
            },
            Case {
                name: "doubled CR",
                raw: "A: 1\r\r\n\r\r\nbody",
                want: &[("A", "1")],
                body: "body",
                ..usual()
            },
            Case {
                name: "junk within",
                raw: "A: 1\njunk line\nB: 2\n\nx",
                want: &[("A", "1"), ("B", "2")],
                body: "x",
                defects: &[Defect::HeaderJunk],
            },
            Case {
                name: "mbox line within",
                raw: "A: 1\n>From a Sat\nB: 2\n 3\n\nx",
                want: &[("A", "1"), ("B", "2 3")],
                body: "x",
                defects: &[Defect::HeaderJunk],
            },
            Case {
                name: "text that only looks like fields here and there",
                raw: "A: 1\nhello\nB: 2\nso long\n\nx",
                want: &[("A", "1")],
                body: "hello\nB: 2\nso long\n\nx",
                defects: &[Defect::HeaderNotEnded],
            },
            Case {
                name: "junk at the end",
                raw: "A: 1\nhello\n\nx",
                want: &[("A", "1")],
                body: "hello\n\nx",
                defects: &[Defect::HeaderNotEnded],
            },
            Case {
                name: "a boundary below a line of blanks",
                raw: "A: 1\n \n--b\nB: 2\n\nx",
                want: &[("A", "1")],
                body: "--b\nB: 2\n\nx",
                defects: &[Defect::HeaderNotEnded],
            },
            Case {
                name: "a field that begins with dashes",
                raw: "A: 1\n--B: 2\n\nx",
                want: &[("A", "1"), ("--B", "2")],
                body: "x",
                ..usual()
            },
            Case {
                name: "raw ISO-2022-JP",
                raw: "A: \x1b$B%O%m!<\x1b(B\n\nx",
                want: &[("A", "ハロー")],
                body: "x",
                ..usual()
            },
            Case { name: "NUL", raw: "A: 1\x002\n\n", want: &[("A", "12")], ..usual() },
        ];
        for Case { name, raw, want, body, defects } in cases {
            let want: Vec<(String, String)> =
                want.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
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
    fn look_ahead_holds_at_n_and_breaks_at_n_plus_one() {
        assert_eq!(fields("A: 1\njunk\nB: 2\njunk\nB: 2\n\nx").2, [Defect::HeaderNotEnded]);
        let count =
            |lines: usize| fields(&format!("A: 1\njunk\n{}junk\n\nx", "B: 2\n".repeat(lines))).0.len();
        assert_eq!((count(LOOK_AHEAD_LINES - 1), count(LOOK_AHEAD_LINES)), (1, LOOK_AHEAD_LINES + 1));
    }

    fn subject(raw: &[u8]) -> String {
        let header = header_of_mail(raw, &mut Defects::default());
        let subject = header.fields.iter().find(|field| field.is("Subject")).unwrap();
        subject.text(&mut Defects::default()).into_owned()
    }

    #[test]
    fn eight_bit_header_is_read_in_the_charset_of_the_mail() {
        for (name, raw, want) in [
            ("nothing said", &b"Subject: caf\xe9\n\nx"[..], "café"),
            ("its own", b"Subject: \xb1\xe6\nContent-Type: text/plain; charset=iso-8859-2\n\nx", "ąć"),
            (
                "of its first text",
                b"Subject: \xb1\xe6\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-2\n\nx\n--b--\n",
                "ąć",
            ),
            ("UTF-8", "Subject: café\nContent-Type: text/plain; charset=iso-8859-2\n\nx".as_bytes(), "café"),
            ("beside a text in UTF-8", b"Subject: J\xf6rg Wilhelmsen H\xe5vard\n\n\xc3\xb8 \xc3\xa6 \xc3\xa5 \xc3\xb8\n", "Jörg Wilhelmsen Håvard"),
            ("in an encoded word", b"Subject: =?iso-8859-2?Q?\xb1=E6?= \xe9\n\nx", "=?iso-8859-2?Q?=B1=E6?= é"),
            ("what it looks like", b"Subject: \xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0\n\n", "Привет, как дела"),
        ] {
            assert_eq!(subject(raw), want, "{name}");
        }
        let mut defects = Defects::default();
        assert_eq!(Field { value: b" caf\xe9\r\n", ..Field::default() }.text(&mut defects), "café");
        assert_eq!(defects.into_sorted(), [Defect::EightBitHeader]);
    }
}
