//! Who wrote a message, and what proves it (docs/behaviour/intake.md §5).

use mail::address::Mailbox;
use mail::letter::Letter;

use super::Author;
use super::case::Case;
use crate::authentication::AgentMail;
use crate::comment::Flag;
use crate::inbound::Recovered;

/// Whether a message carries the mark of a help desk like ours. Whether it is our own mark was asked before.
pub(super) fn is_other_desk(letter: &Letter) -> bool {
    letter.own_mark.is_some()
}

/// What may be done in an author's name by this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// An end user's: to speak.
    Asks,
    /// An agent's.
    Agent,
    /// It says that it is an agent's, and proves it by nothing.
    Unproven,
}

impl Case<'_> {
    pub(super) fn named(&self, mailbox: &Mailbox) -> Option<Author> {
        let key = mailbox.key()?;
        let person = self.facts.people.get(&key).cloned();
        Some(Author { mailbox: mailbox.clone(), key, person })
    }

    /// From, else the return path when there is no From to be read.
    pub(super) fn from(&self) -> Option<Author> {
        let header = self.inbound.letter.from.first().and_then(|mailbox| self.named(mailbox));
        header.or_else(|| {
            let address = self.inbound.envelope.mail_from.clone()?;
            self.named(&Mailbox { name: String::new(), address })
        })
    }

    /// Reply-To where it differs from From and names somebody else than ourselves.
    fn reply_to(&self) -> Option<Author> {
        let from = self.from();
        let reply_to = self.inbound.letter.reply_to.first().and_then(|mailbox| self.named(mailbox))?;
        from.as_ref().is_none_or(|from| from.key != reply_to.key).then_some(reply_to)
    }

    /// The author, without a word about it.
    pub(super) fn author_as_written(&self) -> Option<Author> {
        self.reply_to().filter(|reply_to| !self.account.is_own(&reply_to.key)).or_else(|| self.from())
    }

    /// The author and what the message proves of them: Reply-To where it differs from From, unless it names
    /// ourselves.
    pub(super) fn author(&mut self) -> Option<(Author, Power)> {
        if let Some(Recovered::By(agent)) = self.inbound.recovered {
            self.say(format!("{} recovered it and is its requester", agent.address));
            self.handling.requester = Some(agent.clone());
        }
        let from = self.from();
        let Some(reply_to) = self.reply_to() else {
            let author = from?;
            let power = self.power_of(&author);
            return Some((author, power));
        };
        if self.account.is_own(&reply_to.key) {
            self.flag(Flag::Untrusted);
            self.say("Reply-To names one of this desk's own: From counts");
            let author = from?;
            let power = self.power_of(&author);
            return Some((author, power));
        }
        self.say(format!("Reply-To differs from From: {} is the author", reply_to.key));
        if reply_to.person.is_none() {
            return Some((reply_to, Power::Asks));
        }
        if !reply_to.is_staff() {
            self.flag(Flag::Untrusted);
            return Some((reply_to, Power::Asks));
        }
        self.flag(Flag::Untrusted);
        // A host, `*` or an organization's domain lets customers write; only an address was meant for this
        // one sender.
        if self.listed.is_allowed_by_address() && self.proves_an_agent() {
            self.say("the allow list names From by its address, so it may speak for an agent");
            return Some((reply_to, Power::Agent));
        }
        self.say("Reply-To names an agent, but From does not: the mail has no agent's powers");
        Some((reply_to, Power::Unproven))
    }

    fn power_of(&mut self, author: &Author) -> Power {
        if !author.is_staff() {
            return Power::Asks;
        }
        if self.proves_an_agent() {
            return Power::Agent;
        }
        self.flag(Flag::Untrusted);
        Power::Unproven
    }

    /// Whether From of this message is proven well enough to speak for the desk. Anybody can write an agent's
    /// address into it.
    fn proves_an_agent(&self) -> bool {
        let authentication = self.inbound.authentication;
        match self.account.settings.agent_mail {
            AgentMail::Authenticated => authentication.is_authenticated(),
            AgentMail::Any => !authentication.has_failed(),
        }
    }

    /// Whether the author is the person in From. Proof of From proves nothing about somebody else in
    /// Reply-To.
    pub(super) fn is_from(&self, author: &Author) -> bool {
        self.from().is_some_and(|from| from.key == author.key)
    }

    /// Whether a notice may go to an author: known, or From itself and vouched for by its domain, or nobody
    /// could look. An unknown sender who could be checked and was not vouched for may be anybody's victim,
    /// and so may the person in Reply-To.
    pub(super) fn may_be_answered(&self, author: &Author) -> bool {
        let authentication = self.inbound.authentication;
        if authentication.has_failed() {
            return false;
        }
        let is_believed = !authentication.is_checked || authentication.is_authenticated();
        author.person.is_some() || is_believed && self.is_from(author)
    }
}
