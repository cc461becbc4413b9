//! What is known about a text before it is read, and what is found in it.

use crate::text::trim_blank_lines;
use std::ops::Range;

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
