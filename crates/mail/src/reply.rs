//! What a sender newly wrote: the quoted mails and the signature in a text are found, so that whoever shows it can fold them.
//!
//! Nothing is taken away: the text stays whole, [`Reply::hidden`] says which lines of it are old. In doubt a line is shown.
//! Text goes through four steps: lines and their quote marks (`page`), lines that introduce a quote in the words of mail
//! programs (`attribution`, `header_block`, `phrase`), the order of own text and quotes (`decide`), and the signature
//! (`signature`). HTML is rendered first; what its structure says of the lines (`structured`) counts before any words.
//! docs/behaviour/reply-text.md tells the rules.

mod attribution;
mod decide;
mod delimiter;
mod header_block;
mod page;
mod phrase;
mod signature;
mod structured;

use crate::html_to_text;
use page::Page;
use std::ops::Range;

pub use delimiter::at_delimiter;

/// The line of our own above which people are asked to answer.
pub const DELIMITER: &str = "##- Please type your reply above this line -##";

/// How many lines of a text are looked at; all further ones share the fate of the last of them.
pub const MAX_LINES: usize = 100_000;

/// Why lines are folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenKind {
    /// A mail that was answered, the lines that introduce it, and what programs put below it.
    Quote,
    /// Who the sender is, below what was written.
    Signature,
}

/// Lines that are not newly written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Octets of the text: whole lines, line ends included.
    pub range: Range<usize>,
    /// Why.
    pub kind: HiddenKind,
}

/// What of a text is old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// In order, not overlapping; empty when everything is to be shown.
    pub hidden: Vec<Hidden>,
    /// Whether the sender answered between the lines of a quote; what was answered is shown then.
    pub is_interleaved: bool,
}

/// What is known about a mail beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// What the sender may sign with: display name, address. Blank ones are passed over.
    pub sender: &'a [&'a str],
    /// Whether the subject says that the mail is a forward: header blocks without a mark then begin a forwarded mail, which is shown.
    pub is_forward: bool,
    /// Asks for new text alone: forwarded mails are hidden too, and a mail that only quotes is hidden as a whole.
    pub new_text_only: bool,
}

/// Finds the quotes and the signature of a plain text with LF line ends.
#[must_use]
pub fn of_text(text: &str) -> Reply {
    of_text_with(text, &Hints::default())
}

/// As [`of_text`], with what else is known.
#[must_use]
pub fn of_text_with(text: &str, hints: &Hints<'_>) -> Reply {
    let page = Page::of(text);
    decide::decide(page, hints)
}

/// Renders HTML to text and finds the quotes and the signature in it; the structure counts.
#[must_use]
pub fn of_html(html: &str) -> (String, Reply) {
    of_html_with(html, &Hints::default())
}

/// As [`of_html`], with what else is known.
#[must_use]
pub fn of_html_with(html: &str, hints: &Hints<'_>) -> (String, Reply) {
    let (text, marks) = html_to_text::render(html);
    let mut page = Page::of(&text);
    structured::apply(&marks, &mut page);
    let reply = decide::decide(page, hints);
    (text, reply)
}

impl Reply {
    /// What is shown of the text this was found in, without blank lines around it.
    #[must_use]
    pub fn visible(&self, text: &str, keep_signature: bool) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for hidden in &self.hidden {
            if keep_signature && hidden.kind == HiddenKind::Signature {
                continue;
            }
            shown.push_str(text.get(from..hidden.range.start).unwrap_or_default());
            from = hidden.range.end;
        }
        shown.push_str(text.get(from..).unwrap_or_default());
        crate::text::trim_blank_lines(&shown).to_owned()
    }
}

#[cfg(test)]
mod tests;
