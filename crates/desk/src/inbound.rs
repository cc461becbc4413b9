//! A message on the table, and the ids it goes by.

use std::collections::BTreeSet;

use mail::address::{AddressKey, Mailbox};
use mail::letter::Letter;

use crate::authentication::Authentication;
use crate::clock::Millis;
use crate::envelope::Envelope;
use crate::id::{MailId, TicketId};
use crate::user::Person;

/// Ids looked up of a letter's References at most; the newest count.
pub const REFERENCES_READ: usize = 20;

/// A message on the table: what came, parsed, and under which id it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// The id of the raw message.
    pub id: MailId,
    /// When 250 was said for it.
    pub accepted_at: Millis,
    /// What SMTP said.
    pub envelope: &'a Envelope,
    /// What it says.
    pub letter: &'a Letter,
    /// Its bytes; empty where nobody has them at hand.
    pub raw: &'a [u8],
    /// What is known of who really sent it.
    pub authentication: &'a Authentication,
    /// Set when somebody takes it out of the suspended tickets.
    pub recovered: Option<&'a Recovered>,
}

static UNCHECKED: Authentication = Authentication::unchecked();

impl<'a> Inbound<'a> {
    /// A message as it comes in, its sender not checked.
    #[must_use]
    pub fn new(id: MailId, accepted_at: Millis, envelope: &'a Envelope, letter: &'a Letter) -> Inbound<'a> {
        Inbound { id, accepted_at, envelope, letter, raw: &[], authentication: &UNCHECKED, recovered: None }
    }

    /// The addresses in To and Cc: who has the message from its sender already.
    #[must_use]
    pub fn addressed(&self) -> BTreeSet<AddressKey> {
        self.letter.to.iter().chain(&self.letter.cc).filter_map(Mailbox::key).collect()
    }
}

/// How a message is taken out of the suspended tickets: no cause holds it any more, and a closed ticket gets
/// no follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// As it would have been: a ticket of its author, or a comment.
    AsSent,
    /// A comment on this ticket by its author.
    Into(TicketId),
    /// A ticket whose requester is this agent.
    By(Person),
}

/// The id a letter is remembered under: its Message-ID or a substitute.
#[must_use]
pub fn own_id(letter: &Letter) -> Option<String> {
    letter.message_id.as_ref().map(|id| id.as_str().to_owned()).or_else(|| stand_in_id(letter))
}

/// What a second message under a Message-ID that was used is remembered under, so that its copies are known
/// as such.
#[must_use]
pub fn reused_id(fingerprint: &[u8; 16]) -> String {
    let digits: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}@reused-message-id.invalid")
}

/// The ids a letter answers: In-Reply-To, then References from the newest to the oldest, at most
/// [`REFERENCES_READ`].
pub fn named_ids(letter: &Letter) -> impl Iterator<Item = &str> {
    letter
        .in_reply_to
        .iter()
        .chain(letter.references.iter().rev())
        .map(|id| id.as_str())
        .take(REFERENCES_READ)
}

/// The substitute for the Message-ID of a message that has none: its digest and Date. Without a Date there is
/// none, and the message is never a duplicate.
#[must_use]
pub fn stand_in_id(letter: &Letter) -> Option<String> {
    let date = letter.date.filter(|_| letter.message_id.is_none())?;
    let digest: String = letter.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{digest}.{date}@no-message-id.invalid"))
}

/// From, Date and text in one value: two messages that share it and their Message-ID are the same message.
#[must_use]
pub fn fingerprint(inbound: &Inbound<'_>) -> [u8; 16] {
    let letter = inbound.letter;
    let mut hasher = blake3::Hasher::new();
    for mailbox in letter.from.iter().take(1) {
        hasher.update(mailbox.address.to_lowercase().as_bytes());
    }
    hasher.update(b"\n");
    hasher.update(&letter.date.unwrap_or_default().to_le_bytes());
    hasher.update(&letter.digest);
    let mut kept = [0; 16];
    for (to, from) in kept.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    kept
}
