//! A raw mail that came without SMTP, by a pipe, a webhook or a file: what stands in for the envelope, and what is no
//! mail.

use mail::address::AddressKey;
use mail::letter::Letter;
use memchr::{memchr, memchr_iter};

/// Octets of a mail in which its header is looked for; RFC 5322 sets no bound, the doors allow this much.
const HEADER_MAX: usize = 262_144;
/// Fields of which every mail of the past has one, in lower case.
const KNOWN_FIELDS: [&[u8]; 7] =
    [b"from", b"to", b"date", b"subject", b"message-id", b"received", b"return-path"];
/// Lines at the top of a file among which a mail has a header field.
const LINES_LOOKED_AT: usize = 10;

/// Why something is not taken as a mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing but whitespace.
    #[error("it is empty")]
    Empty,
    /// Larger than the doors allow, counted as on the wire.
    #[error("{size_bytes} bytes are more than the limit of {limit_bytes}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
        /// The largest that is taken.
        limit_bytes: u64,
    },
    /// No line at its top is a header field.
    #[error("it has no header: this is no mail")]
    NotMail,
    /// Its header has lines with a colon, and none that mails have.
    #[error(
        "its header has none of From, To, Date, Subject, Message-ID, Received and Return-Path: this is no mail"
    )]
    NoKnownField,
}

/// Whether a mail may be taken.
///
/// # Errors
/// Why not.
pub fn check(raw: &[u8], limit_bytes: u64) -> Result<(), Unfit> {
    if raw.trim_ascii().is_empty() {
        return Err(Unfit::Empty);
    }
    let size_bytes = wire_bytes(raw);
    if size_bytes > limit_bytes {
        return Err(Unfit::TooLarge { size_bytes, limit_bytes });
    }
    let lines = raw.split(|byte| matches!(byte, b'\n' | b'\r'));
    if lines.filter(|line| !line.is_empty()).take(LINES_LOOKED_AT).any(is_field) {
        Ok(())
    } else {
        Err(Unfit::NotMail)
    }
}

/// Whether a file may be taken as a mail: nothing but its header says that it is one, and other texts have colons too.
///
/// # Errors
/// Why not.
pub fn check_file(raw: &[u8], limit_bytes: u64) -> Result<(), Unfit> {
    check(raw, limit_bytes)?;
    let mut lines = header_of(raw.trim_ascii_start()).split(|byte| matches!(byte, b'\n' | b'\r'));
    if lines.any(is_known_field) { Ok(()) } else { Err(Unfit::NoKnownField) }
}

fn is_known_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    is_field(line) && KNOWN_FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name.trim_ascii_end()))
}

/// The size on the wire, where a bare LF becomes CRLF (RFC 1870 §5): what the limit of the doors counts.
#[must_use]
pub fn wire_bytes(raw: &[u8]) -> u64 {
    let bare = memchr_iter(b'\n', raw)
        .filter(|at| at.checked_sub(1).and_then(|before| raw.get(before)) != Some(&b'\r'));
    u64::try_from(raw.len().saturating_add(bare.count())).unwrap_or(u64::MAX)
}

/// Whether a line begins a header field: a name and a colon (RFC 5322 §2.2).
#[must_use]
pub fn is_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.len() < line.len()
        && (1..=200).contains(&name.len())
        && name.trim_ascii_end().iter().all(u8::is_ascii_graphic)
}

/// Takes off the `From ` line that pipes and mbox files put before a mail; returns the sender it names.
pub fn take_from_line(raw: &mut Vec<u8>) -> Option<String> {
    if !raw.starts_with(b"From ") {
        return None;
    }
    let end = memchr(b'\n', raw).map_or(raw.len(), |at| at.saturating_add(1));
    let line: Vec<u8> = raw.drain(..end).collect();
    from_line_sender(&line)
}

/// The second word of a `From ` line.
#[must_use]
pub fn from_line_sender(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    text.split_ascii_whitespace().nth(1).map(str::to_owned)
}

/// The return path of a mail whose envelope is lost; none for the null sender, and for a mail that names nobody.
///
/// First Return-Path, which the server that delivered it wrote; then the `From ` line, when it holds an address; then
/// From.
#[must_use]
pub fn return_path(raw: &[u8], from_line: Option<&str>) -> Option<String> {
    let header = header_of(raw);
    if let Some(written) = field(header, b"return-path") {
        let inside = written.trim().trim_start_matches('<').trim_end_matches('>').trim();
        if inside.is_empty() {
            return None;
        }
        if AddressKey::parse(inside).is_ok() {
            return Some(inside.to_owned());
        }
    }
    if let Some(sender) = from_line {
        if is_null_sender(sender) {
            return None;
        }
        // Some programs write a number or a made-up host there.
        if AddressKey::parse(sender).is_ok_and(|key| key.domain().contains('.')) {
            return Some(sender.to_owned());
        }
    }
    Letter::parse(header).from.first().map(|mailbox| mailbox.address.clone())
}

/// Whether this is how the null return path `<>` is written: empty, `<>`, or the name Postfix and sendmail give to
/// pipes.
#[must_use]
pub fn is_null_sender(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == "<>" || text.eq_ignore_ascii_case("MAILER-DAEMON")
}

/// BLAKE3 of the mail with LF line ends, cut to 128 bits: the same mail out of files of either kind has one digest.
#[must_use]
pub fn digest(raw: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for (place, piece) in raw.split(|byte| *byte == b'\n').enumerate() {
        if place > 0 {
            hasher.update(b"\n");
        }
        hasher.update(piece.strip_suffix(b"\r").unwrap_or(piece));
    }
    let mut kept = [0; 16];
    hasher.finalize_xof().fill(&mut kept);
    kept
}

/// The header with its last line end, at most [`HEADER_MAX`] octets.
fn header_of(raw: &[u8]) -> &[u8] {
    let raw = raw.get(..HEADER_MAX).unwrap_or(raw);
    let mut begin = 0;
    for end in memchr_iter(b'\n', raw) {
        let line = raw.get(begin..end).unwrap_or_default();
        if line.is_empty() || line == b"\r" {
            return raw.get(..begin).unwrap_or_default();
        }
        begin = end.saturating_add(1);
    }
    raw
}

/// The first value of a header field that stands on one line.
fn field(header: &[u8], name: &[u8]) -> Option<String> {
    header.split(|byte| *byte == b'\n').find_map(|line| {
        let (before, after) = line.split_at_checked(name.len())?;
        let value = after.trim_ascii_start().strip_prefix(b":")?;
        before.eq_ignore_ascii_case(name).then(|| String::from_utf8_lossy(value).trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mail_is_reported() {
        for (name, raw, want) in [
            ("a mail", &b"Subject: x\n\nhi"[..], Ok(())),
            ("CR alone ends its lines", b"Subject: x\r\rhi", Ok(())),
            ("a From_ line first", b"From a@b.example Mon\nTo: x\n\nhi", Ok(())),
            ("whitespace", b" \r\n\n", Err(Unfit::Empty)),
            ("nothing", b"", Err(Unfit::Empty)),
            ("a picture", b"\xff\xd8\xff\xe0\0\x10JFIF", Err(Unfit::NotMail)),
            ("prose", b"Dear all,\nit was nice.", Err(Unfit::NotMail)),
            ("the limit", b"A: 23456\r\n", Ok(())),
            (
                "beyond it on the wire",
                b"A: 234567\n",
                Err(Unfit::TooLarge { size_bytes: 11, limit_bytes: 10 }),
            ),
        ] {
            let limit = if raw.starts_with(b"A:") { 10 } else { 100 };
            assert_eq!(check(raw, limit), want, "{name}");
        }
    }

    #[test]
    fn a_file_is_a_mail_by_a_field_that_mails_have() {
        for (name, raw, want) in [
            ("a mail", "X-Old: 1\r\nmessage-id : <a@x.example>\r\n\r\nhi", Ok(())),
            ("a From_ line left in the middle", "X-Old: 1\n>From ann\nTo: x@y.example\n\nhi", Ok(())),
            ("empty lines first", "\n\nSubject: x\n\nhi", Ok(())),
            ("a configuration", "listen: 80\nroot: /srv\n", Err(Unfit::NoKnownField)),
            (
                "a field in the text alone",
                "title: Letters\n\nFrom: ann@x.example\n",
                Err(Unfit::NoKnownField),
            ),
            ("a field's name in a value", "note: Subject: x\n\nhi", Err(Unfit::NoKnownField)),
            ("prose", "Dear all,\nit was nice.", Err(Unfit::NotMail)),
        ] {
            assert_eq!(check_file(raw.as_bytes(), 100), want, "{name}");
        }
    }

    #[test]
    fn the_return_path_is_found_where_it_was_written() {
        struct Case {
            name: &'static str,
            raw: &'static str,
            from_line: Option<&'static str>,
            want: Option<&'static str>,
        }
        fn usual() -> Case {
            Case { name: "", raw: "", from_line: None, want: None }
        }

        for Case { name, raw, from_line, want } in [
            Case {
                name: "Return-Path",
                raw: "Return-Path: <a@x.example>\nFrom: b@x.example\n\n",
                from_line: Some("c@x.example"),
                want: Some("a@x.example"),
            },
            Case { name: "an empty one", raw: "X: y\nreturn-path: <>\nFrom: b@x.example\n\n", ..usual() },
            Case {
                name: "the From_ line",
                raw: "From: b@x.example\n\n",
                from_line: Some("c@x.example"),
                want: Some("c@x.example"),
            },
            Case {
                name: "of a bounce",
                raw: "From: b@x.example\n\n",
                from_line: Some("MAILER-DAEMON"),
                ..usual()
            },
            Case {
                name: "a number there",
                raw: "From: B <b@x.example>\n\n",
                from_line: Some("1789@xxx"),
                want: Some("b@x.example"),
            },
            Case {
                name: "a dash there",
                raw: "From: b@x.example\r\n\r\n",
                from_line: Some("-"),
                want: Some("b@x.example"),
            },
            Case {
                name: "only in the text",
                raw: "Subject: x\n\nReturn-Path: <a@x.example>\nFrom: b@x.example\n",
                ..usual()
            },
        ] {
            assert_eq!(return_path(raw.as_bytes(), from_line).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn the_from_line_is_taken_off_and_nothing_else() {
        for (raw, sender, rest) in [
            (
                "From ann@x.example  Mon Nov  2 10:00:00 2026\nTo: b\n\nFrom me",
                Some("ann@x.example"),
                "To: b\n\nFrom me",
            ),
            ("From: ann@x.example\n\nhi", None, "From: ann@x.example\n\nhi"),
            ("From \nTo: b", None, "To: b"),
            ("From x", Some("x"), ""),
        ] {
            let mut bytes = raw.as_bytes().to_vec();
            assert_eq!(take_from_line(&mut bytes).as_deref(), sender, "{raw}");
            assert_eq!(String::from_utf8(bytes).unwrap(), rest);
        }
    }

    #[test]
    fn a_digest_ignores_line_ends() {
        assert_eq!(digest(b"a: b\r\n\r\nc\r\n"), digest(b"a: b\n\nc\n"));
        assert_ne!(digest(b"a: b\n\nc\n"), digest(b"a: b\n\nc\n\n"));
        assert_ne!(digest(b"a\rb"), digest(b"ab"));
    }
}
