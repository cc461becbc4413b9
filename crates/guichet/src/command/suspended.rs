//! `guichet suspended`: lists held mail with its cause, lets it through or deletes it.

use std::fmt::Write as _;

use desk::id::{AccountId, MailId};
use desk::suspension::{Cause, HELD_FOR};
use engine::redecide::{RecoverAs, RedecideError};
use mail::address::AddressKey;
use mail::letter::Letter;
use serde_json::{Value, json};
use store::Before;
use store::ledger::Row;
use store::suspended::SuspendedRow;

use super::{Session, Wanted};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Failure, Result};
use crate::output::{counted, tame};

/// Who did it, as ledger and history say.
const OPERATOR: &str = "the operator";

/// Mails that are deleted in one transaction.
const AT_ONCE: usize = 200;

/// How much of a held mail's text is shown to people, in characters.
const SHOWN_CHARACTERS: usize = 2_000;

/// Runs `suspended …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Suspended) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::Suspended::List { cause, paging } => list(session, account, *cause, Wanted::of(*paging)).await,
        cli::Suspended::Show { id } => show(session, account, MailId(*id)).await,
        cli::Suspended::Recover { ids, all, cause, into, agent } => {
            let ids = if *all {
                held(session, account, *cause).await?
            } else {
                ids.iter().copied().map(MailId).collect()
            };
            let how = match (into, agent) {
                (Some(number), _) => RecoverAs::Into(*number),
                (None, Some(agent)) => RecoverAs::Agent(address(agent)?),
                (None, None) => RecoverAs::AsSent,
            };
            recover(session, account, &ids, &how).await
        }
        cli::Suspended::Delete { ids, all, cause } => {
            let ids = if *all {
                held(session, account, *cause).await?
            } else {
                ids.iter().copied().map(MailId).collect()
            };
            delete(session, account, ids).await
        }
    }
}

fn address(text: &str) -> Result<AddressKey> {
    let wrong = |_| {
        Failure::new(
            "nothing was recovered",
            format!("{text:?} is not an e-mail address"),
            "write --as name@example.com",
        )
    };
    AddressKey::parse(text.trim()).map_err(wrong)
}

/// The next page of what is held, newest first; `before` moves to its end.
async fn page(
    session: &Session<'_>,
    account: AccountId,
    cause: Option<i64>,
    before: &mut Before,
    limit: i64,
) -> Result<Vec<SuspendedRow>> {
    let from = *before;
    let rows = session
        .store
        .read_now(move |tx| store::suspended::page(&mut tx.account(account), cause, from, limit))
        .await;
    let rows = rows.doing("the suspended tickets cannot be read")?;
    *before = rows.last().map_or(from, |row| Before { at: row.created_at, id: row.id.0 });
    Ok(rows)
}

/// The ids of what is held, oldest first: the order in which it came.
async fn held(session: &Session<'_>, account: AccountId, cause: Option<i64>) -> Result<Vec<MailId>> {
    let mut ids = Vec::new();
    let mut before = Before::FIRST;
    let mut wanted = Wanted::ALL;
    while let Some(size) = wanted.page() {
        let rows = page(session, account, cause, &mut before, size).await?;
        ids.extend(rows.iter().map(|row| row.id));
        if !wanted.took(rows.len(), size) {
            break;
        }
    }
    ids.reverse();
    Ok(ids)
}

async fn list(
    session: &Session<'_>,
    account: AccountId,
    cause: Option<i64>,
    mut wanted: Wanted,
) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&["ID", "HELD", "CAUSE", "FROM", "RECIPIENT", "SUBJECT"])?;
    let mut before = Before::FIRST;
    while let Some(size) = wanted.page() {
        let rows = page(session, account, cause, &mut before, size).await?;
        for row in &rows {
            let cause = format!("{} {}", row.cause, name(row.cause));
            let cells =
                [row.id.to_string(), short(row.created_at), cause, row.sender.clone(), row.recipient.clone()];
            list.row(&as_json(row), cells.into_iter().chain([row.subject.clone()]))?;
        }
        if !wanted.took(rows.len(), size) {
            break;
        }
    }
    list.end("Nothing is held.")
}

/// A suspended ticket with what the ledger and the message itself say.
struct Shown {
    row: SuspendedRow,
    ledger: Option<Row>,
    letter: Letter,
}

async fn show(session: &Session<'_>, account: AccountId, id: MailId) -> Result<()> {
    let read = session.store.read_now(move |tx| {
        let row = store::suspended::find(&mut tx.account(account), id)?;
        Ok((
            row,
            store::ledger::find(&mut tx.account(account), id)?,
            store::raw::find(&mut tx.account(account), id)?,
        ))
    });
    let (row, ledger, packed) = read.await.doing("the suspended ticket cannot be read")?;
    let Some(row) = row else { return Err(missing(id)) };
    let raw = match packed {
        Some(packed) => packed.unpack(&session.store).await.doing("the mail cannot be read")?,
        None => Vec::new(),
    };
    let shown = Shown { row, ledger, letter: Letter::parse(&raw) };
    session.output().answer(&shown_json(&shown), &tame(&shown_text(&shown)))
}

fn missing(id: MailId) -> Failure {
    Failure::new(
        format!("there is no suspended ticket {id}"),
        "no held mail has that id: it may have been recovered or deleted already",
        "see `guichet suspended list`, or `guichet ledger list` for what became of it",
    )
}

fn shown_text(shown: &Shown) -> String {
    let row = &shown.row;
    let mut text = format!(
        "Suspended ticket {}\n  held       {}, will be deleted {}\n  cause      {}: {}\n  from       {}\n  recipient  {}\n  subject    {}",
        row.id,
        short(row.created_at),
        short(row.created_at + HELD_FOR),
        row.cause,
        sentence(row.cause),
        row.sender,
        row.recipient,
        row.subject,
    );
    if !row.detail.is_empty() {
        let _ = write!(text, "\n  detail     {}", row.detail);
    }
    let reasons = shown.ledger.iter().flat_map(|row| &row.reasons);
    for (at, reason) in reasons.enumerate() {
        let _ = write!(text, "{}\n    {}. {reason}", if at == 0 { "\n  why" } else { "" }, at + 1);
    }
    for attachment in &shown.letter.attachments {
        let _ = write!(
            text,
            "\n  file       {}, {}, {}",
            attachment.name,
            attachment.content_type,
            counted(attachment.size_bytes, "byte")
        );
    }
    let body: String = shown.letter.text.chars().take(SHOWN_CHARACTERS).collect();
    let is_cut = body.len() < shown.letter.text.len();
    let _ = write!(text, "\n\n{body}{}", if is_cut { "\n[…]" } else { "" });
    let _ = write!(text, "\n\nTo let it through: guichet suspended recover {}", row.id);
    text
}

fn shown_json(shown: &Shown) -> Value {
    let mut value = as_json(&shown.row);
    if let Some(object) = value.as_object_mut() {
        let files = shown
            .letter
            .attachments
            .iter()
            .map(|file| json!({"name": file.name, "content_type": file.content_type, "size_bytes": file.size_bytes}));
        object.insert(
            "reasons".into(),
            json!(shown.ledger.as_ref().map(|row| row.reasons.clone()).unwrap_or_default()),
        );
        object.insert("body".into(), json!(shown.letter.text));
        object.insert("attachments".into(), files.collect());
    }
    value
}

async fn recover(session: &Session<'_>, account: AccountId, ids: &[MailId], how: &RecoverAs) -> Result<()> {
    let engine = session.engine().await?;
    let by = match how {
        RecoverAs::Agent(agent) => agent.to_string(),
        RecoverAs::AsSent | RecoverAs::Into(_) => OPERATOR.to_owned(),
    };
    let mut output = session.output();
    let mut list = output.list(&["ID", "OUTCOME", "TICKET", "REASON"])?;
    let mut failed = Vec::new();
    for id in ids {
        let ticket = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        match engine.recover(account, *id, how.clone(), &by).await {
            Ok(done) => {
                let reason = done.reasons.last().cloned().unwrap_or_default();
                let value = json!({
                    "id": id, "outcome": done.outcome.as_str(), "ticket": done.ticket, "reason": reason, "error": null,
                });
                list.row(
                    &value,
                    [id.to_string(), done.outcome.as_str().to_owned(), ticket(done.ticket), reason],
                )?;
            }
            Err(error) => {
                let value = json!({"id": id, "outcome": null, "ticket": null, "reason": null, "error": error.to_string()});
                list.row(&value, [id.to_string(), "not recovered".into(), ticket(None), error.to_string()])?;
                failed.push((*id, error));
            }
        }
    }
    list.end("Nothing is held.")?;
    let Some((_, error)) = failed.first() else { return Ok(()) };
    Err(refused(error, &format!("{} of {} not recovered", failed.len(), counted(ids.len(), "mail"))))
}

async fn delete(session: &Session<'_>, account: AccountId, ids: Vec<MailId>) -> Result<()> {
    let wanted = ids.clone();
    let known =
        session.store.read_now(move |tx| store::suspended::held(&mut tx.account(account), &wanted)).await;
    let known = known.doing("the suspended tickets cannot be read")?;
    let unknown: Vec<MailId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    let engine = session.engine().await?;
    let known = Vec::from_iter(known);
    let mut deleted = 0;
    // Some at a time: the account's mail is not processed meanwhile.
    for some in known.chunks(AT_ONCE) {
        let what = || format!("{deleted} of {} deleted", counted(known.len(), "mail"));
        deleted += engine.delete_suspended(account, some.to_vec(), OPERATOR).await.doing(&what())?;
    }
    let what = counted(deleted, "suspended ticket");
    session
        .output()
        .answer(&json!({"deleted": deleted, "unknown": unknown}), &format!("Deleted {what} for good."))?;
    unknown.first().map_or(Ok(()), |id| Err(missing(*id)))
}

/// Why a message was not decided again, and what to do next.
pub(super) fn refused(error: &RedecideError, what: &str) -> Failure {
    let next = match error {
        RedecideError::NotHeld(_) => "see `guichet suspended list`",
        RedecideError::NoMail(_) | RedecideError::Undecided(_) | RedecideError::Gone(_) => {
            "see `guichet ledger list`"
        }
        RedecideError::Settled { .. } => {
            "to see what would become of it today, save its source and use `guichet explain`"
        }
        RedecideError::Unreadable { .. } => {
            "its bytes are kept whole; report the fault, and replay it after the fix"
        }
        RedecideError::NoTicket(_) | RedecideError::Closed(_) => "see `guichet ticket list`",
        RedecideError::NotAnAgent(_) => "see `guichet user list`",
        RedecideError::Store(_) => "try again; if that does not help, see `guichet doctor`",
    };
    Failure::new(what, error.to_string(), next)
}

fn sentence(cause: i64) -> &'static str {
    Cause::of_number(cause).map_or("", Cause::sentence)
}

fn name(cause: i64) -> &'static str {
    Cause::of_number(cause).map_or("", Cause::name)
}

fn as_json(row: &SuspendedRow) -> Value {
    json!({
        "id": row.id,
        "cause": row.cause,
        "cause_name": name(row.cause),
        "reason": sentence(row.cause),
        "detail": row.detail,
        "from": row.sender,
        "subject": row.subject,
        "recipient": row.recipient,
        "created_at": written(row.created_at),
        "deleted_at": written(row.created_at + HELD_FOR),
    })
}
