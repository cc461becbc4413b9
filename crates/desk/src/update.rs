//! What an agent changes on a ticket: the one pure function behind `engine::submit`.

use std::collections::BTreeSet;

use crate::comment::{self, Text};
use crate::edit::{self, Action, Edit, Origin};
use crate::id::{TicketId, UserId};
use crate::ticket::{Status, StatusRefusal};
use crate::user::Person;
use crate::writer::Writer;

/// A change to one ticket; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// A comment to add.
    pub comment: Option<NewComment>,
    /// The status to set.
    pub status: Option<Status>,
    /// The assignee to set, or to take away.
    pub assignee: Option<Option<UserId>>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to take away.
    pub remove_tags: Vec<String>,
}

/// A comment an agent writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComment {
    /// Its text.
    pub body: String,
    /// Whether the requester and CCs get it.
    pub is_public: bool,
}

/// Why a change is refused; nothing of it happens then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRefusal {
    /// A rule of statuses.
    #[error(transparent)]
    Status(#[from] StatusRefusal),
    /// Only agents and admins answer.
    #[error("{0} is not an agent of this account; add one with `guichet user add EMAIL --role agent`")]
    NotAnAgent(String),
    /// Nothing to say.
    #[error("the comment has no text")]
    EmptyComment,
    /// Too much to say.
    #[error("the comment has {0} characters, more than the 65,000 allowed; shorten it")]
    TooLong(usize),
    /// The ticket is not there.
    #[error("there is no ticket {0} in this account")]
    NoTicket(i64),
}

impl Writer<'_> {
    /// Carries out an agent's change to a ticket whose facts are loaded.
    ///
    /// # Errors
    /// The rule that refuses it; changes and facts are untouched then.
    pub fn update(&mut self, id: TicketId, actor: &Person, update: &Update) -> Result<(), UpdateRefusal> {
        if !actor.is_staff() {
            return Err(UpdateRefusal::NotAnAgent(actor.address.clone()));
        }
        let origin = Origin::command(actor.id, self.now);
        let mut edit = self.edit(id, origin).ok_or(UpdateRefusal::NoTicket(id.0))?;
        check_comment(update)?;
        if edit.ticket().status == Status::Closed {
            return Err(StatusRefusal::Closed.into());
        }
        for action in update.actions() {
            edit.apply(action)?;
        }
        if let Some(new) = &update.comment {
            self.agents_comment(&mut edit, actor, new);
        }
        self.finish(edit);
        Ok(())
    }

    /// Adds an agent's comment and mails it.
    fn agents_comment(&mut self, edit: &mut Edit, actor: &Person, new: &NewComment) {
        let id = self.supply.take();
        edit.comment(edit::NewComment {
            id,
            author: actor.id,
            is_public: new.is_public,
            text: Text::whole(new.body.replace("\r\n", "\n").replace('\0', "")),
            mail: None,
            flags: vec![],
        });
        if new.is_public {
            let sent = self.send_comment(edit.known(), id, actor, &BTreeSet::new());
            // The next message of the conversation answers the one just made, which answers the one before.
            if let Some(message_id) = sent {
                edit.set_last_message_id(message_id);
            }
        }
        self.tell_followers(edit.known(), id, actor, &BTreeSet::new());
    }
}

impl Update {
    /// What it does to the ticket besides adding the comment, in the order in which it is done.
    fn actions(&self) -> impl Iterator<Item = Action> {
        let tags = |tags: &Vec<String>| Some(tags.clone()).filter(|tags| !tags.is_empty());
        [
            self.assignee.map(Action::Assign),
            self.status.map(Action::SetStatus),
            tags(&self.remove_tags).map(Action::RemoveTags),
            tags(&self.add_tags).map(Action::AddTags),
        ]
        .into_iter()
        .flatten()
    }
}

fn check_comment(update: &Update) -> Result<(), UpdateRefusal> {
    let Some(new) = &update.comment else { return Ok(()) };
    if new.body.trim().is_empty() {
        return Err(UpdateRefusal::EmptyComment);
    }
    // People wrote it by hand: a refusal they can act on beats a silent cut.
    if comment::cut(&new.body).1 {
        return Err(UpdateRefusal::TooLong(new.body.chars().count()));
    }
    Ok(())
}
