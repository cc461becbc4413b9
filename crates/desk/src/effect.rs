//! What a verdict changes: people, tickets, comments, audits, Message-IDs, mails to send, the ledger row.
//!
//! `opening` makes tickets of messages and `commenting` comments, `text` and `file` say what of a message a
//! comment keeps, `people` creates users and CCs, `commands` applies agents' commands, `memory` remembers
//! Message-IDs. Tickets change only through [`crate::edit`].

mod commands;
mod commenting;
mod file;
mod memory;
mod opening;
mod people;
mod text;

pub use opening::TICKETS_PER_MAIL;

use crate::actor::Actor;
use crate::changes::{Bounced, Changes, LedgerRow, ProbeReturn, Suspended};
use crate::channel::Channel;
use crate::clock::Millis;
use crate::delivery::{Delivery, DeliveryResult};
use crate::edit::Origin;
use crate::event::{Event, Peer};
use crate::id::{TicketId, UserId};
use crate::inbound::Inbound;
use crate::ledger::Outcome;
use crate::suspension::Cause;
use crate::verdict::{Decision, Verdict};
use crate::writer::Writer;
use mail::address::AddressKey;

/// 1980-01-01: older dates in mail are those of clocks that were never set.
const MAIL_SINCE: Millis = Millis(315_532_800_000);

impl Writer<'_> {
    /// Carries out a decision. Every decision adds exactly one ledger row.
    pub fn carry_out(&mut self, inbound: &Inbound<'_>, decision: &Decision) {
        let ticket = self.obey_verdict(inbound, decision);
        if !matches!(decision.verdict, Verdict::Duplicate { .. } | Verdict::Discard | Verdict::Probe { .. }) {
            self.remember(inbound, ticket);
        }
        if let Some((sender, rate)) = &decision.rate {
            self.facts.rates.insert(sender.clone(), *rate);
            self.changes.rates.insert(sender.clone(), *rate);
        }
        self.changes.seen_addresses.extend(decision.arrival.address_id);
        self.ledger(inbound, decision, ticket);
    }

    /// Does what the verdict says, and returns the ticket that the message belongs to from now on.
    fn obey_verdict(&mut self, inbound: &Inbound<'_>, decision: &Decision) -> Option<TicketId> {
        match &decision.verdict {
            Verdict::NewTicket { author, is_public } => {
                Some(self.open_tickets(inbound, decision, author, *is_public))
            }
            Verdict::FollowUp { of, author, is_public } => {
                Some(self.open_follow_up(inbound, decision, author, *is_public, *of))
            }
            Verdict::Comment { ticket, author, is_public } => {
                self.add_comment(inbound, decision, *ticket, author, *is_public);
                Some(*ticket)
            }
            Verdict::Duplicate { ticket, .. } => *ticket,
            Verdict::Suspend { cause } => {
                self.suspend(inbound, decision, *cause);
                if decision.handling.tells_to_sign_up {
                    self.tell_to_sign_up(inbound, decision);
                }
                None
            }
            Verdict::Bounce { reports } => {
                for (delivery, result, answer) in reports {
                    self.bounce(delivery, *result, answer);
                }
                reports.iter().find_map(|(delivery, ..)| delivery.ticket)
            }
            Verdict::Probe { external, native } => {
                self.end_probe(inbound, external, native);
                None
            }
            Verdict::Discard => None,
        }
    }

    fn suspend(&mut self, inbound: &Inbound<'_>, decision: &Decision, cause: Cause) {
        let sender = inbound.letter.from.first().map(|mailbox| mailbox.address.clone());
        self.changes.suspended.push(Suspended {
            id: inbound.id,
            cause,
            sender: sender.or_else(|| inbound.envelope.mail_from.clone()).unwrap_or_default(),
            subject: inbound.letter.subject.clone(),
            recipient: decision.arrival.received.recipient.clone(),
            detail: String::new(),
            created_at: self.now,
        });
    }

    fn end_probe(&mut self, inbound: &Inbound<'_>, external: &AddressKey, native: &AddressKey) {
        let Some(address) = self.account.address(external) else { return };
        let native = native.clone();
        self.changes.probes.push(ProbeReturn { address_id: address.id, native, at: inbound.accepted_at });
    }

    /// Notes what became of a delivery, and tells the ticket of its message.
    fn bounce(&mut self, delivery: &Delivery, result: DeliveryResult, answer: &str) {
        self.changes.bounced.push(Bounced {
            delivery: delivery.clone(),
            result,
            answer: answer.to_owned(),
            at: self.now,
        });
        let known = delivery.ticket.and_then(|id| self.facts.tickets.get(&id));
        let Some(ticket) = known.map(|known| &known.ticket) else { return };
        let origin = Origin {
            actor: Actor::Person(ticket.requester_id),
            channel: Channel::System,
            peer: Peer::default(),
            said_at: self.now,
        };
        let Some(mut edit) = self.edit(ticket.id, origin) else { return };
        edit.tell(Event::Delivery {
            recipient: delivery.recipient.clone(),
            result,
            answer: answer.to_owned(),
        });
        self.finish(edit);
    }

    fn ledger(&mut self, inbound: &Inbound<'_>, decision: &Decision, ticket_id: Option<TicketId>) {
        let message_id = inbound.letter.message_id.as_ref().map(|id| id.as_str().to_owned());
        self.changes.ledger.push(LedgerRow {
            id: inbound.id,
            accepted_at: inbound.accepted_at,
            decided_at: self.now,
            message_id: message_id.unwrap_or_default(),
            outcome: decision.outcome(),
            reason: decision.reason().to_owned(),
            reasons: decision.reasons.clone(),
            ticket_id,
        });
    }

    /// The origin of an edit made by a message.
    fn by_mail(&self, inbound: &Inbound<'_>, person: UserId) -> Origin {
        let envelope = inbound.envelope;
        Origin {
            actor: Actor::Person(person),
            channel: Channel::Email,
            peer: Peer { client: envelope.client.clone(), helo: envelope.helo.clone() },
            said_at: said_at(inbound, self.now),
        }
    }
}

/// When a message was written, for what people read: the Date of old mail that is imported, else now.
fn said_at(inbound: &Inbound<'_>, now: Millis) -> Millis {
    let written = inbound.letter.date.map(Millis).filter(|date| (MAIL_SINCE..=now).contains(date));
    written.filter(|_| inbound.envelope.is_quiet()).unwrap_or(now)
}

/// The changes that hold a message no step could process: kept with cause 19 or 24, without touching any
/// other message.
#[must_use]
pub fn unprocessable(inbound: &Inbound<'_>, cause: Cause, step: &str, now: Millis) -> Changes {
    let reason = format!("{}: {step}", cause.sentence());
    let recipient = inbound.envelope.recipients.first().cloned().unwrap_or_default();
    Changes {
        suspended: vec![Suspended {
            id: inbound.id,
            cause,
            sender: inbound.envelope.mail_from.clone().unwrap_or_default(),
            subject: String::new(),
            recipient,
            detail: step.to_owned(),
            created_at: now,
        }],
        ledger: vec![LedgerRow {
            id: inbound.id,
            accepted_at: inbound.accepted_at,
            decided_at: now,
            message_id: String::new(),
            outcome: Outcome::Suspended,
            reason: reason.clone(),
            reasons: vec![reason],
            ticket_id: None,
        }],
        ..Changes::default()
    }
}
