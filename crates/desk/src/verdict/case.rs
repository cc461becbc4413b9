//! A message while its verdict is being determined: the rows asked, in order, and what they noted along the
//! way.

use mail::nature::Nature;

use super::{Handling, Verdict};
use crate::account::Account;
use crate::comment::Flag;
use crate::facts::Facts;
use crate::inbound::Inbound;
use crate::rate::Rate;
use crate::received::{Arrival, Source};
use crate::sender_list::{self, Listed};
use crate::signed::SigningKeys;
use crate::suspension::Cause;

/// A message, what is known, and what was noted so far.
pub(super) struct Case<'a> {
    pub(super) account: &'a Account,
    pub(super) keys: &'a SigningKeys,
    pub(super) facts: &'a Facts,
    pub(super) inbound: &'a Inbound<'a>,
    pub(super) arrival: Arrival,
    pub(super) nature: Nature,
    pub(super) is_automatic: bool,
    pub(super) listed: Listed,
    pub(super) reasons: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) flags: Vec<Flag>,
    pub(super) handling: Handling,
    pub(super) rate: Option<(String, Rate)>,
}

impl Case<'_> {
    pub(super) fn say(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn flag(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    pub(super) fn say_arrival(&mut self) {
        let received = &self.arrival.received;
        let how = match received.source {
            Source::Envelope => "the envelope recipient is registered",
            Source::Forward => "the envelope recipient is the proven target of its forward",
            Source::HopHeader => "a header of a trusted relay names it",
            Source::Header => "To or Cc names it",
            Source::Default => "nothing names a registered address, so the brand's default counts",
        };
        let sentence = format!("received at {}: {how}", received.recipient);
        self.say(sentence);
        let checks = self.inbound.authentication;
        if checks.is_checked {
            self.note(format!("sender {}: {}", checks.standing(), checks.clause()));
        }
        if self.nature != Nature::Human {
            self.note(format!("nature {}", self.nature.as_str()));
        }
    }

    pub(super) fn verdict(&mut self) -> Verdict {
        // Each row answers or passes; the order is the table's.
        self.probe()
            .or_else(|| self.loop_of_ours())
            .or_else(|| self.duplicate())
            .or_else(|| self.signed_bounce())
            .or_else(|| self.closed_channel())
            .or_else(|| self.noreply_recipient())
            .or_else(|| self.too_many_mails())
            .or_else(|| self.foreign_report())
            .or_else(|| self.impossible_sender())
            .or_else(|| self.rejected_sender())
            .or_else(|| self.failed_authentication())
            .or_else(|| self.unwanted_sender())
            .or_else(|| self.machine())
            .or_else(|| self.blank())
            .or_else(|| self.crowd())
            .unwrap_or_else(|| self.conversation())
    }

    /// Holds the message, unless somebody just took it out of the suspended tickets.
    pub(super) fn suspend(&mut self, cause: Cause) -> Option<Verdict> {
        if self.inbound.recovered.is_some() {
            self.say(format!(
                "cause {} ({}) does not hold it any more: it was recovered",
                cause.number(),
                cause.sentence()
            ));
            return None;
        }
        Some(self.hold(cause))
    }

    /// Holds the message in any case: there is nothing that could be made of it.
    pub(super) fn hold(&mut self, cause: Cause) -> Verdict {
        self.say(format!("held as suspended (cause {}): {}", cause.number(), cause.sentence()));
        Verdict::Suspend { cause }
    }

    /// What the allow list and the block list say of the address in From.
    pub(super) fn listed(&self) -> Listed {
        let Some(from) = self.from() else { return Listed::Unlisted };
        let lists = &self.account.lists;
        sender_list::verdict(
            &lists.allow,
            &lists.block,
            &from.key,
            from.person.is_some(),
            self.facts.organizations.domain_of(&from.key),
        )
    }

    pub(super) fn is_allowed(&self) -> bool {
        matches!(self.listed, Listed::Allowed { .. })
    }
}
