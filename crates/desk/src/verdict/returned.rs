//! What came before: forwarding probes, mails of our own, the same message twice (docs/behaviour/intake.md
//! §3, rows 1 to 3).

use mail::address::AddressKey;
use mail::nature::Nature;

use super::Verdict;
use super::case::Case;
use crate::address::{Forwarding, SupportAddress};
use crate::comment::Flag;
use crate::delivery::is_return_path;
use crate::facts::Met;
use crate::inbound::{fingerprint, own_id, reused_id};
use crate::signed::Purpose;

impl Case<'_> {
    pub(super) fn probe(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let waiting = |address: &&SupportAddress| {
            address.forwarding_at(self.inbound.accepted_at) == Forwarding::Waiting
        };
        let in_subject =
            letter.subject.split_whitespace().next_back().filter(|_| self.is_no_answer()).unwrap_or_default();
        let in_id =
            letter.message_id.as_ref().and_then(|id| id.as_str().split('@').next()).unwrap_or_default();
        let carried = [letter.probe.as_deref().unwrap_or_default(), in_subject, in_id];
        let external = self.account.addresses().filter(waiting).find(|address| {
            address
                .probe_token
                .as_deref()
                .is_some_and(|secret| !secret.is_empty() && carried.contains(&secret))
        })?;
        let external = external.email.clone();
        let native = self.inbound.envelope.recipients.iter().find_map(|text| {
            let key = AddressKey::parse(text).ok().filter(|key| !is_return_path(self.account, key))?;
            let own = self.account.owner_of(&key).map_or_else(|| key.base(), |address| address.email.clone());
            self.account.brand_of_host(own.domain()).map(|_| own)
        })?;
        self.say(format!("the forwarding probe for {external} came back at {native}: the forward works"));
        Some(Verdict::Probe { external, native })
    }

    /// Whether it is a message of its own: bounces, absence notices and replies repeat the subject of what
    /// they answer.
    fn is_no_answer(&self) -> bool {
        let letter = self.inbound.letter;
        let is_answer = matches!(self.nature, Nature::Bounce | Nature::Delay | Nature::AutoReply);
        !is_answer && letter.report.is_none() && letter.in_reply_to.is_empty() && letter.references.is_empty()
    }

    pub(super) fn loop_of_ours(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let marked = letter
            .own_mark
            .as_deref()
            .and_then(|mark| self.keys.verify(Purpose::Mail, self.account.id, mark));
        let known_out = letter.message_id.as_ref().and_then(|id| self.facts.message_ids.get(id.as_str()));
        let is_out = known_out.is_some_and(|known| matches!(known.met, Met::Out(_)));
        if marked.is_none() && !is_out {
            return None;
        }
        self.say("this is a mail of ours that came back (a loop): kept, not processed");
        Some(Verdict::Discard)
    }

    pub(super) fn duplicate(&mut self) -> Option<Verdict> {
        let id = own_id(self.inbound.letter)?;
        let met = |id: &str| {
            let known = self.facts.message_ids.get(id)?;
            let Met::In(mail) = known.met else { return None };
            // A message that is decided again is no duplicate of itself.
            (mail != self.inbound.id).then_some((mail, known))
        };
        let first = met(&id)?;
        let own = fingerprint(self.inbound);
        let same = [Some(first), met(&reused_id(&own))]
            .into_iter()
            .flatten()
            .find(|(_, known)| known.fingerprint == Some(own));
        if let Some((of, known)) = same {
            let ticket = known.ticket;
            self.say(format!("the same Message-ID, From, Date and text as mail {of}: a duplicate"));
            return Some(Verdict::Duplicate { of, ticket });
        }
        let (of, _) = first;
        self.flag(Flag::ReusedMessageId);
        self.say(format!(
            "the Message-ID is that of mail {of}, but the text is another: taken as a mail of its own"
        ));
        None
    }
}
