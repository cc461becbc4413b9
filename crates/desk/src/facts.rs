//! What a decision may need of the database, asked once for a whole batch, and kept up to date within it.

use std::collections::{BTreeMap, BTreeSet};

use mail::address::AddressKey;
use mail::letter::Letter;

use crate::envelope::Envelope;
use crate::id::{OutboxId, OutgoingId, TicketId, UserId};
use crate::signed::{Purpose, SigningKeys};
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::user::Person;
use crate::word::words;
use crate::{account::Account, id::MailId};

/// Ids looked up of a letter's References at most; the newest count.
pub const REFERENCES_READ: usize = 20;

words! {
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
}

impl Questions {
    /// Adds what this mail asks.
    pub fn add(&mut self, account: &Account, keys: &SigningKeys, envelope: &Envelope, letter: &Letter) {
        let mailboxes = letter.from.iter().take(1).chain(letter.reply_to.iter().take(1)).chain(&letter.to).chain(&letter.cc);
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
            self.outgoing.extend(mark.and_then(|mark| keys.verify(Purpose::Mail, account.id.0, mark)).map(OutgoingId));
        }
    }
}

/// The ids a letter answers: In-Reply-To, then References from the newest to the oldest, at most [`REFERENCES_READ`].
pub fn named_ids(letter: &Letter) -> impl Iterator<Item = &str> {
    letter.in_reply_to.iter().chain(letter.references.iter().rev()).map(|id| id.as_str()).take(REFERENCES_READ)
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
    let mut tokens: BTreeSet<ThreadToken> =
        recipients.chain(headers).filter(|key| native(key.domain())).filter_map(|key| ThreadToken::in_address(&key)).collect();
    tokens.extend(named_ids(letter).filter_map(|id| ThreadToken::in_message_id(id, native)));
    tokens.extend(ThreadToken::in_text(&letter.text));
    tokens
}

/// The outbox row named by a recipient `bounce+{signed id}@native host`.
#[must_use]
pub fn bounced_row(account: &Account, keys: &SigningKeys, envelope: &Envelope) -> Option<OutboxId> {
    envelope.recipients.iter().find_map(|text| {
        let key = AddressKey::parse(text).ok()?;
        let ours = key.base().local() == "bounce" && account.brand_of_host(key.domain()).is_some();
        let signed = key.detail().filter(|_| ours)?;
        keys.verify(Purpose::Bounce, account.id.0, signed).map(OutboxId)
    })
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
}

impl Facts {
    /// A person by id.
    #[must_use]
    pub fn person(&self, id: UserId) -> Option<&Person> {
        self.people_by_id.get(&id)
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
    pub accepted_at: crate::clock::Millis,
    /// What SMTP said.
    pub envelope: &'a Envelope,
    /// What it says.
    pub letter: &'a Letter,
}
