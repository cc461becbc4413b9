//! Who receives a comment by mail (docs/behaviour/outgoing-mail.md §1).

use std::collections::BTreeSet;

use mail::address::AddressKey;

use crate::facts::TicketFacts;
use crate::id::CommentId;
use crate::inbound::Inbound;
use crate::notice::{self, Party};
use crate::user::{Deliverable, Person};
use crate::verdict::Decision;
use crate::writer::Writer;

impl Writer<'_> {
    /// Mails a public comment to the requester and the CCs, without its author and those who had it already.
    /// A requester who cannot be reached stops the whole message, CCs included: nobody reads answers behind
    /// the requester's back. Returns the mail's Message-ID; none where nobody is mailed.
    pub(crate) fn send_comment(
        &mut self,
        known: &TicketFacts,
        comment: CommentId,
        author: &Person,
        had: &BTreeSet<AddressKey>,
    ) -> Option<String> {
        let requester = self.facts.person(known.ticket.requester_id).cloned();
        let is_reachable = |person: &Person| {
            !person.is_suspended
                && person.deliverable == Deliverable::Deliverable
                && !person.address.is_empty()
        };
        let wrote = known.ticket.requester_id == author.id;
        if !wrote && !requester.as_ref().is_some_and(is_reachable) {
            return None;
        }
        let is_wanted = |person: &&Person| {
            let key = AddressKey::parse(&person.address).ok();
            person.id != author.id
                && is_reachable(person)
                && key.is_some_and(|key| !had.contains(&key) && self.account.owner_of(&key).is_none())
        };
        // A machine reads what agents write, and is told of nothing else.
        let tells_requester = author.is_staff() || !known.ticket.is_machine;
        let requester = requester.as_ref().filter(is_wanted).filter(|_| tells_requester);
        let is_cc = |person: &&Person| {
            is_wanted(person)
                && AddressKey::parse(&person.address)
                    .is_ok_and(|key| self.account.lists.ccs_block.covering(&key).is_none())
        };
        let ccs: Vec<&Person> =
            known.ccs.iter().filter_map(|id| self.facts.person(*id)).filter(is_cc).collect();
        let to: Vec<Party> = requester.iter().map(|person| person.mailbox().into()).collect();
        let mut cc: Vec<Party> = ccs.iter().map(|person| person.mailbox().into()).collect();
        // A message wants somebody in To.
        let to = if to.is_empty() { std::mem::take(&mut cc) } else { to };
        let recipients: Vec<String> = to.iter().chain(&cc).map(|party| party.address.clone()).collect();
        if recipients.is_empty() {
            return None;
        }
        let content = notice::comment(self.account, &known.ticket, author, to, cc)?;
        Some(self.send(Some(known.ticket.id), Some(comment), content, recipients))
    }

    /// Mails a comment, internal notes too, to each agent who follows the ticket, other than its author and
    /// those who get it anyway.
    pub(crate) fn tell_followers(
        &mut self,
        known: &TicketFacts,
        comment: CommentId,
        author: &Person,
        had: &BTreeSet<AddressKey>,
    ) {
        let told: BTreeSet<AddressKey> = self
            .changes
            .outgoing
            .iter()
            .rev()
            .take_while(|mail| mail.comment_id == Some(comment))
            .flat_map(|mail| {
                mail.recipients.iter().filter_map(|(_, address)| AddressKey::parse(address).ok())
            })
            .collect();
        let is_wanted = |person: &&Person| {
            let key = AddressKey::parse(&person.address).ok();
            person.id != author.id
                && person.is_staff()
                && !person.is_suspended
                && person.deliverable == Deliverable::Deliverable
                && key.is_some_and(|key| {
                    !had.contains(&key) && !told.contains(&key) && self.account.owner_of(&key).is_none()
                })
        };
        let followers: Vec<Person> = known
            .followers
            .iter()
            .filter_map(|id| self.facts.person(*id))
            .filter(is_wanted)
            .cloned()
            .collect();
        for person in followers {
            if let Some(content) =
                notice::follower(self.account, &known.ticket, author, person.mailbox().into())
            {
                self.send(Some(known.ticket.id), Some(comment), content, vec![person.address]);
            }
        }
    }

    /// Tells the sender of a held message to sign up. Only From is told, since nothing proves who Reply-To
    /// names.
    pub(crate) fn tell_to_sign_up(&mut self, inbound: &Inbound<'_>, decision: &Decision) {
        let letter = inbound.letter;
        let Some(mailbox) = letter.from.first() else { return };
        let is_foreign = mailbox.key().is_some_and(|key| !self.account.is_own(&key));
        if !is_foreign || decision.is_automatic || inbound.envelope.is_quiet() {
            return;
        }
        let arrival = &decision.arrival;
        let answered = letter.message_id.as_ref().map(|id| id.as_str().to_owned());
        let to: Party = mailbox.clone().into();
        let recipient = &arrival.received.recipient;
        if let Some(content) =
            notice::sign_up(self.account, arrival.brand_id, recipient, to.clone(), answered)
        {
            self.send(None, None, content, vec![to.address]);
        }
    }
}
