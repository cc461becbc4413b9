//! From octets in some charset to text, also where the mail says nothing or the wrong thing about it.

use crate::defect::{Defect, Defects};
use mail_parser::decoders::charsets::DecoderFnc;
use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// The longest charset label that is looked up.
const LABEL_OCTETS: usize = 40;

/// What a label asks for.
enum Reading {
    /// UTF-8, ASCII, or nothing said.
    Utf8,
    /// One of the names that every program writes when it does not know: Latin-1 and its Windows twin.
    Western,
    Other(DecoderFnc),
    Unknown,
}

/// Decodes octets by the charset label of their part; never fails.
pub(crate) fn decode<'a>(octets: &'a [u8], label: Option<&str>, defects: &mut Defects) -> Cow<'a, str> {
    match reading(label) {
        Reading::Other(decoder) => other(octets, decoder, defects),
        Reading::Unknown => {
            defects.note(Defect::UnknownCharset);
            utf8_or_guess(octets).0
        }
        Reading::Utf8 => {
            let (text, guessed) = utf8_or_guess(octets);
            if guessed {
                defects.note(Defect::WrongCharset);
            }
            text
        }
        Reading::Western => match std::str::from_utf8(octets) {
            Ok(text) => {
                if !octets.is_ascii() {
                    defects.note(Defect::WrongCharset);
                }
                Cow::Borrowed(text)
            }
            Err(_) => Cow::Owned(windows_1252(octets)),
        },
    }
}

/// Reads Windows-1252, which gives every octet a character.
pub(crate) fn windows_1252(octets: &[u8]) -> String {
    match charset_decoder(b"windows-1252") {
        Some(decoder) => decoder(octets),
        None => octets.iter().map(|&octet| char::from(octet)).collect(),
    }
}

fn reading(label: Option<&str>) -> Reading {
    let Some(label) = label.map(str::trim).filter(|label| !label.is_empty()) else { return Reading::Utf8 };
    let is = |name: &str| label.eq_ignore_ascii_case(name);
    if is("utf-8") || is("us-ascii") || is("utf8") || is("ascii") {
        return Reading::Utf8;
    }
    if is("iso-8859-1") || is("windows-1252") || is("latin1") || is("cp1252") {
        return Reading::Western;
    }
    if label.len() > LABEL_OCTETS {
        return Reading::Unknown;
    }
    charset_decoder(label.as_bytes()).map_or(Reading::Unknown, Reading::Other)
}

fn other<'a>(octets: &'a [u8], decoder: DecoderFnc, defects: &mut Defects) -> Cow<'a, str> {
    let text = decoder(octets);
    if text.contains(char::REPLACEMENT_CHARACTER) {
        defects.note(Defect::WrongCharset);
        // Many gateways recode to UTF-8 and leave the label: what is UTF-8 to the last octet was not written by chance.
        if let Ok(utf8) = std::str::from_utf8(octets)
            && !octets.is_ascii()
        {
            return Cow::Borrowed(utf8);
        }
    }
    Cow::Owned(text)
}

/// UTF-8 where it is, else what it most likely is; the flag says that it was not.
fn utf8_or_guess(octets: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(octets) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (Cow::Owned(guess(octets)), true),
    }
}

/// Cut or damaged UTF-8 has more good sequences than bad octets; anything else is read as Windows-1252.
fn guess(octets: &[u8]) -> String {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in octets.utf8_chunks() {
        good = good.saturating_add(chunk.valid().chars().filter(|c| !c.is_ascii()).count());
        bad = bad.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    if good > bad { String::from_utf8_lossy(octets).into_owned() } else { windows_1252(octets) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn charsets_are_read() {
        use Defect::*;
        type Case = (&'static str, &'static [u8], Option<&'static str>, &'static str, &'static [Defect]);
        let cases: [Case; 12] = [
            ("nothing said", "né".as_bytes(), None, "né", &[]),
            ("undeclared 8-bit", b"n\xe9", None, "né", &[WrongCharset]),
            ("ASCII that is Latin-1", b"n\xe9", Some("US-ASCII"), "né", &[WrongCharset]),
            ("UTF-8 that is Windows-1252", b"\x93hi\x94", Some("utf-8"), "\u{201c}hi\u{201d}", &[WrongCharset]),
            ("UTF-8 with one bad octet", b"\xc3\xa9\xc3\xa9\xff", Some("utf-8"), "éé\u{fffd}", &[WrongCharset]),
            ("Latin-1", b"n\xe9", Some("ISO-8859-1"), "né", &[]),
            ("Latin-1 that is UTF-8", "né".as_bytes(), Some("iso-8859-1"), "né", &[WrongCharset]),
            ("Latin-9", b"\xa4", Some("iso-8859-15"), "€", &[]),
            ("ISO-2022-JP", b"\x1b$B%O%m!<\x1b(B", Some("iso-2022-jp"), "ハロー", &[]),
            ("GB18030", b"\xc4\xe3\xba\xc3", Some("gb2312"), "你好", &[]),
            ("Shift_JIS that is UTF-8", "日本".as_bytes(), Some("big5"), "日本", &[WrongCharset]),
            ("unknown", b"n\xe9", Some("x-nobody"), "né", &[UnknownCharset]),
        ];
        for (name, octets, label, want, noted) in cases {
            let mut defects = Defects::default();
            assert_eq!(decode(octets, label, &mut defects), want, "{name}");
            assert_eq!(defects.into_sorted(), noted, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_charset_panics(octets: Vec<u8>, label in "(utf-7|utf-16|utf-16le|utf-16be|iso-2022-jp|gb18030|big5|shift_jis|euc-kr|koi8-r|iso-2022-kr|windows-125[0-8]|[a-z0-9-]{0,12})") {
            let mut defects = Defects::default();
            let text = decode(&octets, Some(&label), &mut defects);
            prop_assert!(text.len() <= octets.len() * 4 + 8);
        }
    }
}
