//! The newly written part of a text: finds quoted messages and the signature, so that they can be folded when
//! shown.
//!
//! Nothing is removed: the text stays complete, and [`Reply::hidden`] says which of its lines are old. When
//! in doubt, a line is shown. Text goes through four steps: lines and their quote marks (`page`), lines that
//! introduce a quote in the words of mail programs (`attribution`, `header_block`, `phrase`), the order of
//! own text and quotes (`decide`), and the signature (`signature`). HTML is rendered first; what its
//! structure says about the lines (`structured`) takes precedence over any words.
//! docs/behaviour/reply-text.md states the rules.

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

/// Our own line above which people are asked to reply.
pub const DELIMITER: &str = "##- Please type your reply above this line -##";

/// Finds the quotes and the signature of a plain text with LF line ends.
#[must_use]
pub fn of_text(text: &str) -> Reply {
    of_text_with(text, &Hints::default())
}

/// As [`of_text`], given additional hints.
#[must_use]
pub fn of_text_with(text: &str, hints: &Hints<'_>) -> Reply {
    let page = Page::of(text);
    decide::decide(page, hints)
}

/// Renders HTML to text and finds the quotes and the signature in it, using its structure.
#[must_use]
pub fn of_html(html: &str) -> (String, Reply) {
    of_html_with(html, &Hints::default())
}

/// As [`of_html`], given additional hints.
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
