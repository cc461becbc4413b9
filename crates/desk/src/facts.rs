//! What a decision may need of the database, asked once for a whole batch, and kept up to date within it.

use std::collections::{BTreeMap, BTreeSet};

use mail::address::{AddressKey, Mailbox};
use mail::letter::Letter;

use crate::authentication::Authentication;
use crate::clock::Millis;
use crate::envelope::Envelope;
use crate::forward;
use crate::id::{OutboxId, OutgoingId, TicketId, UserId};
use crate::mail_command::{self, Command, PersonName};
use crate::rate::Rate;
use crate::received;
use crate::signed::{Purpose, SigningKeys};
use crate::str_enum::str_enum;
use crate::thread;
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::user::{Deliverable, Person};
use crate::verdict::fingerprint;
use crate::{account::Account, id::MailId};

/// Ids looked up of a letter's References at most; the newest count.
pub const REFERENCES_READ: usize = 20;

str_enum! {
    /// Where a Message-ID was met.
    pub enum IdKind {
        /// On a mail that came in.
        In = "in",
        /// On a mail of ours.
        Out = "out",
        /// In somebody's References only: its mail may still come.
        Seen = "seen",
    }
}

/// A Message-ID the account knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownId {
    /// Where it was met.
    pub kind: IdKind,
    /// The ticket it belongs to, if any.
    pub ticket: Option<TicketId>,
    /// The mail it was met on.
    pub mail_id: i64,
    /// From, Date and text digest of the mail that came in by it.
    pub fingerprint: Option<[u8; 16]>,
}

/// A ticket with the people on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketFacts {
    /// The ticket, as changed so far in this batch.
    pub ticket: Ticket,
    /// Its e-mail CCs.
    pub ccs: BTreeSet<UserId>,
    /// The agents who follow it.
    pub followers: BTreeSet<UserId>,
}

/// An address that had trouble: its mail bounced lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Soft bounces since a mail last came from it.
    pub bounces: i64,
    /// Whether mail is still sent to it.
    pub deliverable: Deliverable,
}

/// What a sender is counted under: the address in From together with how its authentication stands, so that a forger cannot
/// silence a victim.
#[must_use]
pub fn sender_key(from: &AddressKey, authentication: &Authentication) -> String {
    format!("{} {from}", authentication.standing())
}

/// One recipient of a mail of ours that a bounce may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The row in the outbox.
    pub outbox_id: OutboxId,
    /// The mail.
    pub mail_id: OutgoingId,
    /// Its recipient.
    pub recipient: String,
    /// Its ticket, unless it was a probe.
    pub ticket: Option<TicketId>,
}

/// The questions a mail raises.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Addresses of people that may be known.
    pub addresses: BTreeSet<AddressKey>,
    /// Message-IDs: the mail's own and those it names.
    pub message_ids: BTreeSet<String>,
    /// Thread tokens.
    pub tokens: BTreeSet<ThreadToken>,
    /// Outbox rows named by a verified return path.
    pub outbox: BTreeSet<OutboxId>,
    /// Outgoing mails named by a verified mark in a returned part.
    pub outgoing: BTreeSet<OutgoingId>,
    /// Senders whose mails are counted, as [`sender_key`] writes them; empty when the guard is off.
    pub senders: BTreeSet<String>,
    /// People that commands name by id.
    pub users: BTreeSet<UserId>,
    /// Tickets whose comments an agent may be quoting.
    pub comments: BTreeSet<TicketId>,
}

impl Questions {
    /// Adds what this mail asks.
    pub fn add(&mut self, account: &Account, keys: &SigningKeys, envelope: &Envelope, letter: &Letter) {
        let mailboxes = letter
            .from
            .iter()
            .take(1)
            .chain(letter.reply_to.iter().take(1))
            .chain(&letter.to)
            .chain(&letter.cc);
        self.addresses.extend(mailboxes.filter_map(|mailbox| mailbox.key()));
        self.addresses.extend(envelope.mail_from.as_deref().and_then(|text| AddressKey::parse(text).ok()));
        self.message_ids.extend(letter.message_id.iter().map(|id| id.as_str().to_owned()));
        self.message_ids.extend(named_ids(letter).map(str::to_owned));
        self.message_ids.extend(stand_in_id(letter));
        self.tokens.extend(tokens_of(account, envelope, letter));
        self.outbox.extend(bounced_row(account, keys, envelope));
        if let Some(report) = &letter.report {
            self.message_ids.extend(report.original_message_id.iter().map(|id| id.as_str().to_owned()));
            let mark = report.original_mark.as_deref();
            self.outgoing
                .extend(mark.and_then(|mark| keys.verify(Purpose::Mail, account.id.0, mark)).map(OutgoingId));
        }
    }
}

impl Questions {
    /// Adds the sender, so that their mails are counted; ask it only where the guard is on.
    pub fn add_sender(&mut self, inbound: &Inbound<'_>) {
        let from = inbound.letter.from.first().and_then(|mailbox| mailbox.key());
        let from = from.or_else(|| AddressKey::parse(inbound.envelope.mail_from.as_deref()?).ok());
        self.senders.extend(from.map(|from| sender_key(&from, inbound.authentication)));
    }

    /// Adds what a mail asks once the first answers are known: another text under a Message-ID that was used, and for an agent
    /// the people that commands and forwards name, and the comments that may be quoted. For most mails that is nothing.
    pub fn add_more(&mut self, account: &Account, keys: &SigningKeys, facts: &Facts, inbound: &Inbound<'_>) {
        let letter = inbound.letter;
        let is_met = |id: &String| facts.message_ids.get(id).is_some_and(|known| known.kind == IdKind::In);
        if own_id(letter).is_some_and(|id| is_met(&id)) {
            self.message_ids.insert(reused_id(&fingerprint(inbound)));
        }
        let senders = letter
            .from
            .iter()
            .take(1)
            .chain(letter.reply_to.iter().take(1))
            .filter_map(|mailbox| mailbox.key());
        let is_staff = |key: &AddressKey| facts.people.get(key).is_some_and(Person::is_staff);
        if !senders.collect::<Vec<_>>().iter().any(is_staff) {
            return;
        }
        let parsed = mail_command::parse(&letter.text);
        for command in &parsed.commands {
            match command {
                Command::Requester(PersonName::Mailbox(mailbox))
                | Command::Assignee(PersonName::Mailbox(mailbox)) => {
                    self.addresses.extend(mailbox.key());
                }
                Command::Requester(PersonName::Id(id)) | Command::Assignee(PersonName::Id(id)) => {
                    self.users.insert(*id);
                }
                Command::Ccs(mailboxes) => self.addresses.extend(mailboxes.iter().filter_map(Mailbox::key)),
                _ => {}
            }
        }
        let arrival = received::resolve(account, inbound.envelope, letter);
        match thread::find(account, keys, facts, &arrival, inbound) {
            Some((ticket, _)) => {
                self.comments.insert(ticket);
            }
            None => {
                let original = forward::original(inbound, parsed.rest_offset);
                self.addresses.extend(original.and_then(|(mailbox, _)| mailbox.key()));
            }
        }
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Questions::default()
    }
}

/// The id a letter is remembered under: its Message-ID, or what stands for it.
#[must_use]
pub fn own_id(letter: &Letter) -> Option<String> {
    letter.message_id.as_ref().map(|id| id.as_str().to_owned()).or_else(|| stand_in_id(letter))
}

/// What a second mail under a Message-ID that was used is remembered under, so that its copies are known as such.
#[must_use]
pub fn reused_id(fingerprint: &[u8; 16]) -> String {
    let digits: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}@reused-message-id.invalid")
}

/// The ids a letter answers: In-Reply-To, then References from the newest to the oldest, at most [`REFERENCES_READ`].
pub fn named_ids(letter: &Letter) -> impl Iterator<Item = &str> {
    letter
        .in_reply_to
        .iter()
        .chain(letter.references.iter().rev())
        .map(|id| id.as_str())
        .take(REFERENCES_READ)
}

/// What stands for the Message-ID of a mail that has none: its digest and Date. None without a Date: never a duplicate then.
#[must_use]
pub fn stand_in_id(letter: &Letter) -> Option<String> {
    let date = letter.date.filter(|_| letter.message_id.is_none())?;
    let digest: String = letter.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{digest}.{date}@no-message-id.invalid"))
}

/// Every token a mail carries, of whichever trust.
fn tokens_of(account: &Account, envelope: &Envelope, letter: &Letter) -> BTreeSet<ThreadToken> {
    let native = |host: &str| account.brand_of_host(host).is_some();
    let recipients = envelope.recipients.iter().filter_map(|text| AddressKey::parse(text).ok());
    let headers = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
    let mut tokens: BTreeSet<ThreadToken> = recipients
        .chain(headers)
        .filter(|key| native(key.domain()))
        .filter_map(|key| ThreadToken::in_address(&key))
        .collect();
    tokens.extend(named_ids(letter).filter_map(|id| ThreadToken::in_message_id(id, native)));
    tokens.extend(ThreadToken::in_body(letter));
    tokens
}

/// Whether an address has the form of our return paths, `bounce+…` at a native host, signed or not.
#[must_use]
pub fn is_return_path(account: &Account, key: &AddressKey) -> bool {
    key.detail().is_some() && key.base().local() == "bounce" && account.brand_of_host(key.domain()).is_some()
}

/// The outbox row named by a recipient `bounce+{signed id}@native host`.
#[must_use]
pub fn bounced_row(account: &Account, keys: &SigningKeys, envelope: &Envelope) -> Option<OutboxId> {
    envelope.recipients.iter().find_map(|text| {
        let key = AddressKey::parse(text).ok()?;
        let signed = key.detail().filter(|_| is_return_path(account, &key))?;
        keys.verify(Purpose::Bounce, account.id.0, signed).map(OutboxId)
    })
}

/// The delivery whose signed return path is a recipient of the mail.
#[must_use]
pub fn returned_delivery<'f>(
    account: &Account,
    keys: &SigningKeys,
    facts: &'f Facts,
    envelope: &Envelope,
) -> Option<&'f Delivery> {
    let row = bounced_row(account, keys, envelope)?;
    facts.deliveries.iter().find(|delivery| delivery.outbox_id == row)
}

/// The answers, for one account. Changed as the batch goes on, so that later mails see earlier verdicts.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// People by address.
    pub people: BTreeMap<AddressKey, Person>,
    /// People by id, for those who are only on tickets.
    pub people_by_id: BTreeMap<UserId, Person>,
    /// Known Message-IDs.
    pub message_ids: BTreeMap<String, KnownId>,
    /// Tickets that a mail may join.
    pub tickets: BTreeMap<TicketId, TicketFacts>,
    /// Tickets by token.
    pub tokens: BTreeMap<ThreadToken, TicketId>,
    /// Deliveries that a bounce may be about.
    pub deliveries: Vec<Delivery>,
    /// Those of the addresses asked for that had trouble.
    pub troubles: BTreeMap<AddressKey, Trouble>,
    /// What was counted of senders, by [`sender_key`].
    pub rates: BTreeMap<String, Rate>,
    /// Mails of one sender in an hour before they are held, as installation and account say; 0: not counted.
    pub sender_per_hour: u32,
    /// Comments of tickets that an agent may be quoting: whether public, and the text.
    pub comments: BTreeMap<TicketId, Vec<(bool, String)>>,
}

impl Facts {
    /// A person by id.
    #[must_use]
    pub fn person(&self, id: UserId) -> Option<&Person> {
        self.people_by_id.get(&id)
    }

    /// Notices to a person go to this address of theirs instead: their primary one takes no mail.
    pub fn reach_at(&mut self, id: UserId, address: &str) {
        let known = self.people.values_mut().filter(|person| person.id == id);
        for person in known.chain(self.people_by_id.get_mut(&id)) {
            address.clone_into(&mut person.address);
            person.deliverable = Deliverable::Deliverable;
        }
    }

    /// Adds a person under an address.
    pub fn know(&mut self, key: AddressKey, person: Person) {
        self.people_by_id.insert(person.id, person.clone());
        self.people.insert(key, person);
    }
}

/// A mail on the table: what came, parsed, and under which id it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// The id of the raw mail.
    pub id: MailId,
    /// When 250 was said for it.
    pub accepted_at: Millis,
    /// What SMTP said.
    pub envelope: &'a Envelope,
    /// What it says.
    pub letter: &'a Letter,
    /// Its bytes; empty where nobody has them at hand.
    pub raw: &'a [u8],
    /// What is known of who really sent it.
    pub authentication: &'a Authentication,
    /// Set when somebody takes it out of the suspended tickets.
    pub recovered: Option<&'a Recovered>,
}

static UNCHECKED: Authentication = Authentication::unchecked();

impl<'a> Inbound<'a> {
    /// A mail as it comes in, its sender not checked.
    #[must_use]
    pub fn new(id: MailId, accepted_at: Millis, envelope: &'a Envelope, letter: &'a Letter) -> Inbound<'a> {
        Inbound { id, accepted_at, envelope, letter, raw: &[], authentication: &UNCHECKED, recovered: None }
    }
}

/// How a mail is taken out of the suspended tickets: no cause holds it any more, and a closed ticket gets no follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// As it would have been: a ticket of its author, or a comment.
    AsSent,
    /// A comment on this ticket by its author.
    Into(TicketId),
    /// A ticket whose requester is this agent.
    By(Person),
}
