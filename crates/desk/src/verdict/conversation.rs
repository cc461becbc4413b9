//! What becomes of a message that nothing holds: a ticket, a comment or a follow-up, read by whom
//! (docs/behaviour/intake.md §4).

use mail::address::AddressKey;

use super::author::Power;
use super::case::Case;
use super::{Author, Verdict};
use crate::comment::Flag;
use crate::facts::TicketFacts;
use crate::inbound::{Recovered, named_ids};
use crate::suspension::Cause;
use crate::thread::{self, Match};
use crate::ticket::Status;
use crate::token::ThreadToken;

impl Case<'_> {
    pub(super) fn conversation(&mut self) -> Verdict {
        let Some((author, power)) = self.author() else { return self.hold(Cause::UnknownAuthor) };
        // Someone who merely claims to be an agent gets no more rights than an end user.
        self.handling.drops_attachments =
            power == Power::Unproven && !self.account.settings.email_attachments;
        if author.person.as_ref().is_some_and(|person| person.is_suspended)
            && let Some(held) = self.suspend(Cause::UnknownAuthor)
        {
            return held;
        }
        let found = match self.inbound.recovered {
            Some(Recovered::Into(ticket)) => Some((*ticket, None)),
            Some(Recovered::By(_)) => None,
            _ => thread::find(self.account, self.keys, self.facts, &self.arrival, self.inbound)
                .map(|(id, by)| (id, Some(by))),
        };
        let Some((ticket, by)) = found else {
            self.say("nothing in it names a ticket: a new one");
            return self.new_ticket(author, power);
        };
        let facts = self.facts;
        let Some(known) = facts.tickets.get(&ticket) else {
            self.say("the ticket it names is gone: a new one");
            return self.new_ticket(author, power);
        };
        self.say_match(known, by.as_ref());
        if known.ticket.status != Status::Closed {
            return self.comment(known, author, power, by.as_ref());
        }
        if self.inbound.recovered.is_some() {
            self.say("that ticket is closed, and a recovered mail follows nothing up: a new one");
            return self.new_ticket(author, power);
        }
        self.follow_up(known, author, power)
    }

    fn say_match(&mut self, known: &TicketFacts, by: Option<&Match>) {
        let number = number(known);
        self.say(match by {
            Some(Match::PlusAddress(token)) => {
                format!("the address carries the token {} of ticket {number}", token.as_str())
            }
            Some(Match::Header(id)) => format!("In-Reply-To or References names {id} of ticket {number}"),
            Some(Match::Body(token)) => {
                format!("its body carries the token {} of ticket {number}", token.as_str())
            }
            Some(Match::Awaited(_)) => {
                format!("ticket {number} has a mail that answers this one: it arrived late")
            }
            Some(Match::ReturnPath) => format!("it came to the return path of a mail of ticket {number}"),
            None => format!("it was recovered into ticket {number}"),
        });
    }

    fn new_ticket(&mut self, author: Author, power: Power) -> Verdict {
        let settings = &self.account.settings;
        let may_be_answered = self.may_be_answered(&author);
        if power == Power::Asks {
            let may_bring = may_be_answered && self.is_from(&author);
            self.handling.adds_ccs = settings.email_ccs && settings.end_users_add_ccs && may_bring;
            self.handling.acknowledges = settings.acknowledge && may_be_answered && !self.is_automatic;
            return Verdict::NewTicket { author, is_public: true };
        }
        if power == Power::Unproven {
            self.say("the author is an agent, but the mail proves it by nothing: a ticket of theirs, without an agent's powers");
            return Verdict::NewTicket { author, is_public: true };
        }
        self.agents_ticket(author)
    }

    /// An answer to a closed ticket. Those who took part continue where it ended; anybody else starts a new
    /// conversation next to it.
    fn follow_up(&mut self, known: &TicketFacts, author: Author, power: Power) -> Verdict {
        let of = known.ticket.id;
        let settings = &self.account.settings;
        if power == Power::Unproven {
            self.say("that ticket is closed: a follow-up");
            return Verdict::FollowUp { of, author, is_public: true };
        }
        if power == Power::Agent {
            let parsed = self.read_commands();
            let is_public = self.public_by_agent(&author, &parsed, Some(known));
            self.handling.requester = self.facts.person(known.ticket.requester_id).cloned();
            self.handling.adds_ccs = settings.email_ccs;
            self.say("that ticket is closed: a follow-up of its requester's, opened by the agent");
            return Verdict::FollowUp { of, author, is_public };
        }
        self.handling.acknowledges =
            settings.acknowledge && self.may_be_answered(&author) && !self.is_automatic;
        if !takes_part(known, &author) {
            self.flag(Flag::OutsideConversation);
            self.say("that ticket is closed: a follow-up");
            return Verdict::FollowUp { of, author, is_public: true };
        }
        self.handling.requester = self.facts.person(known.ticket.requester_id).cloned();
        if let Some(why) = self.leaves_requester_out(known, &author) {
            self.say(format!(
                "that ticket is closed, and the author {why}: a follow-up with an internal note"
            ));
            return Verdict::FollowUp { of, author, is_public: false };
        }
        self.handling.adds_ccs = self.may_add_ccs(known, &author);
        self.say("that ticket is closed: a follow-up");
        Verdict::FollowUp { of, author, is_public: true }
    }

    /// Who may write to a ticket, and who reads it: the table of docs/behaviour/intake.md §4, first match
    /// wins.
    fn comment(&mut self, known: &TicketFacts, author: Author, power: Power, by: Option<&Match>) -> Verdict {
        match power {
            Power::Agent => self.agents_comment(known, author),
            Power::Unproven => {
                self.say("the author is an agent, but the mail proves it by nothing: an internal note");
                self.note_on(known, author)
            }
            Power::Asks if takes_part(known, &author) => self.participants_comment(known, author),
            Power::Asks => self.third_partys_comment(known, author, by),
        }
    }

    fn note_on(&self, known: &TicketFacts, author: Author) -> Verdict {
        Verdict::Comment { ticket: known.ticket.id, author, is_public: false }
    }

    fn third_partys_comment(&mut self, known: &TicketFacts, author: Author, by: Option<&Match>) -> Verdict {
        // A token is a secret of the conversation; someone who recovers a message vouches for it.
        if !by.is_none_or(Match::is_encoded) {
            let cause =
                if author.person.is_some() { Cause::OtherUserUpdate } else { Cause::UnknownUserUpdate };
            if let Some(held) = self.suspend(cause) {
                return held;
            }
        }
        self.flag(Flag::OutsideConversation);
        self.say(match by {
            Some(Match::ReturnPath) => {
                "the author knows the return path but is not part of the conversation: an internal note"
            }
            Some(by) if by.is_encoded() => {
                "the author knows the token but is not part of the conversation: an internal note"
            }
            _ => "the author is not part of the conversation: an internal note",
        });
        self.note_on(known, author)
    }

    fn participants_comment(&mut self, known: &TicketFacts, author: Author) -> Verdict {
        if let Some(why) = self.leaves_requester_out(known, &author) {
            self.say(format!("the author {why}: an internal note"));
            return self.note_on(known, author);
        }
        self.handling.reopens = !self.is_automatic;
        self.handling.adds_ccs = self.may_add_ccs(known, &author);
        self.say("the author takes part in the conversation: a public comment");
        Verdict::Comment { ticket: known.ticket.id, author, is_public: true }
    }

    /// Row 5: why what a CC wrote is not for the requester; none where it is, and for the requester's own.
    fn leaves_requester_out(&self, known: &TicketFacts, author: &Author) -> Option<&'static str> {
        let is_requester =
            author.person.as_ref().is_some_and(|person| person.id == known.ticket.requester_id);
        if is_requester || self.writes_to(known) {
            return None;
        }
        if !self.account.settings.cc_comments_public {
            return Some("is a CC and left out the requester");
        }
        self.has_other_recipients().then_some("is a CC and wrote to others than the requester")
    }

    /// Whether the requester of the ticket is among the direct recipients.
    fn writes_to(&self, known: &TicketFacts) -> bool {
        self.recipients().any(|key| {
            self.facts.people.get(&key).is_some_and(|person| person.id == known.ticket.requester_id)
        })
    }

    fn has_other_recipients(&self) -> bool {
        self.recipients().any(|key| !self.account.is_own(&key))
    }

    fn recipients(&self) -> impl Iterator<Item = AddressKey> {
        let letter = self.inbound.letter;
        letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key())
    }

    /// Bringing others into a conversation lets them read on, so a name alone is not enough: the author is
    /// From and its domain vouches for it, or the message carries the ticket's token, which only people of
    /// the conversation were sent.
    fn may_add_ccs(&mut self, known: &TicketFacts, author: &Author) -> bool {
        let settings = &self.account.settings;
        if !settings.email_ccs || !settings.end_users_add_ccs || self.inbound.authentication.has_failed() {
            return false;
        }
        let is_vouched_for = self.inbound.authentication.is_authenticated() && self.is_from(author);
        let is_proven = is_vouched_for || self.carries(&known.ticket.token);
        if !is_proven && self.recipients().any(|key| !self.account.is_own(&key)) {
            self.note("its sender is not proven and it carries no token: nobody in To and Cc becomes a CC");
        }
        is_proven
    }

    fn carries(&self, token: &ThreadToken) -> bool {
        let native = |host: &str| self.account.brand_of_host(host).is_some();
        self.arrival.token.as_ref() == Some(token)
            || named_ids(self.inbound.letter)
                .any(|id| ThreadToken::in_message_id(id, native).as_ref() == Some(token))
            || ThreadToken::in_body(self.inbound.letter).contains(token)
    }
}

/// The requester or a CC.
fn takes_part(known: &TicketFacts, author: &Author) -> bool {
    author
        .person
        .as_ref()
        .is_some_and(|person| person.id == known.ticket.requester_id || known.ccs.contains(&person.id))
}

fn number(known: &TicketFacts) -> String {
    // A ticket of this very batch has its number only when the batch is written.
    known.ticket.number.map_or_else(|| "opened just now".to_owned(), |number| number.to_string())
}
