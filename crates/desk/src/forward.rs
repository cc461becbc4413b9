//! The mail an agent forwarded: whose it is and what it says (docs/behaviour/intake.md §11).

use mail::address::Mailbox;
use mail::forward::{self, Forwarded};

use crate::facts::Inbound;
use crate::verdict::Original;

/// The original within a forward, or attached to it, with the mailbox of its author. `text_from`: where the text begins behind
/// an agent's commands. None for a mail that forwards nothing, or whose original names nobody.
#[must_use]
pub fn original(inbound: &Inbound<'_>, text_from: usize) -> Option<(Mailbox, Original)> {
    let letter = inbound.letter;
    let text = letter.text.get(text_from..).unwrap_or_default();
    let found = forward::original(text, &letter.subject);
    let found = found.or_else(|| {
        let attached = forward::attached(letter, inbound.raw)?;
        let message = attached.message.get(text_from..).unwrap_or(&attached.message).trim().to_owned();
        Some(Forwarded { message, ..attached })
    })?;
    let mailbox = found.from.filter(|mailbox| mailbox.key().is_some())?;
    Some((mailbox, Original { subject: found.subject, body: found.body, note: found.message }))
}
