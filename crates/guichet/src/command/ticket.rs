//! `guichet ticket`: lists, shows and answers tickets.

mod reply;
mod show;

use std::collections::BTreeMap;

use desk::id::{AccountId, TicketId, UserId};
use serde_json::{Value, json};
use store::comment::CommentRow;
use store::ticket::TicketLine;
use store::{AccountTx, Result as StoreResult};

use super::{Session, Wanted};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Result};

/// Runs `ticket …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Ticket) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::Ticket::List(paging) => list(session, account, Wanted::of(*paging)).await,
        cli::Ticket::Show { number } => show::run(session, account, *number).await,
        cli::Ticket::Reply { .. } => reply::run(session, account, command).await,
    }
}

/// A ticket of the list with its comments and the addresses of their authors.
struct Listed {
    line: TicketLine,
    comments: Vec<CommentRow>,
}

async fn list(session: &Session<'_>, account: AccountId, mut wanted: Wanted) -> Result<()> {
    let mut output = session.output();
    let with_comments = output.is_json();
    let mut list = output.list(&["NUMBER", "STATUS", "CHANGED", "REQUESTER", "RECEIVED AT", "SUBJECT"])?;
    let mut after = 0;
    while let Some(page) = wanted.page() {
        let read = session
            .store
            .read_now(move |tx| read_page(&mut tx.account(account), after, page, with_comments))
            .await;
        let (tickets, authors) = read.doing("the tickets cannot be read")?;
        after = tickets.last().map_or(after, |ticket| ticket.line.number);
        for ticket in &tickets {
            let line = &ticket.line;
            let cells = [
                line.number.to_string(),
                line.status.to_string(),
                short(line.updated_at),
                line.requester.clone(),
            ];
            let value = json!({
                "number": line.number,
                "subject": line.subject,
                "status": line.status.as_str(),
                "recipient": line.recipient,
                "requester": line.requester,
                "updated_at": written(line.updated_at),
                "comments": ticket.comments.iter().map(|comment| comment_json(comment, &authors)).collect::<Vec<_>>(),
            });
            list.row(&value, cells.into_iter().chain([line.recipient.clone(), line.subject.clone()]))?;
        }
        if !wanted.took(tickets.len(), page) {
            break;
        }
    }
    list.end("No tickets yet.")
}

type Authors = BTreeMap<UserId, String>;

fn read_page(
    tx: &mut AccountTx<'_, '_>,
    after: i64,
    page: i64,
    with_comments: bool,
) -> StoreResult<(Vec<Listed>, Authors)> {
    let mut tickets = Vec::new();
    for line in store::ticket::list(tx, after, page)? {
        // Programs get the comments too; the list itself knows only how many there are.
        let id = if with_comments {
            store::ticket::by_number(tx, line.number)?.map(|ticket| ticket.id)
        } else {
            None
        };
        let ids: Vec<TicketId> = id.into_iter().collect();
        let comments = store::comment::of_tickets(tx, &ids)?.into_values().flatten().collect();
        tickets.push(Listed { line, comments });
    }
    let authors = authors(tx, tickets.iter().flat_map(|ticket| &ticket.comments))?;
    Ok((tickets, authors))
}

/// The addresses of the people who wrote comments.
fn authors<'c>(
    tx: &mut AccountTx<'_, '_>,
    comments: impl Iterator<Item = &'c CommentRow>,
) -> StoreResult<Authors> {
    let mut ids: Vec<UserId> = comments.map(|comment| comment.author_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(store::user::by_ids(tx, &ids)?.into_iter().map(|person| (person.id, person.address)).collect())
}

fn comment_json(comment: &CommentRow, authors: &Authors) -> Value {
    json!({
        "id": comment.id,
        "public": comment.is_public,
        "author": authors.get(&comment.author_id),
        "body": comment.body,
        "cut": comment.is_cut,
        "flags": comment.flags,
        "mail": comment.raw_id,
        "created_at": written(comment.created_at),
    })
}
