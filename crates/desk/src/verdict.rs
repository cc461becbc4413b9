//! What becomes of a mail: one pure function from the mail and the facts to a verdict with its reasons.
//!
//! The rows are those of docs/behaviour/intake.md §3, first match wins. What no row decides yet opens a ticket.

use mail::address::{AddressKey, Mailbox};
use mail::nature::Nature;
use mail::report::Action;

use crate::account::Account;
use crate::address::{Forwarding, SupportAddress};
use crate::comment::Flag;
use crate::facts::{Delivery, Facts, IdKind, Inbound, TicketFacts, bounced_row, stand_in_id};
use crate::id::{MailId, OutgoingId, TicketId};
use crate::ledger::Outcome;
use crate::received::{Arrival, Source, resolve};
use crate::signed::{Purpose, SigningKeys};
use crate::suspension::Cause;
use crate::thread::{self, Match};
use crate::ticket::{CCS_MAX, Status};
use crate::user::Person;

/// What becomes of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A ticket of its own.
    NewTicket {
        /// Who asks.
        author: Author,
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
        /// Which deliveries, whether they failed for good, and what was said.
        reports: Vec<(Delivery, bool, String)>,
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
        is_automatic: nature.is_automatic(),
        reasons: Vec::new(),
        flags: Vec::new(),
    };
    case.say_arrival();
    let verdict = case.verdict(nature);
    if case.is_automatic && matches!(verdict, Verdict::NewTicket { .. } | Verdict::Comment { .. } | Verdict::FollowUp { .. }) {
        case.flags.push(Flag::MachineGenerated);
    }
    Decision { verdict, arrival: case.arrival, reasons: case.reasons, flags: case.flags, is_automatic: case.is_automatic }
}

struct Case<'a> {
    account: &'a Account,
    keys: &'a SigningKeys,
    facts: &'a Facts,
    inbound: &'a Inbound<'a>,
    arrival: Arrival,
    is_automatic: bool,
    reasons: Vec<String>,
    flags: Vec<Flag>,
}

impl Case<'_> {
    fn say(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
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
    }

    fn verdict(&mut self, nature: Nature) -> Verdict {
        // Each row answers or passes; the order is the table's.
        self.probe()
            .or_else(|| self.loop_of_ours())
            .or_else(|| self.duplicate())
            .or_else(|| self.bounce(nature))
            .or_else(|| self.held_by_recipient_or_sender())
            .unwrap_or_else(|| self.conversation())
    }

    fn probe(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let waiting = |address: &&SupportAddress| address.forwarding_at(self.inbound.accepted_at) == Forwarding::Waiting;
        let in_subject = letter.subject.split_whitespace().next_back().unwrap_or_default();
        let in_id = letter.message_id.as_ref().and_then(|id| id.as_str().split('@').next()).unwrap_or_default();
        let carried = [letter.probe.as_deref().unwrap_or_default(), in_subject, in_id];
        let external = self.account.addresses().filter(waiting).find(|address| {
            address.probe_token.as_deref().is_some_and(|secret| !secret.is_empty() && carried.contains(&secret))
        })?;
        let external = external.email.clone();
        let native = self.inbound.envelope.recipients.iter().find_map(|text| {
            let key = AddressKey::parse(text).ok()?;
            let own = self.account.owner_of(&key).map_or_else(|| key.base(), |address| address.email.clone());
            self.account.brand_of_host(own.domain()).map(|_| own)
        })?;
        self.say(format!("the forwarding probe for {external} came back at {native}: the forward works"));
        Some(Verdict::Probe { external, native })
    }

    fn loop_of_ours(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let marked = letter.own_mark.as_deref().and_then(|mark| self.keys.verify(Purpose::Mail, self.account.id.0, mark));
        let known_out = letter.message_id.as_ref().and_then(|id| self.facts.message_ids.get(id.as_str()));
        let is_out = known_out.is_some_and(|known| known.kind == IdKind::Out);
        if marked.is_none() && !is_out {
            return None;
        }
        self.say("this is a mail of ours that came back (a loop): kept, not processed");
        Some(Verdict::Discard)
    }

    fn duplicate(&mut self) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let id = letter.message_id.as_ref().map(|id| id.as_str().to_owned()).or_else(|| stand_in_id(letter))?;
        let known = self.facts.message_ids.get(&id).filter(|known| known.kind == IdKind::In)?;
        let (of, ticket) = (MailId(known.mail_id), known.ticket);
        if known.fingerprint == Some(fingerprint(self.inbound)) {
            self.say(format!("the same Message-ID, From, Date and text as mail {of}: a duplicate"));
            return Some(Verdict::Duplicate { of, ticket });
        }
        self.flags.push(Flag::ReusedMessageId);
        self.say(format!("the Message-ID is that of mail {of}, but the text is another: taken as a mail of its own"));
        None
    }

    fn bounce(&mut self, nature: Nature) -> Option<Verdict> {
        let letter = self.inbound.letter;
        let by_path = bounced_row(self.account, self.keys, self.inbound.envelope)
            .and_then(|row| self.facts.deliveries.iter().find(|delivery| delivery.outbox_id == row));
        if let Some(delivery) = by_path {
            let (is_final, answer) = self.said_of(&delivery.recipient, nature);
            self.say(format!("a delivery report on our mail to {}: its return path carries our signature", delivery.recipient));
            return Some(Verdict::Bounce { reports: vec![(delivery.clone(), is_final, answer)] });
        }
        let report = letter.report.as_ref()?;
        let mark = report.original_mark.as_deref();
        let marked = mark.and_then(|mark| self.keys.verify(Purpose::Mail, self.account.id.0, mark)).map(OutgoingId);
        if let Some(mail) = marked {
            let of_mail: Vec<&Delivery> = self.facts.deliveries.iter().filter(|delivery| delivery.mail_id == mail).collect();
            // The mark went to every recipient of the mail, so one of them could report on another: with several, what is
            // said is shown but changes nobody's deliverability. The signed return path is each recipient's own.
            let is_sole = of_mail.len() == 1;
            let mut reports: Vec<(Delivery, bool, String)> = Vec::new();
            for failed in &report.recipients {
                let named = of_mail.iter().find(|delivery| delivery.recipient.eq_ignore_ascii_case(&failed.address));
                let Some(delivery) = named else { continue };
                if reports.iter().all(|(told, ..)| told.outbox_id != delivery.outbox_id) {
                    let is_final = is_sole && failed.action == Action::Failed;
                    reports.push(((*delivery).clone(), is_final, answer_of(&failed.status, &failed.diagnostic)));
                }
            }
            if !reports.is_empty() {
                self.say("a delivery report on a mail of ours: the returned part carries our signature");
                return Some(Verdict::Bounce { reports });
            }
        }
        self.say("a delivery report that carries no signature of ours: held, and nobody's deliverability changes");
        Some(Verdict::Suspend { cause: Cause::AutoDeliveryFailure })
    }

    /// What a report to our signed return path says of the one recipient that path stands for.
    fn said_of(&self, recipient: &str, nature: Nature) -> (bool, String) {
        let report = self.inbound.letter.report.as_ref();
        let entry = report.and_then(|report| {
            let mut all = report.recipients.iter();
            all.find(|failed| failed.address.eq_ignore_ascii_case(recipient)).or_else(|| report.recipients.first())
        });
        match entry {
            Some(failed) => (failed.action == Action::Failed, answer_of(&failed.status, &failed.diagnostic)),
            // No machine-readable part: a bounce by its nature failed, anything else (a vacation notice) did not.
            None => (nature == Nature::Bounce, self.inbound.letter.subject.clone()),
        }
    }

    fn held_by_recipient_or_sender(&mut self) -> Option<Verdict> {
        let recipients = &self.inbound.envelope.recipients;
        if !recipients.is_empty() && recipients.iter().all(|text| self.is_noreply(text)) {
            return Some(self.suspend(Cause::ToNoreply));
        }
        let Some(from) = self.from() else { return Some(self.suspend(Cause::UnknownAuthor)) };
        if self.account.owner_of(&from.key).is_some() {
            return Some(self.suspend(Cause::FromSupportAddress));
        }
        if matches!(from.key.local(), "mailer-daemon" | "postmaster") {
            return Some(self.suspend(Cause::SystemUser));
        }
        if from.person.as_ref().is_some_and(|person| person.is_suspended) {
            return Some(self.suspend(Cause::UnknownAuthor));
        }
        let letter = self.inbound.letter;
        let others = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
        let mut others: Vec<AddressKey> = others.filter(|key| self.account.owner_of(key).is_none()).collect();
        others.sort();
        others.dedup();
        (others.len() > CCS_MAX).then(|| self.suspend(Cause::NumberRecipients))
    }

    fn is_noreply(&self, recipient: &str) -> bool {
        AddressKey::parse(recipient).is_ok_and(|key| {
            let is_native = self.account.brand_of_host(key.domain()).is_some();
            is_native && matches!(key.base().local(), "noreply" | "no-reply")
        })
    }

    fn suspend(&mut self, cause: Cause) -> Verdict {
        self.say(format!("held as suspended (cause {}): {}", cause.number(), cause.sentence()));
        Verdict::Suspend { cause }
    }

    fn conversation(&mut self) -> Verdict {
        let author = self.author().filter(|author| !author.person.as_ref().is_some_and(|person| person.is_suspended));
        let Some(author) = author else { return self.suspend(Cause::UnknownAuthor) };
        let found = thread::find(self.account, self.facts, &self.arrival, self.inbound.letter);
        let Some((ticket, by)) = found else {
            self.say("nothing in it names a ticket: a new one");
            return Verdict::NewTicket { author };
        };
        let Some(known) = self.facts.tickets.get(&ticket) else {
            self.say("the ticket it names is gone: a new one");
            return Verdict::NewTicket { author };
        };
        self.say(match &by {
            Match::PlusAddress(token) => format!("the address carries the token {} of ticket {}", token.as_str(), number(known)),
            Match::Header(id) => format!("In-Reply-To or References names {id} of ticket {}", number(known)),
            Match::Body(token) => format!("the text carries the token {} of ticket {}", token.as_str(), number(known)),
            Match::Awaited(_) => format!("ticket {} has a mail that answers this one: it arrived late", number(known)),
        });
        if known.ticket.status == Status::Closed {
            self.say("that ticket is closed: a follow-up");
            return Verdict::FollowUp { of: ticket, author };
        }
        self.comment(known, author, &by)
    }

    /// Who may write to a ticket, and who reads it (docs/behaviour/intake.md §4).
    fn comment(&mut self, known: &TicketFacts, author: Author, by: &Match) -> Verdict {
        let ticket = known.ticket.id;
        let person = author.person.as_ref();
        let takes_part = person.is_some_and(|p| p.id == known.ticket.requester_id || known.ccs.contains(&p.id));
        if person.is_some_and(Person::is_staff) {
            // Anybody can write an agent's address into From: until senders are authenticated, such a mail reaches no customer.
            self.flags.push(Flag::Untrusted);
            self.say("the author is an agent, but the mail proves it by nothing: an internal note");
            return Verdict::Comment { ticket, author, is_public: false };
        }
        if takes_part {
            self.say("the author takes part in the conversation: a public comment");
            return Verdict::Comment { ticket, author, is_public: true };
        }
        if by.is_encoded() {
            self.flags.push(Flag::OutsideConversation);
            self.say("the author knows the token but is not part of the conversation: an internal note");
            return Verdict::Comment { ticket, author, is_public: false };
        }
        let cause = if person.is_some() { Cause::OtherUserUpdate } else { Cause::UnknownUserUpdate };
        self.suspend(cause)
    }

    fn named(&self, mailbox: &Mailbox) -> Option<Author> {
        let key = mailbox.key()?;
        let person = self.facts.people.get(&key).cloned();
        Some(Author { mailbox: mailbox.clone(), key, person })
    }

    /// From, else the return path when there is no From to be read.
    fn from(&self) -> Option<Author> {
        let header = self.inbound.letter.from.first().and_then(|mailbox| self.named(mailbox));
        header.or_else(|| {
            let address = self.inbound.envelope.mail_from.clone()?;
            self.named(&Mailbox { name: String::new(), address })
        })
    }

    /// Reply-To names the author, unless it names an agent or one of our own addresses: then From does.
    fn author(&mut self) -> Option<Author> {
        let from = self.from();
        let reply_to = self.inbound.letter.reply_to.first().and_then(|mailbox| self.named(mailbox));
        let Some(reply_to) = reply_to.filter(|reply| from.as_ref().is_none_or(|from| from.key != reply.key)) else {
            return from;
        };
        if self.account.owner_of(&reply_to.key).is_some() || reply_to.person.as_ref().is_some_and(Person::is_staff) {
            self.flags.push(Flag::Untrusted);
            self.say("Reply-To names one of this desk's own: From counts");
            return from;
        }
        self.say(format!("Reply-To differs from From: {} is the author", reply_to.key));
        Some(reply_to)
    }
}

fn number(known: &TicketFacts) -> String {
    // A ticket of this very batch has its number only when the batch is written.
    if known.ticket.number == 0 { "opened just now".to_owned() } else { known.ticket.number.to_string() }
}

fn answer_of(status: &str, diagnostic: &str) -> String {
    if diagnostic.is_empty() { status.to_owned() } else { diagnostic.to_owned() }
}
