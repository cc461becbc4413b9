//! Who may not write, how often, and what no person wrote (docs/behaviour/intake.md §3, rows 5 to 19).

use mail::address::AddressKey;
use mail::nature::Nature;

use super::case::Case;
use super::{Author, Verdict};
use crate::authentication::AuthenticationMode;
use crate::facts::sender_key;
use crate::machine_address::Machine;
use crate::rate::{self, Pace};
use crate::received::Source;
use crate::sender_list::Listed;
use crate::suspension::Cause;
use crate::ticket::CCS_MAX;

impl Case<'_> {
    pub(super) fn closed_channel(&mut self) -> Option<Verdict> {
        if self.account.settings.email_channel { None } else { self.suspend(Cause::Disabled) }
    }

    /// Every recipient of the envelope is a no-reply address of ours.
    pub(super) fn noreply_recipient(&mut self) -> Option<Verdict> {
        let recipients = &self.inbound.envelope.recipients;
        let is_noreply = |text: &String| {
            AddressKey::parse(text).is_ok_and(|key| {
                let is_native = self.account.brand_of_host(key.domain()).is_some();
                // One that is registered is an address tickets come to, whatever its name.
                is_native
                    && self.account.owner_of(&key).is_none()
                    && Machine::of_local(key.local()) == Some(Machine::NoReply)
            })
        };
        if recipients.is_empty() || !recipients.iter().all(is_noreply) {
            return None;
        }
        self.suspend(Cause::ToNoreply)
    }

    /// The loop guard: so many messages of one sender in an hour pass, as many more are held, the rest is
    /// only recorded in the ledger.
    pub(super) fn too_many_mails(&mut self) -> Option<Verdict> {
        let per_hour = self.facts.sender_per_hour;
        // An import brings years of somebody's mail in an hour, and a recovered message was counted when it
        // came.
        if per_hour == 0 || self.inbound.envelope.is_quiet() || self.inbound.recovered.is_some() {
            return None;
        }
        let from = self.from()?;
        let authentication = self.inbound.authentication;
        let key = sender_key(&from.key, authentication);
        let is_allowed = self.is_allowed() || from.is_staff() && authentication.is_authenticated();
        let before = self.facts.rates.get(&key).copied().unwrap_or_default();
        let limit = rate::limit(per_hour, is_allowed);
        let (after, pace) = before.count(self.inbound.accepted_at, limit);
        self.rate = Some((key, after));
        match pace {
            Pace::Pass => None,
            Pace::Suspend => {
                self.say(format!("more than {limit} mails of {} within an hour", from.key));
                self.suspend(Cause::Loop)
            }
            Pace::Reject => {
                self.say(format!(
                    "more than {} mails of {} within an hour: kept, not processed",
                    limit.saturating_mul(2),
                    from.key
                ));
                Some(Verdict::Discard)
            }
        }
    }

    /// Nobody, ourselves, or the mail system.
    pub(super) fn impossible_sender(&mut self) -> Option<Verdict> {
        let Some(from) = self.from() else { return Some(self.hold(Cause::UnknownAuthor)) };
        // An address at a native host is ours, registered or not: what we answer would come back.
        if self.account.is_own(&from.key) {
            return self.suspend(Cause::FromSupportAddress);
        }
        if from.person.as_ref().is_some_and(|person| person.is_suspended) {
            return self.suspend(Cause::UnknownAuthor);
        }
        match self.machine_of(&from) {
            Some(_) if self.is_allowed() => {
                self.is_automatic = true;
                self.say(format!("{} is a machine's address, but the allow list lets it write", from.key));
                None
            }
            Some(Machine::System) => self.suspend(Cause::SystemUser).or_else(|| self.as_machine()),
            Some(Machine::NoReply) => self.suspend(Cause::FromNoreply).or_else(|| self.as_machine()),
            None => None,
        }
    }

    /// The machine whose address From is. A form that sends from no-reply for somebody says so in Reply-To:
    /// that person writes.
    fn machine_of(&self, from: &Author) -> Option<Machine> {
        let machine = Machine::of_local(from.key.local())?;
        (machine == Machine::System || !self.answers_elsewhere()).then_some(machine)
    }

    fn as_machine(&mut self) -> Option<Verdict> {
        self.is_automatic = true;
        None
    }

    /// Whether Reply-To names somebody who reads answers.
    fn answers_elsewhere(&self) -> bool {
        let key = self.inbound.letter.reply_to.first().and_then(|mailbox| mailbox.key());
        key.is_some_and(|key| Machine::of_local(key.local()).is_none() && !self.account.is_own(&key))
    }

    pub(super) fn rejected_sender(&mut self) -> Option<Verdict> {
        let Listed::Reject { entry } = &self.listed else { return None };
        let sentence = format!("the block list rejects the sender ({entry}): kept, not processed");
        if self.inbound.recovered.is_some() {
            return None;
        }
        self.say(sentence);
        Some(Verdict::Discard)
    }

    /// SPF, DKIM and DMARC, as strictly as the account's mode demands; an agent's mail is checked in every
    /// mode.
    pub(super) fn failed_authentication(&mut self) -> Option<Verdict> {
        let authentication = self.inbound.authentication;
        if !authentication.has_failed() {
            return None;
        }
        let is_staff = self.from().is_some_and(|from| from.is_staff());
        let is_forwarded = self.is_forwarded();
        let asks = match self.account.settings.sender_authentication {
            AuthenticationMode::Minimal => is_staff,
            AuthenticationMode::Native => is_staff || !is_forwarded,
            // A forward breaks SPF and often DKIM; a chain of seals that holds says that From was right when
            // it began.
            AuthenticationMode::NativeAndForwarded => {
                is_staff || !is_forwarded || authentication.arc != crate::authentication::Check::Pass
            }
        };
        if !asks {
            self.note(format!(
                "the sender's authentication failed ({}), which this account does not ask for",
                authentication.clause()
            ));
            return None;
        }
        self.say(authentication.clause());
        self.suspend(Cause::FailedEmailAuthentication)
    }

    /// Whether it came by way of an external address rather than straight to a native one.
    fn is_forwarded(&self) -> bool {
        let received = &self.arrival.received;
        let address =
            AddressKey::parse(&received.recipient).ok().and_then(|key| self.account.address(&key).cloned());
        matches!(received.source, Source::Forward | Source::HopHeader)
            || address.is_some_and(|address| address.kind == crate::address::Kind::External)
    }

    /// Block list, closed desk, sign-up.
    pub(super) fn unwanted_sender(&mut self) -> Option<Verdict> {
        match &self.listed {
            Listed::Suspend { entry } => {
                let sentence = format!("{entry} in the block list names the sender");
                self.say(sentence);
                return self.suspend(Cause::Blocklisted);
            }
            Listed::Allowed { entry } => {
                let sentence = format!("the sender is on the allow list ({entry})");
                self.note(sentence);
                return None;
            }
            Listed::Reject { .. } | Listed::Unlisted => {}
        }
        // Someone in From could name anybody in Reply-To, so neither lets the other in.
        let from = self.from()?;
        let author = self.author_as_written()?;
        let settings = &self.account.settings;
        let is_unknown = from.person.is_none() || author.person.is_none();
        let is_unverified = |who: &Author| {
            who.person.as_ref().is_some_and(|person| !person.is_staff() && !person.is_verified)
        };
        if is_unknown && settings.sign_up_required {
            let held = self.suspend(Cause::SignupRequired)?;
            self.handling.tells_to_sign_up = author.person.is_none() && self.may_be_answered(&author);
            return Some(held);
        }
        if is_unknown && !settings.anyone_can_submit {
            return self.suspend(Cause::NotOnAllowlist);
        }
        if settings.sign_up_required && (is_unverified(&from) || is_unverified(&author)) {
            return self.suspend(Cause::Unverified);
        }
        None
    }

    /// What a machine wrote: held, unless its sender may always write.
    pub(super) fn machine(&mut self) -> Option<Verdict> {
        if super::author::is_other_desk(self.inbound.letter) {
            return self.other_desk();
        }
        let cause = match self.nature {
            Nature::Human => return None,
            Nature::List if self.is_addressed() => {
                // A group in front of a support address, such as a shared mailbox, marks every customer's
                // mail as a list's.
                self.is_automatic = self.from().is_some_and(|from| self.machine_of(&from).is_some());
                self.say(
                    "it came through a mailing list, but To or Cc names a support address: no list's mail",
                );
                return None;
            }
            Nature::Loop => Cause::Loop,
            Nature::Bounce | Nature::Delay | Nature::DeliveryNotice => Cause::AutoDeliveryFailure,
            Nature::AutoReply => Cause::AutoVacation,
            _ => Cause::AutoMailer,
        };
        self.is_automatic = true;
        // The causes that docs/behaviour/senders.md §1 names, other than a machine's address: nobody wants
        // loops and reports.
        if self.is_allowed() && matches!(cause, Cause::AutoMailer | Cause::AutoVacation) {
            self.say("a machine wrote it, but the allow list lets its sender write");
            return None;
        }
        self.suspend(cause)
    }

    /// Whether To or Cc names a support address of this account.
    fn is_addressed(&self) -> bool {
        let letter = self.inbound.letter;
        let mut named = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
        named.any(|key| self.account.owner_of(&key).is_some())
    }

    /// Another help desk's mail makes a ticket, and nothing automatic answers it, so that two desks cannot
    /// keep each other busy.
    fn other_desk(&mut self) -> Option<Verdict> {
        self.is_automatic = true;
        let is_unsafe = self.inbound.authentication.has_failed() || self.inbound.envelope.mail_from.is_none();
        if is_unsafe {
            return self.suspend(Cause::FromHelpDesk);
        }
        self.say("another help desk sent it: nothing automatic answers it");
        None
    }

    pub(super) fn blank(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let is_blank = letter.subject.trim().is_empty()
            && letter.text.trim().is_empty()
            && letter.attachments.is_empty();
        if is_blank { self.suspend(Cause::Blank) } else { None }
    }

    /// More people in To and Cc than a ticket may have CCs.
    pub(super) fn crowd(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let others = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
        let mut others: Vec<AddressKey> = others.filter(|key| self.account.owner_of(key).is_none()).collect();
        others.sort();
        others.dedup();
        if others.len() > CCS_MAX { self.suspend(Cause::NumberRecipients) } else { None }
    }
}
