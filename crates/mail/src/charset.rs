//! Decoding octets to text, even where the message declares no charset or the wrong one.

use crate::defect::{Defect, Defects};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_KR, Encoding, GBK, ISO_2022_JP, REPLACEMENT, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::decoders::charsets::DecoderFnc;
use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// The longest charset label that is looked up.
const LABEL_OCTETS: usize = 40;

/// How much text is examined to detect its charset, starting at the first non-ASCII octet.
const DETECT_OCTETS: usize = 16_384;

/// With fewer non-ASCII octets than this, a multi-byte charset is not believed.
const SCANT_OCTETS: usize = 4;

/// Labels used in mail in addition to those of the WHATWG standard, lower-cased.
const ALIASES: &[(&str, &str)] = &[
    ("big5-eten", "big5"),
    ("cp-1251", "windows-1251"),
    ("cp-1252", "windows-1252"),
    ("cp1131", "windows-1251"),
    ("cp367", "us-ascii"),
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("euc-cn", "gbk"),
    ("euc-tw", "big5"),
    ("euckr", "euc-kr"),
    ("gb18030-2000", "gb18030"),
    ("gbk2312", "gbk"),
    ("ibm943", "shift_jis"),
    ("iso-2022-jp-1", "iso-2022-jp"),
    ("iso-2022-jp-2", "iso-2022-jp"),
    ("iso-2022-jp-3", "iso-2022-jp"),
    ("iso-2022-jp-ms", "iso-2022-jp"),
    ("iso-8859-1-windows-3.1-latin-1", "windows-1252"),
    ("iso8859-8-i", "iso-8859-8-i"),
    ("koi8r", "koi8-r"),
    ("koi8u", "koi8-u"),
    ("macroman", "macintosh"),
    ("ms950", "big5"),
    ("sjis-win", "shift_jis"),
    ("uhc", "euc-kr"),
    ("utf8mb4", "utf-8"),
    ("win-1251", "windows-1251"),
    ("x-windows-949", "euc-kr"),
    ("x-windows-950", "big5"),
];

/// What a label asks for.
enum Reading {
    /// UTF-8, ASCII, or no declaration.
    Utf8,
    /// One of the names programs write when they do not know: Latin-1 and its Windows counterpart.
    Western,
    /// Any other charset of the WHATWG standard.
    Encoding(&'static Encoding),
    /// Seven-bit forms of GB 2312, KS X 1001 and similar (RFC 1843, RFC 1557, RFC 1922), with the charset of
    /// their eight-bit form.
    SevenBit(&'static Encoding),
    /// UTF-7 and DOS code pages.
    Other(DecoderFnc),
    Unknown,
}

/// Decodes octets by the charset label of their part; never fails.
pub(crate) fn decode<'a>(octets: &'a [u8], label: Option<&str>, defects: &mut Defects) -> Cow<'a, str> {
    if let Some((encoding, _)) =
        Encoding::for_bom(octets).filter(|(encoding, _)| [UTF_16LE, UTF_16BE].contains(encoding))
    {
        return Cow::Owned(encoding.decode_with_bom_removal(octets).0.into_owned());
    }
    match reading(label) {
        Reading::Encoding(encoding) => {
            declared(octets, encoding.decode_without_bom_handling(octets).0, defects)
        }
        Reading::SevenBit(encoding) => declared(octets, Cow::Owned(seven_bit(octets, encoding)), defects),
        Reading::Other(decoder) => declared(octets, Cow::Owned(decoder(octets)), defects),
        Reading::Unknown => {
            defects.note(Defect::UnknownCharset);
            undeclared(octets, None).0
        }
        Reading::Utf8 => {
            let (text, guessed) = undeclared(octets, None);
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
            Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0,
        },
    }
}

/// UTF-8 if valid, otherwise the most likely charset, preferring `hint` if it fits; the flag says that it was
/// not UTF-8.
pub(crate) fn undeclared<'a>(octets: &'a [u8], hint: Option<&'static Encoding>) -> (Cow<'a, str>, bool) {
    match std::str::from_utf8(octets) {
        Ok(text) => match iso_2022_jp(octets) {
            Some(japanese) => (Cow::Owned(japanese), true),
            None => (Cow::Borrowed(text), false),
        },
        Err(_) if is_damaged_utf8(octets) => (String::from_utf8_lossy(octets), true),
        Err(_) => (hint.unwrap_or_else(|| detect(octets)).decode_without_bom_handling(octets).0, true),
    }
}

/// The charset named by a label, if undeclared non-ASCII octets may be in it.
pub(crate) fn eight_bit(label: &str) -> Option<&'static Encoding> {
    match reading(Some(label)) {
        Reading::Western => Some(WINDOWS_1252),
        Reading::Encoding(encoding) if encoding != ISO_2022_JP && encoding.is_ascii_compatible() => {
            Some(encoding)
        }
        _ => None,
    }
}

/// The most likely charset of octets that are not UTF-8; linear, and examines only some of them.
pub(crate) fn detect(octets: &[u8]) -> &'static Encoding {
    let first = octets.iter().position(|octet| !octet.is_ascii()).unwrap_or_default();
    // The preceding octet shows whether a word begins here.
    let sample = octets.get(first.saturating_sub(16)..).unwrap_or_default();
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    match sample.split_at_checked(DETECT_OCTETS) {
        Some((some, _)) => detector.feed(some, false),
        None => detector.feed(sample, true),
    };
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Two octets are a valid character in any East Asian charset.
    let is_scant =
        || sample.iter().filter(|octet| !octet.is_ascii()).take(SCANT_OCTETS).count() < SCANT_OCTETS;
    if guess.is_single_byte() || !is_scant() { guess } else { WINDOWS_1252 }
}

fn reading(label: Option<&str>) -> Reading {
    let Some(label) =
        label.map(|label| label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')))
    else {
        return Reading::Utf8;
    };
    let is = |name: &str| label.eq_ignore_ascii_case(name);
    if label.is_empty() || ["utf-8", "us-ascii", "utf8", "ascii"].into_iter().any(is) {
        return Reading::Utf8;
    }
    if ["iso-8859-1", "windows-1252", "latin1", "cp1252"].into_iter().any(is) {
        return Reading::Western;
    }
    if label.len() > LABEL_OCTETS {
        return Reading::Unknown;
    }
    named(&label.to_ascii_lowercase())
}

fn named(label: &str) -> Reading {
    match label {
        "hz-gb-2312" | "hz-gb2312" | "iso-2022-cn" | "iso-2022-cn-ext" => return Reading::SevenBit(GBK),
        "unicode-1-1-utf-7" | "utf7" | "x-unicode-2-0-utf-7" => return named("utf-7"),
        "iso-2022-kr" | "csiso2022kr" => return Reading::SevenBit(EUC_KR),
        // The WHATWG reads them as Latin-1; in mail they mean nothing.
        "ansi_x3.4-1968" | "iso646-us" | "iso-ir-6" | "csascii" | "us" | "us-ascii" | "7bit" | "8bit" => {
            return Reading::Utf8;
        }
        // A browser's word for "do not decode"; in mail it means nothing.
        "replacement" => return Reading::Unknown,
        _ => (),
    }
    let known = |label: &str| {
        Encoding::for_label_no_replacement(label.as_bytes()).filter(|found| *found != REPLACEMENT)
    };
    let alias = |label: &str| {
        ALIASES.binary_search_by_key(&label, |(alias, _)| alias).ok().and_then(|at| ALIASES.get(at))
    };
    let dashed = label.replace('_', "-");
    let found =
        known(label).or_else(|| known(&dashed)).or_else(|| alias(&dashed).and_then(|(_, name)| known(name)));
    match found {
        Some(encoding) if encoding == encoding_rs::UTF_8 => Reading::Utf8,
        Some(encoding) if encoding == WINDOWS_1252 => Reading::Western,
        Some(encoding) => Reading::Encoding(encoding),
        None => charset_decoder(label.as_bytes()).map_or(Reading::Unknown, Reading::Other),
    }
}

/// Text in a declared charset; many gateways convert to UTF-8 and leave the label.
fn declared<'a>(octets: &'a [u8], text: Cow<'a, str>, defects: &mut Defects) -> Cow<'a, str> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        defects.note(Defect::WrongCharset);
        // Text that is valid UTF-8 throughout is not so by chance.
        if let Ok(utf8) = std::str::from_utf8(octets)
            && !octets.is_ascii()
        {
            return Cow::Borrowed(utf8);
        }
    }
    text
}

/// Text whose escape sequences identify it as ISO-2022-JP (RFC 1468), as old Japanese programs write it
/// without a label.
fn iso_2022_jp(octets: &[u8]) -> Option<String> {
    memchr(0x1b, octets)?;
    memmem::find(octets, b"\x1b$B").or_else(|| memmem::find(octets, b"\x1b$@"))?;
    let (text, had_errors) = ISO_2022_JP.decode_without_bom_handling(octets);
    (!had_errors).then(|| text.into_owned())
}

/// Removes escapes and shifts, and sets the eighth bit of the shifted octets (HZ: `~{` and `~}`; ISO 2022: SO
/// and SI).
fn seven_bit(octets: &[u8], encoding: &'static Encoding) -> String {
    let mut eight = Vec::with_capacity(octets.len());
    let mut is_shifted = false;
    let mut rest = octets;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        match (octet, tail) {
            (0x0e, _) => is_shifted = true,
            (0x0f, _) => is_shifted = false,
            // ESC $ ) C and similar designate what SO shifts to.
            (0x1b, [b'$', b')' | b'*', _, after @ ..]) => rest = after,
            (b'~', [b'{', after @ ..]) => (is_shifted, rest) = (true, after),
            (b'~', [b'}', after @ ..]) => (is_shifted, rest) = (false, after),
            (b'~', [b'~', after @ ..]) if !is_shifted => {
                eight.push(b'~');
                rest = after;
            }
            (b'\n', _) => {
                is_shifted = false;
                eight.push(octet);
            }
            (0x21..=0x7e, _) if is_shifted => eight.push(octet | 0x80),
            _ => eight.push(octet),
        }
    }
    encoding.decode_without_bom_handling(&eight).0.into_owned()
}

/// Cut or damaged UTF-8 has more valid sequences than invalid octets.
fn is_damaged_utf8(octets: &[u8]) -> bool {
    let mut good = 0_usize;
    let mut bad = 0_usize;
    for chunk in octets.utf8_chunks() {
        good = good.saturating_add(chunk.valid().chars().filter(|c| !c.is_ascii()).count());
        bad = bad.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    good > bad
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::*;
    use proptest::prelude::*;

    /// Every label of the WHATWG Encoding Standard §4.2 with a text in its encoding. The labels of
    /// `replacement`, which browsers refuse to decode, are decoded here where they name a real charset.
    const LABELS: &[(&Encoding, &str, &str)] = &[
        (
            WINDOWS_1252,
            "né",
            "l1 cp819 ascii latin1 cp1252 ibm819 iso88591 x-cp1252 us-ascii iso8859-1 iso-ir-100 iso-8859-1 iso_8859-1 \
             csisolatin1 windows-1252 ansi_x3.4-1968 iso_8859-1:1987",
        ),
        (
            ISO_8859_2,
            "Zażółć",
            "l2 latin2 iso88592 iso8859-2 iso-ir-101 iso-8859-2 iso_8859-2 csisolatin2 iso_8859-2:1987",
        ),
        (
            ISO_8859_3,
            "ĉĝĥ",
            "l3 latin3 iso88593 iso8859-3 iso-8859-3 iso_8859-3 iso-ir-109 csisolatin3 iso_8859-3:1988",
        ),
        (
            ISO_8859_4,
            "āēģ",
            "l4 latin4 iso88594 iso8859-4 iso-ir-110 iso-8859-4 iso_8859-4 csisolatin4 iso_8859-4:1988",
        ),
        (
            WINDOWS_1254,
            "İyi günler, ığş",
            "l5 cp1254 latin5 x-cp1254 iso88599 iso8859-9 iso-ir-148 iso-8859-9 iso_8859-9 csisolatin5 windows-1254 \
             iso_8859-9:1989",
        ),
        (ISO_8859_10, "ąčęīšž", "l6 latin6 iso885910 iso8859-10 iso-ir-157 iso-8859-10 csisolatin6"),
        (ISO_8859_15, "€œŠ", "l9 iso885915 iso8859-15 iso-8859-15 iso_8859-15 csisolatin9"),
        (IBM866, "Привет", "866 cp866 ibm866 csibm866"),
        (MACINTOSH, "né†", "mac macintosh csmacintosh x-mac-roman"),
        (KOI8_R, "Привет", "koi koi8 koi8-r koi8_r cskoi8r"),
        (GBK, "你好", "gbk x-gbk gb2312 gb_2312 chinese csgb2312 iso-ir-58 gb_2312-80 csiso58gb231280"),
        (BIG5, "你好", "big5 csbig5 cn-big5 x-x-big5 big5-hkscs"),
        (UTF_8, "né", "utf8 utf-8 unicode20utf8 unicode11utf8 x-unicode20utf8 unicode-1-1-utf-8"),
        (SHIFT_JIS, "こんにちは", "sjis ms932 x-sjis ms_kanji shift-jis shift_jis csshiftjis windows-31j"),
        (UTF_16LE, "né", "ucs-2 utf-16 unicode utf-16le csunicode unicodefeff iso-10646-ucs-2"),
        (
            ISO_8859_7,
            "Καλημέρα",
            "greek greek8 iso88597 ecma-118 elot_928 iso8859-7 iso-ir-126 iso-8859-7 iso_8859-7 sun_eu_greek iso_8859-7:1987 \
             csisolatingreek",
        ),
        (WINDOWS_1250, "Zażółć", "cp1250 x-cp1250 windows-1250"),
        (WINDOWS_1251, "Привет", "cp1251 x-cp1251 windows-1251"),
        (WINDOWS_1253, "Καλημέρα", "cp1253 x-cp1253 windows-1253"),
        (WINDOWS_1255, "שלום", "cp1255 x-cp1255 windows-1255"),
        (WINDOWS_1256, "سلام", "cp1256 x-cp1256 windows-1256"),
        (WINDOWS_1257, "ąčęīšž", "cp1257 x-cp1257 windows-1257"),
        (WINDOWS_1258, "ơưđ", "cp1258 x-cp1258 windows-1258"),
        (
            ISO_8859_6,
            "سلام",
            "arabic ecma-114 iso88596 asmo-708 iso8859-6 iso-8859-6 iso_8859-6 iso-ir-127 csiso88596e csiso88596i \
             iso-8859-6-e iso-8859-6-i iso_8859-6:1987 csisolatinarabic",
        ),
        (
            ISO_8859_8,
            "שלום",
            "visual hebrew iso88598 iso8859-8 iso-8859-8 iso_8859-8 iso-ir-138 csiso88598e iso-8859-8-e iso_8859-8:1988 \
             csisolatinhebrew",
        ),
        (
            EUC_KR,
            "안녕",
            "korean euc-kr ksc5601 cseuckr ksc_5601 iso-ir-149 windows-949 csksc56011987 ks_c_5601-1987 ks_c_5601-1989",
        ),
        (EUC_JP, "こんにちは", "euc-jp x-euc-jp cseucpkdfmtjapanese"),
        (KOI8_U, "Привіт", "koi8-u koi8-ru"),
        (WINDOWS_874, "สวัสดี", "tis-620 dos-874 iso885911 iso8859-11 iso-8859-11 windows-874"),
        (GB18030, "你好", "gb18030"),
        (ISO_8859_8_I, "שלום", "logical csiso88598i iso-8859-8-i"),
        (
            ISO_8859_5,
            "Привет",
            "iso88595 cyrillic iso8859-5 iso-ir-144 iso-8859-5 iso_8859-5 iso_8859-5:1988 csisolatincyrillic",
        ),
        (UTF_16BE, "né", "utf-16be unicodefffe"),
        (ISO_8859_13, "ąčęīšž", "iso885913 iso8859-13 iso-8859-13"),
        (ISO_8859_14, "Ŵŷḋ", "iso885914 iso8859-14 iso-8859-14"),
        (ISO_8859_16, "șță", "iso-8859-16"),
        (ISO_2022_JP, "こんにちは", "iso-2022-jp csiso2022jp"),
        (X_MAC_CYRILLIC, "Привет", "x-mac-cyrillic x-mac-ukrainian"),
        (X_USER_DEFINED, "\u{f7e9}\u{f780}", "x-user-defined"),
    ];

    fn octets_of(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        match encoding.name() {
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => encoding.encode(text).0.into_owned(),
        }
    }

    #[test]
    fn every_label_of_the_standard_is_read_in_any_case() {
        for (encoding, text, labels) in LABELS {
            let octets = octets_of(encoding, text);
            for label in labels.split(' ') {
                for written in [label.to_owned(), label.to_uppercase(), format!("\"{label}\" ")] {
                    let mut defects = Defects::default();
                    assert_eq!(
                        decode(&octets, Some(&written), &mut defects),
                        *text,
                        "{}: {written}",
                        encoding.name()
                    );
                    assert!(!defects.into_sorted().contains(&Defect::UnknownCharset), "{written}");
                }
            }
        }
        let seven_bit = ["hz-gb-2312", "iso-2022-cn", "iso-2022-cn-ext", "iso-2022-kr", "csiso2022kr"];
        let labels = LABELS.iter().map(|(.., labels)| labels.split(' ').count()).sum::<usize>();
        assert_eq!(labels + seven_bit.len() + ["replacement"].len(), 228, "so many has the standard");
        for label in seven_bit {
            assert!(matches!(reading(Some(label)), Reading::SevenBit(_)), "{label}");
        }
    }

    #[test]
    fn a_label_that_nobody_knows_is_noted_and_the_text_read_all_the_same() {
        for label in ["replacement", "x-nobody", "utf-99", "iso-8859-99", "\0", "é", &"u".repeat(10_000)] {
            let mut defects = Defects::default();
            assert_eq!(decode("Lampe, né".as_bytes(), Some(label), &mut defects), "Lampe, né", "{label:.20}");
            assert_eq!(defects.into_sorted(), [Defect::UnknownCharset], "{label:.20}");
        }
    }

    #[test]
    fn charsets_are_read() {
        struct Case {
            name: &'static str,
            octets: &'static [u8],
            label: Option<&'static str>,
            want: &'static str,
            noted: &'static [Defect],
        }
        fn usual() -> Case {
            Case { name: "", octets: b"", label: None, want: "", noted: &[] }
        }

        use Defect::*;
        let cases = [
            Case { name: "nothing said", octets: "né".as_bytes(), want: "né", ..usual() },
            Case {
                name: "undeclared 8-bit",
                octets: b"n\xe9",
                want: "né",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "ASCII that is Latin-1",
                octets: b"n\xe9",
                label: Some("US-ASCII"),
                want: "né",
                noted: &[WrongCharset],
            },
            Case {
                name: "UTF-8 that is Windows-1252",
                octets: b"\x93hi\x94",
                label: Some("utf-8"),
                want: "\u{201c}hi\u{201d}",
                noted: &[WrongCharset],
            },
            Case {
                name: "UTF-8 with one bad octet",
                octets: b"\xc3\xa9\xc3\xa9\xff",
                label: Some("utf-8"),
                want: "éé\u{fffd}",
                noted: &[WrongCharset],
            },
            Case { name: "Latin-1", octets: b"n\xe9", label: Some("ISO-8859-1"), want: "né", ..usual() },
            Case {
                name: "Latin-1 that is UTF-8",
                octets: "né".as_bytes(),
                label: Some("iso-8859-1"),
                want: "né",
                noted: &[WrongCharset],
            },
            Case { name: "Latin-9", octets: b"\xa4", label: Some("iso-8859-15"), want: "€", ..usual() },
            Case {
                name: "ISO-2022-JP",
                octets: b"\x1b$B%O%m!<\x1b(B",
                label: Some("iso-2022-jp"),
                want: "ハロー",
                ..usual()
            },
            Case {
                name: "GB18030",
                octets: b"\xc4\xe3\xba\xc3",
                label: Some("gb2312"),
                want: "你好",
                ..usual()
            },
            Case {
                name: "Shift_JIS that is UTF-8",
                octets: "日本".as_bytes(),
                label: Some("big5"),
                want: "日本",
                noted: &[WrongCharset],
            },
            Case {
                name: "unknown",
                octets: b"n\xe9",
                label: Some("x-nobody"),
                want: "né",
                noted: &[UnknownCharset],
            },
            Case {
                name: "quotes around the label",
                octets: b"n\xe9",
                label: Some("\"ISO-8859-15\""),
                want: "né",
                ..usual()
            },
            Case { name: "underscores", octets: b"\xb1", label: Some("iso_8859_2"), want: "ą", ..usual() },
            Case { name: "alias", octets: b"\x82\xa0", label: Some("CP932"), want: "あ", ..usual() },
            Case { name: "UTF-7", octets: b"+AOk-", label: Some("unicode-1-1-utf-7"), want: "é", ..usual() },
            Case { name: "UTF-7, short name", octets: b"+AOk-", label: Some("UTF-7"), want: "é", ..usual() },
            Case { name: "DOS", octets: b"\x82", label: Some("cp850"), want: "é", ..usual() },
            Case {
                name: "HZ",
                octets: b"a ~{<:Ky2;~} ~~b",
                label: Some("HZ-GB-2312"),
                want: "a 己所不 ~b",
                ..usual()
            },
            Case {
                name: "ISO-2022-KR",
                octets: b"\x1b$)C\x0e0!\x0f a",
                label: Some("iso-2022-kr"),
                want: "가 a",
                ..usual()
            },
            Case {
                name: "one octet before a letter",
                octets: b"a <\xfeTo",
                want: "a <þTo",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "undeclared ISO-2022-JP",
                octets: b"\x1b$B%O%m!<\x1b(B",
                want: "ハロー",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "escapes of a terminal",
                octets: b"\x1b[1mbold\x1b[0m",
                want: "\x1b[1mbold\x1b[0m",
                ..usual()
            },
            Case { name: "UTF-16 with its mark", octets: b"\xff\xfea\0", want: "a", ..usual() },
            Case { name: "UTF-16 by label", octets: b"\0a", label: Some("utf-16be"), want: "a", ..usual() },
            Case {
                name: "eight bits declared as 8bit",
                octets: b"n\xe9",
                label: Some("8bit"),
                want: "né",
                noted: &[WrongCharset],
            },
            Case {
                name: "undeclared Russian",
                octets: b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xee\xe9 \xe7\xe0\xea\xe0\xe7 \xed\xe5 \xef\xf0\xe8\xf8\xb8\xeb",
                want: "Привет, мой заказ не пришёл",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "undeclared Russian in KOI8-R",
                octets: b"\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xcf\xca \xda\xc1\xcb\xc1\xda \xce\xc5 \xd0\xd2\xc9\xdb\xc5\xcc",
                want: "Привет, мой заказ не пришел",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "undeclared Japanese",
                octets: b"\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x81A\x92\x8d\x95\xb6\x82\xcc\x8c\x8f\x82\xc5\x82\xb7",
                want: "こんにちは、注文の件です",
                noted: &[WrongCharset],
                ..usual()
            },
            Case {
                name: "undeclared Chinese",
                octets: b"\xc4\xe3\xba\xc3\xa3\xac\xce\xd2\xb5\xc4\xb6\xa9\xb5\xa5",
                want: "你好，我的订单",
                noted: &[WrongCharset],
                ..usual()
            },
        ];
        for Case { name, octets, label, want, noted } in cases {
            let mut defects = Defects::default();
            assert_eq!(decode(octets, label, &mut defects), want, "{name}");
            assert_eq!(defects.into_sorted(), noted, "{name}");
        }
    }

    #[test]
    fn aliases_are_sorted_and_lead_somewhere() {
        assert!(ALIASES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (alias, name) in ALIASES {
            assert!(!matches!(reading(Some(name)), Reading::Unknown), "{alias}");
            assert!(!matches!(reading(Some(alias)), Reading::Unknown), "{alias}");
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
