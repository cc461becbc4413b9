//! What a decision may need of the database, asked once for a whole batch, and kept up to date within it.

use std::collections::{BTreeMap, BTreeSet};

use mail::address::AddressKey;

use crate::authentication::Authentication;
use crate::delivery::Delivery;
use crate::id::{MailId, OutgoingId, TicketId, UserId};
use crate::organization::OrganizationDomains;
use crate::rate::Rate;
use crate::str_enum::str_enum;
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::user::{Deliverable, Person};

str_enum! {
    /// Where a Message-ID was met.
    pub enum IdKind {
        /// On a message that came in.
        In = "in",
        /// On a message we sent.
        Out = "out",
        /// In somebody's References only: its message may still come.
        Seen = "seen",
    }
}

/// The message that a Message-ID was met on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// The message that came in by this id.
    In(MailId),
    /// The message that we sent with it.
    Out(OutgoingId),
    /// A message that came in and names it: its own message may still come.
    Seen(MailId),
}

impl Met {
    /// Where the id was met.
    #[must_use]
    pub fn kind(self) -> IdKind {
        match self {
            Met::In(_) => IdKind::In,
            Met::Out(_) => IdKind::Out,
            Met::Seen(_) => IdKind::Seen,
        }
    }
}

/// A Message-ID the account knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownId {
    /// The message it was met on.
    pub met: Met,
    /// The ticket it belongs to, if any.
    pub ticket: Option<TicketId>,
    /// From, Date and text digest of the message that came in by it.
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

impl TicketFacts {
    /// A ticket that nobody is on yet besides its requester.
    #[must_use]
    pub fn of(ticket: Ticket) -> TicketFacts {
        TicketFacts { ticket, ccs: BTreeSet::new(), followers: BTreeSet::new() }
    }
}

/// An address that had trouble: its message bounced lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Soft bounces since a message last came from it.
    pub bounces: i64,
    /// Whether mail is still sent to it.
    pub deliverable: Deliverable,
}

/// What a sender is counted under: the address in From together with how its authentication stands, so that a
/// forger cannot silence a victim.
#[must_use]
pub fn sender_key(from: &AddressKey, authentication: &Authentication) -> String {
    format!("{} {from}", authentication.standing())
}

/// The answers, for one account. Changed as the batch goes on, so that later messages see earlier verdicts.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// People by address.
    pub people: BTreeMap<AddressKey, Person>,
    /// Organizations that have the domain of an address asked for.
    pub organizations: OrganizationDomains,
    /// People by id, for those who are only on tickets.
    pub people_by_id: BTreeMap<UserId, Person>,
    /// Known Message-IDs.
    pub message_ids: BTreeMap<String, KnownId>,
    /// Tickets that a message may join.
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
    /// Adds what others found; what is known already, and may have been changed by decisions since, stays.
    pub fn add_missing(&mut self, found: Facts) {
        for (key, person) in found.people {
            self.people.entry(key).or_insert(person);
        }
        for (id, person) in found.people_by_id {
            self.people_by_id.entry(id).or_insert(person);
        }
        for (id, ticket) in found.tickets {
            self.tickets.entry(id).or_insert(ticket);
        }
        for (token, id) in found.tokens {
            self.tokens.entry(token).or_insert(id);
        }
    }

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
