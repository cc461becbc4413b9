//! A message as the list of its decoded parts, attached messages taken apart too: for programs interested in
//! mail rather than in tickets. Slower and more detailed than [`crate::Letter`], which pays nothing for it.

use crate::defect::Defects;
use crate::encoded_word;
use crate::field::header_of_mail;
use crate::line_end::with_line_feeds;
use crate::part::{self, Disposition, Part};

/// How deeply attached messages are taken apart; deeper ones are single parts.
pub const MAX_MAIL_DEPTH: usize = 20;

/// One part that has content of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaf {
    /// `type/subtype`, lower-cased.
    pub content_type: String,
    /// The charset as declared; `None` if undeclared.
    pub charset: Option<String>,
    /// `inline`, `attachment`, or empty if undeclared.
    pub disposition: &'static str,
    /// The file name, decoded; `None` if the message gives none.
    pub name: Option<String>,
    /// Without `<>`.
    pub content_id: Option<String>,
    /// Transfer encoding decoded; text is still in its charset.
    pub bytes: Vec<u8>,
    /// How many attached messages surround it.
    pub depth: usize,
}

/// What remains to be returned, next one last: a stack instead of recursion.
enum Waiting {
    Leaf(Leaf),
    Mail(Vec<u8>, usize),
}

/// All parts with content of their own, in order, at most [`crate::letter::MAX_PARTS`]; never fails.
///
/// An attached message (`message/rfc822`) yields the parts inside it, down to [`MAX_MAIL_DEPTH`]; a multipart
/// in which no parts are found yields nothing, although a letter reads it as text.
#[must_use]
pub fn leaves(raw: &[u8]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut waiting = Vec::new();
    take_apart(raw, 0, &mut waiting);
    while let Some(next) = waiting.pop() {
        match next {
            Waiting::Leaf(leaf) => leaves.push(leaf),
            Waiting::Mail(raw, depth) => take_apart(&raw, depth, &mut waiting),
        }
        if leaves.len() >= part::MAX_PARTS {
            break;
        }
    }
    leaves
}

/// The value of the first header field of that name, encoded words decoded, uncut; `None` if there is none.
#[must_use]
pub fn field(raw: &[u8], name: &str) -> Option<String> {
    let value = raw_field(raw, name)?;
    Some(encoded_word::decode(&value, &mut Defects::default()).into_owned())
}

/// The raw value of the first header field of that name, on one line and not decoded; `None` if there is
/// none.
#[must_use]
pub fn raw_field(raw: &[u8], name: &str) -> Option<String> {
    let mail = with_line_feeds(raw);
    let header = header_of_mail(&mail, &mut Defects::default());
    let field = header.fields.iter().find(|field| field.is(name))?;
    Some(field.text(&mut Defects::default()).into_owned())
}

fn take_apart(raw: &[u8], depth: usize, waiting: &mut Vec<Waiting>) {
    let mut defects = Defects::default();
    let mail = with_line_feeds(raw);
    let header = header_of_mail(&mail, &mut defects);
    let parts = part::walk(&header.fields, header.body, &mut defects);
    for part in parts.iter().rev().filter(|part| !part.is_multipart && !part.is_salvaged) {
        let bytes = part.transfer.decode(part.body, &mut defects).into_owned();
        let is_mail = matches!(part.content_type.as_str(), "message/rfc822" | "message/global");
        waiting.push(match is_mail && depth < MAX_MAIL_DEPTH {
            true => Waiting::Mail(bytes, depth.saturating_add(1)),
            false => Waiting::Leaf(leaf(part, bytes, depth)),
        });
    }
}

fn leaf(part: &Part<'_>, bytes: Vec<u8>, depth: usize) -> Leaf {
    Leaf {
        content_type: part.content_type.clone(),
        charset: part.charset.clone(),
        disposition: match part.disposition {
            Disposition::None => "",
            Disposition::Inline => "inline",
            Disposition::Attachment => "attachment",
        },
        name: part.name.clone(),
        content_id: part.content_id.clone(),
        bytes,
        depth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> Vec<String> {
        let show = |leaf: &Leaf| {
            format!("{} {} {}", leaf.depth, leaf.content_type, String::from_utf8_lossy(&leaf.bytes))
        };
        leaves(raw.as_bytes()).iter().map(show).collect()
    }

    #[test]
    fn attached_mails_are_taken_apart_in_place() {
        let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\n\
            Content-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKdHdv\n--b\nContent-Type: image/png\n\nthree\n--b--\n";
        assert_eq!(shown(raw), ["0 text/plain one", "1 text/plain two", "0 image/png three"]);
    }

    #[test]
    fn depth_of_attached_mails_holds_at_n_and_breaks_at_n_plus_one() {
        let nested = |depth: usize| format!("{}\nhi", "Content-Type: message/rfc822\n\n".repeat(depth));
        assert_eq!(shown(&nested(MAX_MAIL_DEPTH)), [format!("{MAX_MAIL_DEPTH} text/plain hi")]);
        assert_eq!(leaves(nested(MAX_MAIL_DEPTH + 1).as_bytes())[0].content_type, "message/rfc822");
    }

    #[test]
    fn fields_are_given_as_they_stand() {
        let raw = b"Subject: =?utf-8?q?a?=\n b\nsubject: c\n\n";
        assert_eq!(raw_field(raw, "subject").as_deref(), Some("=?utf-8?q?a?= b"));
        assert_eq!(field(raw, "Subject").as_deref(), Some("a b"));
        assert_eq!((raw_field(raw, "From"), field(raw, "From")), (None, None));
    }
}
