//! What a verdict changes: people, tickets, comments, audits, Message-IDs, mails to send, the ledger row.
//!
//! Facts are changed along with [`Changes`], so that later mails of a batch see what earlier ones did.

use std::collections::BTreeSet;

use mail::address::{AddressKey, Mailbox};
use serde_json::json;

use crate::account::Account;
use crate::changes::{
    Audit, Bounced, Changes, LedgerRow, NewAttachment, NewPerson, Outgoing, ProbeReturn, RememberedId, Suspended,
};
use crate::clock::Millis;
use crate::comment::{self, Comment};
use crate::facts::{Facts, IdKind, Inbound, KnownId, TicketFacts, named_ids, stand_in_id};
use crate::id::{CommentId, OutboxId, OutgoingId, TicketId, UserId};
use crate::notice::{self, Content};
use crate::supply::Supply;
use crate::suspension::Cause;
use crate::ticket::{CCS_MAX, Status, Ticket};
use crate::token::ThreadToken;
use crate::user::{Deliverable, Person, Role, name_from};
use crate::verdict::{Author, Decision, Verdict, fingerprint};

/// Longest subject kept on a ticket, in characters.
const SUBJECT_MAX: usize = 255;

/// Where effects go: the account, the facts they change, the ids they take, the changes they add to.
pub struct Desk<'a> {
    /// The account.
    pub account: &'a Account,
    /// Facts of the batch.
    pub facts: &'a mut Facts,
    /// Ids and chance.
    pub supply: &'a mut dyn Supply,
    /// Changes of the batch.
    pub changes: &'a mut Changes,
    /// The time of the decision.
    pub now: Millis,
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("account", &self.account.id).finish_non_exhaustive()
    }
}

impl Desk<'_> {
    /// Carries out a decision. Every decision adds exactly one ledger row.
    pub fn carry_out(&mut self, inbound: &Inbound<'_>, decision: &Decision) {
        let ticket = match &decision.verdict {
            Verdict::NewTicket { author } => Some(self.open(inbound, decision, author, None)),
            Verdict::FollowUp { of, author } => Some(self.open(inbound, decision, author, Some(*of))),
            Verdict::Comment { ticket, author, is_public } => {
                self.add_comment(inbound, decision, *ticket, author, *is_public);
                Some(*ticket)
            }
            Verdict::Duplicate { ticket, .. } => *ticket,
            Verdict::Suspend { cause } => {
                self.suspend(inbound, decision, *cause);
                None
            }
            Verdict::Bounce { reports } => {
                for (delivery, is_final, answer) in reports {
                    self.bounce(delivery, *is_final, answer);
                }
                reports.iter().find_map(|(delivery, ..)| delivery.ticket)
            }
            Verdict::Probe { external, native } => {
                let address_id = self.account.address(external).map(|address| address.id);
                let at = inbound.accepted_at;
                self.changes.probes.extend(address_id.map(|address_id| ProbeReturn { address_id, native: native.clone(), at }));
                None
            }
            Verdict::Discard => None,
        };
        if !matches!(decision.verdict, Verdict::Duplicate { .. } | Verdict::Discard | Verdict::Probe { .. }) {
            self.remember(inbound, ticket);
        }
        self.changes.seen_addresses.extend(decision.arrival.address_id);
        self.ledger(inbound, decision, ticket);
    }

    fn open(&mut self, inbound: &Inbound<'_>, decision: &Decision, author: &Author, follow_up_of: Option<TicketId>) -> TicketId {
        let requester = self.person(author);
        let source = follow_up_of.and_then(|id| self.facts.tickets.get(&id)).map(|facts| facts.ticket.clone());
        let id = TicketId(self.supply.id());
        let token = ThreadToken::from_random(self.supply.random());
        let letter = inbound.letter;
        let ticket = Ticket {
            id,
            number: 0,
            brand_id: decision.arrival.brand_id,
            subject: subject_of(&letter.subject, &letter.text, &requester),
            status: Status::New,
            requester_id: requester.id,
            submitter_id: requester.id,
            assignee_id: None,
            received: decision.arrival.received.clone(),
            channel: "email".into(),
            token: token.clone(),
            is_public: true,
            tags: source.map(|ticket| ticket.tags).unwrap_or_default(),
            follow_up_of,
            last_message_id: letter.message_id.as_ref().map(|id| id.as_str().to_owned()),
            created_at: self.now,
            updated_at: self.now,
            solved_at: None,
        };
        self.facts.tokens.insert(token, id);
        self.facts.tickets.insert(id, TicketFacts { ticket: ticket.clone(), ccs: BTreeSet::new() });
        self.changes.new_tickets.push(id);
        let comment = self.comment_from_mail(inbound, decision, id, requester.id, true);
        self.add_ccs(inbound, id, requester.id);
        let events = vec![create_event(&ticket), json!({"type": "Comment", "id": comment, "public": true, "mail": inbound.id})];
        self.audit(id, requester.id, "email", events);
        if self.account.settings.acknowledge && !decision.is_automatic && requester.deliverable == Deliverable::Deliverable {
            self.acknowledge(&ticket, &requester);
        }
        self.save(ticket_after(self.facts, id));
        id
    }

    fn acknowledge(&mut self, ticket: &Ticket, requester: &Person) {
        if let Some(content) = notice::acknowledgement(self.account, ticket, requester) {
            self.send(Some(ticket.id), None, content, vec![requester.address.clone()]);
        }
    }

    fn add_comment(&mut self, inbound: &Inbound<'_>, decision: &Decision, id: TicketId, author: &Author, is_public: bool) {
        let person = self.person(author);
        let comment = self.comment_from_mail(inbound, decision, id, person.id, is_public);
        let takes_part = is_public && !person.is_staff();
        if takes_part {
            self.add_ccs(inbound, id, person.id);
        }
        let mut events = vec![json!({"v": 1, "type": "Comment", "id": comment, "public": is_public, "mail": inbound.id})];
        let now = self.now;
        if let Some(known) = self.facts.tickets.get_mut(&id) {
            let before = known.ticket.status;
            // A machine's answer does not take a ticket out of pending or solved.
            if takes_part && !decision.is_automatic {
                known.ticket.reopen_for_end_user();
            }
            if before != known.ticket.status {
                events.push(
                    json!({"type": "Change", "field": "status", "from": before.as_str(), "to": known.ticket.status.as_str()}),
                );
            }
            known.ticket.updated_at = now;
            if is_public {
                known.ticket.last_message_id =
                    inbound.letter.message_id.as_ref().map(|id| id.as_str().to_owned()).or(known.ticket.last_message_id.take());
            }
        }
        self.audit(id, person.id, "email", events);
        self.save(ticket_after(self.facts, id));
        if is_public && !decision.is_automatic {
            let letter = inbound.letter;
            let had = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key()).collect();
            self.send_comment(id, comment, &person, &had);
        }
    }

    /// Mails a public comment to the requester and the CCs, without its author and those who had it already.
    pub(crate) fn send_comment(&mut self, id: TicketId, comment: CommentId, author: &Person, had: &BTreeSet<AddressKey>) {
        let Some(known) = self.facts.tickets.get(&id).cloned() else { return };
        let takes = |person: &&Person| {
            let key = AddressKey::parse(&person.address).ok();
            person.id != author.id
                && person.deliverable == Deliverable::Deliverable
                && !person.address.is_empty()
                && key.is_some_and(|key| !had.contains(&key) && self.account.owner_of(&key).is_none())
        };
        let requester = self.facts.person(known.ticket.requester_id).filter(takes);
        let ccs: Vec<&Person> = known.ccs.iter().filter_map(|id| self.facts.person(*id)).filter(takes).collect();
        let to: Vec<notice::Party> = requester.iter().map(|person| person.mailbox().into()).collect();
        let mut cc: Vec<notice::Party> = ccs.iter().map(|person| person.mailbox().into()).collect();
        // A mail wants somebody in To.
        let to = if to.is_empty() { std::mem::take(&mut cc) } else { to };
        let recipients: Vec<String> = to.iter().chain(&cc).map(|party| party.address.clone()).collect();
        if recipients.is_empty() {
            return;
        }
        if let Some(content) = notice::comment(self.account, &known.ticket, author, to, cc) {
            self.send(Some(id), Some(comment), content, recipients);
        }
    }

    /// Puts a mail into the outbox and remembers its Message-ID.
    pub fn send(&mut self, ticket_id: Option<TicketId>, comment_id: Option<CommentId>, content: Content, to: Vec<String>) {
        let id = OutgoingId(self.supply.id());
        let random = self.supply.random();
        let message_id = match ThreadToken::parse(&content.token) {
            Some(token) => notice::message_id(&token, random, &content.host),
            None => format!("{}@{}", content.probe.as_deref().unwrap_or("notice"), content.host),
        };
        let recipients: Vec<(OutboxId, String)> = to.into_iter().map(|address| (OutboxId(self.supply.id()), address)).collect();
        let known = KnownId { kind: IdKind::Out, ticket: ticket_id, mail_id: id.0, fingerprint: None };
        self.facts.message_ids.insert(message_id.clone(), known);
        self.changes.message_ids.push(RememberedId {
            message_id: message_id.clone(),
            kind: IdKind::Out,
            ticket_id,
            mail_id: id.0,
            fingerprint: None,
        });
        self.changes.outgoing.push(Outgoing { id, ticket_id, comment_id, message_id, content, recipients, created_at: self.now });
    }

    fn comment_from_mail(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        ticket_id: TicketId,
        author_id: UserId,
        is_public: bool,
    ) -> CommentId {
        let id = CommentId(self.supply.id());
        let (body, is_cut) = comment::cut(&inbound.letter.text);
        self.changes.comments.push(Comment {
            id,
            ticket_id,
            author_id,
            is_public,
            is_cut,
            body: body.to_owned(),
            mail_id: Some(inbound.id),
            flags: decision.flags.iter().map(|flag| flag.number()).collect(),
            created_at: self.now,
        });
        let attachments = inbound.letter.attachments.iter().cloned();
        self.changes.attachments.extend(attachments.map(|attachment| NewAttachment {
            comment_id: id,
            mail_id: inbound.id,
            attachment,
        }));
        id
    }

    fn person(&mut self, author: &Author) -> Person {
        if let Some(person) = self.facts.people.get(&author.key) {
            return person.clone();
        }
        self.make_person(&author.mailbox, author.key.clone())
    }

    /// Makes an end user of a mailbox.
    pub(crate) fn make_person(&mut self, mailbox: &Mailbox, key: AddressKey) -> Person {
        let person = Person {
            id: UserId(self.supply.id()),
            name: name_from(mailbox, &key),
            role: Role::EndUser,
            is_suspended: false,
            address: mailbox.address.clone(),
            deliverable: Deliverable::Deliverable,
        };
        self.facts.know(key.clone(), person.clone());
        self.changes.people.push(NewPerson { person: person.clone(), address: key, created_at: self.now });
        person
    }

    /// To and Cc of a participant's mail become CCs, our own addresses and the author aside, up to [`CCS_MAX`].
    fn add_ccs(&mut self, inbound: &Inbound<'_>, id: TicketId, author: UserId) {
        let letter = inbound.letter;
        for mailbox in letter.to.iter().chain(&letter.cc) {
            let Some(key) = mailbox.key() else { continue };
            // Any address at a native host is ours, registered or not: mailing it would be a loop.
            if self.account.owner_of(&key).is_some() || self.account.brand_of_host(key.domain()).is_some() {
                continue;
            }
            let person = match self.facts.people.get(&key) {
                Some(person) => person.clone(),
                None => self.make_person(mailbox, key),
            };
            let Some(known) = self.facts.tickets.get_mut(&id) else { return };
            let is_on = person.id == author || person.id == known.ticket.requester_id || known.ccs.contains(&person.id);
            if is_on || known.ccs.len() >= CCS_MAX {
                continue;
            }
            known.ccs.insert(person.id);
            self.changes.ccs.insert((id, person.id));
        }
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

    fn bounce(&mut self, delivery: &crate::facts::Delivery, is_final: bool, answer: &str) {
        let at = self.now;
        self.changes.bounced.push(Bounced { delivery: delivery.clone(), is_final, answer: answer.to_owned(), at });
        let Some(ticket) = delivery.ticket.and_then(|id| self.facts.tickets.get(&id)).map(|known| known.ticket.clone()) else {
            return;
        };
        let word = if is_final { "failed" } else { "delayed" };
        let event = json!({"v": 1, "type": "Delivery", "recipient": delivery.recipient, "result": word, "answer": answer});
        self.audit(ticket.id, ticket.requester_id, "system", vec![event]);
    }

    /// Remembers the mail's own id and those it names, so that later mails find the ticket whichever arrives first.
    fn remember(&mut self, inbound: &Inbound<'_>, ticket: Option<TicketId>) {
        let letter = inbound.letter;
        let own = letter.message_id.as_ref().map(|id| id.as_str().to_owned()).or_else(|| stand_in_id(letter));
        if let Some(own) = own {
            self.remember_id(own, IdKind::In, ticket, inbound, Some(fingerprint(inbound)));
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
        let known = self.facts.message_ids.get(&message_id).map(|known| known.kind);
        if matches!((known, kind), (Some(IdKind::In | IdKind::Out), _) | (Some(IdKind::Seen), IdKind::Seen)) {
            return;
        }
        let mail_id = inbound.id.0;
        self.facts.message_ids.insert(message_id.clone(), KnownId { kind, ticket: ticket_id, mail_id, fingerprint });
        self.changes.message_ids.push(RememberedId { message_id, kind, ticket_id, mail_id, fingerprint });
    }

    fn ledger(&mut self, inbound: &Inbound<'_>, decision: &Decision, ticket_id: Option<TicketId>) {
        let message_id = inbound.letter.message_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
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

/// The changes that hold a mail which no step could work: kept, cause 19, nobody else's mail touched.
#[must_use]
pub fn unprocessable(inbound: &Inbound<'_>, step: &str, now: Millis) -> Changes {
    let reason = format!("{}: {step}", Cause::UnprocessableEmail.sentence());
    let recipient = inbound.envelope.recipients.first().cloned().unwrap_or_default();
    Changes {
        suspended: vec![Suspended {
            id: inbound.id,
            cause: Cause::UnprocessableEmail,
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

/// What a ticket was when it was opened, as far as it may change; the rest stands on the ticket for good.
fn create_event(ticket: &Ticket) -> serde_json::Value {
    let mut event = json!({"v": 1, "type": "Create", "subject": ticket.subject, "recipient": ticket.received.recipient});
    if let (Some(of), Some(fields)) = (ticket.follow_up_of, event.as_object_mut()) {
        fields.insert("follow_up_of".into(), json!(of));
    }
    event
}

fn ticket_after(facts: &Facts, id: TicketId) -> Option<Ticket> {
    facts.tickets.get(&id).map(|known| known.ticket.clone())
}

/// The mail's subject, else the first words of its text, else who it is from.
fn subject_of(subject: &str, text: &str, requester: &Person) -> String {
    let first_line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let chosen = [subject.trim(), first_line].into_iter().find(|candidate| !candidate.is_empty());
    let chosen = chosen.map_or_else(|| format!("Mail from {}", requester.name), str::to_owned);
    chosen.chars().take(SUBJECT_MAX).collect()
}
