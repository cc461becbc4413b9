//! Kind `auto`: whether a mail may be answered, and what it is, by the verdict that intake reaches.

use super::Case;
use super::scene::{NOW, account, envelope, keys};
use desk::facts::Facts;
use desk::id::MailId;
use desk::inbound::Inbound;
use desk::verdict::{Verdict, decide};
use mail::{Action, DeliveryReport, FailedRecipient, Letter, Nature};
use serde_json::{Value, json};

pub(super) fn predict(case: &Case) -> Value {
    let raw = case.raw.first().map(Vec::as_slice).unwrap_or_default();
    let letter = Letter::parse(raw);
    let envelope = envelope(&letter);
    let inbound = Inbound { raw, ..Inbound::new(MailId(1), NOW, &envelope, &letter) };
    let Some(keys) = keys() else { return json!({}) };
    let decision = decide(&account(), &keys, &Facts::default(), &inbound);
    let nature = decision.nature;
    let mut value = json!({
        "class": nature.as_str().replace('_', "-"),
        "auto": decision.is_automatic,
        "accept": !matches!(decision.verdict, Verdict::Discard) && nature != Nature::Loop,
        "loop": nature == Nature::Loop,
        "signs": letter.signs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "recipients": [],
        // A mail that is not a delivery report counts as one delivery about which nothing is known.
        "deliveries": [{ "status": "" }],
    });
    if let Some(report) = &letter.report
        && let Some(object) = value.as_object_mut()
    {
        let first = report.recipients.first();
        object.insert(
            "recipients".to_owned(),
            report.recipients.iter().map(|one| json!(final_address(one))).collect(),
        );
        object.insert("deliveries".to_owned(), deliveries(report));
        object.insert("status".to_owned(), json!(first.map(|one| one.status.as_str()).unwrap_or_default()));
        object.insert("smtp_code".to_owned(), json!(first.map(code).unwrap_or_default()));
        object
            .insert("reason".to_owned(), json!(first.map(|one| one.diagnostic.as_str()).unwrap_or_default()));
    }
    value
}

fn deliveries(report: &DeliveryReport) -> Value {
    let one = |one: &FailedRecipient| json!({ "status": status(one), "smtp_code": code(one), "reason": one.diagnostic, "hard": one.is_hard });
    if report.recipients.is_empty() {
        return json!([{ "status": "5.0.0", "hard": false }]);
    }
    report.recipients.iter().map(one).collect()
}

/// The cases name the final recipient, as other programs do.
fn final_address(recipient: &FailedRecipient) -> &str {
    recipient.final_address.as_deref().unwrap_or(&recipient.address)
}

fn code(recipient: &FailedRecipient) -> String {
    recipient.smtp_code.map(|code| code.to_string()).unwrap_or_default()
}

/// If the mail has no status, one is derived from the reply code, else from what was done.
fn status(recipient: &FailedRecipient) -> String {
    if !recipient.status.is_empty() {
        return recipient.status.clone();
    }
    match (recipient.smtp_code, recipient.action) {
        (Some(code), _) => format!("{}.0.0", code / 100),
        (None, Action::Delayed) => "4.0.0".to_owned(),
        (None, Action::Delivered | Action::Relayed | Action::Expanded) => "2.0.0".to_owned(),
        (None, Action::Failed | Action::Other) => "5.0.0".to_owned(),
    }
}
