//! Mails of an mbox file (RFC 4155, and what is really found), read as a stream.
//!
//! A mail begins at a `From ` line. Writers quote such lines within mails as `>From `, `>>From ` and so on (mboxrd;
//! mboxo only the first), but not all do: a line counts as a separator only where it looks like one and stands like
//! one. Content-Length is ignored, since edited files lie about it.

use std::io::{self, BufRead};

use memchr::memchr;

use super::source::{Found, OldMail, Skip, Source};
use crate::raw_mail::{self, Unfit, from_line_sender, is_field};

/// Octets of a line read at once; longer lines come in pieces.
const PIECE_MAX: usize = 64 * 1024;
/// The longest separator line in octets.
const SEPARATOR_MAX: usize = 1_000;

/// The file is no mbox file.
#[derive(Debug, thiserror::Error)]
pub enum MboxError {
    /// Its first line does not begin with `From `.
    #[error("its first line does not begin with \"From \"")]
    NotMbox,
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// The mails of an mbox file, in their order.
#[derive(Debug)]
pub struct Mbox<R> {
    input: R,
    length: Option<u64>,
    limit_bytes: u64,
    /// A line, or a piece of a long one.
    piece: Vec<u8>,
    /// Whether [`Mbox::piece`] is still to be looked at.
    is_pending: bool,
    /// Whether it begins a line.
    begins_line: bool,
    /// Whether the line before it was empty.
    after_blank: bool,
    /// The separator of the mail to come; none at the end of the file.
    separator: Option<Vec<u8>>,
    position: u64,
    number: u64,
}

/// A mail being gathered.
#[derive(Default)]
struct Gathered {
    raw: Vec<u8>,
    size_bytes: u64,
}

impl<R: BufRead> Mbox<R> {
    /// A reader of a file of `length` bytes, when that is known, that holds no more than `limit_bytes` of a mail.
    ///
    /// # Errors
    /// When it cannot be read or is no mbox file. An empty one is one without mails.
    pub fn open(input: R, length: Option<u64>, limit_bytes: u64) -> Result<Mbox<R>, MboxError> {
        let mut mbox = Mbox {
            input,
            length,
            limit_bytes,
            piece: Vec::new(),
            is_pending: false,
            begins_line: true,
            after_blank: true,
            separator: None,
            position: 0,
            number: 0,
        };
        while mbox.advance()? {
            if is_blank(&mbox.piece) {
                continue;
            }
            if !mbox.piece.starts_with(b"From ") {
                return Err(MboxError::NotMbox);
            }
            mbox.separator = Some(std::mem::take(&mut mbox.piece));
            break;
        }
        Ok(mbox)
    }

    /// Reads the next piece; false at the end of the file.
    fn advance(&mut self) -> io::Result<bool> {
        if !self.piece.is_empty() {
            self.after_blank = self.begins_line && is_blank(&self.piece);
            self.begins_line = self.piece.ends_with(b"\n");
        }
        self.piece.clear();
        while self.piece.len() < PIECE_MAX {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            let room = buffer.len().min(PIECE_MAX - self.piece.len());
            let offered = buffer.get(..room).unwrap_or_default();
            let line_end = memchr(b'\n', offered);
            let used = line_end.map_or(room, |at| at + 1);
            self.piece.extend_from_slice(offered.get(..used).unwrap_or_default());
            self.input.consume(used);
            self.position += used as u64;
            if line_end.is_some() {
                break;
            }
        }
        Ok(!self.piece.is_empty())
    }

    /// Gathers lines up to the next separator, which it keeps, or to the end of the file.
    fn gather(&mut self, mail: &mut Gathered) -> io::Result<()> {
        // What follows the separator belongs to no line before it.
        self.begins_line = true;
        self.after_blank = false;
        loop {
            if !std::mem::take(&mut self.is_pending) && !self.advance()? {
                return Ok(());
            }
            if !self.begins_line || !self.piece.starts_with(b"From ") {
                let piece = if self.begins_line { unquoted(&self.piece) } else { &self.piece };
                mail.add(piece, self.limit_bytes);
                continue;
            }
            let line = self.piece.clone();
            let after_blank = self.after_blank;
            self.is_pending = self.advance()?;
            let before_field = self.is_pending && is_field(&self.piece);
            if is_separator(&line, after_blank, before_field) {
                self.separator = Some(line);
                return Ok(());
            }
            mail.add(&line, self.limit_bytes);
        }
    }
}

impl Gathered {
    fn add(&mut self, piece: &[u8], limit_bytes: u64) {
        self.size_bytes += piece.len() as u64;
        if self.size_bytes <= limit_bytes.saturating_add(2) {
            self.raw.extend_from_slice(piece);
        } else {
            self.raw = Vec::new();
        }
    }

    fn finish(mut self, limit_bytes: u64) -> Result<Vec<u8>, Unfit> {
        let size_bytes = self.size_bytes;
        if size_bytes > limit_bytes.saturating_add(2) {
            return Err(Unfit::TooLarge { size_bytes, limit_bytes });
        }
        // The empty line before the next separator belongs to the file.
        for end in [&b"\r\n"[..], b"\n"] {
            if let Some(rest) =
                self.raw.strip_suffix(end).filter(|rest| rest.is_empty() || rest.ends_with(b"\n"))
            {
                self.raw.truncate(rest.len());
                break;
            }
        }
        raw_mail::check(&self.raw, limit_bytes)?;
        Ok(self.raw)
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let separator = self.separator.take()?;
        self.number += 1;
        let ahead = if self.is_pending { self.piece.len() } else { 0 } + separator.len();
        let place = format!("mail {} at byte {}", self.number, self.position.saturating_sub(ahead as u64));
        let mut mail = Gathered::default();
        let mail = match self.gather(&mut mail) {
            Ok(()) => mail.finish(self.limit_bytes).map_err(Skip::from),
            Err(error) => Err(Skip::Unreadable(error)),
        };
        let mail = mail.map(|raw| OldMail { raw, from_line: from_line_sender(&separator) });
        Some(Found { place, mail, position: self.position })
    }
}

impl<R: BufRead + Send> Source for Mbox<R> {
    fn length(&self) -> Option<u64> {
        self.length
    }

    fn is_in_bytes(&self) -> bool {
        true
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// A line without one `>` of its quoting.
fn unquoted(line: &[u8]) -> &[u8] {
    let after = line.iter().position(|byte| *byte != b'>').unwrap_or(line.len());
    match line.split_first() {
        Some((b'>', rest)) if line.get(after..).is_some_and(|rest| rest.starts_with(b"From ")) => rest,
        _ => line,
    }
}

/// Whether a `From ` line separates mails. One with a date does where an empty line stands before it or a header field
/// after it, since some writers forget the empty line; one without a date needs both.
fn is_separator(line: &[u8], after_blank: bool, before_field: bool) -> bool {
    if line.len() > SEPARATOR_MAX {
        return false;
    }
    let rest = line.get(5..).unwrap_or_default();
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if words.clone().any(has_time) && words.clone().any(has_year) {
        return after_blank || before_field;
    }
    // Some write `From -`, or nothing at all after the word.
    after_blank && before_field && words.nth(1).is_none()
}

/// Digits, a colon, and two digits.
fn has_time(word: &[u8]) -> bool {
    word.windows(4)
        .any(|window| matches!(window, [a, b':', b, c] if a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit()))
}

/// Four digits that are a year of mail.
fn has_year(word: &[u8]) -> bool {
    word.windows(4)
        .any(|window| matches!(window, [b'1', b'9', a, b] | [b'2', b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
