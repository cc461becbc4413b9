//! Bytes that were pushed but not yet read, and how command lines are cut from them.

use memchr::memchr;

/// Why a line is not a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineFault {
    /// Longer than the limit; it was discarded up to its LF.
    TooLong,
    /// Ends in LF alone, or contains a stray CR.
    BareNewline,
    /// Contains a control character or is not UTF-8.
    NotText,
}

/// Unread bytes in the order they arrived.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    read: usize,
    /// Whether the rest of an overlong line is being discarded.
    skipping: bool,
}

impl Input {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.read..).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unread().is_empty()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.read = self.read.saturating_add(count).min(self.bytes.len());
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
    }

    /// Discards everything and releases the memory.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn buffered_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The next command line without its CRLF; `None` if it is not yet complete. `limit` includes the CRLF.
    pub(crate) fn next_line(&mut self, limit: usize) -> Option<Result<String, LineFault>> {
        let Some(at) = memchr(b'\n', self.unread()) else {
            if self.skipping || self.unread().len() >= limit {
                self.skipping = true;
                self.consume(usize::MAX);
            }
            return None;
        };
        let length = at.saturating_add(1);
        let line = if self.skipping || length > limit {
            Err(LineFault::TooLong)
        } else {
            text_of(self.unread().get(..length).unwrap_or_default())
        };
        self.skipping = false;
        self.consume(length);
        Some(line)
    }
}

/// The text of a line that ends in LF.
fn text_of(line: &[u8]) -> Result<String, LineFault> {
    let line = line.strip_suffix(b"\r\n").ok_or(LineFault::BareNewline)?;
    if memchr(b'\r', line).is_some() {
        return Err(LineFault::BareNewline);
    }
    match std::str::from_utf8(line) {
        Ok(text) if !text.chars().any(|c| c.is_control() && c != '\t') => Ok(text.to_owned()),
        _ => Err(LineFault::NotText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, pushes: &[&[u8]]) -> Vec<Result<String, LineFault>> {
        let mut input = Input::default();
        let mut found = Vec::new();
        for push in pushes {
            input.push(push);
            while let Some(line) = input.next_line(limit) {
                found.push(line);
            }
        }
        found
    }

    #[test]
    fn line_is_cut_at_crlf_only() {
        use LineFault::*;
        for (name, bytes, want) in [
            ("two lines", &b"NOOP\r\nQUIT\r\n"[..], vec![Ok("NOOP".to_owned()), Ok("QUIT".to_owned())]),
            ("unfinished", b"NOOP\r", vec![]),
            ("bare LF", b"NOOP\nQUIT\r\n", vec![Err(BareNewline), Ok("QUIT".to_owned())]),
            ("bare CR", b"NOOP\rQUIT\r\n", vec![Err(BareNewline)]),
            ("NUL", b"NO\0OP\r\n", vec![Err(NotText)]),
            ("not UTF-8", b"NOOP \xff\r\n", vec![Err(NotText)]),
            ("tab", b"NOOP\tx\r\n", vec![Ok("NOOP\tx".to_owned())]),
        ] {
            assert_eq!(lines(100, &[bytes]), want, "{name}");
        }
    }

    #[test]
    fn line_limit_counts_the_line_end() {
        assert_eq!(lines(6, &[b"1234\r\n"]), [Ok("1234".to_owned())]);
        assert_eq!(lines(6, &[b"12345\r\n"]), [Err(LineFault::TooLong)]);
        assert_eq!(lines(6, &[b"12345", b"\r", b"\n12\r\n"]), [Err(LineFault::TooLong), Ok("12".to_owned())]);
    }

    #[test]
    fn endless_line_is_not_kept() {
        let mut input = Input::default();
        for _ in 0..1_000 {
            input.push(&[b'x'; 1_000]);
            assert_eq!(input.next_line(2_048), None);
        }
        assert!(input.buffered_bytes() < 10_000);
        input.push(b"\r\nNOOP\r\n");
        assert_eq!(input.next_line(2_048), Some(Err(LineFault::TooLong)));
        assert_eq!(input.next_line(2_048), Some(Ok("NOOP".to_owned())));
    }
}
