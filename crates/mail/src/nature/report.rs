//! Reports identified by their parts (RFC 6522), and report files.

use super::challenge;
use super::evidence::Evidence;
use super::model::{Conclusion, Nature};
use super::opening;
use super::sign::Sign;
use crate::bounce::{self, Outcome};
use crate::defect::Defects;
use crate::report::cause::{Cause, is_hard};
use crate::report::{self, Action, DeliveryReport, FailedRecipient, Structure};
use crate::wording::Wording;

/// How many recipients of a report are looked up in the text.
const MAX_EXPLAINED: usize = 50;

/// The report that the message is; `None` if its parts identify none, or a person passes one on.
pub(super) fn conclude(evidence: &Evidence<'_>, defects: &mut Defects) -> Option<Conclusion> {
    let Evidence { reading, subject, .. } = evidence;
    let (structure, part) = report::structure(reading.parts, &reading.header.subject, &reading.attachments)?;
    if is_passed_on(structure, evidence) {
        return None;
    }
    let (nature, report) = match structure {
        Structure::Delivery => {
            if let Some(challenge) = challenge::sign(evidence.text(), subject, None) {
                return Some(Conclusion::by(Nature::Challenge, challenge));
            }
            let (nature, report) = delivery(evidence, defects);
            (nature, Some(report))
        }
        Structure::Receipt => match report::refused(reading.parts) {
            Some(refused) => (Nature::Bounce, Some(refusal(evidence, refused))),
            None => (Nature::DeliveryNotice, None),
        },
        Structure::File | Structure::Other => (Nature::Report, None),
    };
    Some(Conclusion { nature, report, signs: vec![Sign::Part(part)] })
}

/// Somebody passes a report on or asks about it: some programs attach its parts rather than the report.
fn is_passed_on(structure: Structure, evidence: &Evidence<'_>) -> bool {
    let is_machine = evidence.seen.is_report || evidence.seen.is_null_path || evidence.daemon.is_some();
    let is_of_person = match structure {
        Structure::Delivery => {
            let is_about_delivery = evidence.subject.wording.is_some_and(Wording::is_about_delivery);
            !evidence.reading.header.from.is_empty() && !is_about_delivery
        }
        Structure::File => opening::begins_as_people(evidence.text()),
        Structure::Receipt | Structure::Other => false,
    };
    !is_machine && (evidence.is_about_another() || is_of_person)
}

/// A delivery report with a machine-readable part; the text next to it fills the gaps.
fn delivery(evidence: &Evidence<'_>, defects: &mut Defects) -> (Nature, DeliveryReport) {
    let mut read = report::read(evidence.reading.parts, defects).unwrap_or_default();
    let mut is_delayed = false;
    if read.recipients.is_empty() {
        let told = evidence.notice(evidence.subject.wording).read();
        is_delayed = told.report.recipients.is_empty() && told.outcome == Outcome::Delayed;
        read.recipients = told.report.recipients;
        read.is_hard = told.report.is_hard;
        read.complete_from(told.report.original_message_id, told.report.original_mark);
    } else if read.recipients.iter().any(|recipient| recipient.diagnostic.is_empty()) {
        explain(&mut read, evidence);
    }
    if read.original_message_id.is_none() || read.original_mark.is_none() {
        let (message_id, mark) = bounce::returned_ids(evidence.text());
        read.complete_from(message_id, mark);
    }
    let nature = if is_delayed { Nature::Delay } else { of_report(&read) };
    (nature, read)
}

/// Some machine-readable reports say less than the text next to them.
fn explain(read: &mut DeliveryReport, evidence: &Evidence<'_>) {
    let told = evidence.notice(None).read().report.recipients;
    let unexplained = read.recipients.iter_mut().filter(|recipient| recipient.diagnostic.is_empty());
    for recipient in unexplained.take(MAX_EXPLAINED) {
        if let Some(one) = told.iter().find(|one| is_same(one, recipient)) {
            complete(recipient, one);
        }
    }
}

/// Whether the text and the machine-readable part mean the same recipient.
fn is_same(told: &FailedRecipient, recipient: &FailedRecipient) -> bool {
    let is = |address: &str| {
        let named = told.final_address.as_deref().unwrap_or(&told.address);
        told.address.eq_ignore_ascii_case(address) || named.eq_ignore_ascii_case(address)
    };
    is(&recipient.address) || recipient.final_address.as_deref().is_some_and(is)
}

fn complete(recipient: &mut FailedRecipient, told: &FailedRecipient) {
    recipient.diagnostic.clone_from(&told.diagnostic);
    recipient.smtp_code = told.smtp_code;
    let is_same_class = told.status.get(..1) == recipient.status.get(..1);
    let is_vague = recipient.status.is_empty() || recipient.status.ends_with(".0.0") && is_same_class;
    if !told.status.is_empty() && is_vague {
        recipient.status.clone_from(&told.status);
    }
    if matches!(recipient.action, Action::Failed | Action::Other) {
        let cause = Cause::of(&recipient.diagnostic);
        recipient.is_hard = is_hard(&recipient.status, recipient.smtp_code, cause);
    }
}

/// A message refused by one of the recipient's rules; the text says why.
fn refusal(evidence: &Evidence<'_>, refused: FailedRecipient) -> DeliveryReport {
    let mut read = evidence.notice(None).read().report;
    if !refused.address.is_empty() {
        let told = read.recipients.drain(..).next().unwrap_or_default();
        read.recipients = vec![FailedRecipient { address: refused.address, is_hard: false, ..told }];
    }
    report::returned_part(evidence.reading.parts, &mut read);
    read
}

/// RFC 3464 §2.3.3: a single failed recipient makes the whole report a bounce.
fn of_report(report: &DeliveryReport) -> Nature {
    let any =
        |wanted: &[Action]| report.recipients.iter().any(|recipient| wanted.contains(&recipient.action));
    let any_class =
        |class: char| report.recipients.iter().any(|recipient| recipient.status.starts_with(class));
    if any(&[Action::Failed]) || report.recipients.is_empty() {
        Nature::Bounce
    } else if any(&[Action::Delayed]) {
        Nature::Delay
    } else if any(&[Action::Delivered, Action::Relayed, Action::Expanded])
        || any_class('2') && !any_class('5') && !any_class('4')
    {
        Nature::DeliveryNotice
    } else {
        Nature::Bounce
    }
}
