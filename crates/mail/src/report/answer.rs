//! A server's answer in running text: reply code (RFC 5321 §4.2) and enhanced status (RFC 3463 §2).

use super::model::DIAGNOSTIC_CHARACTERS;
use crate::text::one_line;

/// How much text is searched for an answer, in octets.
const SEARCHED_OCTETS: usize = 20_000;

/// Units: a number before one of these is not a reply code.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "kb", "mb", "gb", "bytes", "byte", "seconds", "minutes", "hours", "days", "times", "messages", "%", "characters", "octets",
    "ms", "lines",
];

/// Announcements of a reply code, at the end of the text before it.
#[rustfmt::skip]
const ANNOUNCED: &[&str] = &[
    "said:", "said", "response:", "response", "reason:", "error:", "error", "code", "code:", "replied:", "reply:", "smtp;",
    "]:", "status:", "diagnostic:", "answer:", "lautete:", "<<<", "fehler:", "with:", "was:", "]", "host said:", "message:",
    "server:", "->", ">", "data:", "smtp", "returned:", "ответ:",
];

/// What a server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// As in `5.1.1`; empty when there is none.
    pub(crate) status: String,
    /// 400 to 599.
    pub(crate) code: Option<u16>,
    /// The line with the code, and its continuation.
    pub(crate) line: String,
}

impl Answer {
    pub(crate) fn is_empty(&self) -> bool {
        self.status.is_empty() && self.code.is_none()
    }
}

/// The first answer in a text.
pub(crate) fn first(text: &str) -> Answer {
    let text = text.get(..text.floor_char_boundary(SEARCHED_OCTETS)).unwrap_or_default();
    let code = find_code(text);
    let line_at = |at: usize| {
        let start =
            text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
        text.get(start..).unwrap_or_default()
    };
    let (code, line) = match code {
        Some((at, code)) => (Some(code), one_blank(paragraph(line_at(at)))),
        None => (None, String::new()),
    };
    let status = status_code(&line).or_else(|| status_code(text)).unwrap_or_default();
    Answer { status, code, line }
}

/// The lines up to the next empty one, at most four.
fn paragraph(text: &str) -> &str {
    let mut end = 0_usize;
    for line in text.split_inclusive('\n').take(4) {
        if line.trim().is_empty() {
            break;
        }
        end = end.saturating_add(line.len());
    }
    text.get(..end).unwrap_or_default()
}

/// The first reply code in a text, if it reports a failure.
pub(crate) fn smtp_code(text: &str) -> Option<u16> {
    find_code(text.get(..text.floor_char_boundary(SEARCHED_OCTETS)).unwrap_or_default()).map(|(_, code)| code)
}

/// A number counts as a reply code by its form (RFC 5321 §4.2.1: 4 or 5, then 0 to 5) and by the text around
/// it.
fn find_code(text: &str) -> Option<(usize, u16)> {
    let octets = text.as_bytes();
    let mut perhaps = None;
    for (at, window) in octets.windows(3).enumerate() {
        let [first @ (b'4' | b'5'), second @ b'0'..=b'5', third @ b'0'..=b'9'] = window else { continue };
        let before = at.checked_sub(1).and_then(|index| octets.get(index)).copied().unwrap_or(b'\n');
        let after = octets.get(at.saturating_add(3)).copied().unwrap_or(b'\n');
        let sets_off = b" \n\t([:<\"'#=;>/,".contains(&before);
        let ends = b" \n\r-#:)]\"'.,;_".contains(&after);
        if !sets_off || !ends {
            continue;
        }
        let code = [first, second, third].iter().fold(0_u16, |code, digit| {
            code.saturating_mul(10).saturating_add(u16::from(digit.saturating_sub(b'0')))
        });
        let rest = text.get(at.saturating_add(3)..).unwrap_or_default();
        let head = text.get(..at).unwrap_or_default();
        match weight(head, rest) {
            Weight::Sure => return Some((at, code)),
            Weight::Perhaps => perhaps = perhaps.or(Some((at, code))),
            Weight::None => (),
        }
    }
    perhaps
}

/// Whether a number is a reply code.
enum Weight {
    Sure,
    Perhaps,
    /// Some other number.
    None,
}

/// Weighs a number by the text before and after it.
fn weight(before: &str, after: &str) -> Weight {
    let line = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .trim_end_matches(['<', ' ', '"', '\'', '(', '[', '\t', '#']);
    let line = line
        .get(line.floor_char_boundary(line.len().saturating_sub(24))..)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let next = after.trim_start_matches([' ', '-', ':', '#']);
    let is_enhanced = status_at(next).is_some() && !after.starts_with('.');
    let lower = next.get(..next.floor_char_boundary(12)).unwrap_or_default().to_ascii_lowercase();
    if UNITS.iter().any(|unit| lower.starts_with(unit))
        || (after.starts_with('.') && after.as_bytes().get(1).is_some_and(u8::is_ascii_digit))
    {
        return Weight::None;
    }
    if is_enhanced || line.is_empty() || ANNOUNCED.iter().any(|word| line.ends_with(word)) {
        return Weight::Sure;
    }
    Weight::Perhaps
}

/// The first enhanced status code in a text (RFC 3463 §2).
pub(crate) fn status_code(text: &str) -> Option<String> {
    let octets = text.as_bytes();
    for (at, pair) in octets.windows(2).enumerate() {
        let [b'2' | b'4' | b'5', b'.'] = pair else { continue };
        let before = at.checked_sub(1).and_then(|index| octets.get(index)).copied().unwrap_or(b' ');
        if before.is_ascii_alphanumeric() || matches!(before, b'.' | b'_') || before == b'v' {
            continue;
        }
        if let Some(code) = text.get(at..).and_then(status_at) {
            return Some(code.to_owned());
        }
    }
    None
}

/// An enhanced status code at the very beginning.
fn status_at(text: &str) -> Option<&str> {
    let end = text.bytes().position(|octet| !(octet.is_ascii_digit() || octet == b'.')).unwrap_or(text.len());
    let word = text.get(..end)?.trim_end_matches('.');
    let mut pieces = word.split('.');
    let is_class = matches!(pieces.next()?, "2" | "4" | "5");
    let is_number = |piece: &str| (1..=3).contains(&piece.len());
    (is_class && is_number(pieces.next()?) && is_number(pieces.next()?) && pieces.next().is_none())
        .then_some(word)
}

/// One line with single spaces: servers fold and indent what they were told.
pub(crate) fn one_blank(text: &str) -> String {
    one_line(
        &text.split_whitespace().take(DIAGNOSTIC_CHARACTERS).collect::<Vec<_>>().join(" "),
        DIAGNOSTIC_CHARACTERS,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_other_numbers() {
        for (text, want) in [
            ("host said: 550 5.1.1 unknown", ("5.1.1", Some(550))),
            ("SMTP error: 451-4.7.1 wait", ("4.7.1", Some(451))),
            ("(#5.4.1)", ("5.4.1", None)),
            ("retried for 500 seconds", ("", None)),
            ("[192.0.2.250] refused", ("", None)),
            ("version 4.12.1.9 at 10.5.1.1", ("", None)),
            ("limit of 512 KB", ("", None)),
            ("error code 552", ("", Some(552))),
        ] {
            let got = first(text);
            assert_eq!((got.status.as_str(), got.code), want, "{text}");
        }
    }

    #[test]
    fn status_codes_are_found() {
        for (text, want) in [
            ("5.1.1", Some("5.1.1")),
            ("550-5.7.26 rejected", Some("5.7.26")),
            ("550 192.0.2.1 said (#4.4.1)", Some("4.4.1")),
            ("1.1.1", None),
            ("5.1", None),
            ("5.1.1234", None),
        ] {
            assert_eq!(status_code(text).as_deref(), want, "{text}");
        }
    }
}
