//! To the requester: the ticket was opened.

use super::{Content, Letter, Notice};
use crate::account::Account;
use crate::id::TicketNumber;
use crate::ticket::Ticket;
use crate::user::Person;

/// The acknowledgement of a new ticket. It repeats nothing the sender wrote: an unauthenticated mail must not
/// make us carry its text to a third party.
#[must_use]
pub fn acknowledgement(account: &Account, ticket: &Ticket, requester: &Person) -> Option<Content> {
    let brand = account.brand(ticket.brand_id).map_or(account.name.as_str(), |brand| brand.name.as_str());
    let to = vec![requester.mailbox().into()];
    Content::about(account, ticket, None, to, |thread| Notice::Acknowledgement {
        brand: brand.to_owned(),
        thread,
    })
}

/// Its words; none as the number only where the ticket is gone.
pub(super) fn letter(brand: &str, number: Option<TicketNumber>) -> Letter {
    let (in_subject, in_text) = match number {
        Some(number) => (format!(" (#{number})"), format!(" #{number}")),
        None => Default::default(),
    };
    Letter {
        subject: format!("[{brand}] We have your request{in_subject}"),
        text: format!(
            "Your request{in_text} has arrived and is in good hands.\n\n\
             To add something, just reply to this mail.\n\n{brand}"
        ),
    }
}
