//! Comments: the text a message or an agent adds to a ticket.

use crate::clock::Millis;
use crate::id::{CommentId, MailId, TicketId, UserId};
use crate::numbered::numbered;
use crate::token::ThreadToken;
use mail::reply::{self, Reply};
use serde::{Deserialize, Serialize};

/// Most characters (Unicode scalar values) of a comment's text; the raw message keeps the rest.
pub const CHARACTERS_MAX: usize = 65_000;

/// A warning shown next to a comment; the number is what existing clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// 0: unclear whether the author is who the message says.
    Untrusted,
    /// 2: the author was not part of the conversation.
    OutsideConversation,
    /// 3: the author was not signed in.
    NotSignedIn,
    /// 4: a machine wrote it; automatic notices are not sent.
    MachineGenerated,
    /// 5: an attachment was refused for its size or kind.
    AttachmentRefused,
    /// 11: submitted by one person on behalf of the author.
    OnBehalf,
    /// 101: same Message-ID and From as an earlier message, but another text.
    ReusedMessageId,
}

impl Flag {
    /// Every flag, by number.
    pub const ALL: &[Flag] = &[
        Flag::Untrusted,
        Flag::OutsideConversation,
        Flag::NotSignedIn,
        Flag::MachineGenerated,
        Flag::AttachmentRefused,
        Flag::OnBehalf,
        Flag::ReusedMessageId,
    ];

    /// The number stored and shown to programs.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Flag::Untrusted => 0,
            Flag::OutsideConversation => 2,
            Flag::NotSignedIn => 3,
            Flag::MachineGenerated => 4,
            Flag::AttachmentRefused => 5,
            Flag::OnBehalf => 11,
            Flag::ReusedMessageId => 101,
        }
    }
}

numbered!(Flag);

/// What a collapsed range of a comment's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenKind {
    /// Quoted earlier message.
    Quote,
    /// A signature.
    Signature,
}

/// A range of a comment's text that is shown collapsed. Stored as JSON: a file format, so fields are only
/// ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Its first octet, at the beginning of a line.
    pub from: usize,
    /// The octet after its last one.
    pub to: usize,
    /// What it is.
    pub kind: HiddenKind,
}

/// What a comment says, fitted to what one may hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The text, LF line ends.
    pub body: String,
    /// Ranges of it that are shown collapsed.
    pub hidden: Vec<Hidden>,
    /// Whether it was cut at [`CHARACTERS_MAX`].
    pub is_cut: bool,
}

impl Text {
    /// A text of which nothing is collapsed or cut.
    #[must_use]
    pub fn whole(body: String) -> Text {
        Text { body, hidden: vec![], is_cut: false }
    }

    /// Cuts a text to what a comment may hold, and the collapsed ranges with it.
    #[must_use]
    pub fn cut(text: &str, mut hidden: Vec<Hidden>) -> Text {
        let (kept, is_cut) = cut(text);
        hidden.retain_mut(|part| {
            part.to = part.to.min(kept.len());
            part.from < part.to
        });
        Text { body: kept.to_owned(), hidden, is_cut }
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
    /// The message it came by.
    pub mail_id: Option<MailId>,
    /// Warnings shown next to it.
    pub flags: Vec<Flag>,
    /// Ranges of the text that are shown collapsed: sorted, disjoint, whole lines. Nothing of them is
    /// deleted.
    pub hidden: Vec<Hidden>,
    /// When it was added.
    pub created_at: Millis,
}

/// The line that the account's messages ask people to write above; the setting `delimiter` takes precedence.
pub const DELIMITER: &str = reply::DELIMITER;

/// Where a delimiter begins in a text, with the line that introduces the quotation above it. What is from
/// there on is old.
#[must_use]
pub fn at_delimiter(text: &str, delimiter: &str) -> Option<usize> {
    reply::at_delimiter(text, delimiter)
}

/// The ranges that are shown collapsed of `text`, which begins at octet `from` of the text that was read;
/// none where answers stand between quoted lines.
#[must_use]
pub fn hidden_of(read: &Reply, from: usize, text: &str) -> Vec<Hidden> {
    if read.is_interleaved {
        return vec![];
    }
    let kind = |kind| match kind {
        reply::HiddenKind::Quote => HiddenKind::Quote,
        reply::HiddenKind::Signature => HiddenKind::Signature,
    };
    let place = |at: usize| at.saturating_sub(from).min(text.len());
    let ranges = read.hidden.iter().map(|part| Hidden {
        from: place(part.range.start),
        to: place(part.range.end),
        kind: kind(part.kind),
    });
    ranges.filter(|part| part.from < part.to).collect()
}

/// Takes the brackets that hold tickets' tokens out of a text, so that nobody passes them on unseen; ranges
/// move along.
#[must_use]
pub fn without_tokens(text: &str, tokens: &[ThreadToken], hidden: Vec<Hidden>) -> (String, Vec<Hidden>) {
    let marked: Vec<String> = tokens.iter().map(|token| format!("[{}]", token.as_str())).collect();
    // Where each begins, and how long it is.
    let mut places: Vec<(usize, usize)> = marked
        .iter()
        .flat_map(|marked| text.match_indices(marked.as_str()).map(|(at, found)| (at, found.len())))
        .collect();
    if places.is_empty() {
        return (text.to_owned(), hidden);
    }
    places.sort_unstable();
    let mut body = String::with_capacity(text.len());
    let mut from = 0;
    for (at, length) in &places {
        body.push_str(text.get(from..*at).unwrap_or_default());
        from = at.saturating_add(*length);
    }
    body.push_str(text.get(from..).unwrap_or_default());
    let body = body.trim_end().to_owned();
    let moved = |at: usize| {
        let before: usize =
            places.iter().take_while(|(place, _)| *place < at).map(|(_, length)| length).sum();
        at.saturating_sub(before).min(body.len())
    };
    let hidden = hidden.into_iter().map(|part| Hidden { from: moved(part.from), to: moved(part.to), ..part });
    let hidden = hidden.filter(|part| part.from < part.to).collect();
    (body, hidden)
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
    fn ranges_move_with_the_token_that_is_taken_out() {
        let tokens = ["ABCDEF-GHIJ", "AAAAAA-AAAAA"].map(|token| ThreadToken::parse(token).unwrap());
        let text = "new [ABCDEF-GHIJ][AAAAAA-AAAAA]\n> old\n> [ABCDEF-GHIJ]\nmore";
        let at = |part: &str| text.find(part).unwrap();
        let quote = Hidden { from: at("> old"), to: at("more"), kind: HiddenKind::Quote };
        let (body, hidden) = without_tokens(text, &tokens, vec![quote]);
        assert_eq!(body, "new \n> old\n> \nmore");
        assert_eq!(body.get(hidden[0].from..hidden[0].to), Some("> old\n> \n"));
    }

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
