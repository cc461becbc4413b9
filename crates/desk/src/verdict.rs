//! What becomes of a mail: one pure function from the mail and the facts to a verdict with its reasons.
//!
//! The rows are those of docs/behaviour/intake.md §3, first match wins. What no row decides opens a ticket.

mod author;
mod bounce;
mod conversation;
mod sender;

use mail::address::{AddressKey, Mailbox};
use mail::nature::Nature;

use crate::account::Account;
use crate::address::{Forwarding, SupportAddress};
use crate::changes::DeliveryResult;
use crate::comment::Flag;
use crate::facts::{Delivery, Facts, IdKind, Inbound, is_return_path, own_id, reused_id};
use crate::id::{MailId, TicketId};
use crate::ledger::Outcome;
use crate::mail_command::Command;
use crate::rate::Rate;
use crate::received::{Arrival, Source, resolve};
use crate::sender_list::{self, Listed};
use crate::signed::{Purpose, SigningKeys};
use crate::suspension::Cause;
use crate::user::Person;

/// What becomes of a mail.
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
    /// The same mail as an earlier one.
    Duplicate {
        /// The earlier mail.
        of: MailId,
        /// The ticket of that mail.
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

/// What a mail may do on its ticket beside adding its text.
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
    /// Where the text begins behind the block of commands, in octets.
    pub text_from: usize,
    /// Who entered it, where that is not the author.
    pub submitter: Option<Author>,
    /// Who asks, where that is not the author: the requester of the ticket that is followed up, or an agent who recovers it.
    pub requester: Option<Person>,
    /// The mail an agent forwarded, which becomes the ticket's first comment.
    pub original: Option<Original>,
}

/// A mail that an agent forwarded for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its subject; empty when the forward does not say.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What the agent wrote above it; empty for nothing.
    pub note: String,
}

/// A verdict with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the mail.
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
    /// What else a look at the mail found, in plain sentences; none of it decided anything.
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

/// From, Date and text in one value: two mails that share it and their Message-ID are the same mail.
#[must_use]
pub fn fingerprint(inbound: &Inbound<'_>) -> [u8; 16] {
    let letter = inbound.letter;
    let mut hasher = blake3::Hasher::new();
    for mailbox in letter.from.iter().take(1) {
        hasher.update(mailbox.address.to_lowercase().as_bytes());
    }
    hasher.update(b"\n");
    hasher.update(&letter.date.unwrap_or_default().to_le_bytes());
    hasher.update(&letter.digest);
    let mut kept = [0; 16];
    for (to, from) in kept.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    kept
}

/// Decides one mail.
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

struct Case<'a> {
    account: &'a Account,
    keys: &'a SigningKeys,
    facts: &'a Facts,
    inbound: &'a Inbound<'a>,
    arrival: Arrival,
    nature: Nature,
    is_automatic: bool,
    listed: Listed,
    reasons: Vec<String>,
    notes: Vec<String>,
    flags: Vec<Flag>,
    handling: Handling,
    rate: Option<(String, Rate)>,
}

impl Case<'_> {
    fn say(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn flag(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    fn say_arrival(&mut self) {
        let received = &self.arrival.received;
        let how = match received.source {
            Source::Envelope => "the envelope recipient is registered",
            Source::Forward => "the envelope recipient is the proven target of its forward",
            Source::HopHeader => "a header of a trusted relay names it",
            Source::Header => "To or Cc names it",
            Source::Default => "nothing names a registered address, so the brand's default counts",
        };
        let sentence = format!("received at {}: {how}", received.recipient);
        self.say(sentence);
        let checks = self.inbound.authentication;
        if checks.is_checked {
            self.note(format!("sender {}: {}", checks.standing(), checks.clause()));
        }
        if self.nature != Nature::Human {
            self.note(format!("nature {}", self.nature.as_str()));
        }
    }

    fn verdict(&mut self) -> Verdict {
        // Each row answers or passes; the order is the table's.
        self.probe()
            .or_else(|| self.loop_of_ours())
            .or_else(|| self.duplicate())
            .or_else(|| self.signed_bounce())
            .or_else(|| self.closed_channel())
            .or_else(|| self.noreply_recipient())
            .or_else(|| self.too_many_mails())
            .or_else(|| self.foreign_report())
            .or_else(|| self.impossible_sender())
            .or_else(|| self.rejected_sender())
            .or_else(|| self.failed_authentication())
            .or_else(|| self.unwanted_sender())
            .or_else(|| self.machine())
            .or_else(|| self.blank())
            .or_else(|| self.crowd())
            .unwrap_or_else(|| self.conversation())
    }

    /// Holds the mail, unless somebody just took it out of the suspended tickets.
    fn suspend(&mut self, cause: Cause) -> Option<Verdict> {
        if self.inbound.recovered.is_some() {
            self.say(format!(
                "cause {} ({}) does not hold it any more: it was recovered",
                cause.number(),
                cause.sentence()
            ));
            return None;
        }
        Some(self.hold(cause))
    }

    /// Holds the mail in any case: there is nothing that could be made of it.
    fn hold(&mut self, cause: Cause) -> Verdict {
        self.say(format!("held as suspended (cause {}): {}", cause.number(), cause.sentence()));
        Verdict::Suspend { cause }
    }

    fn probe(&mut self) -> Option<Verdict> {
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

    /// Whether it is a mail of its own: bounces, absence notices and replies repeat the subject of what they answer.
    fn is_no_answer(&self) -> bool {
        let letter = self.inbound.letter;
        let is_answer = matches!(self.nature, Nature::Bounce | Nature::Delay | Nature::AutoReply);
        !is_answer && letter.report.is_none() && letter.in_reply_to.is_empty() && letter.references.is_empty()
    }

    fn loop_of_ours(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let marked = letter
            .own_mark
            .as_deref()
            .and_then(|mark| self.keys.verify(Purpose::Mail, self.account.id.0, mark));
        let known_out = letter.message_id.as_ref().and_then(|id| self.facts.message_ids.get(id.as_str()));
        let is_out = known_out.is_some_and(|known| known.kind == IdKind::Out);
        if marked.is_none() && !is_out {
            return None;
        }
        self.say("this is a mail of ours that came back (a loop): kept, not processed");
        Some(Verdict::Discard)
    }

    fn duplicate(&mut self) -> Option<Verdict> {
        let id = own_id(self.inbound.letter)?;
        let met = |id: &str| {
            let known = self.facts.message_ids.get(id).filter(|known| known.kind == IdKind::In)?;
            // A mail that is decided anew is no duplicate of itself.
            (known.mail_id != self.inbound.id.0).then_some(known)
        };
        let first = met(&id)?;
        let own = fingerprint(self.inbound);
        let same = [Some(first), met(&reused_id(&own))]
            .into_iter()
            .flatten()
            .find(|known| known.fingerprint == Some(own));
        if let Some(known) = same {
            let (of, ticket) = (MailId(known.mail_id), known.ticket);
            self.say(format!("the same Message-ID, From, Date and text as mail {of}: a duplicate"));
            return Some(Verdict::Duplicate { of, ticket });
        }
        let of = first.mail_id;
        self.flag(Flag::ReusedMessageId);
        self.say(format!(
            "the Message-ID is that of mail {of}, but the text is another: taken as a mail of its own"
        ));
        None
    }

    /// What the allow list and the block list say of the address in From.
    fn listed(&self) -> Listed {
        let Some(from) = self.from() else { return Listed::Unlisted };
        let lists = &self.account.lists;
        sender_list::verdict(
            &lists.allow,
            &lists.block,
            &from.key,
            from.person.is_some(),
            &lists.organization_domains,
        )
    }

    fn is_allowed(&self) -> bool {
        matches!(self.listed, Listed::Allowed { .. })
    }
}
