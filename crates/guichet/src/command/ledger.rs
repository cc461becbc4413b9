//! `guichet ledger`: what became of every mail, in and out.

use desk::id::{AccountId, MailId};
use serde_json::{Value, json};
use store::Before;
use store::ledger::Row;

use super::{Session, Wanted, suspended};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Result};
use crate::output::{List, tame};

/// Runs `ledger …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Ledger) -> Result<()> {
    let account = session.account().await?;
    let (message_id, paging) = match command {
        cli::Ledger::List { message_id, paging } => (message_id, paging),
        cli::Ledger::Replay { id, dry_run } => return replay(session, account, MailId(*id), *dry_run).await,
    };
    match message_id {
        Some(id) => of_message_id(session, account, id, *paging).await,
        None => everything(session, account, Wanted::of(*paging)).await,
    }
}

const HEADS: [&str; 7] = ["ID", "AT", "DIR", "OUTCOME", "TICKET", "MESSAGE-ID", "REASON"];

async fn everything(session: &Session<'_>, account: AccountId, mut wanted: Wanted) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&HEADS)?;
    let mut before = Before::FIRST;
    while let Some(size) = wanted.page() {
        let rows = session
            .store
            .read_now(move |tx| store::ledger::page(&mut tx.account(account), before, size))
            .await;
        let rows = rows.doing("the ledger cannot be read")?;
        before = rows.last().map_or(before, |row| Before { at: row.at, id: row.id });
        for row in &rows {
            print(&mut list, row)?;
        }
        if !wanted.took(rows.len(), size) {
            break;
        }
    }
    list.end("No mail yet.")
}

async fn of_message_id(
    session: &Session<'_>,
    account: AccountId,
    id: &str,
    paging: cli::Paging,
) -> Result<()> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
    let found =
        session.store.read_now(move |tx| store::ledger::by_message_id(&mut tx.account(account), &id)).await;
    let most = paging.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut output = session.output();
    let mut list = output.list(&HEADS)?;
    for row in found.doing("the ledger cannot be read")?.iter().take(most) {
        print(&mut list, row)?;
    }
    list.end("No decided mail and none of ours has this Message-ID.")
}

async fn replay(session: &Session<'_>, account: AccountId, id: MailId, dry_run: bool) -> Result<()> {
    let done = session.engine().await?.replay(account, id, !dry_run).await;
    let done = done.map_err(|error| suspended::refused(&error, "the mail was not decided again"))?;
    let value = json!({
        "id": id,
        "before": done.before,
        "outcome": done.outcome.as_str(),
        "ticket": done.ticket,
        "changed": done.is_changed,
        "reasons": done.reasons,
    });
    let ticket = done.ticket.map(|number| format!(", ticket {number}")).unwrap_or_default();
    let first = match (done.is_changed, dry_run) {
        (true, _) => format!("Mail {id} was {}; now it is {}{ticket}.", done.before, done.outcome.as_str()),
        (false, true) => {
            format!(
                "Mail {id} is {}; decided today it would be {}. Nothing was written.",
                done.before,
                done.outcome.as_str()
            )
        }
        (false, false) => format!("Mail {id} stays {}: nothing has changed.", done.before),
    };
    let reasons = done.reasons.iter().enumerate().map(|(at, reason)| format!("\n  {}. {reason}", at + 1));
    session.output().answer(&value, &tame(&(first + &reasons.collect::<String>())))
}

type Printed<'o> = List<'o, std::io::StdoutLock<'static>>;

fn print(list: &mut Printed<'_>, row: &Row) -> Result<()> {
    let ticket = row.ticket.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let outcome = match (&row.outcome, row.direction) {
        (Some(outcome), _) => outcome.clone(),
        (None, "in") => "undecided".to_owned(),
        (None, _) => "-".to_owned(),
    };
    let cells = [
        row.id.to_string(),
        short(row.at),
        row.direction.to_owned(),
        outcome,
        ticket,
        row.message_id.clone(),
        row.reason.clone(),
    ];
    list.row(&as_json(row), cells)
}

fn as_json(row: &Row) -> Value {
    json!({
        "id": row.id,
        "direction": row.direction,
        "message_id": row.message_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "reasons": row.reasons,
        "ticket": row.ticket,
        "at": written(row.at),
    })
}
