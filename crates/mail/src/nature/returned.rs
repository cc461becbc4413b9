//! Returned mail that follows no standard: whether the sender, the header and the words agree sufficiently.

use super::evidence::Evidence;
use super::model::{Conclusion, Nature};
use super::opening;
use super::sender;
use super::sign::Sign;
use crate::bounce::{Outcome, Told};
use crate::report;
use crate::wording::Wording;

/// The notice that the message is; `None` if too little suggests it.
pub(super) fn conclude(evidence: &Evidence<'_>) -> Option<Conclusion> {
    let hints = Hints::of(evidence);
    if !hints.any(evidence) {
        return None;
    }
    let Told { outcome, report: mut read, is_listed } = evidence.notice(evidence.subject.wording).read();
    let says = opening::says_returned(evidence.text(), &evidence.subject);
    let tells = outcome != Outcome::Nothing;
    let has_code = || read.recipients.iter().any(|recipient| recipient.smtp_code.is_some());
    let told = Words { tells, says, is_listed, has_code: is_listed && has_code() };
    if !hints.are_enough(&told, evidence) {
        return None;
    }
    if read.recipients.is_empty()
        && let Some(inner) = report::wrapped(evidence.reading.parts)
    {
        read = inner;
    }
    report::returned_part(evidence.reading.parts, &mut read);
    let nature = match outcome {
        Outcome::Delayed => Nature::Delay,
        Outcome::Delivered => Nature::DeliveryNotice,
        Outcome::Failed | Outcome::Nothing => Nature::Bounce,
    };
    Some(Conclusion { nature, report: Some(read), signs: hints.signs(tells || says, evidence) })
}

/// What makes a message worth reading as a notice.
struct Hints {
    /// X-Failed-Recipients names recipients.
    is_named: bool,
    /// The subject is that of a mail server, and is neither a reply nor a forward.
    is_wording: bool,
    /// The sender or the header leaves no doubt.
    is_sure: bool,
    /// JSON from an address whose replies nobody reads.
    is_service: bool,
}

/// What the text says.
struct Words {
    /// It says something about delivery.
    tells: bool,
    /// It begins the way mail servers do.
    says: bool,
    /// The recipients are where notices list them.
    is_listed: bool,
    /// And one of them has a reply code.
    has_code: bool,
}

impl Hints {
    fn of(evidence: &Evidence<'_>) -> Self {
        let is_named = !evidence.seen.failed_recipients.is_empty();
        let is_about_delivery = evidence.subject.wording.is_some_and(Wording::is_about_delivery);
        let is_daemon = evidence.daemon.as_ref().is_some_and(Sign::is_sure);
        Self {
            is_named,
            is_wording: is_about_delivery && !evidence.is_about_another(),
            is_sure: is_daemon || is_named || evidence.seen.is_delivery_report,
            is_service: evidence.text().starts_with('{')
                && sender::is_unattended(&evidence.reading.header.from),
        }
    }

    fn any(&self, evidence: &Evidence<'_>) -> bool {
        self.is_sure
            || self.is_wording
            || evidence.daemon.is_some()
            || evidence.seen.is_null_path
            || self.is_service
    }

    /// docs/behaviour/nature.md §3: the less the sender looks like a server, the more the words must agree.
    fn are_enough(&self, told: &Words, evidence: &Evidence<'_>) -> bool {
        let daemon = evidence.daemon.as_ref();
        if self.is_sure {
            let is_server = daemon.is_some_and(Sign::is_sure) && !is_answering_machine(evidence);
            return told.tells || self.is_named || self.is_wording || is_server;
        }
        if evidence.seen.is_null_path || self.is_service {
            return told.tells && (self.is_wording || told.says || self.is_service);
        }
        if daemon.is_some_and(Sign::is_postmaster) {
            return told.tells && (self.is_wording || told.says || told.has_code);
        }
        let is_told = self.is_wording && told.is_listed && (daemon.is_some() || evidence.seen.hints());
        (is_told || is_of_list_manager(evidence)) && opening::begins_returned(evidence.text())
    }

    fn signs(&self, is_told: bool, evidence: &Evidence<'_>) -> Vec<Sign> {
        let named = self.is_named.then(|| Sign::Field("X-Failed-Recipients", String::new()));
        let null_path = evidence.seen.is_null_path.then_some(Sign::NullPath);
        let subject = self.is_wording.then(|| Sign::Subject(evidence.subject.wording.unwrap_or_default()));
        let text = is_told.then_some(Sign::Text(Wording::Returned));
        [evidence.daemon.clone(), named, null_path, subject, text].into_iter().flatten().collect()
    }
}

/// List managers refuse mail in words of their own and name nobody: the header must be that of a list too.
fn is_of_list_manager(evidence: &Evidence<'_>) -> bool {
    evidence.seen.list.is_some()
        && sender::is_list_manager(&evidence.reading.header.from)
        && !evidence.is_about_another()
}

/// Some answering machines write under the name of the mail server.
fn is_answering_machine(evidence: &Evidence<'_>) -> bool {
    let is_wording = matches!(evidence.subject.wording, Some(Wording::AutoReply | Wording::Away));
    evidence.seen.auto_reply.is_some() || is_wording
}
