//! `guichet ticket show`: a ticket with everything that is known about it, and why.

mod history;

use desk::account::Account;
use desk::actor::Actor;
use desk::id::{AccountId, CommentId, UserId};
use desk::ticket::Ticket;
use desk::user::Person;
use serde_json::{Value, json};
use store::attachment::AttachmentRow;
use store::audit::AuditRow;
use store::comment::CommentRow;
use store::outbox::OutboxRow;
use store::{AccountTx, Result as StoreResult, StoreError};

use super::super::{Session, outbox};
use super::comment_json;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Failure, Result};
use crate::output::{counted, tame};
use history::{Names, event_text};

/// A ticket with everything shown along with it.
struct Shown {
    account: Account,
    number: i64,
    ticket: Ticket,
    follow_up_of: Option<i64>,
    ccs: Vec<UserId>,
    comments: Vec<CommentRow>,
    attachments: Vec<AttachmentRow>,
    audits: Vec<AuditRow>,
    mails: Vec<OutboxRow>,
    names: Names,
    can_deliver: bool,
}

/// Runs `ticket show`.
pub(super) async fn run(session: &Session<'_>, account: AccountId, number: i64) -> Result<()> {
    let can_deliver = session.loaded.config.can_deliver();
    let read = session.store.read_now(move |tx| read(&mut tx.account(account), number, can_deliver)).await;
    let missing = || {
        Failure::new(
            format!("there is no ticket {number}"),
            "the account has no ticket of that number",
            "see `guichet ticket list`",
        )
    };
    let shown = read.doing("the ticket cannot be read")?.ok_or_else(missing)?;
    session.output().answer(&as_json(&shown), &tame(&text(&shown)))
}

fn read(tx: &mut AccountTx<'_, '_>, number: i64, can_deliver: bool) -> StoreResult<Option<Shown>> {
    let (_, account) = store::account::load(tx)?.ok_or(StoreError::Changed("the account"))?;
    let Some(ticket) = store::ticket::by_number(tx, number)? else {
        return Ok(None);
    };
    let id = ticket.id;
    let comments = store::comment::of_tickets(tx, &[id])?.remove(&id).unwrap_or_default();
    let comment_ids: Vec<CommentId> = comments.iter().map(|comment| comment.id).collect();
    let attachments = store::attachment::of_comments(tx, &comment_ids)?;
    let audits = store::audit::of_ticket(tx, id)?;
    let ccs: Vec<UserId> =
        store::ticket::cc::of_tickets(tx, &[id])?.into_iter().map(|(_, user)| user).collect();
    let mut ids: Vec<UserId> = [ticket.requester_id, ticket.submitter_id]
        .iter()
        .chain(&ticket.assignee_id)
        .chain(&ccs)
        .copied()
        .collect();
    ids.extend(
        comments
            .iter()
            .map(|comment| comment.author_id)
            .chain(audits.iter().filter_map(|audit| audit.author.person())),
    );
    ids.extend(history::people_in(&audits));
    ids.sort_unstable();
    ids.dedup();
    let mut named = history::tickets_in(&audits);
    named.extend(ticket.follow_up_of);
    named.sort_unstable();
    named.dedup();
    let names = Names {
        people: store::user::by_ids(tx, &ids)?.into_iter().map(|person| (person.id, person)).collect(),
        tickets: store::ticket::by_ids(tx, &named)?
            .into_iter()
            .filter_map(|ticket| Some((ticket.id, ticket.number?.0)))
            .collect(),
        comments: comment_ids.into_iter().zip(1..).collect(),
    };
    let follow_up_of = ticket.follow_up_of.and_then(|id| names.tickets.get(&id)).copied();
    let mails = store::outbox::of_ticket(tx, id)?;
    Ok(Some(Shown {
        account,
        number,
        ticket,
        follow_up_of,
        ccs,
        comments,
        attachments,
        audits,
        mails,
        names,
        can_deliver,
    }))
}

impl Shown {
    fn address(&self, id: UserId) -> Option<&str> {
        self.names.people.get(&id).map(|person| person.address.as_str())
    }

    fn person(&self, id: UserId) -> String {
        self.names.person(id)
    }

    fn actor(&self, actor: Actor) -> String {
        actor.person().map_or_else(|| "the desk".to_owned(), |id| self.person(id))
    }

    fn brand(&self) -> &str {
        self.account.brand(self.ticket.brand_id).map_or("", |brand| brand.subdomain.as_str())
    }

    fn attachments_of(&self, comment: CommentId) -> impl Iterator<Item = &AttachmentRow> {
        self.attachments.iter().filter(move |attachment| attachment.comment_id == comment)
    }
}

fn as_json(shown: &Shown) -> Value {
    let ticket = &shown.ticket;
    let authors = shown.names.people.iter().map(|(id, person)| (*id, person.address.clone())).collect();
    let comments = shown.comments.iter().map(|comment| {
        let mut value = comment_json(comment, &authors);
        if let Some(object) = value.as_object_mut() {
            object.insert(
                "attachments".into(),
                shown.attachments_of(comment.id).map(attachment_json).collect(),
            );
        }
        value
    });
    json!({
        "number": shown.number,
        "subject": ticket.subject,
        "status": ticket.status.as_str(),
        "recipient": ticket.received.recipient,
        "received": {
            "source": json!(ticket.received.source),
            "trust": json!(ticket.received.trust),
            "matches": ticket.received.matches,
            "written_to": ticket.received.written_to,
        },
        "brand": shown.brand(),
        "requester": shown.address(ticket.requester_id),
        "submitter": shown.address(ticket.submitter_id),
        "assignee": ticket.assignee_id.and_then(|id| shown.address(id)),
        "ccs": shown.ccs.iter().filter_map(|id| shown.address(*id)).collect::<Vec<_>>(),
        "tags": ticket.tags,
        "channel": ticket.channel.as_str(),
        "follow_up_of": shown.follow_up_of,
        "created_at": written(ticket.created_at),
        "updated_at": written(ticket.updated_at),
        "solved_at": ticket.solved_at.map(written),
        "comments": comments.collect::<Vec<_>>(),
        "audits": shown.audits.iter().map(|audit| audit_json(shown, audit)).collect::<Vec<_>>(),
        // Events name people and tickets by their ids.
        "people": shown.names.people.values().map(person_json).collect::<Vec<_>>(),
        "tickets": shown.names.tickets.iter().map(|(id, number)| json!({"id": id, "number": number})).collect::<Vec<_>>(),
        "mails": shown.mails.iter().map(|row| outbox::as_json(row, shown.can_deliver)).collect::<Vec<_>>(),
    })
}

fn person_json(person: &Person) -> Value {
    json!({"id": person.id, "name": person.name, "address": person.address})
}

fn attachment_json(attachment: &AttachmentRow) -> Value {
    json!({
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size_bytes": attachment.size_bytes,
        "inline": attachment.is_inline,
    })
}

fn audit_json(shown: &Shown, audit: &AuditRow) -> Value {
    json!({
        "author": audit.author.person().and_then(|id| shown.address(id)),
        "channel": audit.channel.as_str(),
        "events": audit.events,
        "created_at": written(audit.created_at),
    })
}

fn text(shown: &Shown) -> String {
    let ticket = &shown.ticket;
    let received = &ticket.received;
    let words = |value: Value| value.as_str().unwrap_or_default().replace('_', " ");
    let mut lines = vec![
        format!("Ticket {}: {}", shown.number, ticket.subject),
        format!("  status       {}", ticket.status),
        format!("  requester    {}", shown.person(ticket.requester_id)),
        format!(
            "  assignee     {}",
            ticket.assignee_id.map_or_else(|| "nobody".to_owned(), |id| shown.person(id))
        ),
        format!("  brand        {}", shown.brand()),
        format!(
            "  received at  {} (known from: {}, trust: {})",
            received.recipient,
            words(json!(received.source)),
            words(json!(received.trust))
        ),
    ];
    let mut further = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<11}  {value}"));
        }
    };
    further("written to", received.written_to.clone().unwrap_or_default());
    further("CCs", shown.ccs.iter().map(|id| shown.person(*id)).collect::<Vec<_>>().join(", "));
    further("tags", ticket.tags.join(", "));
    further("follows up", shown.follow_up_of.map(|number| format!("ticket {number}")).unwrap_or_default());
    further("opened", short(ticket.created_at));
    further("changed", short(ticket.updated_at));
    lines.extend(shown.comments.iter().map(|comment| comment_text(shown, comment)));
    lines.push("\nHistory".to_owned());
    for audit in &shown.audits {
        lines.push(format!(
            "  {}  {}  by {}",
            short(audit.created_at),
            shown.actor(audit.author),
            audit.channel
        ));
        lines.extend(audit.events.iter().map(|event| format!("    {}", event_text(&shown.names, event))));
    }
    if !shown.mails.is_empty() {
        lines.push("\nMail sent".to_owned());
        lines.extend(shown.mails.iter().map(|row| mail_text(row, shown.can_deliver)));
    }
    lines.join("\n")
}

/// What was sent to whom, and how far it has got.
fn mail_text(row: &OutboxRow, can_deliver: bool) -> String {
    let reason = outbox::reason(row, can_deliver);
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("  {}  {} to {}  {}{because}", short(row.created_at), row.kind, row.to, row.state)
}

fn comment_text(shown: &Shown, comment: &CommentRow) -> String {
    let kind = if comment.is_public { "" } else { "  [internal note]" };
    let mut text = format!(
        "\n--- {}  {}{kind}\n{}",
        short(comment.created_at),
        shown.person(comment.author_id),
        comment.body.trim_end()
    );
    if comment.is_cut {
        text.push_str("\n[cut at 65,000 characters; the mail is kept whole]");
    }
    for attachment in shown.attachments_of(comment.id) {
        text.push_str(&format!(
            "\n[{}, {}, {}]",
            attachment.name,
            attachment.content_type,
            counted(attachment.size_bytes, "byte")
        ));
    }
    text
}
