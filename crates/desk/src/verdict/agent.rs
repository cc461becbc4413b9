//! What becomes of a message an agent wrote: its commands, a forwarded original, and who reads it
//! (docs/behaviour/intake.md §4 and §11).

use std::collections::BTreeSet;

use super::case::Case;
use super::{Author, Handling, Verdict};
use crate::comment::Flag;
use crate::facts::{Met, TicketFacts};
use crate::forward::{self, Original};
use crate::id::TicketId;
use crate::mail_command::{self, Command, Parsed, PersonName};
use crate::notice::is_follower_id;
use crate::token::ThreadToken;

/// A quoted line shorter than this, in characters, could stand anywhere.
const QUOTED_LINE_MIN: usize = 20;

impl Case<'_> {
    /// A ticket by an agent: of their own, or for the person whose mail they forwarded or name.
    pub(super) fn agents_ticket(&mut self, agent: Author) -> Verdict {
        self.handling.adds_ccs = self.account.settings.email_ccs;
        let parsed = self.read_commands();
        let is_public = self.public_by_agent(&agent, &parsed, None);
        let asked_for = parsed.commands.iter().rev().find_map(|command| match command {
            Command::Requester(name) => Some(name),
            _ => None,
        });
        if let Some(requester) = asked_for
            .and_then(|name| self.person_named(name))
            .filter(|named| !self.account.is_own(&named.key))
        {
            self.say(format!("the agent opens it for {}", requester.key));
            self.flag(Flag::OnBehalf);
            self.handling.adds_ccs = false;
            self.handling.submitter = Some(agent);
            return Verdict::NewTicket { author: requester, is_public };
        }
        let Some((requester, original)) = self.forwarded() else {
            return Verdict::NewTicket { author: agent, is_public };
        };
        if requester.key == agent.key || self.account.is_own(&requester.key) {
            self.say(format!("the agent forwarded a mail of {}, who cannot be its requester", requester.key));
            return Verdict::NewTicket { author: agent, is_public };
        }
        self.say(format!(
            "the agent forwarded a mail of {}, who asks; what the agent wrote above is an internal note",
            requester.key
        ));
        self.flag(Flag::OnBehalf);
        self.handling.adds_ccs = false;
        self.handling.submitter = Some(agent);
        self.handling.original = Some(original);
        Verdict::NewTicket { author: requester, is_public: true }
    }

    fn person_named(&self, name: &PersonName) -> Option<Author> {
        match name {
            PersonName::Mailbox(mailbox) => self.named(mailbox),
            PersonName::Id(id) => {
                let person = self.facts.person(*id)?.clone();
                let mailbox = person.mailbox();
                Some(Author { key: mailbox.key()?, mailbox, person: Some(person) })
            }
        }
    }

    fn forwarded(&self) -> Option<(Author, Original)> {
        if !self.account.settings.agent_forwarding {
            return None;
        }
        let (mailbox, original) = forward::original(self.inbound, self.handling.text_from)?;
        Some((self.named(&mailbox)?, original))
    }

    pub(super) fn agents_comment(&mut self, known: &TicketFacts, author: Author) -> Verdict {
        let parsed = self.read_commands();
        let is_public = self.public_by_agent(&author, &parsed, Some(known));
        let id = author.person.as_ref().map(|person| person.id);
        let is_theirs = id == Some(known.ticket.requester_id) || id == known.ticket.assignee_id;
        self.handling.follows = !is_theirs && id.is_some_and(|id| !known.followers.contains(&id));
        self.handling.adds_ccs = is_public && self.account.settings.email_ccs;
        Verdict::Comment { ticket: known.ticket.id, author, is_public }
    }

    /// Rows 5 to 10 of the table: who reads what an agent wrote.
    pub(super) fn public_by_agent(
        &mut self,
        agent: &Author,
        parsed: &Parsed,
        known: Option<&TicketFacts>,
    ) -> bool {
        let said = parsed.commands.iter().rev().find_map(|command| match command {
            Command::Public(is_public) => Some(*is_public),
            _ => None,
        });
        let why_not = if said == Some(false) {
            Some("a command says so")
        } else if known.is_some_and(|known| self.answers_a_follower_notice(known)) {
            Some("it answers a notice to a follower")
        } else if said.is_none() && known.is_some_and(|known| self.may_answer_a_follower_notice(known, agent))
        {
            Some(
                "follows the ticket, and nothing says that it answers another mail than a notice to a follower",
            )
        } else if said.is_none() && !self.account.settings.comments_public_by_default {
            Some("agents' comments by mail are not public by default here")
        } else if known.is_some_and(|known| !known.ticket.is_public) {
            Some("the ticket has only internal notes")
        } else if known.is_some_and(|known| self.quotes_private(known.ticket.id)) {
            Some("it quotes what stands in internal notes alone")
        } else {
            None
        };
        let what = if known.is_some() { "comment" } else { "first comment" };
        match why_not {
            Some(why) => self.say(format!("the author is an agent, and {why}: an internal note")),
            None => self.say(format!("the author is an agent: a public {what}")),
        }
        why_not.is_none()
    }

    fn answers_a_follower_notice(&self, known: &TicketFacts) -> bool {
        let native = |host: &str| self.account.brand_of_host(host).is_some();
        let of_ticket =
            |id: &str| ThreadToken::in_message_id(id, native).as_ref() == Some(&known.ticket.token);
        self.answered().filter(|id| of_ticket(id)).any(is_follower_id)
    }

    /// A follower only receives notices, so an answer that lost the id of what it answers, or whose id a
    /// relay rewrote, most likely answers one of them.
    fn may_answer_a_follower_notice(&self, known: &TicketFacts, agent: &Author) -> bool {
        let follows = agent.person.as_ref().is_some_and(|person| known.followers.contains(&person.id));
        follows && !self.answered().any(|id| self.is_mail_of(known, id))
    }

    /// The ids of the message that this one answers.
    fn answered(&self) -> impl Iterator<Item = &str> {
        let letter = self.inbound.letter;
        letter.in_reply_to.iter().chain(letter.references.last()).map(|id| id.as_str())
    }

    /// Whether an id is that of a message of the ticket: met on it, not only named, as the root of its thread
    /// is.
    fn is_mail_of(&self, known: &TicketFacts, id: &str) -> bool {
        let native = |host: &str| self.account.brand_of_host(host).is_some();
        let is_root = id.split('@').next() == Some(known.ticket.token.as_str());
        let is_ours =
            !is_root && ThreadToken::in_message_id(id, native).as_ref() == Some(&known.ticket.token);
        let met = self.facts.message_ids.get(id).filter(|known| !matches!(known.met, Met::Seen(_)));
        is_ours || met.is_some_and(|met| met.ticket == Some(known.ticket.id))
    }

    /// Whether a line of the message occurs in an internal note of the ticket and in no public comment.
    fn quotes_private(&self, ticket: TicketId) -> bool {
        let Some(comments) = self.facts.comments.get(&ticket) else { return false };
        let lines = |wanted: bool| {
            let texts = comments
                .iter()
                .filter(move |(is_public, _)| *is_public == wanted)
                .flat_map(|(_, text)| text.lines());
            texts.map(unquoted).filter(|line| line.chars().nth(QUOTED_LINE_MIN - 1).is_some())
        };
        let mut private: BTreeSet<&str> = lines(false).collect();
        if private.is_empty() {
            return false;
        }
        for line in lines(true) {
            private.remove(line);
        }
        self.inbound.letter.text.lines().any(|line| private.contains(unquoted(line)))
    }

    /// The block of commands at the top of an agent's mail; what it changes is carried out with the comment.
    pub(super) fn read_commands(&mut self) -> Parsed {
        let parsed = mail_command::parse(&self.inbound.letter.text);
        for ignored in &parsed.ignored {
            self.notes.push(format!("the line {:?} is no command: {}", ignored.line, ignored.why));
        }
        let commands = parsed
            .commands
            .iter()
            .filter(|command| !matches!(command, Command::Public(_)))
            .cloned()
            .collect();
        self.handling =
            Handling { commands, text_from: parsed.rest_offset, ..std::mem::take(&mut self.handling) };
        parsed
    }
}

/// A line without the marks of a quotation before it.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c == '|' || c.is_whitespace()).trim_end()
}
