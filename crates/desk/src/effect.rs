//! What a verdict changes: people, tickets, comments, audits, Message-IDs, mails to send, the ledger row.
//!
//! `ticket` opens and comments, `post` mails comments, `people` makes people and CCs, `commands` obeys agents.
//! Facts are changed along with [`Changes`], so that later mails of a batch see what earlier ones did.

mod commands;
mod people;
mod post;
mod ticket;

use serde_json::json;

pub use ticket::TICKETS_PER_MAIL;

use crate::account::Account;
use crate::changes::{Audit, Bounced, Changes, LedgerRow, Outgoing, ProbeReturn, RememberedId, Suspended};
use crate::clock::Millis;
use crate::delivery::DeliveryResult;
use crate::facts::{Facts, IdKind, KnownId};
use crate::id::{CommentId, OutboxId, OutgoingId, TicketId, UserId};
use crate::id_source::IdSource;
use crate::inbound::fingerprint;
use crate::inbound::{Inbound, named_ids, own_id, reused_id};
use crate::notice::{self, Content, NoticeKind};
use crate::suspension::Cause;
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::verdict::{Decision, Verdict};

/// Where effects go: the account, the facts they change, the ids they take, the changes they add to.
pub struct Writer<'a> {
    /// The account.
    pub account: &'a Account,
    /// Facts of the batch.
    pub facts: &'a mut Facts,
    /// Ids and chance.
    pub supply: &'a mut dyn IdSource,
    /// Changes of the batch.
    pub changes: &'a mut Changes,
    /// The time of the decision.
    pub now: Millis,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("account", &self.account.id).finish_non_exhaustive()
    }
}

impl Writer<'_> {
    /// Carries out a decision. Every decision adds exactly one ledger row.
    pub fn carry_out(&mut self, inbound: &Inbound<'_>, decision: &Decision) {
        let ticket = match &decision.verdict {
            Verdict::NewTicket { author, is_public } => {
                Some(self.open(inbound, decision, author, *is_public, None))
            }
            Verdict::FollowUp { of, author, is_public } => {
                Some(self.open(inbound, decision, author, *is_public, Some(*of)))
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
                let address_id = self.account.address(external).map(|address| address.id);
                let at = inbound.accepted_at;
                self.changes.probes.extend(address_id.map(|address_id| ProbeReturn {
                    address_id,
                    native: native.clone(),
                    at,
                }));
                None
            }
            Verdict::Discard => None,
        };
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

    /// Puts a mail into the outbox and remembers its Message-ID.
    pub fn send(
        &mut self,
        ticket_id: Option<TicketId>,
        comment_id: Option<CommentId>,
        content: Content,
        to: Vec<String>,
    ) {
        let id = OutgoingId(self.supply.id());
        let random = self.supply.random();
        let message_id = match (ThreadToken::parse(&content.token), &content.probe) {
            (Some(token), _) if content.kind == NoticeKind::Follower.as_str() => {
                notice::follower_message_id(&token, random, &content.host)
            }
            (Some(token), _) => notice::message_id(&token, random, &content.host),
            (None, Some(secret)) => format!("{secret}@{}", content.host),
            (None, None) => format!("notice.{random:016x}@{}", content.host),
        };
        let recipients: Vec<(OutboxId, String)> =
            to.into_iter().map(|address| (OutboxId(self.supply.id()), address)).collect();
        let known = KnownId { kind: IdKind::Out, ticket: ticket_id, mail_id: id.0, fingerprint: None };
        self.facts.message_ids.insert(message_id.clone(), known);
        self.changes.message_ids.push(RememberedId {
            message_id: message_id.clone(),
            kind: IdKind::Out,
            ticket_id,
            mail_id: id.0,
            fingerprint: None,
        });
        self.changes.outgoing.push(Outgoing {
            id,
            ticket_id,
            comment_id,
            message_id,
            content,
            recipients,
            created_at: self.now,
        });
    }

    pub(crate) fn audit(
        &mut self,
        ticket_id: TicketId,
        author_id: UserId,
        channel: &'static str,
        events: Vec<serde_json::Value>,
    ) {
        let id = self.supply.id();
        self.changes.audits.push(Audit { id, ticket_id, author_id, channel, events, created_at: self.now });
    }

    pub(crate) fn save(&mut self, ticket: Option<Ticket>) {
        self.changes.tickets.extend(ticket.map(|ticket| (ticket.id, ticket)));
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

    fn bounce(&mut self, delivery: &crate::delivery::Delivery, result: DeliveryResult, answer: &str) {
        let at = self.now;
        self.changes.bounced.push(Bounced {
            delivery: delivery.clone(),
            result,
            answer: answer.to_owned(),
            at,
        });
        let Some(ticket) =
            delivery.ticket.and_then(|id| self.facts.tickets.get(&id)).map(|known| known.ticket.clone())
        else {
            return;
        };
        let event = json!({"v": 1, "type": "Delivery", "recipient": delivery.recipient, "result": result.as_str(), "answer": answer});
        self.audit(ticket.id, ticket.requester_id, "system", vec![event]);
    }

    /// Remembers the mail's own id and those it names, so that later mails find the ticket whichever arrives first.
    fn remember(&mut self, inbound: &Inbound<'_>, ticket: Option<TicketId>) {
        let letter = inbound.letter;
        if let Some(own) = own_id(letter) {
            let print = fingerprint(inbound);
            let known = self.facts.message_ids.get(&own);
            let is_another =
                known.is_some_and(|known| known.kind == IdKind::In && known.fingerprint != Some(print));
            // The id stays that of the first mail; this one is known again by its own text.
            let id = if is_another { reused_id(&print) } else { own };
            self.remember_id(id, IdKind::In, ticket, inbound, Some(print));
        }
        if ticket.is_some() {
            let named: Vec<String> = named_ids(letter).map(str::to_owned).collect();
            for id in named {
                self.remember_id(id, IdKind::Seen, ticket, inbound, None);
            }
        }
    }

    fn remember_id(
        &mut self,
        message_id: String,
        kind: IdKind,
        ticket_id: Option<TicketId>,
        inbound: &Inbound<'_>,
        fingerprint: Option<[u8; 16]>,
    ) {
        // An id met on a real mail stays as it was first met.
        let known = self.facts.message_ids.get(&message_id);
        // A mail that was waited for and is held keeps its ticket for when it is let through.
        let ticket_id = ticket_id.or(known.filter(|_| kind == IdKind::In).and_then(|known| known.ticket));
        let is_decided_anew =
            known.is_some_and(|known| known.kind == IdKind::In && known.mail_id == inbound.id.0);
        let known = known.map(|known| known.kind).filter(|_| !is_decided_anew);
        if matches!((known, kind), (Some(IdKind::In | IdKind::Out), _) | (Some(IdKind::Seen), IdKind::Seen)) {
            return;
        }
        let mail_id = inbound.id.0;
        self.facts
            .message_ids
            .insert(message_id.clone(), KnownId { kind, ticket: ticket_id, mail_id, fingerprint });
        self.changes.message_ids.push(RememberedId { message_id, kind, ticket_id, mail_id, fingerprint });
    }

    fn ledger(&mut self, inbound: &Inbound<'_>, decision: &Decision, ticket_id: Option<TicketId>) {
        let message_id =
            inbound.letter.message_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
        self.changes.ledger.push(LedgerRow {
            id: inbound.id,
            accepted_at: inbound.accepted_at,
            decided_at: self.now,
            message_id,
            outcome: decision.outcome(),
            reason: decision.reason().to_owned(),
            reasons: decision.reasons.clone(),
            ticket_id,
        });
    }
}

/// The changes that hold a mail which no step could work: kept, with cause 19 or 24, nobody else's mail touched.
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
            outcome: crate::ledger::Outcome::Suspended,
            reason: reason.clone(),
            reasons: vec![reason],
            ticket_id: None,
        }],
        ..Changes::default()
    }
}

fn ticket_after(facts: &Facts, id: TicketId) -> Option<Ticket> {
    facts.tickets.get(&id).map(|known| known.ticket.clone())
}
