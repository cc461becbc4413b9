//! Delivery reports: believed only if they carry our signature (docs/behaviour/intake.md §8).

use mail::nature::Nature;
use mail::report::{Action, FailedRecipient};

use super::Verdict;
use super::case::Case;
use crate::delivery::DeliveryResult;
use crate::delivery::{Delivery, returned_delivery};
use crate::id::OutgoingId;
use crate::signed::Purpose;
use crate::suspension::Cause;

impl Case<'_> {
    /// A report to a return path of ours, or one whose returned part carries our mark. What a person writes
    /// to a return path is none: it goes on, and joins the ticket of the message that had this path.
    pub(super) fn signed_bounce(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let is_report = letter.report.is_some() || self.nature.is_automatic();
        let by_path =
            returned_delivery(self.account, self.keys, &self.facts.deliveries, self.inbound.envelope);
        if let Some(delivery) = by_path.filter(|_| is_report) {
            let (result, answer) = self.said_of(&delivery.recipient);
            self.say(format!(
                "a delivery report on our mail to {}: its return path carries our signature",
                delivery.recipient
            ));
            return Some(Verdict::Bounce { reports: vec![(delivery.clone(), result, answer)] });
        }
        let report = letter.report.as_ref()?;
        let mark = report.original_mark.as_deref();
        let mail =
            mark.and_then(|mark| self.keys.verify(Purpose::Mail, self.account.id, mark)).map(OutgoingId)?;
        let of_mail: Vec<&Delivery> =
            self.facts.deliveries.iter().filter(|delivery| delivery.mail_id == mail).collect();
        // The mark went to every recipient of the message, so one of them could report on another: with
        // several, what is said is shown but changes nobody's deliverability. The signed return path is each
        // recipient's own.
        let is_sole = of_mail.len() == 1;
        let mut reports: Vec<(Delivery, DeliveryResult, String)> = Vec::new();
        for failed in &report.recipients {
            let named =
                of_mail.iter().find(|delivery| delivery.recipient.eq_ignore_ascii_case(&failed.address));
            let Some(delivery) = named else { continue };
            if reports.iter().all(|(told, ..)| told.outbox_id != delivery.outbox_id) {
                let result = match result_of(failed) {
                    DeliveryResult::Hard | DeliveryResult::Soft if !is_sole => DeliveryResult::Doubtful,
                    told => told,
                };
                reports.push(((*delivery).clone(), result, answer_of(failed)));
            }
        }
        if reports.is_empty() {
            return None;
        }
        self.say("a delivery report on a mail of ours: the returned part carries our signature");
        Some(Verdict::Bounce { reports })
    }

    /// Any other delivery report, which changes nobody's deliverability.
    pub(super) fn foreign_report(&mut self) -> Option<Verdict> {
        let report = self.inbound.letter.report.as_ref()?;
        if !report.is_standard && report.recipients.is_empty() {
            // Looks like one and reports nothing: a mail system's mail.
            return None;
        }
        let held = self.suspend(Cause::AutoDeliveryFailure)?;
        self.note("a delivery report that carries no signature of ours: nobody's deliverability changes");
        Some(held)
    }

    /// What a report to our signed return path says of the one recipient that path stands for.
    fn said_of(&self, recipient: &str) -> (DeliveryResult, String) {
        let report = self.inbound.letter.report.as_ref();
        let entry = report.and_then(|report| {
            let mut all = report.recipients.iter();
            all.find(|failed| failed.address.eq_ignore_ascii_case(recipient))
                .or_else(|| report.recipients.first())
        });
        match entry {
            Some(failed) => (result_of(failed), answer_of(failed)),
            // It names nobody: a bounce by its nature failed, for good only where it says so; anything else
            // (a vacation notice) did not.
            None if self.nature == Nature::Bounce => {
                let is_hard = report.is_some_and(|report| report.is_hard);
                (
                    if is_hard { DeliveryResult::Hard } else { DeliveryResult::Soft },
                    self.inbound.letter.subject.clone(),
                )
            }
            None => (DeliveryResult::Other, self.inbound.letter.subject.clone()),
        }
    }
}

/// Hard or soft is read from status and words (docs/behaviour/nature.md): soft says nothing of the address.
fn result_of(failed: &FailedRecipient) -> DeliveryResult {
    match failed.action {
        Action::Failed if failed.is_hard => DeliveryResult::Hard,
        Action::Failed => DeliveryResult::Soft,
        _ => DeliveryResult::Other,
    }
}

fn answer_of(failed: &FailedRecipient) -> String {
    if failed.diagnostic.is_empty() { failed.status.clone() } else { failed.diagnostic.clone() }
}
