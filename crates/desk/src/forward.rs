//! The message an agent forwarded: whose it is and what it says (docs/behaviour/intake.md §11).

use mail::address::Mailbox;

use crate::inbound::Inbound;

/// A message that an agent forwarded for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its subject; empty when the forward does not say.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What the agent wrote above it; empty for nothing.
    pub note: String,
}

/// The original within a forward, or attached to it, with the mailbox of its author. `text_from`: where the
/// text begins after an agent's commands. None for a message that forwards nothing, or whose original names
/// nobody.
#[must_use]
pub fn original(inbound: &Inbound<'_>, text_from: usize) -> Option<(Mailbox, Original)> {
    let letter = inbound.letter;
    let found = letter.forwarded.as_ref()?;
    let mailbox = found.from.clone().filter(|mailbox| mailbox.key().is_some())?;
    let commands = letter.text.get(..text_from).unwrap_or_default().trim();
    let above = found.message.strip_prefix(commands).unwrap_or(&found.message).trim();
    let written = [above, found.below.as_str()].into_iter().filter(|text| !text.is_empty());
    let note = written.collect::<Vec<_>>().join("\n\n");
    Some((mailbox, Original { subject: found.subject.clone(), body: found.body.clone(), note }))
}
