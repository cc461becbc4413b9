//! Encoded words in header fields (RFC 2047), read as real mail writes them.
//!
//! Neighbours in the same charset are joined before their octets are read, since many programs cut a character in two. A
//! blank inside a word and a word inside a quoted string are taken as meant. Linear.

use crate::charset;
use crate::defect::Defects;
use crate::transfer;
use std::borrow::Cow;

/// Decodes all encoded words of an unfolded text; what is none stays as it is.
pub(crate) fn decode<'a>(text: &'a str, defects: &mut Defects) -> Cow<'a, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut reader = Reader { decoded: String::with_capacity(text.len()), charset: "", octets: Vec::new() };
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
            Found::NoEnd => break,
        }
    }
    reader.plain(rest, false, defects);
    reader.flush(defects);
    Cow::Owned(reader.decoded)
}

struct Reader<'a> {
    decoded: String,
    /// The charset of the octets that wait.
    charset: &'a str,
    octets: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn plain(&mut self, plain: &str, before_word: bool, defects: &mut Defects) {
        // RFC 2047 §6.2: blanks between two encoded words are not shown.
        let between_words = before_word && !self.charset.is_empty() && plain.trim().is_empty();
        if plain.is_empty() || between_words {
            return;
        }
        self.flush(defects);
        self.decoded.push_str(plain);
    }

    fn word(&mut self, word: &Word<'a>, defects: &mut Defects) {
        if !self.charset.eq_ignore_ascii_case(word.charset) || is_stateful(word.charset) {
            self.flush(defects);
            self.charset = word.charset;
        }
        match word.is_base64 {
            true => self.octets.extend(transfer::base64_tolerant(word.text.as_bytes()).0),
            false => transfer::decode_q(word.text.as_bytes(), &mut self.octets),
        }
    }

    fn flush(&mut self, defects: &mut Defects) {
        if !self.charset.is_empty() {
            self.decoded.push_str(&charset::decode(&self.octets, Some(self.charset), defects));
        }
        self.octets.clear();
        self.charset = "";
    }
}

/// RFC 2047 §3: each word of such a charset begins and ends in its first state, and two escapes in a row are damage.
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
    /// What stands here is no word: what to pass over, and what follows it.
    None(&'a str, &'a str),
    NoEnd,
}

impl<'a> Word<'a> {
    /// Reads the word that begins with the `=?` at the start of `text`.
    fn read(text: &'a str) -> Found<'a> {
        let (opening, inner) = text.split_at_checked(2).unwrap_or((text, ""));
        let Some((charset, is_base64, encoded)) = Self::prefix(inner) else { return Found::None(opening, inner) };
        let Some((encoded, after)) = encoded.split_once("?=") else { return Found::NoEnd };
        Found::Word(Word { charset, is_base64, text: encoded }, after)
    }

    /// `charset?encoding?`, and what follows. RFC 2231 §5: a language may follow the charset after a `*`.
    fn prefix(inner: &str) -> Option<(&str, bool, &str)> {
        let end = inner.bytes().take(80).position(|c| !c.is_ascii_graphic() || c == b'?' || c == b'=')?;
        let (charset, rest) = inner.split_at_checked(end)?;
        let charset = charset.split('*').next().filter(|charset| !charset.is_empty())?;
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
            ("no end", "=?utf-8?q?abc", "=?utf-8?q?abc"),
            ("bad encoding", "=?utf-8?x?abc?= =?utf-8?q?d?=", "=?utf-8?x?abc?= d"),
            ("unknown charset", "=?x-no?q?abc?=", "abc"),
            ("empty word", "=?utf-8?q??=", ""),
            ("damaged Q", "=?utf-8?q?=ZZ=?=", "=ZZ="),
            ("ISO-2022-JP", "=?ISO-2022-JP?B?GyRCJU8lbSE8GyhC?=", "ハロー"),
        ] {
            assert_eq!(decode(input, &mut Defects::default()), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(=\\?|\\?=|\\?q\\?|\\?b\\?|utf-8|[ -~é]){0,30}") {
            let _ = decode(&text, &mut Defects::default());
        }
    }
}
