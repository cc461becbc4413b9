//! Thread tokens: `ABCDEF-GHIJ`, one per ticket, unguessable, in brackets in a body and after `+id` in an
//! address.

use mail::address::AddressKey;
use mail::letter::Letter;
use serde::{Deserialize, Serialize};

/// Letters and digits before the dash.
const HEAD: usize = 6;
/// Letters and digits after the dash: what we make, and the most we read.
const TAIL: usize = 4;
const TAIL_MAX: usize = 5;
/// Tokens of a text that are looked at: the first ones.
pub const TOKENS_READ: usize = 8;
const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A ticket's token, upper-case: six letters or digits, a dash, four or five more
/// (docs/behaviour/threading.md §2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ThreadToken(String);

impl From<ThreadToken> for String {
    fn from(token: ThreadToken) -> String {
        token.0
    }
}

impl TryFrom<String> for ThreadToken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<ThreadToken, Self::Error> {
        ThreadToken::parse(&text).ok_or("a thread token has the form ABCDEF-GHIJ")
    }
}

impl ThreadToken {
    /// Makes a token of ten characters from 64 random bits: 51.7 bits of it are kept.
    #[must_use]
    pub fn from_random(mut bits: u64) -> ThreadToken {
        let mut text = String::with_capacity(HEAD + TAIL + 1);
        for at in 0..HEAD + TAIL {
            if at == HEAD {
                text.push('-');
            }
            let letter = ALPHABET.get((bits % 36) as usize).copied().unwrap_or(b'A');
            text.push(char::from(letter));
            bits /= 36;
        }
        ThreadToken(text)
    }

    /// Reads a token written in any case; nothing may come before or after it.
    #[must_use]
    pub fn parse(text: &str) -> Option<ThreadToken> {
        let (head, tail) = text.split_once('-')?;
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits =
            head.len() == HEAD && (TAIL..=TAIL_MAX).contains(&tail.len()) && plain(head) && plain(tail);
        fits.then(|| ThreadToken(text.to_ascii_uppercase()))
    }

    /// The token without brackets, upper-case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token in an address: `support+id{token}@host`. None when the address carries none, as in
    /// `support+ideas@`.
    #[must_use]
    pub fn in_address(address: &AddressKey) -> Option<ThreadToken> {
        let detail = address.detail()?;
        let token =
            detail.get(..2).filter(|mark| mark.eq_ignore_ascii_case("id")).and_then(|_| detail.get(2..))?;
        ThreadToken::parse(token)
    }

    /// The tokens `[ABCDEF-GHIJ]`, upper-case as we write them, in a text: in order, each once, at most
    /// [`TOKENS_READ`]. Other things are written so too, such as order numbers.
    #[must_use]
    pub fn in_text(text: &str) -> Vec<ThreadToken> {
        let mut rest = text;
        let mut tokens = Vec::new();
        while let Some((_, after)) = rest.split_once('[').filter(|_| tokens.len() < TOKENS_READ) {
            rest = after;
            let Some(end) = after.bytes().take(HEAD + TAIL_MAX + 2).position(|byte| byte == b']') else {
                continue;
            };
            let inside = after.get(..end).unwrap_or_default();
            if inside.bytes().all(|byte| !byte.is_ascii_lowercase())
                && let Some(token) = ThreadToken::parse(inside)
                && !tokens.contains(&token)
            {
                tokens.push(token);
            }
        }
        tokens
    }

    /// The tokens of a message's body: those of its text, then those that only its HTML has, where our
    /// messages hide them.
    #[must_use]
    pub fn in_body(letter: &Letter) -> Vec<ThreadToken> {
        let mut tokens = ThreadToken::in_text(&letter.text);
        for token in letter.marks.iter().filter_map(|mark| ThreadToken::parse(mark)) {
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        tokens
    }

    /// The token in a Message-ID of ours: `TOKEN.random@host` or the thread root `TOKEN@host`.
    #[must_use]
    pub fn in_message_id(message_id: &str, is_native_host: impl Fn(&str) -> bool) -> Option<ThreadToken> {
        let (local, host) = message_id.rsplit_once('@')?;
        let token = local.split('.').next().and_then(ThreadToken::parse)?;
        is_native_host(&host.to_ascii_lowercase()).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens_by_their_full_grammar() {
        for (text, want) in [
            ("ABCDEF-GHIJ", Some("ABCDEF-GHIJ")),
            ("abcdef-ghij", Some("ABCDEF-GHIJ")),
            ("1G7EOR-0Q2J9", Some("1G7EOR-0Q2J9")),
            ("ABCDEF-GHI", None),
            ("ABCDEF-GHIJKL", None),
            ("ABCDE-GHIJK", None),
            ("ABCDEFGHIJ", None),
            ("ABCDÉF-GHI", None),
            ("", None),
        ] {
            assert_eq!(ThreadToken::parse(text).as_ref().map(ThreadToken::as_str), want, "{text}");
        }
    }

    #[test]
    fn finds_tokens_in_bodies_and_ids() {
        for (text, want) in [
            ("hello\n[ABCDEF-GHIJ]\n", vec!["ABCDEF-GHIJ"]),
            ("[[x] [AAAAAA-AAAA]", vec!["AAAAAA-AAAA"]),
            ("[PROD12-2024] [AAAAAA-AAAA] [PROD12-2024]", vec!["PROD12-2024", "AAAAAA-AAAA"]),
            ("[abcdef-ghij]", vec![]),
            ("[ABCDEF-GHIJ", vec![]),
            ("[ABCDEF-GHIJ é]", vec![]),
            ("[ABCDÉF-GHI]", vec![]),
        ] {
            let found = ThreadToken::in_text(text);
            assert_eq!(found.iter().map(ThreadToken::as_str).collect::<Vec<_>>(), want, "{text}");
        }
        for count in [TOKENS_READ, TOKENS_READ + 1] {
            let text: String = (0..count).map(|number| format!("[NUMBER-{number:04}]")).collect();
            assert_eq!(ThreadToken::in_text(&text).len(), TOKENS_READ, "{count}");
        }
        let native = |host: &str| host == "desk.example";
        assert!(ThreadToken::in_message_id("ABCDEF-GHIJ.77x@Desk.Example", native).is_some());
        assert!(ThreadToken::in_message_id("ABCDEF-GHIJ@desk.example", native).is_some());
        assert!(ThreadToken::in_message_id("ABCDEF-GHIJ@other.example", native).is_none());
    }

    #[test]
    fn made_tokens_are_read_back_and_differ() {
        let first = ThreadToken::from_random(u64::MAX);
        assert_eq!(ThreadToken::parse(first.as_str()), Some(first.clone()));
        assert_ne!(first, ThreadToken::from_random(u64::MAX - 1));
        let address = AddressKey::parse("support+idabcdef-ghij@desk.example").unwrap();
        assert_eq!(ThreadToken::in_address(&address).unwrap().as_str(), "ABCDEF-GHIJ");
        let variant = AddressKey::parse("support+ideas@desk.example").unwrap();
        assert_eq!(ThreadToken::in_address(&variant), None);
    }
}
