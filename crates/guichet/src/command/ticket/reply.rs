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
        (Some(text), _) => text.clone(),
        (None, Some(path)) => String::from_utf8(read_file(path)?).doing("the text is not UTF-8")?,
        (None, None) => String::new(),
    };
    let update =
        Update { comment: Some(NewComment { body, is_public: *public }), status: status.map(as_status), ..Update::default() };
    let submitted = session.engine().await?.submit(account, Command::UpdateTicket { number: *number, actor, update }).await;
    submitted.doing("the answer was not written")?;
    let wanted = *number;
    let ticket =
        session.store.read(move |tx| store::ticket::by_number(tx, account, wanted)).await.doing("the ticket cannot be read")?;
    let status = ticket.map(|ticket| ticket.status.as_str()).unwrap_or_default();
    let value = json!({"number": number, "public": public, "status": status});
    session.output().answer(&value, &said(*number, *public, status, session.loaded.config.can_deliver()))
}

fn said(number: i64, is_public: bool, status: &str, can_deliver: bool) -> String {
    let mail = match (is_public, can_deliver) {
        (true, true) => "the mail to requester and CCs is in the outbox",
        (true, false) => "the mail waits in the outbox: delivery.relay is not set",
        (false, _) => "an internal note; no mail leaves",
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
