//! Which report a message is, judging by its parts (RFC 6522) or its attached files.

use crate::attachment::Attachment;
use crate::part::Part;

/// The kinds of report that parts identify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    /// About the delivery of a message (RFC 3464).
    Delivery,
    /// A message was opened (RFC 8098).
    Receipt,
    /// Abuse, authentication, TLS: parts with media types of their own.
    Other,
    /// Aggregate reports that come as plain files.
    File,
}

/// The kind of report, and what identifies it: the media type of a part, or the name of a file.
pub(crate) fn structure(
    parts: &[Part<'_>],
    subject: &str,
    attachments: &[Attachment],
) -> Option<(Structure, String)> {
    let of_part = |part: &Part<'_>| {
        let structure = match part.content_type.as_str() {
            content_type if is_status(content_type) => Structure::Delivery,
            "message/disposition-notification" | "message/global-disposition-notification" => {
                Structure::Receipt
            }
            "message/feedback-report"
            | "application/tlsrpt+gzip"
            | "application/tlsrpt+json"
            | "application/tlsrpt" => Structure::Other,
            _ => return None,
        };
        Some((structure, part.content_type.clone()))
    };
    if let Some(found) = parts.iter().find_map(of_part) {
        return Some(found);
    }
    let file = attachments.iter().find(|file| is_aggregate(&file.name))?;
    let lower: String = subject.chars().take(300).flat_map(char::to_lowercase).collect();
    // RFC 7489 §7.2.1.1 and RFC 8460 §5.3 prescribe this subject.
    let is_by_subject =
        lower.contains("report domain:") && (lower.contains("submitter:") || lower.contains("report-id:"));
    let is_by_name = is_aggregate_by_rfc(&file.name) && (lower.contains("report") || lower.contains("dmarc"));
    (is_by_subject || is_by_name).then(|| (Structure::File, file.name.clone()))
}

/// RFC 3464 §2, RFC 6533, and `message/xdelivery-status` of servers that extend it.
pub(super) fn is_status(content_type: &str) -> bool {
    matches!(
        content_type,
        "message/delivery-status" | "message/global-delivery-status" | "message/xdelivery-status"
    )
}

/// A file that may contain aggregate reports.
fn is_aggregate(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".xml", ".xml.gz", ".zip", ".gz", ".json", ".json.gz", ".xml.zip"].iter().any(|end| lower.ends_with(end))
}

/// RFC 7489 §7.2.1.1: `receiver!policy-domain!begin!end[!unique].xml.gz`.
fn is_aggregate_by_rfc(name: &str) -> bool {
    let mut pieces = name.split('!');
    let is_domain =
        |piece: Option<&str>| piece.is_some_and(|piece| piece.contains('.') && !piece.contains(' '));
    let is_time = |piece: Option<&str>| {
        piece.is_some_and(|piece| piece.bytes().take(8).filter(u8::is_ascii_digit).count() == 8)
    };
    is_domain(pieces.next()) && is_domain(pieces.next()) && is_time(pieces.next()) && is_time(pieces.next())
}
