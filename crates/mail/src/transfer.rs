//! Content transfer encodings (RFC 2045 §6), in both directions.

use crate::defect::{Defect, Defects};
use memchr::memchr2;
use std::borrow::Cow;

/// How the body of a part is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// 7bit, 8bit, binary, and unknown names.
    Identity,
    Base64,
    QuotedPrintable,
    /// Older than MIME, and still declared now and then.
    Uuencode,
}

impl Transfer {
    /// Reads the value of a Content-Transfer-Encoding field.
    pub(crate) fn named(value: &str) -> Self {
        let value = value.trim_start_matches(['"', ' ', '\t']);
        let token = value.split([';', '(', ' ', '\t', '"', ',']).next().unwrap_or_default();
        if token.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if token.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else if ["x-uuencode", "uuencode", "x-uue", "uue"]
            .iter()
            .any(|name| token.eq_ignore_ascii_case(name))
        {
            Self::Uuencode
        } else {
            Self::Identity
        }
    }

    /// The octets that were encoded; never fails.
    pub(crate) fn decode<'a>(self, body: &'a [u8], defects: &mut Defects) -> Cow<'a, [u8]> {
        match self {
            Self::Identity => Cow::Borrowed(body),
            Self::QuotedPrintable => Cow::Owned(quoted_printable(body, defects)),
            Self::Base64 => or_as_it_is(base64_tolerant(body), body, defects),
            Self::Uuencode => or_as_it_is(uuencoded(body), body, defects),
        }
    }
}

/// The decoded octets; if none of the body could be decoded, it was never encoded.
fn or_as_it_is<'a>(decoded: (Vec<u8>, bool), body: &'a [u8], defects: &mut Defects) -> Cow<'a, [u8]> {
    let (decoded, is_sound) = decoded;
    if is_sound {
        return Cow::Owned(decoded);
    }
    defects.note(Defect::BadTransferEncoding);
    if decoded.is_empty() { Cow::Borrowed(body) } else { Cow::Owned(decoded) }
}

/// What an octet means in base64: a value below 64, or one of these.
const BLANK: u8 = 64;
const PADDING: u8 = 65;
const FOREIGN: u8 = 66;

const BASE64_VALUES: [u8; 256] = base64_values();

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which would stop")]
const fn base64_values() -> [u8; 256] {
    let mut values = [FOREIGN; 256];
    let mut octet = 0;
    while octet < values.len() {
        let value = octet as u8;
        values[octet] = match value {
            b'A'..=b'Z' => value - b'A',
            b'a'..=b'z' => value - b'a' + 26,
            b'0'..=b'9' => value - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b' ' | b'\t' | b'\r' | b'\n' => BLANK,
            b'=' => PADDING,
            _ => FOREIGN,
        };
        octet += 1;
    }
    values
}

fn base64_value(octet: u8) -> u8 {
    BASE64_VALUES.get(usize::from(octet)).copied().unwrap_or(FOREIGN)
}

/// Decodes base64; if damaged, up to the first line that is not base64. The flag says that it was intact.
///
/// Mailing lists append their footer after the last line, and it must not become octets; a foreign octet
/// within a line of data is skipped (RFC 2045 §6.8).
pub(crate) fn base64_tolerant(body: &[u8]) -> (Vec<u8>, bool) {
    let mut base64 =
        Base64 { decoded: Vec::with_capacity(body.len() / 4 * 3 + 3), is_sound: true, ..Base64::default() };
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let before = (base64.decoded.len(), base64.bits, base64.count);
        if !base64.line(line) {
            base64.decoded.truncate(before.0);
            (base64.bits, base64.count) = (before.1, before.2);
            base64.is_sound = false;
            break;
        }
    }
    base64.is_sound &= base64.count != 1;
    base64.end_group();
    (base64.decoded, base64.is_sound)
}

#[derive(Default)]
struct Base64 {
    decoded: Vec<u8>,
    bits: u32,
    /// How many values `bits` holds.
    count: u8,
    is_padded: bool,
    is_sound: bool,
}

impl Base64 {
    /// Processes a line; `false` if it is not base64.
    fn line(&mut self, line: &[u8]) -> bool {
        if self.is_padded && line.trim_ascii().contains(&b' ') {
            return false;
        }
        let mut is_padded = false;
        let mut is_damaged = None;
        let passed = self.whole_groups(line);
        for (at, &octet) in line.iter().enumerate().skip(passed) {
            match base64_value(octet) {
                BLANK => (),
                PADDING => {
                    self.end_group();
                    is_padded = true;
                }
                FOREIGN if is_padded => {
                    self.is_sound = false;
                    return true;
                }
                FOREIGN if *is_damaged.get_or_insert_with(|| is_damaged_data(line)) => self.is_sound = false,
                FOREIGN => return false,
                // No data follows the padding and whitespace.
                _ if is_padded && at.checked_sub(1).and_then(|before| line.get(before)) == Some(&b' ') => {
                    self.is_sound = false;
                    return true;
                }
                value => {
                    self.is_padded = false;
                    self.value(value);
                }
            }
        }
        self.is_padded |= is_padded;
        true
    }

    /// Decodes the groups of four at the start of a line, which nearly all lines consist of; returns how many
    /// octets those are.
    fn whole_groups(&mut self, line: &[u8]) -> usize {
        if self.count != 0 || self.is_padded {
            return 0;
        }
        let mut passed = 0_usize;
        let (groups, _) = line.as_chunks::<4>();
        for group in groups {
            let [first, second, third, fourth] = group.map(base64_value);
            if (first | second | third | fourth) >= BLANK {
                break;
            }
            let bits = (u32::from(first) << 18)
                | (u32::from(second) << 12)
                | (u32::from(third) << 6)
                | u32::from(fourth);
            let [_, octets @ ..] = bits.to_be_bytes();
            self.decoded.extend_from_slice(&octets);
            passed = passed.saturating_add(4);
        }
        passed
    }

    fn value(&mut self, value: u8) {
        self.bits = (self.bits << 6) | u32::from(value);
        self.count += 1;
        if self.count == 4 {
            let [_, group @ ..] = self.bits.to_be_bytes();
            self.decoded.extend_from_slice(&group);
            self.bits = 0;
            self.count = 0;
        }
    }

    /// Flushes what precedes the padding.
    fn end_group(&mut self) {
        let unused = 32_u32.saturating_sub(6 * u32::from(self.count));
        let [first, second, ..] = self.bits.checked_shl(unused).unwrap_or(0).to_be_bytes();
        match self.count {
            3 => self.decoded.extend_from_slice(&[first, second]),
            2 => self.decoded.push(first),
            _ => (),
        }
        self.bits = 0;
        self.count = 0;
    }
}

/// Whether a line is data damaged in transit: long, without spaces, and almost all base64.
fn is_damaged_data(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let foreign = line.iter().filter(|octet| base64_value(**octet) >= BLANK).count();
    line.len() >= 20 && foreign <= line.len() / 20 && !line.contains(&b' ')
}

/// Decodes the first file of uuencoded text (POSIX.1-2017 uuencode); the flag says that it was complete.
fn uuencoded(body: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::new();
    let mut lines = body.split(|&octet| octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if !lines.any(|line| line.starts_with(b"begin ")) {
        return (decoded, false);
    }
    for line in lines {
        if line == b"end" {
            return (decoded, true);
        }
        let six = |octet: u8| u32::from(octet.wrapping_sub(b' ') & 63);
        let Some((&length, data)) = line.split_first() else { continue };
        let end = decoded.len().saturating_add(usize::try_from(six(length)).unwrap_or(0));
        for group in data.chunks(4) {
            let bits = (0..4).fold(0, |bits, at| (bits << 6) | group.get(at).map_or(0, |octet| six(*octet)));
            let [_, octets @ ..] = bits.to_be_bytes();
            decoded.extend_from_slice(&octets);
        }
        decoded.truncate(end);
    }
    (decoded, false)
}

/// Decodes quoted-printable; a `=` that encodes nothing stays.
fn quoted_printable(body: &[u8], defects: &mut Defects) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    // Everything before this offset was encoded or is text, and is not padding.
    let mut solid = 0_usize;
    let mut rest = body;
    while let Some((plain, from)) = memchr2(b'=', b'\n', rest).and_then(|at| rest.split_at_checked(at)) {
        decoded.extend_from_slice(plain);
        if let Some(after) = from.strip_prefix(b"\n") {
            end_line(&mut decoded, solid);
            solid = decoded.len();
            rest = after;
            continue;
        }
        let after = from.get(1..).unwrap_or_default();
        if let [high, low, tail @ ..] = after
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push((high << 4) | low);
            rest = tail;
        } else if let Some(tail) = soft_break(after) {
            rest = tail;
        } else {
            defects.note(Defect::BadTransferEncoding);
            decoded.push(b'=');
            rest = after;
        }
        solid = decoded.len();
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// RFC 2045 §6.7 rule 3: whitespace before a line end was added in transit.
fn end_line(decoded: &mut Vec<u8>, solid: usize) {
    let has_cr = decoded.len() > solid && decoded.last() == Some(&b'\r');
    if has_cr {
        decoded.pop();
    }
    while decoded.len() > solid && matches!(decoded.last(), Some(b' ' | b'\t')) {
        decoded.pop();
    }
    decoded.extend_from_slice(if has_cr { b"\r\n" } else { b"\n" });
}

/// What follows a soft line break, if there is one here.
fn soft_break(after: &[u8]) -> Option<&[u8]> {
    let tail = after.trim_ascii_start();
    let passed = after.get(..after.len().checked_sub(tail.len())?)?;
    if tail.is_empty() && !passed.contains(&b'\n') {
        return Some(tail);
    }
    let line = memchr::memchr(b'\n', passed)?;
    after.get(line.checked_add(1)?..)
}

/// Decodes the Q encoding of RFC 2047 §4.2, appending to `decoded`.
pub(crate) fn decode_q(text: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        match (octet, tail) {
            (b'_', _) => decoded.push(b' '),
            (b'=', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push((high << 4) | low);
                    rest = after;
                }
                _ => decoded.push(b'='),
            },
            _ => decoded.push(octet),
        }
    }
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The octets of one line of base64 text (RFC 2045 §6.8).
const BASE64_LINE: usize = 76;

/// Encodes to base64 without line ends, padded.
pub(crate) fn encode_base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(octets.len().div_ceil(3).saturating_mul(4));
    for group in octets.chunks(3) {
        let octet = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = (octet(0) << 16) | (octet(1) << 8) | octet(2);
        for (digit, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let index = usize::try_from((bits >> shift) & 63).unwrap_or(0);
            let letter = ALPHABET.get(index).copied().unwrap_or(b'A');
            encoded.push(if digit <= group.len() { char::from(letter) } else { '=' });
        }
    }
    encoded
}

/// Encodes to base64 in lines ending with CRLF.
pub(crate) fn encode_base64_lines(octets: &[u8], out: &mut Vec<u8>) {
    for line in octets.chunks(BASE64_LINE / 4 * 3) {
        out.extend_from_slice(encode_base64(line).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// Encodes text with LF line ends to quoted-printable (RFC 2045 §6.7), with lines ending in CRLF.
///
/// Also encodes what changes in transit: whitespace at a line end, a leading dot, and `From ` at the start of
/// a line.
pub(crate) fn encode_quoted_printable(text: &str, out: &mut Vec<u8>) {
    for line in text.split_terminator('\n') {
        encode_quoted_line(line.as_bytes(), out);
        out.extend_from_slice(b"\r\n");
    }
}

fn encode_quoted_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0_usize;
    let last = line.len().saturating_sub(1);
    for (at, &octet) in line.iter().enumerate() {
        let is_last_blank = at == last && matches!(octet, b' ' | b'\t');
        let is_plain = matches!(octet, b' ' | b'\t' | 33..=126) && octet != b'=' && !is_last_blank;
        let width = if is_plain { 1 } else { 3 };
        // RFC 2045 §6.7 rule 5: 76 characters, including the `=` of the soft line break.
        if column.saturating_add(width) > 75 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        let starts_line = column == 0 && matches!(octet, b'.' | b'F');
        if is_plain && !starts_line {
            out.push(octet);
            column = column.saturating_add(1);
        } else {
            out.extend_from_slice(format!("={octet:02X}").as_bytes());
            column = column.saturating_add(3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(transfer: Transfer, body: &str) -> (String, bool) {
        let mut defects = Defects::default();
        let octets = transfer.decode(body.as_bytes(), &mut defects).into_owned();
        (String::from_utf8_lossy(&octets).into_owned(), defects.into_sorted().is_empty())
    }

    /// A body, what it holds, and whether it was sound.
    struct Case {
        name: &'static str,
        input: &'static str,
        want: &'static str,
        sound: bool,
    }

    fn usual() -> Case {
        Case { name: "", input: "", want: "", sound: true }
    }

    #[test]
    fn quoted_printable_is_read() {
        for Case { name, input, want, sound } in [
            Case { name: "plain", input: "abc\r\ndef", want: "abc\r\ndef", ..usual() },
            Case { name: "hex", input: "=C3=A9=c3=a9", want: "éé", ..usual() },
            Case { name: "soft break", input: "ab=\r\ncd=\nef", want: "abcdef", ..usual() },
            Case { name: "padded soft break", input: "ab= \t\r\ncd", want: "abcd", ..usual() },
            Case { name: "soft break before nothing", input: "abc=\r\n", want: "abc", ..usual() },
            Case { name: "= at the end", input: "abc=", want: "abc", ..usual() },
            Case { name: "blanks at a line end", input: "ab \t\r\ncd", want: "ab\r\ncd", ..usual() },
            Case { name: "encoded blank at a line end", input: "ab=20\r\ncd", want: "ab \r\ncd", ..usual() },
            Case { name: "damaged", input: "1 = 2, =ZZ, a=b", want: "1 = 2, =ZZ, a=b", sound: false },
        ] {
            assert_eq!(decoded(Transfer::QuotedPrintable, input), (want.to_owned(), sound), "{name}");
        }
    }

    #[test]
    fn base64_is_read() {
        for Case { name, input, want, sound } in [
            Case { name: "lines", input: "aGVs\r\nbG8=\r\n", want: "hello", ..usual() },
            Case { name: "no padding", input: "aGVsbG8", want: "hello", ..usual() },
            Case { name: "two padded pieces", input: "aGVs\r\nbG8=\r\naGk=\r\n", want: "hellohi", ..usual() },
            Case {
                name: "footer behind it",
                input: "aGVsbG8=\r\n-- \r\nthe list\r\n",
                want: "hello",
                sound: false,
            },
            Case {
                name: "footer of plain words",
                input: "aGVsbG8=\r\n\r\nSent to the list\r\n",
                want: "hello",
                sound: false,
            },
            Case {
                name: "words behind the padding",
                input: "aGVsbG8= ignored\r\n",
                want: "hello",
                sound: false,
            },
            Case {
                name: "one octet damaged",
                input: "aGVsbG8gdGhl!cmUsIGhlbGxvIHRoZXJl\r\n",
                want: "hello there, hello there",
                sound: false,
            },
            Case { name: "never encoded", input: "hello, world", want: "hello, world", sound: false },
            Case { name: "cut within a group", input: "aGVsbG8gd", want: "hello ", sound: false },
        ] {
            assert_eq!(decoded(Transfer::Base64, input), (want.to_owned(), sound), "{name}");
        }
    }

    #[test]
    fn uuencoded_is_read() {
        for Case { name, input, want, sound } in [
            Case {
                name: "whole",
                input: "words\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\n",
                want: "hello",
                ..usual()
            },
            Case {
                name: "CRLF",
                input: "begin 644 a.txt\r\n%:&5L;&\\ \r\n`\r\nend\r\n",
                want: "hello",
                ..usual()
            },
            Case { name: "no end", input: "begin 644 a.txt\n%:&5L;&\\", want: "hello", sound: false },
            Case { name: "never encoded", input: "hello", want: "hello", sound: false },
        ] {
            assert_eq!(decoded(Transfer::Uuencode, input), (want.to_owned(), sound), "{name}");
        }
    }

    #[test]
    fn names_of_encodings() {
        for (value, want) in [
            ("BASE64", Transfer::Base64),
            ("quoted-printable; x", Transfer::QuotedPrintable),
            ("\"base64\"", Transfer::Base64),
            ("X-UUEncode", Transfer::Uuencode),
            ("8bit", Transfer::Identity),
            ("", Transfer::Identity),
        ] {
            assert_eq!(Transfer::named(value), want, "{value}");
        }
    }

    proptest! {
        #[test]
        fn base64_comes_back(octets: Vec<u8>) {
            let mut lines = Vec::new();
            encode_base64_lines(&octets, &mut lines);
            prop_assert!(lines.split(|&o| o == b'\n').all(|line| line.len() <= BASE64_LINE + 1));
            prop_assert_eq!(base64_tolerant(&lines), (octets, true));
        }

        #[test]
        fn quoted_printable_comes_back(text in "([ -~é€\t]{0,90}\n|[.F ]{0,90}\n){0,5}") {
            let mut encoded = Vec::new();
            encode_quoted_printable(&text, &mut encoded);
            prop_assert!(encoded.is_ascii());
            prop_assert!(encoded.split(|&o| o == b'\n').all(|line| line.len() <= 77 && !line.starts_with(b".")));
            let back = quoted_printable(&encoded, &mut Defects::default());
            prop_assert_eq!(String::from_utf8(back).unwrap().replace("\r\n", "\n"), text);
        }

        #[test]
        fn any_octets_are_decoded(body: Vec<u8>) {
            for transfer in [Transfer::Identity, Transfer::Base64, Transfer::QuotedPrintable, Transfer::Uuencode] {
                let _ = transfer.decode(&body, &mut Defects::default());
            }
        }
    }
}
