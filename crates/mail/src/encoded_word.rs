//! Encoded words in header fields (RFC 2047), read as real mail writes them.
//!
//! Adjacent words in the same charset are joined before decoding, since many programs split characters or
//! base64 groups. Whitespace inside a word, a word inside a quoted string, a word without a charset, and a
//! truncated last word are read as intended. Linear.

use crate::charset;
use crate::defect::Defects;
use crate::transfer;
use memchr::memmem;
use std::borrow::Cow;

/// Decodes all encoded words of an unfolded text; everything else is left alone.
pub(crate) fn decode<'a>(text: &'a str, defects: &mut Defects) -> Cow<'a, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut reader = Reader {
        decoded: String::with_capacity(text.len()),
        charset: None,
        octets: Vec::new(),
        base64: String::new(),
    };
    let mut rest = text;
    while let Some((plain, from_word)) = rest.find("=?").and_then(|at| rest.split_at_checked(at)) {
        match Word::read(from_word) {
            Found::Word(word, after) => {
                reader.plain(plain, true, defects);
                reader.word(&word, defects);
                rest = after;
            }
            Found::None(passed, after) => {
                reader.plain(plain, false, defects);
                reader.plain(passed, false, defects);
                rest = after;
            }
            // No later word can end either, so nothing has to be searched again.
            Found::NoEnd(None) => break,
            Found::NoEnd(Some(word)) => {
                reader.plain(plain, true, defects);
                reader.word(&word, defects);
                rest = "";
            }
        }
    }
    reader.plain(rest, false, defects);
    reader.flush(defects);
    Cow::Owned(reader.decoded)
}

/// Replaces raw non-ASCII octets inside Q-encoded words by what they should have been, so that the charset of
/// the word, rather than that of the header, applies to them.
pub(crate) fn with_octets_quoted(value: &[u8]) -> Cow<'_, [u8]> {
    if value.is_ascii() || memmem::find(value, b"=?").is_none() {
        return Cow::Borrowed(value);
    }
    let mut quoted = Vec::with_capacity(value.len().saturating_mul(2));
    let mut rest = value;
    while let Some((plain, from)) = memmem::find(rest, b"=?").and_then(|at| rest.split_at_checked(at)) {
        quoted.extend_from_slice(plain);
        let mut pieces = from.splitn(4, |&octet| octet == b'?');
        let (_, charset, encoding) =
            (pieces.next(), pieces.next().unwrap_or_default(), pieces.next().unwrap_or_default());
        let end = pieces.next().and_then(|text| memmem::find(text, b"?="));
        let head = charset.len().saturating_add(encoding.len()).saturating_add(4);
        let Some((word, after)) = end.and_then(|end| from.split_at_checked(head.saturating_add(end))) else {
            rest = from;
            break;
        };
        let is_q = charset.is_ascii() && encoding.eq_ignore_ascii_case(b"q");
        for &octet in word {
            match is_q && !octet.is_ascii() {
                true => quoted.extend_from_slice(format!("={octet:02X}").as_bytes()),
                false => quoted.push(octet),
            }
        }
        rest = after;
    }
    quoted.extend_from_slice(rest);
    Cow::Owned(quoted)
}

struct Reader<'a> {
    decoded: String,
    /// The charset of the pending octets; `None` if there are none.
    charset: Option<&'a str>,
    octets: Vec<u8>,
    /// Base64 that ended inside a group of four and may continue in the next word.
    base64: String,
}

impl<'a> Reader<'a> {
    fn plain(&mut self, plain: &str, before_word: bool, defects: &mut Defects) {
        // RFC 2047 §6.2: whitespace between two encoded words is not shown.
        let between_words = before_word && self.charset.is_some() && plain.trim().is_empty();
        if plain.is_empty() || between_words {
            return;
        }
        self.flush(defects);
        self.decoded.push_str(plain);
    }

    fn word(&mut self, word: &Word<'a>, defects: &mut Defects) {
        let goes_on = self.charset.is_some_and(|charset| charset.eq_ignore_ascii_case(word.charset))
            && !is_stateful(word.charset);
        if !goes_on {
            self.flush(defects);
            self.charset = Some(word.charset);
        }
        if word.is_base64 {
            self.base64.push_str(word.text);
            if self.base64.len().is_multiple_of(4) || self.base64.ends_with('=') {
                self.end_base64();
            }
        } else {
            self.end_base64();
            transfer::decode_q(word.text.as_bytes(), &mut self.octets);
        }
    }

    fn end_base64(&mut self) {
        if !self.base64.is_empty() {
            self.octets.extend(transfer::base64_tolerant(self.base64.as_bytes()).0);
            self.base64.clear();
        }
    }

    fn flush(&mut self, defects: &mut Defects) {
        self.end_base64();
        if let Some(charset) = self.charset.take() {
            self.decoded.push_str(&charset::decode(&self.octets, Some(charset), defects));
        }
        self.octets.clear();
    }
}

/// RFC 2047 §3: each word of such a charset begins and ends in its initial state, and two escapes in a row
/// are damage.
fn is_stateful(charset: &str) -> bool {
    ["iso-2022-", "utf-7", "hz-"]
        .iter()
        .any(|prefix| charset.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// One encoded word, still encoded.
struct Word<'a> {
    charset: &'a str,
    is_base64: bool,
    text: &'a str,
}

enum Found<'a> {
    Word(Word<'a>, &'a str),
    /// Not a word: what to skip, and what follows it.
    None(&'a str, &'a str),
    /// Nothing ends a word from here on; the word, if it was truncated at the end of the text.
    NoEnd(Option<Word<'a>>),
}

impl<'a> Word<'a> {
    /// Reads the word that begins with the `=?` at the start of `text`.
    fn read(text: &'a str) -> Found<'a> {
        let (opening, inner) = text.split_at_checked(2).unwrap_or((text, ""));
        let Some((charset, is_base64, encoded)) = Self::prefix(inner) else {
            return Found::None(opening, inner);
        };
        let Some((encoded, after)) = encoded.split_once("?=") else {
            let text = encoded.trim_end_matches('?');
            let is_cut_off = !text.is_empty() && !text.contains([' ', '?']);
            return Found::NoEnd(is_cut_off.then_some(Word { charset, is_base64, text }));
        };
        Found::Word(Word { charset, is_base64, text: encoded }, after)
    }

    /// `charset?encoding?`, and what follows. RFC 2231 §5: a language may follow the charset after a `*`.
    fn prefix(inner: &str) -> Option<(&str, bool, &str)> {
        let end = inner.bytes().take(80).position(|c| !c.is_ascii_graphic() || c == b'?' || c == b'=')?;
        let (charset, rest) = inner.split_at_checked(end)?;
        let charset = charset.split('*').next().unwrap_or_default();
        let rest = rest.strip_prefix('?')?;
        let is_base64 = match rest.bytes().next()? {
            b'B' | b'b' => true,
            b'Q' | b'q' => false,
            _ => return None,
        };
        Some((charset, is_base64, rest.get(1..)?.strip_prefix('?')?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoded_words_are_read() {
        for (name, input, want) in [
            ("none", "Re: order = ? =?", "Re: order = ? =?"),
            ("Q", "=?iso-8859-1?Q?caf=E9_au_lait?=", "café au lait"),
            ("B", "=?UTF-8?B?w6l0w6k=?=", "été"),
            ("text around", "Re: =?utf-8?q?=C3=A9t=C3=A9?= again", "Re: été again"),
            ("two words", "=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("blank kept before plain text", "=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            ("character cut in two", "=?utf-8?B?w6k=?=\t=?UTF-8?B?wg==?= =?UTF-8?B?qQ==?=", "é©"),
            ("other charset", "=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", "éé"),
            ("language", "=?utf-8*fr?q?=C3=A9?=", "é"),
            ("blank inside", "=?utf-8?Q?hello world?=", "hello world"),
            ("question mark inside", "=?utf-8?Q?why?_=C3=A9?=", "why? é"),
            ("glued to text", "a=?utf-8?q?b?=c", "abc"),
            ("no end", "a =?utf-8?q?b c", "a =?utf-8?q?b c"),
            ("cut off", "a =?utf-8?q?b=C3=A9", "a bé"),
            ("cut off in its end", "=?utf-8?B?w6k=?", "é"),
            ("base64 cut in two", "=?utf-8?B?w6n?= =?utf-8?B?DqQ==?=", "éé"),
            ("no charset", "=??Q?=C3=A9?=", "é"),
            ("the end of another", "=?utf-8?Q?a?=?=", "a?="),
            ("bad encoding", "=?utf-8?x?abc?= =?utf-8?q?d?=", "=?utf-8?x?abc?= d"),
            ("unknown charset", "=?x-no?q?abc?=", "abc"),
            ("empty word", "=?utf-8?q??=", ""),
            ("damaged Q", "=?utf-8?q?=ZZ=?=", "=ZZ="),
            ("ISO-2022-JP", "=?ISO-2022-JP?B?GyRCJU8lbSE8GyhC?=", "ハロー"),
        ] {
            assert_eq!(decode(input, &mut Defects::default()), want, "{name}");
        }
    }

    #[test]
    fn raw_octets_in_words_are_quoted() {
        for (input, want) in [
            (&b"=?iso-8859-1?Q?\xe9?= \xe9"[..], &b"=?iso-8859-1?Q?=E9?= \xe9"[..]),
            (b"\xe9 =?a?b?\xe9?= =?a?q?\xe9?=", b"\xe9 =?a?b?\xe9?= =?a?q?=E9?="),
            (b"=?a?q?\xe9", b"=?a?q?\xe9"),
            (b"=?\xe9 =?a?q?\xe9?=", b"=?\xe9 =?a?q?\xe9?="),
        ] {
            assert_eq!(with_octets_quoted(input), want, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_quoted(value in proptest::collection::vec(prop_oneof![Just(b'='), Just(b'?'), Just(b'q'), Just(0xe9_u8)], 0..40)) {
            prop_assert!(with_octets_quoted(&value).len() <= value.len() * 3);
        }

        #[test]
        fn any_text_is_read(text in "(=\\?|\\?=|\\?q\\?|\\?b\\?|utf-8|[ -~é]){0,30}") {
            let _ = decode(&text, &mut Defects::default());
        }
    }
}
