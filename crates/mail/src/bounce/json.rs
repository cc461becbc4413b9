//! Bounces that a sending service reports as JSON in a message: Amazon's notifications, either bare or as a
//! string inside another JSON object.
//!
//! Only the few strings that matter are looked up by name; everything else is skipped.

use super::outcome::Outcome;
use crate::message_id::MessageId;
use crate::report::answer;
use crate::report::cause::{Cause, is_hard};
use crate::report::{Action, DeliveryReport, FailedRecipient, MAX_RECIPIENTS};

/// The report, if the text is such an object.
pub(crate) fn read(text: &str) -> Option<(Outcome, DeliveryReport)> {
    if !text.starts_with('{') {
        return None;
    }
    // An object inside a string has its quotes escaped; lines may be broken anywhere.
    let text: String = text.chars().filter(|c| !matches!(c, '\\' | '\n' | '\r')).collect();
    let kind = value(&text, "notificationType").or_else(|| value(&text, "eventType"))?;
    let (outcome, action, list) = match kind {
        "Bounce" => (Outcome::Failed, Action::Failed, "bouncedRecipients"),
        "Delivery" => (Outcome::Delivered, Action::Delivered, "recipients"),
        "DeliveryDelay" => (Outcome::Delayed, Action::Delayed, "delayedRecipients"),
        _ => return None,
    };
    let array = array(&text, list).unwrap_or_default();
    let pieces: Vec<&str> = match list {
        "recipients" => array.split(',').collect(),
        _ => array.split('}').collect(),
    };
    let response = value(&text, "smtpResponse").unwrap_or_default();
    let recipients = pieces
        .into_iter()
        .filter_map(|piece| recipient(piece, response, action))
        .take(MAX_RECIPIENTS)
        .collect();
    let report = DeliveryReport {
        recipients,
        original_message_id: value(&text, "messageId").and_then(MessageId::new),
        reporting_mta: value(&text, "reportingMTA")
            .map(|host| host.rsplit(' ').next().unwrap_or_default().to_owned())
            .unwrap_or_default(),
        ..DeliveryReport::default()
    };
    Some((outcome, report))
}

fn recipient(piece: &str, response: &str, action: Action) -> Option<FailedRecipient> {
    let address =
        value(piece, "emailAddress").unwrap_or_else(|| piece.trim_matches(['"', ' ', '[', ']', '{']));
    if !address.contains('@') {
        return None;
    }
    let diagnostic = value(piece, "diagnosticCode").unwrap_or(response);
    let diagnostic = answer::one_blank(diagnostic.strip_prefix("smtp;").unwrap_or(diagnostic));
    let status = value(piece, "status")
        .map(str::to_owned)
        .or_else(|| answer::status_code(&diagnostic))
        .unwrap_or_default();
    let code = answer::smtp_code(&diagnostic);
    let is_hard = action == Action::Failed && is_hard(&status, code, Cause::of(&diagnostic));
    Some(FailedRecipient {
        address: address.to_owned(),
        final_address: None,
        action,
        status,
        diagnostic,
        smtp_code: code,
        is_hard,
    })
}

/// The first string with that name.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = behind(text, name)?.strip_prefix('"')?;
    rest.split('"').next()
}

fn array<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = behind(text, name)?.strip_prefix('[')?;
    rest.split(']').next()
}

/// The text after `"name":`.
fn behind<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\"");
    let at = memchr::memmem::find(text.as_bytes(), quoted.as_bytes())?;
    let rest = text.get(at.saturating_add(quoted.len())..)?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}
