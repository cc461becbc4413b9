//! Tickets and comments made of mails.

use std::collections::BTreeSet;

use mail::address::AddressKey;
use serde_json::{Value as Json, json};

use super::Writer;
use crate::attachment_rule::{Ruling, Skip};
use crate::changes::NewAttachment;
use crate::clock::Millis;
use crate::comment::{self, Comment, Flag};
use crate::facts::TicketFacts;
use crate::id::{BrandId, CommentId, TicketId, UserId};
use crate::inbound::Inbound;
use crate::notice;
use crate::received::Received;
use crate::ticket::{Status, Ticket};
use crate::token::ThreadToken;
use crate::user::{Deliverable, Person};
use crate::verdict::{Author, Decision};

/// Longest subject kept on a ticket, in characters.
const SUBJECT_MAX: usize = 255;

/// 1980-01-01: older dates in mail are those of clocks that were never set.
const MAIL_SINCE: Millis = 315_532_800_000;

/// Most tickets that one mail to several support addresses opens.
pub const TICKETS_PER_MAIL: usize = 10;

/// The text of a comment and what is known of it.
struct Text {
    body: String,
    hidden: Vec<comment::Hidden>,
    is_cut: bool,
}

impl Writer<'_> {
    /// Opens the ticket of a mail; with the setting for it, one for each support address the mail was written to. Returns the first.
    pub(super) fn open(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: &Author,
        is_public: bool,
        follow_up_of: Option<TicketId>,
    ) -> TicketId {
        let arrival = &decision.arrival;
        let mut places = vec![(arrival.received.clone(), arrival.brand_id)];
        if follow_up_of.is_none() && self.account.settings.ticket_per_address {
            places.extend(self.other_places(inbound, &arrival.received));
        }
        let opened: Vec<TicketId> = places
            .iter()
            .map(|(received, brand)| {
                self.open_at(inbound, decision, author, is_public, follow_up_of, (received, *brand))
            })
            .collect();
        if opened.len() > 1 {
            self.tell_siblings(&opened, &places);
        }
        opened.first().copied().unwrap_or(TicketId(0))
    }

    /// The other support addresses in To and Cc, in their order, with what tickets there are received at.
    fn other_places(&self, inbound: &Inbound<'_>, first: &Received) -> Vec<(Received, BrandId)> {
        let letter = inbound.letter;
        let mut seen = BTreeSet::from([first.recipient.clone()]);
        let keys = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
        let addresses = keys
            .filter_map(|key| self.account.owner_of(&key))
            .filter(|own| seen.insert(own.email.to_string()));
        let place = |own: &crate::address::SupportAddress| {
            let received = Received { recipient: own.email.to_string(), written_to: None, ..first.clone() };
            (received, own.brand_id)
        };
        addresses.map(place).take(TICKETS_PER_MAIL - 1).collect()
    }

    /// Each of several tickets of one mail names the others in an internal note of the requester's mail.
    fn tell_siblings(&mut self, opened: &[TicketId], places: &[(Received, BrandId)]) {
        let addresses: Vec<&str> = places.iter().map(|(received, _)| received.recipient.as_str()).collect();
        let body = format!(
            "This mail was written to several addresses and opened a ticket for each: {}.",
            addresses.join(", ")
        );
        for id in opened {
            let Some(known) = self.facts.tickets.get(id) else { continue };
            let (author_id, siblings) =
                (known.ticket.requester_id, opened.iter().filter(|other| *other != id));
            let siblings: Vec<TicketId> = siblings.copied().collect();
            let comment = CommentId(self.supply.id());
            self.changes.comments.push(Comment {
                id: comment,
                ticket_id: *id,
                author_id,
                is_public: false,
                is_cut: false,
                body: body.clone(),
                mail_id: None,
                flags: vec![],
                hidden: vec![],
                created_at: self.now,
            });
            let events = vec![
                json!({"v": 1, "type": "Comment", "id": comment, "public": false}),
                json!({"type": "Siblings", "tickets": siblings}),
            ];
            self.audit(*id, UserId(0), "system", events);
        }
    }

    fn open_at(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: &Author,
        is_public: bool,
        follow_up_of: Option<TicketId>,
        (received, brand_id): (&Received, BrandId),
    ) -> TicketId {
        let (letter, handling) = (inbound.letter, &decision.handling);
        let writer = self.person(author, inbound);
        let requester = handling.requester.clone().unwrap_or_else(|| writer.clone());
        let submitter =
            handling.submitter.as_ref().map_or_else(|| writer.clone(), |agent| self.person(agent, inbound));
        let source =
            follow_up_of.and_then(|id| self.facts.tickets.get(&id)).map(|facts| facts.ticket.clone());
        // Who takes part goes on under the old subject; a stranger learns nothing of it.
        let goes_on = source.as_ref().filter(|_| handling.requester.is_some());
        let id = TicketId(self.supply.id());
        let token = ThreadToken::from_random(self.supply.random());
        let subject = match (goes_on, &handling.original) {
            (Some(source), _) => notice::reply_subject(&source.subject),
            (None, Some(original)) if !original.subject.trim().is_empty() => original.subject.clone(),
            (None, _) => letter.subject.clone(),
        };
        let text = self.text_of(inbound, decision);
        let keeps = self.account.settings.follow_up_keeps_assignee;
        let assignee_id = goes_on.filter(|_| keeps).and_then(|source| source.assignee_id);
        let ticket = Ticket {
            id,
            number: 0,
            brand_id,
            subject: subject_of(&subject, &text.body, &requester),
            status: if assignee_id.is_some() { Status::Open } else { Status::New },
            requester_id: requester.id,
            submitter_id: submitter.id,
            assignee_id,
            organization_id: goes_on.map_or(requester.organization_id, |source| source.organization_id),
            priority: None,
            ticket_type: None,
            received: received.clone(),
            channel: "email".into(),
            token: token.clone(),
            is_public,
            is_machine: decision.is_automatic,
            tags: source.map(|ticket| ticket.tags).unwrap_or_default(),
            follow_up_of,
            last_message_id: letter.message_id.as_ref().map(|id| id.as_str().to_owned()),
            created_at: said_at(inbound, self.now),
            updated_at: said_at(inbound, self.now),
            solved_at: None,
        };
        self.facts.tokens.insert(token, id);
        self.facts.tickets.insert(
            id,
            TicketFacts { ticket: ticket.clone(), ccs: BTreeSet::new(), followers: BTreeSet::new() },
        );
        self.changes.new_tickets.push(id);
        let mut events = vec![create_event(&ticket)];
        let comment = self.add_from_mail(inbound, decision, id, writer.id, is_public, text, &mut events);
        if let Some(original) = handling.original.as_ref().filter(|original| !original.note.trim().is_empty())
        {
            let text = self.read(original.note.trim());
            let note = self.push_comment(id, submitter.id, false, text, inbound, &[]);
            events.push(json!({"type": "Comment", "id": note, "public": false}));
        }
        if handling.adds_ccs {
            self.add_ccs(inbound, id, writer.id);
        }
        tell_envelope(&mut events, inbound);
        self.obey(id, &submitter, &handling.commands, &mut events);
        self.audit(id, submitter.id, "email", events);
        if follow_up_of.is_some() && requester.id != writer.id {
            self.tell_follow_up(inbound, decision, id, comment, &writer, is_public);
        } else if handling.acknowledges
            && !inbound.envelope.is_quiet()
            && !requester.is_staff()
            && requester.deliverable == Deliverable::Deliverable
        {
            self.acknowledge(id, &requester);
        }
        self.save(super::ticket_after(self.facts, id));
        id
    }

    /// Somebody else's answer to the requester's closed ticket is mailed to the requester as on an open one.
    fn tell_follow_up(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        id: TicketId,
        comment: CommentId,
        writer: &Person,
        is_public: bool,
    ) {
        if is_public && !decision.is_automatic && !inbound.envelope.is_quiet() {
            self.send_comment(id, comment, writer, &had(inbound));
        }
    }

    pub(super) fn add_comment(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        id: TicketId,
        author: &Author,
        is_public: bool,
    ) {
        let handling = &decision.handling;
        let person = self.person(author, inbound);
        if !self.facts.tickets.contains_key(&id) {
            return;
        }
        let mut events = Vec::new();
        let text = self.text_of(inbound, decision);
        let comment = self.add_from_mail(inbound, decision, id, person.id, is_public, text, &mut events);
        if let Some(first) = events.first_mut().and_then(Json::as_object_mut) {
            first.insert("v".into(), 1.into());
        }
        tell_envelope(&mut events, inbound);
        if handling.adds_ccs {
            self.add_ccs(inbound, id, person.id);
        }
        if handling.follows {
            self.follow(id, person.id);
        }
        let (said_at, is_quiet) = (said_at(inbound, self.now), inbound.envelope.is_quiet());
        if let Some(known) = self.facts.tickets.get_mut(&id) {
            let before = known.ticket.status;
            // A machine's answer does not take a ticket out of pending or solved.
            if handling.reopens && !is_quiet {
                known.ticket.reopen_for_end_user();
            }
            if before != known.ticket.status {
                events.push(
                    json!({"type": "Change", "field": "status", "from": before.as_str(), "to": known.ticket.status.as_str()}),
                );
            }
            known.ticket.is_public |= is_public;
            known.ticket.updated_at = known.ticket.updated_at.max(said_at);
            if is_public {
                known.ticket.last_message_id = inbound
                    .letter
                    .message_id
                    .as_ref()
                    .map(|id| id.as_str().to_owned())
                    .or(known.ticket.last_message_id.take());
            }
        }
        self.obey(id, &person, &handling.commands, &mut events);
        self.audit(id, person.id, "email", events);
        self.save(super::ticket_after(self.facts, id));
        // Two machines that are told of each other's mails would keep each other busy.
        if is_quiet || decision.is_automatic {
            return;
        }
        let had = had(inbound);
        if is_public {
            self.send_comment(id, comment, &person, &had);
        }
        self.tell_followers(id, comment, &person, &had);
    }

    /// The comment of a mail with its attachments, and the events that tell of both.
    #[expect(clippy::too_many_arguments, reason = "all of them differ in type and meaning")]
    fn add_from_mail(
        &mut self,
        inbound: &Inbound<'_>,
        decision: &Decision,
        ticket_id: TicketId,
        author_id: UserId,
        is_public: bool,
        text: Text,
        events: &mut Vec<Json>,
    ) -> CommentId {
        let mut flags = decision.flags.clone();
        let mut skipped = Vec::new();
        let mut kept = Vec::new();
        for attachment in &inbound.letter.attachments {
            if decision.handling.drops_attachments || self.is_barred(decision) {
                skipped.push((attachment.name.clone(), "files by mail are not allowed here".to_owned()));
                continue;
            }
            let rule = &self.account.lists.attachments;
            match rule.check(&attachment.name, &attachment.content_type, attachment.size_bytes) {
                Ruling::Keep => kept.push(attachment.clone()),
                Ruling::Skip { why } => {
                    if matches!(why, Skip::Size { .. }) && !flags.contains(&Flag::AttachmentRefused) {
                        flags.push(Flag::AttachmentRefused);
                    }
                    skipped.push((attachment.name.clone(), why.to_string()));
                }
            }
        }
        let id = self.push_comment(ticket_id, author_id, is_public, text, inbound, &flags);
        let mail_id = inbound.id;
        self.changes.attachments.extend(kept.into_iter().map(|attachment| NewAttachment {
            comment_id: id,
            mail_id,
            attachment,
        }));
        let mut event = json!({"type": "Comment", "id": id, "public": is_public, "mail": mail_id});
        if let (false, Some(fields)) = (flags.is_empty(), event.as_object_mut()) {
            fields.insert("flags".into(), json!(flags.iter().map(|flag| flag.number()).collect::<Vec<_>>()));
            fields.insert("flags_options".into(), flags_options(&flags));
        }
        events.push(event);
        for (name, why) in skipped {
            events.push(json!({"type": "AttachmentRefused", "name": name, "why": why}));
        }
        id
    }

    /// Whether the account takes no files by mail from whoever wrote this.
    fn is_barred(&self, decision: &Decision) -> bool {
        let is_staff =
            decision.handling.submitter.is_some() || decision.author().is_some_and(Author::is_staff);
        !self.account.settings.email_attachments && !is_staff
    }

    fn push_comment(
        &mut self,
        ticket_id: TicketId,
        author_id: UserId,
        is_public: bool,
        text: Text,
        inbound: &Inbound<'_>,
        flags: &[Flag],
    ) -> CommentId {
        let id = CommentId(self.supply.id());
        if let Some(known) = self.facts.comments.get_mut(&ticket_id) {
            known.push((is_public, text.body.clone()));
        }
        self.changes.comments.push(Comment {
            id,
            ticket_id,
            author_id,
            is_public,
            is_cut: text.is_cut,
            body: text.body,
            mail_id: Some(inbound.id),
            flags: flags.iter().map(|flag| flag.number()).collect(),
            hidden: text.hidden,
            created_at: said_at(inbound, self.now),
        });
        id
    }

    /// What a mail says, as its comment keeps it: without the commands at its top, the tokens of tickets, and, where the account wants
    /// it so, what stands at and under our delimiter; cut at [`comment::CHARACTERS_MAX`].
    fn text_of(&self, inbound: &Inbound<'_>, decision: &Decision) -> Text {
        if let Some(original) = &decision.handling.original {
            return self.read(&original.body);
        }
        let from = decision.handling.text_from;
        let text = self.above_delimiter(inbound.letter.text.get(from..).unwrap_or_default());
        self.fitted(text, comment::hidden_of(&inbound.letter.reply, from, text))
    }

    /// A text that is no letter's own, with what is collapsed of it.
    fn read(&self, text: &str) -> Text {
        self.fitted(text, comment::hidden_of(&mail::reply::of_text(text), 0, text))
    }

    /// Without the tokens of tickets, that of the closed one a follow-up answers too, and cut to what a comment may hold.
    fn fitted(&self, text: &str, hidden: Vec<comment::Hidden>) -> Text {
        let mut tokens = ThreadToken::in_text(text);
        tokens.retain(|token| self.facts.tokens.contains_key(token));
        let (body, mut hidden) = comment::without_tokens(text, &tokens, hidden);
        let (kept, is_cut) = comment::cut(&body);
        let kept = kept.to_owned();
        hidden.retain_mut(|part| {
            part.to = part.to.min(kept.len());
            part.from < part.to
        });
        Text { body: kept, hidden, is_cut }
    }

    fn above_delimiter<'t>(&self, text: &'t str) -> &'t str {
        let Some(delimiter) = self.account.settings.delimiter_line() else { return text };
        let above = comment::at_delimiter(text, delimiter).and_then(|at| text.get(..at)).map(str::trim_end);
        // A mail that has nothing above it would say nothing.
        above.filter(|above| !above.trim().is_empty()).unwrap_or(text)
    }

    fn acknowledge(&mut self, id: TicketId, requester: &Person) {
        let Some(ticket) = self.facts.tickets.get(&id).map(|known| known.ticket.clone()) else { return };
        if let Some(content) = notice::acknowledgement(self.account, &ticket, requester) {
            self.send(Some(id), None, content, vec![requester.address.clone()]);
        }
    }
}

/// Who had a mail from its sender already.
fn had(inbound: &Inbound<'_>) -> BTreeSet<AddressKey> {
    let letter = inbound.letter;
    letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key()).collect()
}

/// When a mail was written, for what people read: the Date of old mail that is imported, else now.
fn said_at(inbound: &Inbound<'_>, now: Millis) -> Millis {
    let written = inbound.letter.date.filter(|date| (MAIL_SINCE..=now).contains(date));
    written.filter(|_| inbound.envelope.is_quiet()).unwrap_or(now)
}

/// What is said of flags: an agent may flip `trusted` once they have looked.
fn flags_options(flags: &[Flag]) -> Json {
    let options = flags.iter().map(|flag| (flag.number().to_string(), json!({"trusted": false})));
    Json::Object(options.collect())
}

/// What a ticket was when it was opened, as far as it may change; the rest stands on the ticket for good.
fn create_event(ticket: &Ticket) -> Json {
    let mut event =
        json!({"v": 1, "type": "Create", "subject": ticket.subject, "recipient": ticket.received.recipient});
    if let (Some(of), Some(fields)) = (ticket.follow_up_of, event.as_object_mut()) {
        fields.insert("follow_up_of".into(), json!(of));
    }
    event
}

/// The first event says who brought the mail: the rest of its envelope goes with the spool row (docs/behaviour/smtp.md §6).
fn tell_envelope(events: &mut [Json], inbound: &Inbound<'_>) {
    let Some(first) = events.first_mut().and_then(Json::as_object_mut) else { return };
    for (name, value) in [("client", &inbound.envelope.client), ("helo", &inbound.envelope.helo)] {
        if !value.is_empty() {
            first.insert(name.into(), value.as_str().into());
        }
    }
}

/// The mail's subject, else the first line of its comment, else who it is from.
fn subject_of(subject: &str, text: &str, requester: &Person) -> String {
    let first_line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let chosen = [subject.trim(), first_line].into_iter().find(|candidate| !candidate.is_empty());
    let chosen = chosen.map_or_else(|| format!("Mail from {}", requester.name), str::to_owned);
    chosen.chars().take(SUBJECT_MAX).collect()
}
