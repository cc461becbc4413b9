//! Message-ids, and lists of them in In-Reply-To and References (RFC 5322 §3.6.4).

use std::collections::HashSet;
use std::fmt;

/// The longest message-id in octets, without brackets: the longest line of RFC 5322 §2.1.1.
pub const MESSAGE_ID_OCTETS: usize = 998;

/// A message-id without its `<>`, as received, case preserved.
///
/// Never empty, never longer than [`MESSAGE_ID_OCTETS`]; contains no whitespace, control characters or angle
/// brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Parses one message-id, with or without `<>` and surrounding whitespace; `None` if it cannot be one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner =
            text.strip_prefix('<').map_or(text, |inner| inner.strip_suffix('>').unwrap_or(inner)).trim();
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>');
        let fits = (1..=MESSAGE_ID_OCTETS).contains(&inner.len());
        (fits && !inner.contains(is_bad)).then(|| Self(inner.to_owned()))
    }

    /// The text without `<>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses the message-ids of an In-Reply-To or References value, in order, without duplicates.
///
/// Tolerant: words between the ids are skipped, ids folded in the middle are joined, and a value without any
/// brackets is read word by word if a word contains an `@`. If there are more than `cap` ids, the first and
/// the last `cap - 1` are kept, as in RFC 5537 §3.4.4: the first one starts the thread, the last ones are
/// what was answered.
#[must_use]
pub fn parse_ids(header_value: &str, cap: usize) -> Vec<MessageId> {
    parse_ids_counting(header_value, cap).0
}

/// As [`parse_ids`]; the flag says that ids were omitted.
pub(crate) fn parse_ids_counting(header_value: &str, cap: usize) -> (Vec<MessageId>, bool) {
    let mut seen = HashSet::new();
    let mut ids: Vec<MessageId> = if header_value.contains('<') {
        bracketed(header_value).collect()
    } else {
        header_value
            .split([' ', '\t', '\r', '\n', ',', ';'])
            .filter(|word| word.contains('@'))
            .filter_map(MessageId::new)
            .collect()
    };
    if ids.len() > 1 {
        ids.retain(|id| seen.insert(id.clone()));
    }
    let surplus = ids.len().saturating_sub(cap);
    ids.drain(1.min(ids.len())..surplus.saturating_add(1).min(ids.len()));
    ids.truncate(cap);
    (ids, surplus > 0)
}

fn bracketed(text: &str) -> impl Iterator<Item = MessageId> {
    text.split('<').skip(1).filter_map(|piece| {
        let inner = piece.split_once('>').map_or(piece, |(inner, _)| inner);
        if inner.contains(char::is_whitespace) {
            let joined: String = inner.split_whitespace().collect();
            MessageId::new(&joined)
        } else {
            MessageId::new(inner)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_id_is_read() {
        for (input, want) in [
            ("<a@b>", Some("a@b")),
            (" < A.b@C > ", Some("A.b@C")),
            ("a@b", Some("a@b")),
            ("no-at", Some("no-at")),
            ("<a@b", Some("a@b")),
            ("", None),
            ("<>", None),
            ("a b@c", None),
            ("<a@b> <c@d>", None),
            ("a\r\n@b", None),
            ("a\0@b", None),
        ] {
            assert_eq!(MessageId::new(input).as_ref().map(MessageId::as_str), want, "{input:?}");
        }
    }

    #[test]
    fn length_holds_at_n_and_breaks_at_n_plus_one() {
        assert!(MessageId::new(&format!("<{}>", "x".repeat(MESSAGE_ID_OCTETS))).is_some());
        assert!(MessageId::new(&"x".repeat(MESSAGE_ID_OCTETS + 1)).is_none());
    }

    #[test]
    fn lists_are_read() {
        for (name, input, want) in [
            ("blanks", "<a@x> <b@x>\t<c@x>", "a@x b@x c@x"),
            ("no blanks", "<a@x><b@x>", "a@x b@x"),
            ("commas", "<a@x>, <b@x>", "a@x b@x"),
            ("twice", "<a@x> <b@x> <a@x>", "a@x b@x"),
            ("words around", r#"Message of "Sat" <a@x> from me"#, "a@x"),
            ("folded inside", "<a@\r\n x> <b@x>", "a@x b@x"),
            ("no brackets", "a@x, b@x", "a@x b@x"),
            ("words without id", "your message of Saturday", ""),
            ("open", "<a@x> <b@x", "a@x b@x"),
            ("empty", "", ""),
            ("too many", "<1@x> <2@x> <3@x> <4@x> <5@x>", "1@x 3@x 4@x 5@x"),
        ] {
            let ids: Vec<String> = parse_ids(input, 4).iter().map(ToString::to_string).collect();
            assert_eq!(ids.join(" "), want, "{name}");
        }
        assert_eq!(parse_ids("<a@x> <b@x>", 1), [MessageId::new("a@x").unwrap()]);
        assert_eq!(parse_ids("<a@x>", 0), []);
    }

    proptest! {
        #[test]
        fn any_list_is_read(text in "[<>a-c@ ,\r\n]{0,60}", cap in 0_usize..5) {
            let ids = parse_ids(&text, cap);
            prop_assert!(ids.len() <= cap);
            prop_assert!(ids.iter().all(|id| MessageId::new(id.as_str()).as_ref() == Some(id)));
        }
    }
}
