//! Delivery status notifications (RFC 3464): which recipients failed, why, and which mail of ours it was.

use crate::defect::Defects;
use crate::field::{Field, OWN_MARK, header_of_mail, header_of_part};
use crate::message_id::{MessageId, parse_ids};
use crate::part::Part;
use crate::text::one_line;

/// How many recipients of one report are read.
pub const MAX_RECIPIENTS: usize = 1_000;

/// The longest diagnostic in characters; the rest is cut.
pub const DIAGNOSTIC_CHARACTERS: usize = 1_000;

/// What a mail server says about the delivery of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// In the order of the report, at most [`MAX_RECIPIENTS`]; empty when the report names none.
    pub recipients: Vec<FailedRecipient>,
    /// The Message-ID of the returned mail, when its header came with the report.
    pub original_message_id: Option<MessageId>,
    /// The value of [`OWN_MARK`] in the returned mail; worth nothing before its signature is checked.
    pub original_mark: Option<String>,
    /// The host that wrote the report, as it names itself; empty when it does not.
    pub reporting_mta: String,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailedRecipient {
    /// The original recipient where the report knows it, else the final one; may be no valid address, never empty.
    pub address: String,
    /// What the server did.
    pub action: Action,
    /// The enhanced status code (RFC 3463) without text, as in `5.1.1`; empty when there is none.
    pub status: String,
    /// What the remote server answered, as in `550 5.1.1 no such user`; one line, empty when it is not known.
    pub diagnostic: String,
}

/// The Action field (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Given up.
    Failed,
    /// Tried again later.
    Delayed,
    /// Delivered.
    Delivered,
    /// Handed to a server that gives no reports.
    Relayed,
    /// Handed to several recipients.
    Expanded,
    /// Missing, or nothing that the standard knows.
    #[default]
    Other,
}

/// Reads the report among the parts of a mail, when there is one.
pub(crate) fn read(parts: &[Part<'_>], defects: &mut Defects) -> Option<DeliveryReport> {
    let at = parts
        .iter()
        .position(|part| matches!(part.content_type.as_str(), "message/delivery-status" | "message/global-delivery-status"))?;
    let status = parts.get(at)?;
    let mut report = read_status(&status.transfer.decode(status.body, defects));
    let returned = parts.iter().skip(at.saturating_add(1)).find(|part| is_returned(&part.content_type));
    if let Some(part) = returned {
        // What is wrong with the mail that came back is no defect of this one.
        let octets = part.transfer.decode(part.body, &mut Defects::default());
        read_returned(&octets, &mut report);
    }
    Some(report)
}

/// RFC 3464 §2, RFC 6522 §4, RFC 6533: the third part of a report.
fn is_returned(content_type: &str) -> bool {
    matches!(
        content_type,
        "message/rfc822" | "text/rfc822-headers" | "message/global" | "message/global-headers" | "message/rfc822-headers"
    )
}

fn read_status(octets: &[u8]) -> DeliveryReport {
    let mut report = DeliveryReport::default();
    let mut rest = octets;
    while !rest.is_empty() && report.recipients.len() < MAX_RECIPIENTS {
        let group = header_of_part(rest, &mut Defects::default());
        if let Some(host) = find(&group.fields, "Reporting-MTA") {
            report.reporting_mta = one_line(after_type(&host), 255);
        }
        report.recipients.extend(read_recipient(&group.fields));
        // A line that is no field ends the group without being taken: passed over, so that every round gets on.
        rest = match group.octets {
            0 => after_line(rest),
            _ => group.body,
        };
    }
    report
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).and_then(|end| text.get(end.saturating_add(1)..)).unwrap_or_default()
}

fn read_recipient(fields: &[Field<'_>]) -> Option<FailedRecipient> {
    let named = |name: &str| {
        find(fields, name).map(|value| one_line(strip_brackets(after_type(&value)), 320)).filter(|address| !address.is_empty())
    };
    let address = named("Original-Recipient").or_else(|| named("Final-Recipient"))?;
    let diagnostic = find(fields, "Diagnostic-Code").map(|value| one_blank(after_type(&value))).unwrap_or_default();
    let status = find(fields, "Status").as_deref().and_then(status_code).or_else(|| status_code(&diagnostic));
    Some(FailedRecipient {
        address,
        action: action(find(fields, "Action").as_deref()),
        status: status.unwrap_or_default(),
        diagnostic,
    })
}

fn action(value: Option<&str>) -> Action {
    let token = value.and_then(|value| value.split([' ', '(', ';']).next()).unwrap_or_default();
    match token.to_ascii_lowercase().as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => Action::Other,
    }
}

/// The first enhanced status code in a text (RFC 3463 §2).
fn status_code(text: &str) -> Option<String> {
    let is_code = |word: &str| {
        let pieces: Vec<&str> = word.split('.').collect();
        matches!(pieces.as_slice(), ["2" | "4" | "5", subject, detail]
            if [subject, detail].iter().all(|piece| (1..=3).contains(&piece.len()) && piece.bytes().all(|digit| digit.is_ascii_digit())))
    };
    text.split([' ', '\t', '(', ')', ';', '<', '>', '#', '-', ':', ','])
        .find(|word| word.len() <= 9 && is_code(word))
        .map(str::to_owned)
}

/// Takes off the type of a value such as `rfc822; user@x.example` (RFC 3464 §2.1.2).
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, text)| text).trim()
}

/// One line with single blanks: servers fold and indent what they were told.
fn one_blank(text: &str) -> String {
    one_line(&text.split_whitespace().collect::<Vec<_>>().join(" "), DIAGNOSTIC_CHARACTERS)
}

fn strip_brackets(address: &str) -> &str {
    address.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(address)
}

fn read_returned(octets: &[u8], report: &mut DeliveryReport) {
    let header = header_of_mail(octets.trim_ascii_start(), &mut Defects::default());
    report.original_message_id = find(&header.fields, "Message-ID").and_then(|value| parse_ids(&value, 1).pop());
    report.original_mark = find(&header.fields, OWN_MARK).map(|value| one_line(&value, 998));
}

fn find(fields: &[Field<'_>], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.is(name))?;
    Some(field.text(&mut Defects::default()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn status_groups_are_read() {
        let report = read_status(
            b"Reporting-MTA: dns; mx.y.example\r\nArrival-Date: x\r\n\r\n\
              Original-Recipient: rfc822;Alice@x.example\r\nFinal-Recipient: rfc822; a@z.example\r\nAction: failed\r\nStatus: 5.1.1 (no)\r\n\
              Diagnostic-Code: smtp; 550 5.1.1\r\n <a@z.example>: no such user\r\n\r\n\
              Final-Recipient: rfc822;<b@x.example>\r\nAction: Delayed\r\nDiagnostic-Code: smtp; 451 4.3.0 later\r\n\r\n\
              not a field\r\n\r\nFinal-Recipient: rfc822; c@x.example\r\n",
        );
        let shown: Vec<String> =
            report.recipients.iter().map(|r| format!("{} {:?} {} {}", r.address, r.action, r.status, r.diagnostic)).collect();
        assert_eq!(
            shown,
            [
                "Alice@x.example Failed 5.1.1 550 5.1.1 <a@z.example>: no such user",
                "b@x.example Delayed 4.3.0 451 4.3.0 later",
                "c@x.example Other  ",
            ]
        );
        assert_eq!(report.reporting_mta, "mx.y.example");
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

    #[test]
    fn recipient_limit_holds_at_n_and_breaks_at_n_plus_one() {
        for count in [MAX_RECIPIENTS, MAX_RECIPIENTS + 1] {
            let status = "Final-Recipient: rfc822; a@x.example\n\n".repeat(count);
            assert_eq!(read_status(status.as_bytes()).recipients.len(), MAX_RECIPIENTS);
        }
    }

    proptest! {
        #[test]
        fn any_status_is_read(text in "(Final-Recipient: |Action: |Status: |5\\.1|;|x|--|\r?\n| ){0,40}") {
            let report = read_status(text.as_bytes());
            prop_assert!(report.recipients.iter().all(|recipient| !recipient.address.is_empty()));
        }
    }
}
