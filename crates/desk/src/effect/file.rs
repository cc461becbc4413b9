//! Which attachments of a message a comment keeps (docs/behaviour/attachments.md).

use mail::letter::Attachment;

use crate::attachment_rule::{Ruling, Skip};
use crate::changes::NewAttachment;
use crate::comment::Flag;
use crate::edit::Edit;
use crate::event::Event;
use crate::id::{CommentId, MailId};
use crate::inbound::Inbound;
use crate::verdict::{Author, Decision};
use crate::writer::Writer;

/// The attachments of a message, sorted into those that are kept and those that are not.
#[derive(Debug, Default)]
pub(super) struct Files {
    kept: Vec<Attachment>,
    /// File name, and why it is left out.
    refused: Vec<(String, String)>,
    /// What the comment is flagged with for it.
    pub(super) flag: Option<Flag>,
}

impl Writer<'_> {
    pub(super) fn files_of(&self, inbound: &Inbound<'_>, decision: &Decision) -> Files {
        let is_barred = decision.handling.drops_attachments || self.is_barred(decision);
        let rule = &self.account.lists.attachments;
        let mut files = Files::default();
        for attachment in &inbound.letter.attachments {
            if is_barred {
                let why = "files by mail are not allowed here".to_owned();
                files.refused.push((attachment.name.clone(), why));
                continue;
            }
            match rule.check(&attachment.name, &attachment.content_type, attachment.size_bytes) {
                Ruling::Keep => files.kept.push(attachment.clone()),
                Ruling::Skip { why } => {
                    if matches!(why, Skip::Size { .. }) {
                        files.flag = Some(Flag::AttachmentRefused);
                    }
                    files.refused.push((attachment.name.clone(), why.to_string()));
                }
            }
        }
        files
    }

    /// Whether the account takes no files by mail from this author.
    fn is_barred(&self, decision: &Decision) -> bool {
        let is_staff =
            decision.handling.submitter.is_some() || decision.author().is_some_and(Author::is_staff);
        !self.account.settings.email_attachments && !is_staff
    }
}

impl Files {
    /// Attaches what is kept to a comment, and tells of what is not.
    pub(super) fn add_to(self, edit: &mut Edit, comment_id: CommentId, mail_id: MailId) {
        for attachment in self.kept {
            edit.attach(NewAttachment { comment_id, mail_id, attachment });
        }
        for (name, why) in self.refused {
            edit.tell(Event::AttachmentRefused { name, why });
        }
    }
}
