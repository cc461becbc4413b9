//! One file or image of an outgoing message.

use crate::fold::{FOLD_COLUMN, encoded_words};
use crate::message_id::MessageId;
use crate::text;
use crate::transfer;

/// The longest file name that is written, in octets; longer ones are cut.
const NAME_OCTETS: usize = 255;

/// The longest Content-ID that is written, in octets; longer ones are omitted.
const CONTENT_ID_OCTETS: usize = 200;

/// The longest media type that is written, in octets; longer ones count as unknown.
const TYPE_OCTETS: usize = 127;

/// A file or an image in an outgoing message. Every value is taken as literal text, never as syntax.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutgoingPart {
    /// The file name, at most 255 octets; control characters become spaces; omitted if empty.
    pub name: String,
    /// `type/subtype` without parameters; anything else, and any multipart, is written as
    /// `application/octet-stream`.
    pub content_type: String,
    /// What the HTML refers to as `cid:`, without `<>`: ASCII, at most 200 octets; otherwise the part is an
    /// ordinary file.
    pub content_id: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Writes the part, including its header.
pub(crate) fn write(part: &OutgoingPart, is_inline: bool, mail: &mut Vec<u8>) {
    let name = text::one_line(&part.name, usize::MAX);
    let name = text::cut_octets(&name, NAME_OCTETS).trim();
    let as_text = is_safe_mail(part);
    let content_type = if as_text { "message/rfc822" } else { media_type(&part.content_type) };
    write_content_type(content_type, name, mail);
    let encoding = if as_text { "7bit" } else { "base64" };
    mail.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
    if let Some(id) = content_id(part) {
        mail.extend_from_slice(format!("Content-ID: <{id}>\r\n").as_bytes());
    }
    write_disposition(if is_inline { "inline" } else { "attachment" }, name, mail);
    mail.extend_from_slice(b"\r\n");
    if as_text {
        mail.extend_from_slice(&part.bytes);
        mail.extend_from_slice(b"\r\n");
    } else {
        transfer::encode_base64_lines(&part.bytes, mail);
    }
}

/// RFC 2046 §5.2.1: an attached message must not be encoded, so it is written as is or as a file of unknown
/// type.
fn is_safe_mail(part: &OutgoingPart) -> bool {
    let is_mail = part.content_type.trim().eq_ignore_ascii_case("message/rfc822");
    let is_safe_line =
        |line: &[u8]| line.len() <= 998 && line.iter().all(|octet| matches!(octet, b'\t' | 32..=126));
    let lines = || part.bytes.split(|&octet| octet == b'\n');
    let last = lines().count();
    is_mail
        && memchr::memmem::find(&part.bytes, b"=_").is_none()
        && lines().enumerate().all(|(at, line)| match line.strip_suffix(b"\r") {
            Some(line) if at.saturating_add(1) < last => is_safe_line(line),
            _ => at.saturating_add(1) == last && is_safe_line(line),
        })
}

/// The type as it may be written.
fn media_type(given: &str) -> &str {
    const UNKNOWN: &str = "application/octet-stream";
    let given = given.trim();
    let is_token = |token: &str| {
        !token.is_empty()
            && token.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&octet))
    };
    match given.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) && given.len() <= TYPE_OCTETS => {
            let is_structure =
                ["multipart", "message"].iter().any(|structure| kind.eq_ignore_ascii_case(structure));
            if is_structure { UNKNOWN } else { given }
        }
        _ => UNKNOWN,
    }
}

/// The Content-ID as it may be written.
pub(crate) fn content_id(part: &OutgoingPart) -> Option<MessageId> {
    let id = MessageId::new(part.content_id.as_deref()?)?;
    (id.as_str().len() <= CONTENT_ID_OCTETS && id.as_str().bytes().all(|octet| octet.is_ascii_graphic()))
        .then_some(id)
}

/// Programs that do not know RFC 2231 take the name from here, in encoded words although RFC 2047 §5 forbids
/// them.
fn write_content_type(content_type: &str, name: &str, mail: &mut Vec<u8>) {
    mail.extend_from_slice(format!("Content-Type: {content_type}").as_bytes());
    // RFC 2046 §4.1.2: text without a charset would be ASCII, and nobody knows what this is.
    if name.is_empty() {
        mail.extend_from_slice(b"\r\n");
        return;
    }
    mail.extend_from_slice(b";\r\n name=\"");
    if is_plain(name) {
        mail.extend_from_slice(name.as_bytes());
    } else {
        mail.extend_from_slice(encoded_words(name, " name=\"".len()).join("\r\n ").as_bytes());
    }
    mail.extend_from_slice(b"\"\r\n");
}

/// The name as RFC 2231 §3 prescribes, in pieces that fit on a line.
fn write_disposition(disposition: &str, name: &str, mail: &mut Vec<u8>) {
    mail.extend_from_slice(format!("Content-Disposition: {disposition}").as_bytes());
    if is_plain(name) && !name.is_empty() {
        mail.extend_from_slice(format!(";\r\n filename=\"{name}\"").as_bytes());
    } else {
        for (place, piece) in extended_pieces(name).iter().enumerate() {
            mail.extend_from_slice(format!(";\r\n filename*{place}*={piece}").as_bytes());
        }
    }
    mail.extend_from_slice(b"\r\n");
}

/// Whether a name can be written unencoded in a quoted string on one line.
fn is_plain(name: &str) -> bool {
    let is_safe = |octet: u8| matches!(octet, 32..=126) && !matches!(octet, b'"' | b'\\' | b'\'' | b'%');
    name.len() <= 60 && name.bytes().all(is_safe) && !name.contains("=?") && !name.contains("  ")
}

/// Percent-encoded, with the charset in the first piece (RFC 2231 §4).
fn extended_pieces(name: &str) -> Vec<String> {
    let room = FOLD_COLUMN.saturating_sub(" filename*00*=;".len());
    let mut pieces = Vec::new();
    let mut piece = String::from("UTF-8''");
    for octet in name.bytes() {
        if piece.len().saturating_add(3) > room {
            pieces.push(std::mem::take(&mut piece));
        }
        match octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_') {
            true => piece.push(char::from(octet)),
            false => piece.push_str(&format!("%{octet:02X}")),
        }
    }
    if !name.is_empty() {
        pieces.push(piece);
    }
    pieces
}
