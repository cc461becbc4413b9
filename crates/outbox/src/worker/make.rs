//! The bytes of mails: rendered once, inside the transaction that claims their rows, and kept, so that every attempt
//! sends the same. A mail that cannot be rendered affects only its own rows.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use desk::clock::Millis;
use desk::id::{OutgoingId, TicketNumber};
use desk::notice::{RenderError, Rendering, render};
use desk::outbox_state::OutboxState;
use desk::signed::{Purpose, SigningKeys};
use store::AccountTx;
use store::outbox::{Attempted, Due};
use store::outgoing::Mail;

use super::wait::untried;

/// A recipient with the bytes it gets.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) due: Due,
    pub(super) envelope_from: String,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// A mail ready to be sent, or why it cannot be rendered.
type Made = Result<Ready, Unmade<String>>;

/// A mail that cannot be rendered here, with its row or the reason.
#[derive(Debug)]
pub(super) enum Unmade<T> {
    /// It never will be: its row is given up.
    Damaged(T),
    /// A newer version can render it: its row waits for one.
    Newer(T),
}

struct Ready {
    host: String,
    bytes: Arc<Vec<u8>>,
}

/// The claimed rows with their bytes, each by itself, or what to record where their mail cannot be rendered.
///
/// # Errors
/// As the database says.
pub(super) fn make(
    tx: &mut AccountTx<'_, '_>,
    keys: &SigningKeys,
    due: Vec<Due>,
    now: Millis,
) -> store::Result<Vec<Result<Delivery, Unmade<Attempted>>>> {
    let account_id = tx.account_id();
    let mails = mails(tx, keys, &due)?;
    let make_one = |due: Due| match mails.get(&due.mail_id) {
        Some(Ok(Ready { host, bytes })) => {
            let envelope_from = format!("bounce+{}@{host}", keys.sign(Purpose::Bounce, account_id, due.id.0));
            Ok(Delivery { envelope_from, bytes: Arc::clone(bytes), due })
        }
        Some(Err(Unmade::Damaged(why))) => Err(Unmade::Damaged(given_up(&due, why, now))),
        Some(Err(Unmade::Newer(why))) => Err(Unmade::Newer(untried(&due, why, now))),
        None => Err(Unmade::Damaged(given_up(&due, "it is not stored", now))),
    };
    Ok(due.into_iter().map(make_one).collect())
}

/// A row that is given up without an attempt, so that it is visible.
fn given_up(due: &Due, why: &str, now: Millis) -> Attempted {
    let answer = format!("the mail could not be made: {why}");
    Attempted { id: due.id, state: OutboxState::Bounced, due_at: now, answer, tried: false }
}

/// The mails of some rows by their ids; what has no bytes yet gets them here.
fn mails(
    tx: &mut AccountTx<'_, '_>,
    keys: &SigningKeys,
    due: &[Due],
) -> store::Result<BTreeMap<OutgoingId, Made>> {
    let ids: BTreeSet<OutgoingId> = due.iter().map(|row| row.mail_id).collect();
    let (mut all, mut fresh) = (BTreeMap::new(), Vec::new());
    for (id, mail) in store::outgoing::find_many(tx, &ids.into_iter().collect::<Vec<_>>())? {
        let made = match mail {
            Ok(Mail { raw: Some(raw), content, .. }) => Ok((content.host, raw)),
            Ok(mail) => render_one(tx, keys, &mail)?.map(|bytes| {
                fresh.push((id, bytes.clone()));
                (mail.content.host, bytes)
            }),
            Err(damage) => Err(Unmade::Damaged(damage.to_string())),
        };
        all.insert(id, made.map(|(host, bytes)| Ready { host, bytes: Arc::new(bytes) }));
    }
    store::outgoing::keep_bytes(tx, &fresh)?;
    Ok(all)
}

fn render_one(
    tx: &mut AccountTx<'_, '_>,
    keys: &SigningKeys,
    mail: &Mail,
) -> store::Result<Result<Vec<u8>, Unmade<String>>> {
    let comment = match (mail.ticket_id, mail.comment_id) {
        (Some(ticket), Some(comment)) => store::comment::body(tx, ticket, comment)?.unwrap_or_default(),
        _ => String::new(),
    };
    let references = match mail.ticket_id {
        Some(ticket) => store::comment::conversation(tx, ticket, mail.created_at)?,
        None => Vec::new(),
    };
    let mark = keys.sign(Purpose::Mail, tx.account_id(), mail.id.0);
    let rendering = Rendering {
        content: &mail.content,
        message_id: &mail.message_id,
        number: mail.ticket_number.map(TicketNumber),
        comment: &comment,
        references: &references,
        mark: &mark,
        id: mail.id,
        date: mail.created_at,
    };
    // Nothing is asked of the database in here: a panic leaves the transaction as it was.
    Ok(match catch_unwind(AssertUnwindSafe(|| render(&rendering))) {
        Ok(made) => made.map_err(|error| match error {
            RenderError::Newer(_) => Unmade::Newer(error.to_string()),
            RenderError::Damaged(_) => Unmade::Damaged(error.to_string()),
        }),
        Err(_) => Err(Unmade::Damaged("rendering it panicked".to_owned())),
    })
}
