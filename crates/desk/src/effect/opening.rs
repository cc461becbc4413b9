//! Tickets opened by mails.

use std::collections::BTreeSet;

use mail::address::Mailbox;

use super::said_at;
use crate::channel::Channel;
use crate::comment::Text;
use crate::edit::{Edit, NewComment, Origin};
use crate::event::Event;
use crate::id::{BrandId, TicketId};
use crate::inbound::Inbound;
use crate::notice;
use crate::received::Received;
use crate::ticket::{Status, Ticket};
use crate::token::ThreadToken;
use crate::user::{Deliverable, Person};
use crate::verdict::{Author, Decision};
use crate::writer::Writer;

/// Longest subject kept on a ticket, in characters.
const SUBJECT_MAX: usize = 255;

/// Most tickets that one message to several support addresses opens.
pub const TICKETS_PER_MAIL: usize = 10;

/// Where a ticket is opened.
struct Place {
    received: Received,
    brand: BrandId,
}

/// The people of a new ticket.
struct Cast {
    /// Who wrote the message.
    writer: Person,
    /// Who asks.
    requester: Person,
    /// Who entered it.
    submitter: Person,
}

impl Writer<'_> {
    /// Opens the ticket of a message; with the setting for it, one for each support address the message was
    /// written to. Returns the first.
    pub(super) fn open_tickets(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: &Author,
        is_public: bool,
    ) -> TicketId {
        let first = self.open_one(inbound, decision, author, is_public, &Place::of(decision), None);
        let others = self.other_places(inbound, &decision.arrival.received);
        if others.is_empty() {
            return first;
        }
        let mut opened = vec![first];
        for place in &others {
            opened.push(self.open_one(inbound, decision, author, is_public, place, None));
        }
        self.tell_siblings(inbound, &opened);
        first
    }

    /// Opens a ticket that follows up a closed one.
    pub(super) fn open_follow_up(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: &Author,
        is_public: bool,
        of: TicketId,
    ) -> TicketId {
        let source = self.facts.tickets.get(&of).map(|known| known.ticket.clone());
        self.open_one(inbound, decision, author, is_public, &Place::of(decision), source.as_ref())
    }

    /// The other support addresses in To and Cc, in their order, where the account wants a ticket at each.
    fn other_places(&self, inbound: &Inbound<'_>, first: &Received) -> Vec<Place> {
        if !self.account.settings.ticket_per_address {
            return vec![];
        }
        let letter = inbound.letter;
        let mut seen = BTreeSet::from([first.recipient.clone()]);
        let keys = letter.to.iter().chain(&letter.cc).filter_map(Mailbox::key);
        let addresses = keys
            .filter_map(|key| self.account.owner_of(&key))
            .filter(|own| seen.insert(own.email.to_string()));
        let places = addresses.map(|own| Place {
            received: Received { recipient: own.email.to_string(), written_to: None, ..first.clone() },
            brand: own.brand_id,
        });
        places.take(TICKETS_PER_MAIL - 1).collect()
    }

    /// Each of several tickets of one message names the others in an internal note of the requester's mail.
    fn tell_siblings(&mut self, inbound: &Inbound<'_>, opened: &[TicketId]) {
        let known = opened.iter().filter_map(|id| self.facts.tickets.get(id));
        let addresses: Vec<&str> = known.map(|known| known.ticket.received.recipient.as_str()).collect();
        let body = format!(
            "This mail was written to several addresses and opened a ticket for each: {}.",
            addresses.join(", ")
        );
        for id in opened {
            let origin = Origin::system(said_at(inbound, self.now));
            let Some(mut edit) = self.edit(*id, origin) else { continue };
            edit.comment(NewComment {
                id: self.supply.take(),
                author: edit.ticket().requester_id,
                is_public: false,
                text: Text::whole(body.clone()),
                mail: None,
                flags: vec![],
            });
            let tickets = opened.iter().filter(|other| *other != id).copied().collect();
            edit.tell(Event::Siblings { tickets });
            self.finish(edit);
        }
    }

    fn open_one(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: &Author,
        is_public: bool,
        place: &Place,
        source: Option<&Ticket>,
    ) -> TicketId {
        let handling = &decision.handling;
        let cast = self.cast(inbound, decision, author);
        let text = self.text_of(inbound, decision);
        let ticket = self.new_ticket(inbound, decision, &cast, place, source, &text.body);
        let id = ticket.id;
        let mut edit = self.open(ticket, self.by_mail(inbound, cast.submitter.id));
        let comment = self.comment_of(&mut edit, inbound, decision, cast.writer.id, is_public, text);
        if let Some(original) = handling.original.as_ref().filter(|original| !original.note.trim().is_empty())
        {
            edit.comment(NewComment {
                id: self.supply.take(),
                author: cast.submitter.id,
                is_public: false,
                text: self.read(original.note.trim()),
                mail: Some(inbound.id),
                flags: vec![],
            });
        }
        if handling.adds_ccs {
            self.add_ccs(&mut edit, inbound, cast.writer.id);
        }
        self.obey(&mut edit, &handling.commands);
        let is_told = source.is_some() && cast.requester.id != cast.writer.id;
        if is_told && is_public && !decision.is_automatic && !inbound.envelope.is_quiet() {
            // Somebody else's answer to the requester's closed ticket is mailed to the requester as on an
            // open one.
            self.send_comment(edit.known(), comment, &cast.writer, &inbound.addressed());
        } else if !is_told {
            self.acknowledge(&edit, inbound, decision, &cast.requester);
        }
        self.finish(edit);
        id
    }

    fn cast(&mut self, inbound: &Inbound<'_>, decision: &Decision, author: &Author) -> Cast {
        let handling = &decision.handling;
        let writer = self.person(author, inbound);
        let requester = handling.requester.clone().unwrap_or_else(|| writer.clone());
        let submitter =
            handling.submitter.as_ref().map_or_else(|| writer.clone(), |agent| self.person(agent, inbound));
        Cast { writer, requester, submitter }
    }

    /// The ticket of a message before anything happens to it. `source`: the closed one it follows up.
    fn new_ticket(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        cast: &Cast,
        place: &Place,
        source: Option<&Ticket>,
        text: &str,
    ) -> Ticket {
        // Those who took part go on under the old subject; a stranger learns nothing of it.
        let goes_on = source.filter(|_| decision.handling.requester.is_some());
        let keeps_assignee = self.account.settings.follow_up_keeps_assignee;
        let assignee_id = goes_on.filter(|_| keeps_assignee).and_then(|source| source.assignee_id);
        let opened_at = said_at(inbound, self.now);
        Ticket {
            id: self.supply.take(),
            number: None,
            brand_id: place.brand,
            subject: subject_of(&subject_said(inbound, decision, goes_on), text, &cast.requester),
            status: if assignee_id.is_some() { Status::Open } else { Status::New },
            requester_id: cast.requester.id,
            submitter_id: cast.submitter.id,
            assignee_id,
            organization_id: goes_on.map_or(cast.requester.organization_id, |source| source.organization_id),
            priority: None,
            ticket_type: None,
            received: place.received.clone(),
            channel: Channel::Email,
            token: ThreadToken::from_random(self.supply.random()),
            is_public: false,
            is_machine: decision.is_automatic,
            tags: source.map(|ticket| ticket.tags.clone()).unwrap_or_default(),
            follow_up_of: source.map(|ticket| ticket.id),
            last_message_id: inbound.letter.message_id.as_ref().map(|id| id.as_str().to_owned()),
            created_at: opened_at,
            updated_at: opened_at,
            solved_at: None,
        }
    }

    /// Tells the requester that the message arrived, where the verdict allows it and the requester can be
    /// reached.
    fn acknowledge(&mut self, edit: &Edit, inbound: &Inbound<'_>, decision: &Decision, requester: &Person) {
        let is_wanted = decision.handling.acknowledges && !inbound.envelope.is_quiet();
        if !is_wanted || requester.is_staff() || requester.deliverable != Deliverable::Deliverable {
            return;
        }
        if let Some(content) = notice::acknowledgement(self.account, edit.ticket(), requester) {
            self.send(Some(edit.ticket().id), None, content, vec![requester.address.clone()]);
        }
    }
}

impl Place {
    fn of(decision: &Decision) -> Place {
        Place { received: decision.arrival.received.clone(), brand: decision.arrival.brand_id }
    }
}

/// The subject of the ticket that goes on, of the forwarded original, or of the message; may be empty.
fn subject_said(inbound: &Inbound<'_>, decision: &Decision, goes_on: Option<&Ticket>) -> String {
    match (goes_on, &decision.handling.original) {
        (Some(source), _) => notice::reply_subject(&source.subject),
        (None, Some(original)) if !original.subject.trim().is_empty() => original.subject.clone(),
        (None, _) => inbound.letter.subject.clone(),
    }
}

/// The message's subject, else the first line of its comment, else who it is from.
fn subject_of(subject: &str, text: &str, requester: &Person) -> String {
    let first_line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let chosen = [subject.trim(), first_line].into_iter().find(|candidate| !candidate.is_empty());
    let chosen = chosen.map_or_else(|| format!("Mail from {}", requester.name), str::to_owned);
    chosen.chars().take(SUBJECT_MAX).collect()
}
