//! The one way a ticket changes: by mail, by commands, and as time passes.
//!
//! An [`Edit`] begins with a ticket as it is, takes [`Action`]s, comments and events, and is finished once.
//! It alone writes what belongs to every change: the facts that later messages of the batch see, the changes
//! that the store writes, the audit with its events, and when the ticket was last changed. Nothing happens
//! before [`Writer::finish`], so an edit that is refused half-way is dropped and leaves no trace.

use crate::actor::Actor;
use crate::changes::{Audit, ChangedTicket, NewAttachment};
use crate::channel::Channel;
use crate::clock::Millis;
use crate::comment::{Comment, Flag, Text};
use crate::event::{Change, Event, FlagOptions, Peer};
use crate::facts::TicketFacts;
use crate::id::{AuditId, CommentId, MailId, OrganizationId, TicketId, UserId};
use crate::ticket::{CCS_MAX, Priority, Status, StatusRefusal, Ticket, TicketType, normal_tags};
use crate::writer::Writer;

/// One thing to do to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Set the status, by the system rules.
    SetStatus(Status),
    /// Set the assignee, or take it away.
    Assign(Option<UserId>),
    /// Set the requester; the organization follows.
    SetRequester(UserId, Option<OrganizationId>),
    /// Set the priority.
    SetPriority(Option<Priority>),
    /// Set the type.
    SetType(Option<TicketType>),
    /// Replace all tags.
    SetTags(Vec<String>),
    /// Add tags.
    AddTags(Vec<String>),
    /// Take tags away.
    RemoveTags(Vec<String>),
    /// Make a person a CC. Nothing happens where the ticket has all it may have, or the person is its
    /// requester.
    AddCc(UserId),
    /// Make an agent a follower, with the same limit.
    AddFollower(UserId),
}

/// Where an edit comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who makes it.
    pub actor: Actor,
    /// By which way.
    pub channel: Channel,
    /// Who brought the message that makes it.
    pub peer: Peer,
    /// When what it says was said: in the past for old mail that is imported.
    pub said_at: Millis,
}

impl Origin {
    /// The desk itself, now.
    #[must_use]
    pub fn system(now: Millis) -> Origin {
        Origin { actor: Actor::System, channel: Channel::System, peer: Peer::default(), said_at: now }
    }

    /// A person's command, now.
    #[must_use]
    pub fn command(person: UserId, now: Millis) -> Origin {
        Origin { actor: Actor::Person(person), channel: Channel::Api, peer: Peer::default(), said_at: now }
    }
}

/// A comment about to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComment {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it.
    pub author: UserId,
    /// Public, or an internal note.
    pub is_public: bool,
    /// What it says.
    pub text: Text,
    /// The message it came by.
    pub mail: Option<MailId>,
    /// Warnings shown next to it.
    pub flags: Vec<Flag>,
}

/// A change to one ticket on its way.
#[derive(Debug)]
pub struct Edit {
    before: Option<TicketFacts>,
    after: TicketFacts,
    /// The ticket as the events up to now tell it.
    told: Ticket,
    origin: Origin,
    assigns_solver: bool,
    now: Millis,
    events: Vec<Event>,
    comments: Vec<Comment>,
    attachments: Vec<NewAttachment>,
}

impl Edit {
    /// The ticket as it was; none when this edit opens it.
    #[must_use]
    pub fn before(&self) -> Option<&Ticket> {
        self.before.as_ref().map(|known| &known.ticket)
    }

    /// The ticket as it is by now.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.after.ticket
    }

    /// The ticket as it is by now, with the people on it.
    #[must_use]
    pub fn known(&self) -> &TicketFacts {
        &self.after
    }

    /// Does one thing to the ticket.
    ///
    /// # Errors
    /// The rule of statuses that forbids it; the ticket is as before then.
    pub fn apply(&mut self, action: Action) -> Result<(), StatusRefusal> {
        let ticket = &mut self.after.ticket;
        match action {
            Action::SetStatus(status) => {
                let solver = self.origin.actor.person().filter(|_| self.assigns_solver);
                ticket.set_status(status, solver, self.now)?;
            }
            Action::Assign(assignee) => ticket.assign(assignee)?,
            Action::SetRequester(requester, organization) => {
                ticket.requester_id = requester;
                ticket.organization_id = organization;
            }
            Action::SetPriority(priority) => ticket.priority = priority,
            Action::SetType(ticket_type) => ticket.ticket_type = ticket_type,
            Action::SetTags(tags) => ticket.tags = normal_tags(tags.iter().map(String::as_str)),
            Action::AddTags(tags) => {
                let all = ticket.tags.iter().chain(&tags);
                ticket.tags = normal_tags(all.map(String::as_str));
            }
            Action::RemoveTags(tags) => {
                let removed = normal_tags(tags.iter().map(String::as_str));
                ticket.tags.retain(|tag| !removed.contains(tag));
            }
            Action::AddCc(person) => self.add_cc(person),
            Action::AddFollower(person) => self.add_follower(person),
        }
        Ok(())
    }

    /// Opens a ticket again that waited or was solved: an end user answered.
    pub fn reopen(&mut self) {
        self.after.ticket.reopen_for_end_user();
    }

    /// As [`Action::AddCc`].
    pub fn add_cc(&mut self, person: UserId) {
        if self.takes_ccs() && self.after.ticket.requester_id != person {
            self.after.ccs.insert(person);
        }
    }

    /// As [`Action::AddFollower`].
    pub fn add_follower(&mut self, person: UserId) {
        if self.after.followers.len() < CCS_MAX {
            self.after.followers.insert(person);
        }
    }

    /// Whether the ticket may have another CC.
    #[must_use]
    pub fn takes_ccs(&self) -> bool {
        self.after.ccs.len() < CCS_MAX
    }

    /// Adds a comment and tells of it.
    pub fn comment(&mut self, new: NewComment) {
        let flags_options = new.flags.iter().map(|flag| (*flag, FlagOptions::default())).collect();
        self.tell_changes();
        // Who brought a message is told once: with the first event of its audit.
        let peer = if self.events.is_empty() { self.origin.peer.clone() } else { Peer::default() };
        self.events.push(Event::Comment {
            id: new.id,
            public: new.is_public,
            mail: new.mail,
            flags: new.flags.clone(),
            flags_options,
            peer,
        });
        self.after.ticket.is_public |= new.is_public;
        self.comments.push(Comment {
            id: new.id,
            ticket_id: self.after.ticket.id,
            author_id: new.author,
            is_public: new.is_public,
            is_cut: new.text.is_cut,
            body: new.text.body,
            mail_id: new.mail,
            flags: new.flags,
            hidden: new.text.hidden,
            created_at: self.origin.said_at,
        });
    }

    /// Adds an attachment to a comment of this edit.
    pub fn attach(&mut self, attachment: NewAttachment) {
        self.attachments.push(attachment);
    }

    /// Tells of something that changes no field.
    pub fn tell(&mut self, event: Event) {
        self.tell_changes();
        self.events.push(event);
    }

    /// Tells what has changed since it was last told. Actions between two calls are told as one change a
    /// field.
    pub fn tell_changes(&mut self) {
        let changes = Change::between(&self.told, &self.after.ticket);
        self.events.extend(changes.into_iter().map(Event::Change));
        self.told.clone_from(&self.after.ticket);
    }

    /// The message that the next one of the conversation answers.
    pub fn set_last_message_id(&mut self, message_id: String) {
        self.after.ticket.last_message_id = Some(message_id);
    }
}

impl Writer<'_> {
    /// Begins to change a ticket whose facts are loaded; none for one that is not there.
    #[must_use]
    pub fn edit(&self, id: TicketId, origin: Origin) -> Option<Edit> {
        let before = self.facts.tickets.get(&id)?.clone();
        let origin = Origin { said_at: self.after_all(&before.ticket, origin.said_at), ..origin };
        Some(self.begin(before.clone(), Some(before), origin))
    }

    /// What is said now stands after all that was said before, even in the same millisecond, or if the clock was set back. What was
    /// said long ago, in mail that is imported, keeps its time.
    fn after_all(&self, ticket: &Ticket, said_at: Millis) -> Millis {
        if said_at < self.now { said_at } else { said_at.max(ticket.updated_at + 1) }
    }

    /// Begins to open a ticket.
    pub(crate) fn open(&self, ticket: Ticket, origin: Origin) -> Edit {
        let created = Event::Create {
            subject: ticket.subject.clone(),
            recipient: ticket.received.recipient.clone(),
            follow_up_of: ticket.follow_up_of,
            peer: origin.peer.clone(),
        };
        let mut edit = self.begin(TicketFacts::of(ticket), None, origin);
        edit.events.push(created);
        edit
    }

    fn begin(&self, after: TicketFacts, before: Option<TicketFacts>, origin: Origin) -> Edit {
        Edit {
            told: after.ticket.clone(),
            before,
            after,
            origin,
            assigns_solver: self.account.settings.assign_tickets_upon_solve,
            now: self.now,
            events: vec![],
            comments: vec![],
            attachments: vec![],
        }
    }

    /// Makes what an edit did happen, in facts and changes alike. An edit that did nothing leaves no trace.
    pub fn finish(&mut self, mut edit: Edit) {
        edit.tell_changes();
        // Events alone, such as a report on a delivery, are no change of the ticket.
        if !edit.comments.is_empty() || edit.before() != Some(edit.ticket()) {
            let ticket = &mut edit.after.ticket;
            ticket.updated_at = ticket.updated_at.max(edit.origin.said_at);
        }
        self.keep_people(&edit);
        self.keep_comments(&mut edit);
        self.keep_audit(&mut edit);
        self.keep_ticket(edit);
    }

    fn keep_people(&mut self, edit: &Edit) {
        let id = edit.after.ticket.id;
        let was = edit.before.as_ref();
        let is_new_cc = |person: &&UserId| was.is_none_or(|was| !was.ccs.contains(person));
        let is_new_follower = |person: &&UserId| was.is_none_or(|was| !was.followers.contains(person));
        let ccs = edit.after.ccs.iter().filter(is_new_cc);
        self.changes.ccs.extend(ccs.map(|person| (id, *person)));
        let followers = edit.after.followers.iter().filter(is_new_follower);
        self.changes.followers.extend(followers.map(|person| (id, *person)));
    }

    fn keep_comments(&mut self, edit: &mut Edit) {
        if let Some(known) = self.facts.comments.get_mut(&edit.after.ticket.id) {
            known.extend(edit.comments.iter().map(|comment| (comment.is_public, comment.body.clone())));
        }
        self.changes.comments.append(&mut edit.comments);
        self.changes.attachments.append(&mut edit.attachments);
    }

    fn keep_audit(&mut self, edit: &mut Edit) {
        if edit.events.is_empty() {
            return;
        }
        self.changes.audits.push(Audit {
            id: self.supply.take::<AuditId>(),
            ticket_id: edit.after.ticket.id,
            author: edit.origin.actor,
            channel: edit.origin.channel.clone(),
            events: std::mem::take(&mut edit.events),
            created_at: self.now,
        });
    }

    fn keep_ticket(&mut self, edit: Edit) {
        let id = edit.after.ticket.id;
        let before = edit.before.map(|known| known.ticket);
        let after = edit.after.ticket.clone();
        if before.is_none() {
            self.facts.tokens.insert(after.token.clone(), id);
            self.changes.new_tickets.push(id);
        }
        if before.as_ref() != Some(&after) {
            let changed = ChangedTicket { before, after };
            self.changes
                .tickets
                .entry(id)
                // The image before the batch stays.
                .and_modify(|known| known.after.clone_from(&changed.after))
                .or_insert(changed);
        }
        self.facts.tickets.insert(id, edit.after);
    }
}
