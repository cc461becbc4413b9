//! To an agent who follows the ticket: any comment.

use super::{Content, Notice, Party};
use crate::account::Account;
use crate::ticket::Ticket;
use crate::user::Person;

/// The message that carries a comment, also an internal note, to one follower; answers to it are internal
/// notes.
#[must_use]
pub fn follower(account: &Account, ticket: &Ticket, author: &Person, to: Party) -> Option<Content> {
    let subject = format!("[{}] Update: {}", account.name, ticket.subject);
    let agent = author.is_staff().then_some(author);
    Content::about(account, ticket, agent, vec![to], |thread| Notice::Follower { subject, thread })
}
