//! Which ticket a message joins: plus address, then headers, then body (docs/behaviour/threading.md §1).
//! Subjects never count.

use crate::account::Account;
use crate::delivery::returned_delivery;
use crate::facts::{Facts, KnownId, Met};
use crate::id::TicketId;
use crate::inbound::{Inbound, named_ids};
use crate::received::Arrival;
use crate::signed::SigningKeys;
use crate::token::ThreadToken;

/// How a message names its ticket; an encoded id (address, body) is a secret, a header id is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// A token in an address at a native host.
    PlusAddress(ThreadToken),
    /// In-Reply-To or References named this Message-ID.
    Header(String),
    /// A token in brackets in the text, or in the HTML alternative.
    Body(ThreadToken),
    /// An earlier message of the ticket named this one's own Message-ID: mails arrived in reverse.
    Awaited(String),
    /// It came to the signed return path of a message of the ticket.
    ReturnPath,
}

impl Match {
    /// Whether only somebody who got mail of the ticket can know it.
    #[must_use]
    pub fn is_encoded(&self) -> bool {
        matches!(self, Match::PlusAddress(_) | Match::Body(_) | Match::ReturnPath)
    }
}

/// Finds the ticket, the first rule that names one wins.
#[must_use]
pub fn find(
    account: &Account,
    keys: &SigningKeys,
    facts: &Facts,
    arrival: &Arrival,
    inbound: &Inbound<'_>,
) -> Option<(TicketId, Match)> {
    let letter = inbound.letter;
    let by_token = |token: &ThreadToken| facts.tokens.get(token).copied();
    if let Some(token) = &arrival.token
        && let Some(ticket) = by_token(token)
    {
        return Some((ticket, Match::PlusAddress(token.clone())));
    }
    let native = |host: &str| account.brand_of_host(host).is_some();
    for id in named_ids(letter) {
        let known = facts.message_ids.get(id).and_then(|known| known.ticket);
        let rooted = || ThreadToken::in_message_id(id, native).as_ref().and_then(by_token);
        if let Some(ticket) = known.or_else(rooted) {
            return Some((ticket, Match::Header(id.to_owned())));
        }
    }
    if let Some(own) = letter.message_id.as_ref().map(|id| id.as_str()) {
        // A message that was held and is decided again has a row of its own, which kept what it was waited
        // for by.
        let is_own = |known: &KnownId| known.met == Met::In(inbound.id);
        let is_awaited = |known: &&KnownId| matches!(known.met, Met::Seen(_)) || is_own(known);
        let awaited = facts.message_ids.get(own).filter(is_awaited);
        if let Some(ticket) = awaited.and_then(|known| known.ticket) {
            return Some((ticket, Match::Awaited(own.to_owned())));
        }
    }
    for token in ThreadToken::in_body(letter) {
        if let Some(ticket) = by_token(&token) {
            return Some((ticket, Match::Body(token)));
        }
    }
    let delivery = returned_delivery(account, keys, &facts.deliveries, inbound.envelope);
    delivery.and_then(|delivery| delivery.ticket).map(|ticket| (ticket, Match::ReturnPath))
}
