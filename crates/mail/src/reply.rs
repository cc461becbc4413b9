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
mod model;
mod page;
mod phrase;
mod signature;
mod structured;

use crate::html_to_text;
use page::Page;

pub use delimiter::at_delimiter;
pub use model::{Hidden, HiddenKind, Hints, MAX_LINES, Reply};

/// The line of our own above which people are asked to answer.
pub const DELIMITER: &str = "##- Please type your reply above this line -##";

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

#[cfg(test)]
mod tests;
