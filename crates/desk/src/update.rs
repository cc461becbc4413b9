//! What an agent changes on a ticket: the one pure function behind `engine::submit`.

use std::collections::BTreeSet;

use serde_json::json;

use crate::comment::{self, Comment};
use crate::effect::Writer;
use crate::id::{CommentId, TicketId, UserId};
use crate::ticket::{Priority, Status, StatusRefusal, Ticket, TicketType, normal_tags};
use crate::user::Person;

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
        let Some(known) = self.facts.tickets.get(&id) else { return Err(UpdateRefusal::NoTicket(id.0)) };
        let before = known.ticket.clone();
        let mut ticket = before.clone();
        self.check_comment(update)?;
        if before.status == Status::Closed {
            return Err(StatusRefusal::Closed.into());
        }
        if let Some(assignee) = update.assignee {
            ticket.assign(assignee)?;
        }
        if let Some(status) = update.status {
            ticket.set_status(status, actor.id, self.account.settings.assign_tickets_upon_solve, self.now)?;
        }
        change_tags(&mut ticket, update);
        let mut events = field_events(&before, &ticket);
        if events.is_empty() && update.comment.is_none() {
            return Ok(());
        }
        ticket.updated_at = self.now;
        let comment =
            update.comment.as_ref().map(|new| self.agent_comment(&mut ticket, actor, new, &mut events));
        if let Some(known) = self.facts.tickets.get_mut(&id) {
            known.ticket = ticket;
        }
        if let Some(first) = events.first_mut().and_then(serde_json::Value::as_object_mut) {
            first.insert("v".into(), 1.into());
        }
        self.audit(id, actor.id, "api", events);
        if let Some((comment, is_public)) = comment {
            if is_public {
                self.send_comment(id, comment, actor, &BTreeSet::new());
            }
            // The next mail of the conversation answers the one just made.
            let sent = self
                .changes
                .outgoing
                .last()
                .filter(|mail| mail.comment_id == Some(comment))
                .map(|mail| mail.message_id.clone());
            if let Some(known) = self.facts.tickets.get_mut(&id) {
                known.ticket.last_message_id = sent.or(known.ticket.last_message_id.take());
            }
            self.tell_followers(id, comment, actor, &BTreeSet::new());
        }
        let after = self.facts.tickets.get(&id).map(|known| known.ticket.clone());
        self.save(after);
        Ok(())
    }

    fn check_comment(&self, update: &Update) -> Result<(), UpdateRefusal> {
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

    fn agent_comment(
        &mut self,
        ticket: &mut Ticket,
        actor: &Person,
        new: &NewComment,
        events: &mut Vec<serde_json::Value>,
    ) -> (CommentId, bool) {
        let id = CommentId(self.supply.id());
        self.changes.comments.push(Comment {
            id,
            ticket_id: ticket.id,
            author_id: actor.id,
            is_public: new.is_public,
            is_cut: false,
            body: new.body.replace("\r\n", "\n").replace('\0', ""),
            mail_id: None,
            flags: vec![],
            hidden: vec![],
            created_at: self.now,
        });
        ticket.is_public |= new.is_public;
        events.push(json!({"type": "Comment", "id": id, "public": new.is_public}));
        (id, new.is_public)
    }
}

fn change_tags(ticket: &mut Ticket, update: &Update) {
    let mut tags: BTreeSet<String> = ticket.tags.drain(..).collect();
    for tag in normal_tags(update.remove_tags.iter().map(String::as_str)) {
        tags.remove(&tag);
    }
    tags.extend(normal_tags(update.add_tags.iter().map(String::as_str)));
    ticket.tags = tags.into_iter().collect();
}

pub(crate) fn field_events(before: &Ticket, after: &Ticket) -> Vec<serde_json::Value> {
    let mut events = Vec::new();
    let mut changed = |field: &str, from: serde_json::Value, to: serde_json::Value| {
        if from != to {
            events.push(json!({"type": "Change", "field": field, "from": from, "to": to}));
        }
    };
    changed("status", before.status.as_str().into(), after.status.as_str().into());
    changed("assignee", json!(before.assignee_id), json!(after.assignee_id));
    changed("tags", json!(before.tags), json!(after.tags));
    changed("requester", json!(before.requester_id), json!(after.requester_id));
    changed(
        "priority",
        json!(before.priority.map(Priority::as_str)),
        json!(after.priority.map(Priority::as_str)),
    );
    changed(
        "type",
        json!(before.ticket_type.map(TicketType::as_str)),
        json!(after.ticket_type.map(TicketType::as_str)),
    );
    events
}
