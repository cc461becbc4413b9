//! `guichet suspended`: held mail with its cause.

use desk::suspension::Cause;
use serde_json::{Value, json};
use store::suspended::SuspendedRow;

use super::{Session, Wanted};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Failure, Result};
use crate::output::tame;

/// Runs `suspended …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Suspended) -> Result<()> {
    let account = session.account().await?;
    let limit = match command {
        cli::Suspended::List(paging) => Wanted::of(*paging).all(),
        cli::Suspended::Show { .. } => i64::MAX,
    };
    let rows = session.store.read(move |tx| store::suspended::list(tx, account, limit)).await;
    let rows = rows.doing("the suspended tickets cannot be read")?;
    match command {
        cli::Suspended::List(_) => list(session, &rows),
        cli::Suspended::Show { id } => {
            let found = rows.iter().find(|row| row.id == *id);
            let missing = || {
                Failure::new(
                    format!("there is no suspended ticket {id}"),
                    "no held mail has that id",
                    "see `guichet suspended list`",
                )
            };
            show(session, found.ok_or_else(missing)?)
        }
    }
}

fn list(session: &Session<'_>, rows: &[SuspendedRow]) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&["ID", "HELD", "CAUSE", "FROM", "RECIPIENT", "SUBJECT"])?;
    for row in rows {
        let cells = [row.id.to_string(), short(row.created_at), row.cause.to_string(), row.sender.clone(), row.recipient.clone()];
        list.row(&as_json(row), cells.into_iter().chain([row.subject.clone()]))?;
    }
    list.end("Nothing is held.")
}

fn show(session: &Session<'_>, row: &SuspendedRow) -> Result<()> {
    let lines = format!(
        "Suspended ticket {}\n  held       {}\n  cause      {}: {}\n  from       {}\n  recipient  {}\n  subject    {}\n  detail     {}",
        row.id,
        short(row.created_at),
        row.cause,
        sentence(row.cause),
        row.sender,
        row.recipient,
        row.subject,
        row.detail,
    );
    session.output().answer(&as_json(row), &tame(&lines))
}

fn sentence(cause: i64) -> &'static str {
    Cause::ALL.iter().find(|known| known.number() == cause).map_or("", |known| known.sentence())
}

fn as_json(row: &SuspendedRow) -> Value {
    json!({
        "id": row.id,
        "cause": row.cause,
        "reason": sentence(row.cause),
        "detail": row.detail,
        "from": row.sender,
        "subject": row.subject,
        "recipient": row.recipient,
        "created_at": written(row.created_at),
    })
}
