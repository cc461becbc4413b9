//! `guichet outbox`: mail on its way out, and another try for what was deferred.

use serde_json::{Value, json};
use store::outbox::OutboxRow;
use store::work::{self, Kind};

use super::{Session, Wanted};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Failure, Result};

/// Runs `outbox …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Outbox) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::Outbox::List(paging) => list(session, account, Wanted::of(*paging)).await,
        cli::Outbox::Retry { id } => retry(session, account, *id).await,
    }
}

async fn list(session: &Session<'_>, account: i64, mut wanted: Wanted) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&["ID", "TICKET", "STATE", "TRIES", "DUE", "FROM", "TO", "LAST ANSWER"])?;
    let mut after = 0;
    while let Some(page) = wanted.page() {
        let rows = session.store.read(move |tx| store::outbox::list(tx, account, after, page)).await;
        let rows = rows.doing("the outbox cannot be read")?;
        after = rows.last().map_or(after, |row| row.id);
        for row in &rows {
            list.row(&as_json(row), cells(row))?;
        }
        if !wanted.took(rows.len(), page) {
            break;
        }
    }
    list.end("Nothing was sent yet.")
}

fn cells(row: &OutboxRow) -> [String; 8] {
    let ticket = row.ticket.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let is_due = matches!(row.state.as_str(), "queued" | "deferred" | "sending");
    let due = if is_due { short(row.due_at) } else { "-".to_owned() };
    let answer =
        if row.state == "waiting" { "no relay is configured (delivery.relay)".to_owned() } else { row.last_answer.clone() };
    [row.id.to_string(), ticket, row.state.clone(), row.attempts.to_string(), due, row.from.clone(), row.to.clone(), answer]
}

async fn retry(session: &Session<'_>, account: i64, id: Option<i64>) -> Result<()> {
    if !session.loaded.config.can_deliver() {
        return Err(Failure::new(
            "nothing was retried",
            "no way out is configured",
            "set delivery.relay; what waits leaves then by itself",
        ));
    }
    let engine = session.engine().await?;
    let (now, marker) = (engine.now(), session.store.ids(1).await.and_then(|mut ids| ids.next()).doing("nothing was retried")?);
    let retried = session.store.write(move |tx| {
        let retried = store::outbox::retry(tx, account, id, now)?;
        if retried > 0 {
            work::add(tx, Kind::Outbox, &[(account, 0)], marker)?;
        }
        Ok(retried)
    });
    let retried = retried.await.doing("nothing was retried")?;
    if let (0, Some(id)) = (retried, id) {
        let why = format!("row {id} is not there, or neither deferred nor expired");
        return Err(Failure::new("nothing was retried", why, "see `guichet outbox list`"));
    }
    let lines = if retried == 0 {
        "Nothing is deferred.".to_owned()
    } else {
        format!("{retried} due now; the running desk tries within ten seconds.")
    };
    session.output().answer(&json!({"retried": retried}), &lines)
}

fn as_json(row: &OutboxRow) -> Value {
    json!({
        "id": row.id,
        "ticket": row.ticket,
        "kind": row.kind,
        "message_id": row.message_id,
        "from": row.from,
        "to": row.to,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": written(row.due_at),
        "last_answer": row.last_answer,
    })
}
