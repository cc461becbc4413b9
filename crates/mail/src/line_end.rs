//! Line ends of a whole message.

use std::borrow::Cow;

/// Converts a message whose header lines end with CR alone to LF; leaves everything else alone.
pub(crate) fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr2(b'\r', b'\n', raw) else { return Cow::Borrowed(raw) };
    let after = raw.get(first..).unwrap_or_default();
    let is_lone = after.starts_with(b"\r") && !after.starts_with(b"\r\n") && !after.starts_with(b"\r\r\n");
    if !is_lone || !begins_field(after.get(1..).unwrap_or_default()) && memchr::memchr(b'\n', after).is_some()
    {
        return Cow::Borrowed(raw);
    }
    let mut mail = raw.to_vec();
    let lone: Vec<usize> =
        memchr::memchr_iter(b'\r', raw).filter(|at| raw.get(at.saturating_add(1)) != Some(&b'\n')).collect();
    for at in lone {
        if let Some(octet) = mail.get_mut(at) {
            *octet = b'\n';
        }
    }
    Cow::Owned(mail)
}

/// Whether a line begins like a header field or a folded one.
fn begins_field(text: &[u8]) -> bool {
    let name = text.iter().position(|octet| !octet.is_ascii_graphic() || *octet == b':');
    text.starts_with(b" ")
        || text.starts_with(b"\t")
        || name.is_some_and(|end| end > 0 && text.get(end) == Some(&b':'))
}
