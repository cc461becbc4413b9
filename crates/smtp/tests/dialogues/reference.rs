//! What a message is, written as plainly as possible, as a reference for the fast reader.

/// The first message in what follows DATA: its text with the default rules, and how many bytes it took
/// including its end.
pub(crate) fn first_mail(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    if bytes.starts_with(b".\r\n") {
        return Some((Vec::new(), 3));
    }
    let end = bytes.windows(5).position(|window| window == b"\r\n.\r\n")?;
    let mut mail = Vec::new();
    for line in lines(&bytes[..end]) {
        mail.extend(line.strip_prefix(b".").unwrap_or(line));
        mail.extend(b"\r\n");
    }
    Some((mail, end + 5))
}

/// The text of a message that came in chunks.
pub(crate) fn chunked_mail(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// Splits at CRLF only.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    lines
}
