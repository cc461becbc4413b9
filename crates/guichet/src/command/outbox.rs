//! `guichet outbox`: lists mail on its way out, and retries what was deferred.

use desk::id::{AccountId, OutboxId};
use desk::outbox_state::OutboxState;
use serde_json::{Value, json};
use store::outbox::OutboxRow;
use store::work::Kind;

use super::{Session, Wanted};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Failure, Result};
use crate::output::counted;

/// Runs `outbox …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Outbox) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::Outbox::List(paging) => list(session, account, Wanted::of(*paging)).await,
        cli::Outbox::Retry { id } => retry(session, account, id.map(OutboxId)).await,
    }
}

async fn list(session: &Session<'_>, account: AccountId, mut wanted: Wanted) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&["ID", "TICKET", "STATE", "TRIES", "DUE", "FROM", "TO", "REASON"])?;
    let can_deliver = session.loaded.config.can_deliver();
    let mut after = None;
    while let Some(page) = wanted.page() {
        let rows = session
            .store
            .read_now(move |tx| store::outbox::list(&mut tx.account(account), after, page))
            .await;
        let rows = rows.doing("the outbox cannot be read")?;
        after = rows.last().map(|row| row.id).or(after);
        for row in &rows {
            list.row(&as_json(row, can_deliver), cells(row, can_deliver))?;
        }
        if !wanted.took(rows.len(), page) {
            break;
        }
    }
    list.end("Nothing has been sent yet.")
}

fn cells(row: &OutboxRow, can_deliver: bool) -> [String; 8] {
    let ticket = row.ticket.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let is_due = matches!(row.state, OutboxState::Queued | OutboxState::Deferred | OutboxState::Sending);
    let due = match row.due_at {
        _ if !is_due => "-".to_owned(),
        store::outbox::DUE_AT_ONCE => "now".to_owned(),
        at => short(at),
    };
    let reason = reason(row, can_deliver).to_owned();
    [
        row.id.to_string(),
        ticket,
        row.state.to_string(),
        row.attempts.to_string(),
        due,
        row.from.clone(),
        row.to.clone(),
        reason,
    ]
}

/// Why a row is in its state: the last answer, or why no server has been asked yet.
pub(super) fn reason(row: &OutboxRow, can_deliver: bool) -> &str {
    match (&row.state, can_deliver) {
        (OutboxState::Waiting, false) => "no relay is configured (delivery.relay)",
        (OutboxState::Waiting, true) => {
            "it was created while no relay was configured; the running desk sends it within a minute"
        }
        (OutboxState::Queued, _) if row.last_answer.is_empty() => "not tried yet",
        (OutboxState::Sending, _) if row.last_answer.is_empty() => "it is being sent",
        _ => &row.last_answer,
    }
}

async fn retry(session: &Session<'_>, account: AccountId, id: Option<OutboxId>) -> Result<()> {
    if !session.loaded.config.can_deliver() {
        return Err(Failure::new(
            "nothing was retried",
            "no way out is configured",
            "set delivery.relay; waiting mail then leaves by itself",
        ));
    }
    let retried = session
        .store
        .write(move |tx| store::outbox::retry(&mut tx.account(account), id))
        .await
        .doing("nothing was retried")?;
    session.store.ring(Kind::Outbox, account, None);
    if let (0, Some(id)) = (retried, id) {
        let why = format!("there is no row {id}, or it is done already");
        return Err(Failure::new("nothing was retried", why, "see `guichet outbox list`"));
    }
    let lines = if retried == 0 {
        "Nothing waits to be sent.".to_owned()
    } else {
        format!("{} due now; the running desk tries within ten seconds.", counted(retried, "row"))
    };
    session.output().answer(&json!({"retried": retried}), &lines)
}

pub(super) fn as_json(row: &OutboxRow, can_deliver: bool) -> Value {
    json!({
        "id": row.id,
        "ticket": row.ticket,
        "kind": row.kind,
        "message_id": row.message_id,
        "from": row.from,
        "to": row.to,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": (row.due_at != store::outbox::DUE_AT_ONCE).then(|| written(row.due_at)),
        "created_at": written(row.created_at),
        "last_answer": row.last_answer,
        "reason": reason(row, can_deliver),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use desk::clock::Millis;

    #[test]
    fn programs_are_told_the_reason_that_people_read() {
        struct Case {
            state: &'static str,
            last_answer: &'static str,
            can_deliver: bool,
            want: &'static str,
        }
        fn usual() -> Case {
            Case { state: "", last_answer: "", can_deliver: true, want: "" }
        }

        for Case { state, last_answer, can_deliver, want } in [
            Case {
                state: "waiting",
                can_deliver: false,
                want: "no relay is configured (delivery.relay)",
                ..usual()
            },
            Case {
                state: "waiting",
                want: "it was created while no relay was configured; the running desk sends it within a minute",
                ..usual()
            },
            Case { state: "queued", want: "not tried yet", ..usual() },
            Case { state: "queued", last_answer: "421 later", want: "421 later", ..usual() },
            Case { state: "sending", want: "it is being sent", ..usual() },
            Case {
                state: "deferred",
                last_answer: "connection refused",
                want: "connection refused",
                ..usual()
            },
            Case { state: "sent", last_answer: "250 taken", want: "250 taken", ..usual() },
        ] {
            let row = OutboxRow {
                id: OutboxId(1),
                ticket: None,
                kind: "comment".into(),
                message_id: "a@b".into(),
                from: "support@acme.desk.example".into(),
                to: "ann@customer.example".into(),
                state: state.into(),
                attempts: 0,
                due_at: Millis(0),
                last_answer: last_answer.into(),
                created_at: Millis(0),
            };
            assert_eq!(as_json(&row, can_deliver)["reason"], want, "{state}");
            assert_eq!(cells(&row, can_deliver)[7], want, "{state}");
        }
    }
}
