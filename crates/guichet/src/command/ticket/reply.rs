//! `guichet ticket reply`: an agent answers by the one way to change a ticket.

use desk::ticket::Status;
use desk::update::{NewComment, Update};
use engine::Command;
use mail::address::AddressKey;
use serde_json::json;

use super::super::{Session, read_file};
use crate::cli::{self, StatusWord};
use crate::failure::{Doing as _, Failure, Result};

/// Runs `ticket reply`.
pub(super) async fn run(session: &Session<'_>, account: i64, command: &cli::Ticket) -> Result<()> {
    let cli::Ticket::Reply { number, agent, public, note: _, body, body_file, status } = command else { return Ok(()) };
    let wrong = |_| {
        Failure::new("the answer was not written", format!("{agent:?} is not an e-mail address"), "write --as name@example.com")
    };
    let actor = AddressKey::parse(agent.trim()).map_err(wrong)?;
    let body = match (body, body_file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(path)) => Some(String::from_utf8(read_file(path)?).doing("the text is not UTF-8")?),
        (None, None) => None,
    };
    let comment = body.map(|body| NewComment { body, is_public: *public });
    let is_public = comment.as_ref().map(|comment| comment.is_public);
    let update = Update { comment, status: status.map(as_status), ..Update::default() };
    let submitted = session.engine().await?.submit(account, Command::UpdateTicket { number: *number, actor, update }).await;
    submitted.doing("the ticket was not changed")?;
    let wanted = *number;
    let ticket =
        session.store.read(move |tx| store::ticket::by_number(tx, account, wanted)).await.doing("the ticket cannot be read")?;
    let status = ticket.map(|ticket| ticket.status.as_str()).unwrap_or_default();
    let value = json!({"number": number, "public": is_public, "status": status});
    session.output().answer(&value, &said(*number, is_public, status, session.loaded.config.can_deliver()))
}

/// `is_public` is none where no comment was written.
fn said(number: i64, is_public: Option<bool>, status: &str, can_deliver: bool) -> String {
    let mail = match (is_public, can_deliver) {
        (Some(true), true) => "the mail to requester and CCs is in the outbox",
        (Some(true), false) => "the mail waits in the outbox: delivery.relay is not set",
        (Some(false), _) => "an internal note; no mail leaves",
        (None, _) => "no comment was written and no mail leaves",
    };
    format!("Ticket {number} is {status}; {mail}.")
}

fn as_status(word: StatusWord) -> Status {
    match word {
        StatusWord::Open => Status::Open,
        StatusWord::Pending => Status::Pending,
        StatusWord::Hold => Status::Hold,
        StatusWord::Solved => Status::Solved,
        StatusWord::Closed => Status::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_whether_mail_leaves() {
        for (is_public, can_deliver, want) in [
            (Some(true), true, "Ticket 1 is open; the mail to requester and CCs is in the outbox."),
            (Some(true), false, "Ticket 1 is open; the mail waits in the outbox: delivery.relay is not set."),
            (Some(false), true, "Ticket 1 is open; an internal note; no mail leaves."),
            (None, true, "Ticket 1 is open; no comment was written and no mail leaves."),
        ] {
            assert_eq!(said(1, is_public, "open", can_deliver), want);
        }
    }
}
