//! Delivery status notifications (RFC 3464): which recipients failed, why, and which of our messages it was.

pub(crate) mod answer;
pub(crate) mod cause;
mod model;
mod structure;

pub use model::{Action, DIAGNOSTIC_CHARACTERS, DeliveryReport, FailedRecipient, MAX_RECIPIENTS};
pub(crate) use structure::{Structure, structure};

use crate::defect::Defects;
use crate::field::{Field, OWN_MARK, header_of_mail, header_of_part};
use crate::message_id::parse_ids;
use crate::part::{self, Part};
use crate::text::one_line;
use cause::{Cause, is_hard};
use structure::is_status;

/// Reads the report among the parts of a message, if there is one.
pub(crate) fn read(parts: &[Part<'_>], defects: &mut Defects) -> Option<DeliveryReport> {
    let mut report = DeliveryReport::default();
    for part in parts.iter().filter(|part| is_status(&part.content_type)) {
        read_status(&part.transfer.decode(part.body, defects), &mut report);
        report.is_standard = true;
    }
    if !report.is_standard {
        return None;
    }
    returned_part(parts, &mut report);
    Some(report)
}

/// Takes from the returned message, if it is a part, whatever links the report to one of our messages.
pub(crate) fn returned_part(parts: &[Part<'_>], report: &mut DeliveryReport) {
    let at = parts.iter().position(|part| is_status(&part.content_type)).map_or(0, |at| at.saturating_add(1));
    let returned = parts.iter().skip(at).chain(parts).find(|part| is_returned(&part.content_type));
    if let Some(part) = returned {
        // What is wrong with the returned message is not a defect of this one.
        let octets = part.transfer.decode(part.body, &mut Defects::default());
        read_returned(&octets, report);
    }
}

/// The report in an attached message: gateways wrap what they pass on. Messages attached to that one are not
/// examined.
pub(crate) fn wrapped(parts: &[Part<'_>]) -> Option<DeliveryReport> {
    let part = parts.iter().find(|part| part.content_type == "message/rfc822")?;
    let mut defects = Defects::default();
    let octets = part.transfer.decode(part.body, &mut defects);
    let header = header_of_mail(octets.trim_ascii_start(), &mut defects);
    let inner = part::walk(&header.fields, header.body, &mut defects);
    read(&inner, &mut defects)
}

/// Whether a receipt (RFC 8098 §3.2.6) says that a rule deleted the message unread, as RFC 5429 §2.2.2
/// refuses mail; and for whom.
pub(crate) fn refused(parts: &[Part<'_>]) -> Option<FailedRecipient> {
    let part = parts
        .iter()
        .find(|part| part.content_type.ends_with("disposition-notification") && !part.is_multipart)?;
    let octets = part.transfer.decode(part.body, &mut Defects::default());
    let fields = header_of_part(octets.trim_ascii_start(), &mut Defects::default()).fields;
    let disposition = find(&fields, "Disposition")?.to_ascii_lowercase();
    let is_refused = disposition.contains("automatic-action") && disposition.contains("deleted")
        || ["denied", "failed", "/rejected", "/error"].iter().any(|word| disposition.contains(word));
    let address = find(&fields, "Original-Recipient")
        .or_else(|| find(&fields, "Final-Recipient"))
        .map(|value| plain_address(&value));
    is_refused.then(|| FailedRecipient {
        address: address.unwrap_or_default(),
        action: Action::Failed,
        ..FailedRecipient::default()
    })
}

/// RFC 3464 §2, RFC 6522 §4, RFC 6533: the third part of a report.
fn is_returned(content_type: &str) -> bool {
    matches!(
        content_type,
        "message/rfc822"
            | "text/rfc822-headers"
            | "message/global"
            | "message/global-headers"
            | "message/rfc822-headers"
    )
}

fn read_status(octets: &[u8], report: &mut DeliveryReport) {
    let mut rest = octets;
    while !rest.is_empty() && report.recipients.len() < MAX_RECIPIENTS {
        let group = header_of_part(rest, &mut Defects::default());
        if let Some(host) = find(&group.fields, "Reporting-MTA") {
            report.reporting_mta = one_line(after_type(&host), 255);
        }
        if let Some(recipient) = read_recipient(&group.fields) {
            add(&mut report.recipients, recipient);
        }
        // A malformed line ends the group without being consumed: skipped, so that every round makes
        // progress.
        rest = match group.octets {
            0 => after_line(rest),
            _ => group.body,
        };
    }
}

/// Some servers repeat the same recipient again and again; lists may be long, so only the end is compared.
fn add(recipients: &mut Vec<FailedRecipient>, recipient: FailedRecipient) {
    let is_known = |known: &FailedRecipient| {
        known.address.eq_ignore_ascii_case(&recipient.address)
            && known.final_address == recipient.final_address
            && known.action == recipient.action
    };
    if !recipients.iter().rev().take(8).any(is_known) {
        recipients.push(recipient);
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).and_then(|end| text.get(end.saturating_add(1)..)).unwrap_or_default()
}

fn read_recipient(fields: &[Field<'_>]) -> Option<FailedRecipient> {
    let named = |name: &str| {
        find(fields, name).map(|value| plain_address(&value)).filter(|address| !address.is_empty())
    };
    let last = named("Final-Recipient").or_else(|| named("X-Actual-Recipient"));
    let address = named("Original-Recipient").or_else(|| last.clone())?;
    let final_address = last.filter(|last| is_mailbox(last) && !is_of_domain(last, &address));
    let action = action(find(fields, "Action").as_deref());
    let diagnostic =
        find(fields, "Diagnostic-Code").map(|value| one_blank(after_type(&value))).unwrap_or_default();
    let told = find(fields, "Status").as_deref().and_then(answer::status_code);
    let answered = answer::status_code(&diagnostic);
    // `5.0.0` says nothing; the remote server's answer does (RFC 3463 §3.1).
    let status = match (told, answered) {
        (Some(told), Some(answered)) if told.ends_with(".0.0") && told.get(..1) == answered.get(..1) => {
            answered
        }
        (Some(told), _) => told,
        (None, answered) => answered.unwrap_or_default(),
    };
    let smtp_code = answer::smtp_code(&diagnostic);
    let failed = matches!(action, Action::Failed | Action::Other);
    let cause = if diagnostic.is_empty() { Cause::Unknown } else { Cause::of(&diagnostic) };
    let is_hard = failed && is_hard(&status, smtp_code, cause);
    Some(FailedRecipient { address, final_address, action, status, diagnostic, smtp_code, is_hard })
}

/// Not an X.400 address, nor a program on a host.
fn is_mailbox(address: &str) -> bool {
    address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !local.contains('/') && domain.contains('.'))
}

/// Whether an address is in the domain of another one, or below it: within one organization the original
/// address names the mailbox.
pub(crate) fn is_of_domain(address: &str, other: &str) -> bool {
    let domain = |address: &str| address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let parent = domain(other);
    let domain = domain(address);
    domain.strip_suffix(parent.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The address after `rfc822;`, without brackets, comments and line noise.
fn plain_address(value: &str) -> String {
    let text = after_type(value);
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next()).unwrap_or(text);
    one_line(strip_brackets(inner.trim()), 320)
}

fn action(value: Option<&str>) -> Action {
    let token = value.and_then(|value| value.split([' ', '(', ';']).next()).unwrap_or_default();
    match token.to_ascii_lowercase().as_str() {
        "failed" | "failure" => Action::Failed,
        "delayed" => Action::Delayed,
        // Postfix, asked whether it could deliver.
        "undeliverable" => Action::Failed,
        "delivered" | "deliverable" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => Action::Other,
    }
}

/// Strips the type from a value such as `rfc822; user@x.example` (RFC 3464 §2.1.2).
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, text)| text).trim()
}

/// One line with single spaces: servers fold and indent what they were told.
fn one_blank(text: &str) -> String {
    one_line(&text.split_whitespace().collect::<Vec<_>>().join(" "), DIAGNOSTIC_CHARACTERS)
}

fn strip_brackets(address: &str) -> &str {
    address.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(address)
}

fn read_returned(octets: &[u8], report: &mut DeliveryReport) {
    let header = header_of_mail(octets.trim_ascii_start(), &mut Defects::default());
    report.original_message_id =
        find(&header.fields, "Message-ID").and_then(|value| parse_ids(&value, 1).pop());
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

    fn status_of(octets: &[u8]) -> DeliveryReport {
        let mut report = DeliveryReport::default();
        read_status(octets, &mut report);
        report
    }

    #[test]
    fn status_groups_are_read() {
        let report = status_of(
            b"Reporting-MTA: dns; mx.y.example\r\nArrival-Date: x\r\n\r\n\
              Original-Recipient: rfc822;Alice@x.example\r\nFinal-Recipient: rfc822; a@z.example\r\nAction: failed\r\nStatus: 5.1.1 (no)\r\n\
              Diagnostic-Code: smtp; 550 5.1.1\r\n <a@z.example>: no such user\r\n\r\n\
              Final-Recipient: rfc822;<b@x.example>\r\nAction: Delayed\r\nDiagnostic-Code: smtp; 451 4.3.0 later\r\n\r\n\
              not a field\r\n\r\nFinal-Recipient: rfc822; c@x.example\r\n",
        );
        let shown: Vec<String> = report
            .recipients
            .iter()
            .map(|r| format!("{} {:?} {} {}", r.address, r.action, r.status, r.diagnostic))
            .collect();
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
    fn recipient_limit_holds_at_n_and_breaks_at_n_plus_one() {
        for count in [MAX_RECIPIENTS, MAX_RECIPIENTS + 1] {
            let status: String = (0..count)
                .map(|number| format!("Final-Recipient: rfc822; u{number}@x.example\n\n"))
                .collect();
            assert_eq!(status_of(status.as_bytes()).recipients.len(), MAX_RECIPIENTS);
        }
    }

    proptest! {
        #[test]
        fn any_status_is_read(text in "(Final-Recipient: |Action: |Status: |5\\.1|;|x|--|\r?\n| ){0,40}") {
            let report = status_of(text.as_bytes());
            prop_assert!(report.recipients.iter().all(|recipient| !recipient.address.is_empty()));
        }
    }
}
