//! What becomes of a message: one pure function from the message and the facts to a verdict with its reasons.
//!
//! The rows are those of docs/behaviour/intake.md §3, first match wins. What no row decides opens a ticket.

mod agent;
mod author;
mod bounce;
mod case;
mod conversation;
mod returned;
mod sender;

use mail::address::{AddressKey, Mailbox};
use mail::nature::Nature;

use self::case::Case;
use crate::account::Account;
use crate::comment::Flag;
use crate::delivery::{Delivery, DeliveryResult};
use crate::facts::Facts;
use crate::forward::Original;
use crate::id::{MailId, TicketId};
use crate::inbound::Inbound;
use crate::ledger::Outcome;
use crate::mail_command::Command;
use crate::rate::Rate;
use crate::received::{Arrival, resolve};
use crate::sender_list::Listed;
use crate::signed::SigningKeys;
use crate::suspension::Cause;
use crate::user::Person;

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A ticket of its own.
    NewTicket {
        /// Who asks.
        author: Author,
        /// Public, or an internal note at first.
        is_public: bool,
    },
    /// A comment on a ticket.
    Comment {
        /// The ticket.
        ticket: TicketId,
        /// Who writes.
        author: Author,
        /// Public, or an internal note.
        is_public: bool,
    },
    /// A ticket that follows up a closed one.
    FollowUp {
        /// The closed ticket.
        of: TicketId,
        /// Who writes.
        author: Author,
        /// Public, or an internal note at first.
        is_public: bool,
    },
    /// The same message as an earlier one.
    Duplicate {
        /// The earlier message.
        of: MailId,
        /// The ticket of that message.
        ticket: Option<TicketId>,
    },
    /// Held back.
    Suspend {
        /// Why.
        cause: Cause,
    },
    /// A report on deliveries of ours.
    Bounce {
        /// Which deliveries, what became of them, and what was said.
        reports: Vec<(Delivery, DeliveryResult, String)>,
    },
    /// A forwarding probe that came back at a native address.
    Probe {
        /// The external address it was sent to.
        external: AddressKey,
        /// Where it came back.
        native: AddressKey,
    },
    /// Kept, and nothing else.
    Discard,
}

/// Who wrote: a person already known, or one to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The mailbox as written.
    pub mailbox: Mailbox,
    /// Its address.
    pub key: AddressKey,
    /// The person, when known.
    pub person: Option<Person>,
}

impl Author {
    /// Whether an agent or admin wrote.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.person.as_ref().is_some_and(Person::is_staff)
    }
}

/// What a message may do to its ticket besides adding its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handling {
    /// It opens a ticket that waited or was solved.
    pub reopens: bool,
    /// Its To and Cc become CCs.
    pub adds_ccs: bool,
    /// Its author, an agent, follows the ticket from now on.
    pub follows: bool,
    /// Its attachments are left out of the ticket.
    pub drops_attachments: bool,
    /// A new ticket is acknowledged to its requester.
    pub acknowledges: bool,
    /// The sender is told to sign up.
    pub tells_to_sign_up: bool,
    /// What an agent's commands change.
    pub commands: Vec<Command>,
    /// Where the text begins after the block of commands, in octets.
    pub text_from: usize,
    /// Who entered it, where that is not the author.
    pub submitter: Option<Author>,
    /// Who asks, where that is not the author: the requester of the ticket that is followed up, or an agent
    /// who recovers it.
    pub requester: Option<Person>,
    /// The message an agent forwarded, which becomes the ticket's first comment.
    pub original: Option<Original>,
}

/// A verdict with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the message.
    pub verdict: Verdict,
    /// Received at.
    pub arrival: Arrival,
    /// Every step, in plain sentences, in order; the last one is the one that decided.
    pub reasons: Vec<String>,
    /// Flags for the comment.
    pub flags: Vec<Flag>,
    /// Whether a machine wrote it: it is answered by nothing automatic.
    pub is_automatic: bool,
    /// What kind of sender it has, envelope included.
    pub nature: Nature,
    /// What else a look at the message found, in plain sentences; none of it decided anything.
    pub notes: Vec<String>,
    /// What it may do on its ticket.
    pub handling: Handling,
    /// What is counted of its sender from now on.
    pub rate: Option<(String, Rate)>,
}

impl Decision {
    /// The outcome in one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.verdict {
            Verdict::NewTicket { .. } => Outcome::NewTicket,
            Verdict::Comment { .. } => Outcome::Comment,
            Verdict::FollowUp { .. } => Outcome::FollowUp,
            Verdict::Duplicate { .. } => Outcome::Duplicate,
            Verdict::Suspend { .. } => Outcome::Suspended,
            Verdict::Bounce { .. } => Outcome::Bounce,
            Verdict::Probe { .. } | Verdict::Discard => Outcome::Discarded,
        }
    }

    /// Who wrote, where it became a ticket or comment.
    #[must_use]
    pub fn author(&self) -> Option<&Author> {
        match &self.verdict {
            Verdict::NewTicket { author, .. }
            | Verdict::Comment { author, .. }
            | Verdict::FollowUp { author, .. } => Some(author),
            _ => None,
        }
    }

    /// The sentence people read first.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reasons.last().map_or("", String::as_str)
    }
}

/// Decides one message.
#[must_use]
pub fn decide(account: &Account, keys: &SigningKeys, facts: &Facts, inbound: &Inbound<'_>) -> Decision {
    let arrival = resolve(account, inbound.envelope, inbound.letter);
    let nature = inbound.letter.nature.with_envelope(inbound.envelope.mail_from.is_none());
    let mut case = Case {
        account,
        keys,
        facts,
        inbound,
        arrival,
        nature,
        is_automatic: nature.is_automatic() || author::is_other_desk(inbound.letter),
        listed: Listed::Unlisted,
        reasons: Vec::new(),
        notes: Vec::new(),
        flags: Vec::new(),
        handling: Handling::default(),
        rate: None,
    };
    case.listed = case.listed();
    case.say_arrival();
    let verdict = case.verdict();
    if !matches!(verdict, Verdict::NewTicket { .. } | Verdict::Comment { .. } | Verdict::FollowUp { .. }) {
        case.flags.clear();
    } else if case.is_automatic {
        case.flag(Flag::MachineGenerated);
    }
    Decision {
        verdict,
        arrival: case.arrival,
        reasons: case.reasons,
        flags: case.flags,
        is_automatic: case.is_automatic,
        nature,
        notes: case.notes,
        handling: case.handling,
        rate: case.rate,
    }
}
