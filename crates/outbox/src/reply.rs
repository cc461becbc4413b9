//! One SMTP reply: reading it out of bytes. Pure.
//!
//! Servers of strangers are read here, so everything is bounded and no byte is trusted: text that is not UTF-8 is
//! kept with replacement characters (a Latin-1 `550` is still a `550`), control characters become spaces.

/// The longest line of a reply, in bytes, line end included; RFC 5321 §4.5.3.1.5 allows 512, many servers exceed it.
pub(crate) const LINE_LIMIT_BYTES: usize = 4096;
/// The most lines of one reply.
pub(crate) const LINES_LIMIT: usize = 100;
/// How much text of a reply is kept, in characters.
const TEXT_LIMIT_CHARS: usize = 1000;

/// A complete reply of a server (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The three-digit code, 200 to 599.
    pub(crate) code: u16,
    /// The text of each line, without code and line end; never empty.
    pub(crate) lines: Vec<String>,
}

/// The bytes are no SMTP reply; the words say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAReply(pub(crate) &'static str);

impl Reply {
    /// Takes one whole reply from the front of `buffer`; `None` when more bytes are needed.
    pub(crate) fn take(buffer: &mut Vec<u8>) -> Result<Option<Self>, NotAReply> {
        let mut lines = Vec::new();
        let mut rest = buffer.as_slice();
        loop {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return match rest.len() {
                    length if length >= LINE_LIMIT_BYTES => Err(NotAReply("a line of its answer has no end")),
                    _ => Ok(None),
                };
            };
            if end >= LINE_LIMIT_BYTES {
                return Err(NotAReply("a line of its answer is too long"));
            }
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            let line = line.trim_ascii_end();
            let (code, more, text) = split_line(line)?;
            lines.push(clean(text));
            if lines.len() > LINES_LIMIT {
                return Err(NotAReply("its answer has too many lines"));
            }
            if !more {
                let used = buffer.len() - rest.len();
                buffer.drain(..used);
                return Ok(Some(Self { code, lines }));
            }
        }
    }

    /// Returns the first digit of the code, 2 to 5.
    pub(crate) fn severity(&self) -> u16 {
        self.code / 100
    }

    /// Returns the enhanced status code (RFC 2034), such as `5.1.1`, if its class fits the reply code.
    pub(crate) fn enhanced(&self) -> Option<String> {
        let first = self.lines.first()?.split(' ').next()?;
        let mut parts = first.split('.');
        let class: u16 = number(parts.next()?)?;
        let subject = number(parts.next()?)?;
        let detail = number(parts.next()?)?;
        let fits = parts.next().is_none() && class == self.severity();
        fits.then(|| format!("{class}.{subject}.{detail}"))
    }

    /// Returns code and text on one line, an enhanced code repeated on later lines dropped; at most about 1,000
    /// characters.
    pub(crate) fn one_line(&self) -> String {
        let enhanced = self.enhanced();
        let mut line = self.code.to_string();
        for (index, text) in self.lines.iter().enumerate() {
            let text = match &enhanced {
                Some(code) if index > 0 => text.strip_prefix(code.as_str()).unwrap_or(text).trim(),
                _ => text.as_str(),
            };
            if !text.is_empty() {
                line.push(' ');
                line.push_str(text);
            }
        }
        line.chars().take(TEXT_LIMIT_CHARS).collect()
    }
}

fn number(digits: &str) -> Option<u16> {
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Splits a line without its end into code, "more lines follow", and text.
fn split_line(line: &[u8]) -> Result<(u16, bool, &[u8]), NotAReply> {
    let wrong = NotAReply("its answer is not SMTP");
    let (digits, rest) = line.split_at_checked(3).ok_or(wrong)?;
    let code = std::str::from_utf8(digits).ok().and_then(number).ok_or(wrong)?;
    if !(200..600).contains(&code) {
        return Err(wrong);
    }
    match rest.split_first() {
        None => Ok((code, false, rest)),
        Some((b' ', text)) => Ok((code, false, text)),
        Some((b'-', text)) => Ok((code, true, text)),
        Some(_) => Err(wrong),
    }
}

fn clean(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Reply>, NotAReply> {
        Reply::take(&mut bytes.to_vec())
    }

    #[test]
    fn replies_are_read_to_one_line_and_enhanced_code() {
        for (bytes, line, enhanced) in [
            (&b"250 OK\r\n"[..], "250 OK", None),
            (b"250\r\n", "250", None),
            (b"550 5.1.1 no such user\n", "550 5.1.1 no such user", Some("5.1.1")),
            (b"550-5.7.25 no\r\n550 5.7.25 PTR\r\n", "550 5.7.25 no PTR", Some("5.7.25")),
            (b"550 4.1.1 wrong class\r\n", "550 4.1.1 wrong class", None),
            (b"550 5.1.1.1 x\r\n", "550 5.1.1.1 x", None),
            (b"550 inconnu \xe9\r\n", "550 inconnu \u{fffd}", None),
            (b"550 a\0b\tc\r\n", "550 a b c", None),
        ] {
            let reply = read(bytes).unwrap().unwrap();
            assert_eq!(reply.one_line(), line);
            assert_eq!(reply.enhanced().as_deref(), enhanced, "{line}");
        }
    }

    #[test]
    fn half_replies_wait_and_nonsense_is_refused() {
        for bytes in [&b""[..], b"25", b"250 OK", b"250-a\r\n", b"250-a\r\n250 b\r"] {
            assert_eq!(read(bytes), Ok(None), "{bytes:?}");
        }
        for bytes in [&b"\r\n"[..], b"hello\r\n", b"250_OK\r\n", b"199 x\r\n", b"600 x\r\n", b"2 0 x\r\n"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_follows_a_reply_stays_in_the_buffer() {
        let mut buffer = b"250 one\r\n421 two\r\n".to_vec();
        assert_eq!(Reply::take(&mut buffer).unwrap().unwrap().code, 250);
        assert_eq!(buffer, b"421 two\r\n");
    }

    #[test]
    fn limits_hold_at_n_and_n_plus_1() {
        let line = |length: usize| [b"250 ".as_slice(), &vec![b'x'; length - 6], b"\r\n"].concat();
        assert!(read(&line(LINE_LIMIT_BYTES)).is_ok_and(|reply| reply.is_some()));
        assert!(read(&line(LINE_LIMIT_BYTES + 1)).is_err());
        assert_eq!(read(&vec![b'2'; LINE_LIMIT_BYTES - 1]), Ok(None));
        assert!(read(&vec![b'2'; LINE_LIMIT_BYTES]).is_err());
        let many = |lines: usize| [b"250-x\r\n".repeat(lines - 1), b"250 x\r\n".to_vec()].concat();
        assert!(read(&many(LINES_LIMIT)).is_ok_and(|reply| reply.is_some()));
        assert!(read(&many(LINES_LIMIT + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_alike_in_any_cut(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200_usize) {
            let whole = read(&bytes);
            let (head, _) = bytes.split_at(cut.min(bytes.len()));
            if let Ok(Some(reply)) = read(head) {
                prop_assert_eq!(whole, Ok(Some(reply)));
            }
        }
    }
}
