//! Comments: the text a mail or an agent adds to a ticket.

use crate::clock::Millis;
use crate::id::{CommentId, MailId, TicketId, UserId};

/// Most characters (Unicode scalar values) of a comment's text; the raw mail keeps the rest.
pub const CHARACTERS_MAX: usize = 65_000;

/// A warning shown beside a comment; the number is what existing clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// 0: unclear whether the author is who the mail says.
    Untrusted,
    /// 2: the author was not part of the conversation.
    OutsideConversation,
    /// 4: a machine wrote it; automatic notices are not sent.
    MachineGenerated,
    /// 101: same Message-ID and From as an earlier mail, but another text.
    ReusedMessageId,
}

impl Flag {
    /// The number stored and shown to programs.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Flag::Untrusted => 0,
            Flag::OutsideConversation => 2,
            Flag::MachineGenerated => 4,
            Flag::ReusedMessageId => 101,
        }
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its ticket.
    pub ticket_id: TicketId,
    /// Who wrote it.
    pub author_id: UserId,
    /// Public, or an internal note.
    pub is_public: bool,
    /// Whether text was cut at [`CHARACTERS_MAX`].
    pub is_cut: bool,
    /// Its text, LF line ends.
    pub body: String,
    /// The mail it came by.
    pub mail_id: Option<MailId>,
    /// Numbers of its flags.
    pub flags: Vec<i64>,
    /// When it was added.
    pub created_at: Millis,
}

/// Cuts a text at [`CHARACTERS_MAX`] and says whether it did.
#[must_use]
pub fn cut(text: &str) -> (&str, bool) {
    // As many bytes cannot hold more characters.
    if text.len() <= CHARACTERS_MAX {
        return (text, false);
    }
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((at, _)) => (text.get(..at).unwrap_or(text), true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_after_65_000_characters_whatever_their_bytes() {
        for letter in ["a", "é", "🙂"] {
            let whole = letter.repeat(CHARACTERS_MAX);
            assert_eq!(cut(&whole), (whole.as_str(), false));
            let longer = format!("{whole}{letter}");
            assert_eq!(cut(&longer), (whole.as_str(), true));
        }
    }
}
