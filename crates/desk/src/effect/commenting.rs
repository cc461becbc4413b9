//! Comments made of messages.

use crate::comment::Text;
use crate::edit::{Edit, NewComment};
use crate::id::{CommentId, TicketId, UserId};
use crate::inbound::Inbound;
use crate::verdict::{Author, Decision};
use crate::writer::Writer;

impl Writer<'_> {
    /// Adds a message to a ticket, with what it may do there, and tells those who are to read it.
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
        let Some(mut edit) = self.edit(id, self.by_mail(inbound, person.id)) else { return };
        let text = self.text_of(inbound, decision);
        let comment = self.comment_of(&mut edit, inbound, decision, person.id, is_public, text);
        if handling.adds_ccs {
            self.add_ccs(&mut edit, inbound, person.id);
        }
        if handling.follows {
            edit.add_follower(person.id);
        }
        // A machine's answer does not take a ticket out of pending or solved.
        if handling.reopens && !inbound.envelope.is_quiet() {
            edit.reopen();
        }
        let message_id = inbound.letter.message_id.as_ref().filter(|_| is_public);
        if let Some(message_id) = message_id {
            edit.set_last_message_id(message_id.as_str().to_owned());
        }
        self.obey(&mut edit, &handling.commands);
        // Two machines that are told of each other's mails would keep each other busy.
        if !inbound.envelope.is_quiet() && !decision.is_automatic {
            let had = inbound.addressed();
            if is_public {
                self.send_comment(edit.known(), comment, &person, &had);
            }
            self.tell_followers(edit.known(), comment, &person, &had);
        }
        self.finish(edit);
    }

    /// The comment of a message, with its attachments and what is told of both.
    pub(super) fn comment_of(
        &mut self,
        edit: &mut Edit,
        inbound: &Inbound<'_>,
        decision: &Decision,
        author: UserId,
        is_public: bool,
        text: Text,
    ) -> CommentId {
        let id: CommentId = self.supply.take();
        let files = self.files_of(inbound, decision);
        let mut flags = decision.flags.clone();
        flags.extend(files.flag.filter(|flag| !decision.flags.contains(flag)));
        edit.comment(NewComment { id, author, is_public, text, mail: Some(inbound.id), flags });
        files.add_to(edit, id, inbound.id);
        id
    }
}
