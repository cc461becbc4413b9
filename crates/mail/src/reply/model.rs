//! What is known about a text before it is read, and what is found in it.

use crate::text::trim_blank_lines;
use std::ops::Range;

/// How many lines of a text are examined; all further ones share the fate of the last of them.
pub const MAX_LINES: usize = 100_000;

/// Why lines are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenKind {
    /// An earlier message, the lines that introduce it, and what programs append to it.
    Quote,
    /// The details of the sender below what they wrote.
    Signature,
}

/// Lines that were not newly written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Octet offsets in the text: whole lines, line ends included.
    pub range: Range<usize>,
    /// Why.
    pub kind: HiddenKind,
}

/// Which of a text is old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// In order, without overlaps; empty if everything is to be shown.
    pub hidden: Vec<Hidden>,
    /// Whether the sender replied between the lines of a quote; the quote is shown then.
    pub is_interleaved: bool,
}

/// What is known about a message apart from its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// What the sender may sign with: display name, address. Blank ones are ignored.
    pub sender: &'a [&'a str],
    /// Whether the subject marks the message as a forward: header blocks without a mark then begin a
    /// forwarded message, which is shown.
    pub is_forward: bool,
    /// Keep only new text: hides forwarded messages too, and all of a message that only quotes.
    pub new_text_only: bool,
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
        trim_blank_lines(&shown).to_owned()
    }
}
