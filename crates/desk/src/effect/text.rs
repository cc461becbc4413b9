//! What of a message's text a comment keeps.

use crate::comment::{self, Hidden, Text};
use crate::inbound::Inbound;
use crate::token::ThreadToken;
use crate::verdict::Decision;
use crate::writer::Writer;

impl Writer<'_> {
    /// What a message says: without the commands at its top, the tokens of tickets, and, where the account
    /// wants it so, what is at and below our delimiter.
    pub(super) fn text_of(&self, inbound: &Inbound<'_>, decision: &Decision) -> Text {
        if let Some(original) = &decision.handling.original {
            return self.read(&original.body);
        }
        let from = decision.handling.text_from;
        let text = self.above_delimiter(inbound.letter.text.get(from..).unwrap_or_default());
        self.fitted(text, comment::hidden_of(&inbound.letter.reply, from, text))
    }

    /// A text that is no letter's own, with what is collapsed of it.
    pub(super) fn read(&self, text: &str) -> Text {
        self.fitted(text, comment::hidden_of(&mail::reply::of_text(text), 0, text))
    }

    /// Without the tokens of tickets, including that of the closed one a follow-up answers, and cut to what a
    /// comment may hold.
    fn fitted(&self, text: &str, hidden: Vec<Hidden>) -> Text {
        let mut tokens = ThreadToken::in_text(text);
        tokens.retain(|token| self.facts.tokens.contains_key(token));
        let (body, hidden) = comment::without_tokens(text, &tokens, hidden);
        Text::cut(&body, hidden)
    }

    fn above_delimiter<'t>(&self, text: &'t str) -> &'t str {
        let Some(delimiter) = self.account.settings.delimiter_line() else { return text };
        let above = comment::at_delimiter(text, delimiter).and_then(|at| text.get(..at)).map(str::trim_end);
        // A message that has nothing above it would say nothing.
        above.filter(|above| !above.trim().is_empty()).unwrap_or(text)
    }
}
