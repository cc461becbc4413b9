//! To the requester and CCs: a public comment.

use super::{Content, Notice, Party};
use crate::account::Account;
use crate::ticket::Ticket;
use crate::user::Person;

/// The message that carries a public comment; `to` and `cc` are who gets it.
#[must_use]
pub fn comment(
    account: &Account,
    ticket: &Ticket,
    author: &Person,
    to: Vec<Party>,
    cc: Vec<Party>,
) -> Option<Content> {
    let subject = reply_subject(&ticket.subject);
    let agent = author.is_staff().then_some(author);
    let mut content =
        Content::about(account, ticket, agent, to, |thread| Notice::Comment { subject, thread })?;
    content.cc = cc;
    Some(content)
}

/// `Re: ` before a subject that has none.
#[must_use]
pub fn reply_subject(subject: &str) -> String {
    let begins = subject.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("re:"));
    if begins { subject.to_owned() } else { format!("Re: {subject}") }
}
