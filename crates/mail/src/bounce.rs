//! Returned mail that follows no standard: what servers of all ages write to the sender of a message they
//! cannot deliver.
//!
//! There are hundreds of such formats, and they change. So this code looks for what they share rather than
//! for who wrote them: a notice (`bounce/cut.rs` finds where the returned message begins) with failed
//! addresses in a few typical places (`bounce/place.rs`), and near them the server's answer
//! (`report/answer.rs`) or a description in words (`report/cause.rs`). `bounce/json.rs` reads the one format
//! that works differently. One pass over the lines, with bounds on text and recipients.

mod address;
mod cut;
mod json;
mod notice;
mod outcome;
mod place;
mod scan;

pub(crate) use notice::Notice;
pub(crate) use outcome::Outcome;

use crate::message_id::MessageId;
use crate::report::answer;
use crate::report::cause::{Cause, is_hard};
use crate::report::{self, Action, DeliveryReport, FailedRecipient, MAX_RECIPIENTS};

/// How much of a text is read as a notice, in octets.
const NOTICE_OCTETS: usize = 200_000;

/// What a notice says.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What happened to the message.
    pub(crate) outcome: Outcome,
    /// To whom it happened.
    pub(crate) report: DeliveryReport,
    /// Whether the recipients are where notices list them, rather than somewhere in a sentence.
    pub(crate) is_listed: bool,
}

impl Notice<'_> {
    /// Reads the text of the message.
    pub(crate) fn read(&self) -> Told {
        let text = self.text.get(..self.text.floor_char_boundary(NOTICE_OCTETS)).unwrap_or_default();
        if let Some((outcome, report)) = json::read(text) {
            return Told { outcome, report, is_listed: true };
        }
        let (notice, returned) = cut::split(text);
        let found = scan::read(notice, returned, self);
        let outcome = outcome::of(notice, self.wording, &found);
        let action = match outcome {
            Outcome::Delayed => Action::Delayed,
            Outcome::Delivered => Action::Delivered,
            Outcome::Failed | Outcome::Nothing => Action::Failed,
        };
        let whole = Whole { answer: answer::first(notice), cause: Cause::of(notice) };
        // If the notice names recipients, each of them carries its own verdict.
        let is_for_good = found.is_empty()
            && action == Action::Failed
            && is_hard(&whole.answer.status, whole.answer.code, whole.cause);
        let is_listed = found.iter().any(|found| found.is_listed);
        let recipients =
            found.into_iter().take(MAX_RECIPIENTS).map(|found| recipient(found, &whole, action)).collect();
        let (original_message_id, original_mark) =
            returned_ids(if returned.is_empty() { text } else { returned });
        let report = DeliveryReport {
            recipients,
            is_hard: is_for_good,
            original_message_id,
            original_mark,
            ..DeliveryReport::default()
        };
        Told { outcome, report, is_listed }
    }
}

/// What is said of all recipients together.
struct Whole {
    answer: answer::Answer,
    cause: Cause,
}

/// What is said of one recipient; where nothing is said of it alone, what is said of all applies.
fn recipient(found: scan::Found, whole: &Whole, action: Action) -> FailedRecipient {
    let own = answer::first(&found.said);
    let own_cause = Cause::of(&found.said);
    let answer = if own.is_empty() && own_cause == Cause::Unknown { whole.answer.clone() } else { own };
    let cause = if own_cause == Cause::Unknown { whole.cause } else { own_cause };
    let diagnostic = answer::one_blank(if answer.line.is_empty() { &found.said } else { &answer.line });
    let is_hard = action == Action::Failed && is_hard(&answer.status, answer.code, cause);
    // docs/behaviour/nature.md §3: the address we wrote to.
    let (address, final_address) = match found.origin {
        Some(origin) if report::is_of_domain(&found.address, &origin) => (origin, None),
        Some(origin) => (origin, Some(found.address)),
        None => (found.address, None),
    };
    FailedRecipient {
        address,
        final_address,
        action,
        status: answer.status,
        diagnostic,
        smtp_code: answer.code,
        is_hard,
    }
}

/// The Message-ID and our mark in a returned message quoted in the text.
pub(crate) fn returned_ids(text: &str) -> (Option<MessageId>, Option<String>) {
    cut::ids(text)
}

#[cfg(test)]
mod tests;
