//! Everything a batch of decisions changes, written by one transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::actor::Actor;
use crate::channel::Channel;
use crate::clock::Millis;
use crate::comment::Comment;
use crate::delivery::{Delivery, DeliveryResult};
use crate::event::Event;
use crate::facts::Met;
use crate::id::{AuditId, CommentId, MailId, OutboxId, OutgoingId, SupportAddressId, TicketId, UserId};
use crate::ledger::Outcome;
use crate::notice::Content;
use crate::rate::Rate;
use crate::suspension::Cause;
use crate::ticket::Ticket;
use crate::user::Person;
use mail::address::AddressKey;

/// A user to create, with the address they wrote from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The person.
    pub person: Person,
    /// Their address, normalised.
    pub address: AddressKey,
    /// When.
    pub created_at: Millis,
}

/// A part of a raw message that is shown as an attachment of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// The comment.
    pub comment_id: CommentId,
    /// The message it is read out of.
    pub mail_id: MailId,
    /// Which part of it and what it is.
    pub attachment: mail::letter::Attachment,
}

/// One audit: what one actor changed at one time, as events.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Its id.
    pub id: AuditId,
    /// The ticket.
    pub ticket_id: TicketId,
    /// Who did it.
    pub author: Actor,
    /// By which way.
    pub channel: Channel,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// When.
    pub created_at: Millis,
}

/// A ticket before and after the changes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedTicket {
    /// As the database has it; none for one that is opened.
    pub before: Option<Ticket>,
    /// As it is to be.
    pub after: Ticket,
}

/// A Message-ID to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedId {
    /// The id without `<>`.
    pub message_id: String,
    /// The message it was met on.
    pub met: Met,
    /// Its ticket.
    pub ticket_id: Option<TicketId>,
    /// From, Date and digest, of a message that came in.
    pub fingerprint: Option<[u8; 16]>,
}

/// A message to be sent, one row for it and one for each recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its id.
    pub id: OutgoingId,
    /// Its ticket.
    pub ticket_id: Option<TicketId>,
    /// The comment it carries.
    pub comment_id: Option<CommentId>,
    /// Its Message-ID.
    pub message_id: String,
    /// The values at the event.
    pub content: Content,
    /// Its recipients, at least one: outbox row and address.
    pub recipients: Vec<(OutboxId, String)>,
    /// When.
    pub created_at: Millis,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The message.
    pub id: MailId,
    /// When it was accepted.
    pub accepted_at: Millis,
    /// When it was decided.
    pub decided_at: Millis,
    /// Its Message-ID without `<>`, empty when it has none.
    pub message_id: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The sentence people read first.
    pub reason: String,
    /// Every step of the decision, in order.
    pub reasons: Vec<String>,
    /// The ticket it opened or joined.
    pub ticket_id: Option<TicketId>,
}

/// A message held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    /// The message.
    pub id: MailId,
    /// Why.
    pub cause: Cause,
    /// From, as shown.
    pub sender: String,
    /// Subject.
    pub subject: String,
    /// The support address.
    pub recipient: String,
    /// More words on the cause; may be empty.
    pub detail: String,
    /// When.
    pub created_at: Millis,
}

/// A delivery that a report spoke of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounced {
    /// Which delivery.
    pub delivery: Delivery,
    /// What became of it.
    pub result: DeliveryResult,
    /// What the other server said.
    pub answer: String,
    /// When.
    pub at: Millis,
}

/// A forwarding probe that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReturn {
    /// The external address.
    pub address_id: SupportAddressId,
    /// The native address it came back at.
    pub native: AddressKey,
    /// When.
    pub at: Millis,
}

/// All changes of a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Users to create.
    pub people: Vec<NewPerson>,
    /// Tickets to open, in the order of their numbers to come. Their values are in `tickets`.
    pub new_tickets: Vec<TicketId>,
    /// Every ticket opened or changed.
    pub tickets: BTreeMap<TicketId, ChangedTicket>,
    /// CCs to add.
    pub ccs: BTreeSet<(TicketId, UserId)>,
    /// Followers to add.
    pub followers: BTreeSet<(TicketId, UserId)>,
    /// Comments to add.
    pub comments: Vec<Comment>,
    /// Attachments to add.
    pub attachments: Vec<NewAttachment>,
    /// Audits to add.
    pub audits: Vec<Audit>,
    /// Message-IDs to remember.
    pub message_ids: Vec<RememberedId>,
    /// Mails to send.
    pub outgoing: Vec<Outgoing>,
    /// Ledger rows to write; each closes its spool row.
    pub ledger: Vec<LedgerRow>,
    /// Mails to hold.
    pub suspended: Vec<Suspended>,
    /// Deliveries reported on.
    pub bounced: Vec<Bounced>,
    /// Probes that came back.
    pub probes: Vec<ProbeReturn>,
    /// Support addresses that received mail, for "last seen".
    pub seen_addresses: BTreeSet<SupportAddressId>,
    /// Addresses that a person wrote from, so that their bounces are forgotten.
    pub well_addresses: BTreeSet<AddressKey>,
    /// Languages found of people who had none.
    pub locales: BTreeMap<UserId, String>,
    /// What was counted of senders.
    pub rates: BTreeMap<String, Rate>,
}
