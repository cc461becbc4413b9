//! Challenge-response systems: the recipient's system holds the message until its sender proves to be a
//! person.

use super::opening;
use super::sign::Sign;
use super::subject::Subject;
use crate::wording::Wording;

/// How much of the text is examined, in octets.
const OPENING_OCTETS: usize = 3_000;

/// The challenge contained in a text; `field` is the header field of a known system.
///
/// Wording counts only in pairs: that the message is held or the address protected, and what the sender
/// should do about it.
pub(super) fn sign(text: &str, subject: &Subject, field: Option<&str>) -> Option<Sign> {
    if let Some(field) = field {
        return Some(Sign::Text(Wording::Challenge)).filter(|_| !field.is_empty());
    }
    // Only replies and plain messages are challenges; somebody who forwards one is a person. A challenge has
    // a link to follow.
    if subject.is_forward || text.is_empty() || !looks_like(text) {
        return None;
    }
    let opening = opening::of(text, OPENING_OCTETS);
    let has = |table: &[&str]| table.iter().any(|phrase| opening.contains(phrase));
    (has(HELD) && has(ASKED)).then_some(Sign::Text(Wording::Challenge))
}

/// A cheap test before the expensive one: words that all the pairs share.
fn looks_like(text: &str) -> bool {
    let start = text.get(..text.floor_char_boundary(OPENING_OCTETS)).unwrap_or_default().as_bytes();
    let has = |word: &str| memchr::memmem::find(start, word.as_bytes()).is_some();
    (has("http") || has("eply") || has("ntworten") || has("épond") || has("espond"))
        && WORDS.iter().any(|word| has(word))
}

/// Fragments of the phrases in [`HELD`] without their first letter, which may be a capital.
const WORDS: &[&str] = &[
    "rotected by",
    "aitlisted",
    "uest list",
    "uest List",
    "hallenge",
    "our message",
    "our email",
    "our e-mail",
    "our mail",
    "hre Nachricht",
    "hre E-Mail",
    "otre message",
    "uo messaggio",
    "u mensaje",
];

/// The recipient's system is holding the message. Each phrase names the message or the system: people write
/// about orders on hold.
#[rustfmt::skip]
const HELD: &[&str] = &[
    "account is protected by", "mailbox is protected by", "email is protected by", "e-mail is protected by",
    "address is protected by", "inbox is protected by", "mail is protected by", "has been waitlisted", "is waitlisted",
    "boxbe guest list", "guest list so your message",
    "your message is being held", "your email is being held", "your e-mail is being held", "your mail is being held",
    "your message has been held", "your email has been held", "your e-mail has been held", "your message is on hold",
    "your email is on hold", "your message has been placed on hold", "your email has been placed on hold",
    "your message was placed on hold", "your message has been quarantined until", "your email has been quarantined until",
    "before your message can be delivered", "before your message is delivered", "before your message will be delivered",
    "before your email can be delivered", "before your email is delivered", "before your email will be delivered",
    "before your e-mail can be delivered", "before i can receive your message", "before i receive your message",
    "before i receive your email", "in order for your message to be delivered", "in order for your email to be delivered",
    "for your message to be delivered", "for your email to be delivered", "so that your message can be delivered",
    "to ensure delivery of your message", "to ensure delivery of your email", "to have your message delivered",
    "to get your message delivered", "your message will be delivered once", "your message will be delivered as soon as you",
    "your message will not be delivered until", "your email will not be delivered until",
    "your message has not been delivered yet", "your message to me has not been delivered",
    "uses a challenge", "challenge-response", "challenge/response", "challenge response system", "your address is not on my",
    "your email address is not on my", "your message was sent from an address", "your message requires verification",
    "your message requires confirmation", "your message is awaiting your confirmation",
    "your message is waiting for confirmation", "your message is waiting to be",
    "ihre nachricht wird zurückgehalten", "ihre e-mail wird zurückgehalten", "ihre nachricht wurde noch nicht zugestellt",
    "ihre e-mail wurde noch nicht zugestellt", "votre message est en attente de", "votre message a été mis en attente",
    "votre message est retenu", "il tuo messaggio è in attesa", "su mensaje está retenido", "su mensaje ha sido retenido",
];

/// What the sender should do about it.
#[rustfmt::skip]
const ASKED: &[&str] = &[
    "click on the following link", "click the link below", "click the following link", "click on the link",
    "click on this link", "click this link", "click here", "clicking on the link", "clicking the link", "clicking on this link",
    "clicking here", "please click", "visit the following", "follow this link", "follow the link", "following this link",
    "following the link", "go to the following", "reply to this message", "reply to this email", "reply to this e-mail",
    "replying to this", "just reply", "simply reply", "hit reply", "respond to this", "confirm your message",
    "confirm your email", "confirm that you are", "confirm you are", "verify that you are", "verify you are", "verify your",
    "prove that you are", "prove you are", "please confirm", "please verify", "type the", "enter the code", "boxbe guest list",
    "klicken sie", "antworten sie auf diese", "bestätigen sie", "cliquez", "répondez à ce", "confirmer votre", "fai clic",
    "fare clic", "clicca", "haga clic", "pulse en", "responda a este",
];
