//! Writes everything a batch changes, inside the caller's transaction.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::{Changes, LedgerRow, Outgoing};
use desk::clock::HOUR;
use desk::delivery::DeliveryResult;
use desk::id::{SupportAddressId, TicketId, TicketNumber};
use desk::ledger::Outcome;
use desk::notice::NoticeKind;
use desk::outbox_state::OutboxState;
use desk::suspension::HELD_FOR;
use desk::ticket::{SOLVED_FOR, Status, Ticket};
use desk::user::SOFT_BOUNCES_MAX;
use mail::address::AddressKey;

use crate::account_state::{self, State};
use crate::error::{Result, StoreError};
use crate::ledger::hash;
use crate::spool::SpoolKey;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::list_of;
use crate::work::{self, Kind};
use crate::{AccountTx, address, spool, suspended, ticket, timer, user, values};

/// How often "last seen" of a busy support address is written at most.
const SEEN_STEP: i64 = HOUR;

/// Sender counters are kept this long after their hour began: an hour that is counted, and one in which the sender is held.
const RATES_KEPT: i64 = 3 * HOUR;

/// What the writing needs besides the changes.
#[derive(Debug)]
pub struct Writing<'s> {
    /// The locked account; its change number counts up by one and is saved.
    pub state: &'s mut State,
    /// Whether mail can leave: without a relay it waits visibly.
    pub can_deliver: bool,
    /// How often somebody is told of suspended tickets, milliseconds; none for never.
    pub digest_every: Option<i64>,
}

/// Writes the changes and closes the spool rows of the mails in the ledger. Ticket numbers are taken here, late.
///
/// # Errors
/// [`StoreError::Changed`] when a spool row was decided by somebody else; the transaction must not commit then.
pub fn write(tx: &mut AccountTx<'_, '_>, writing: Writing<'_>, changes: &Changes) -> Result<()> {
    write_all(tx, writing, changes, Times::First)
}

/// As [`write()`], of mails that were decided before: their ledger rows are changed, and what held them is gone.
///
/// # Errors
/// [`StoreError::Changed`] when a mail has no ledger row; the transaction must not commit then.
pub fn rewrite(tx: &mut AccountTx<'_, '_>, writing: Writing<'_>, changes: &Changes) -> Result<()> {
    write_all(tx, writing, changes, Times::Again)
}

/// Whether the mails are decided for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    First,
    Again,
}

fn write_all(
    tx: &mut AccountTx<'_, '_>,
    writing: Writing<'_>,
    changes: &Changes,
    times: Times,
) -> Result<()> {
    let Writing { state, can_deliver, digest_every } = writing;
    let now = state.now;
    let change = state.next_change();
    // What changes rows that are there stands first: inserts that follow each other are one statement on PostgreSQL. That all
    // spool rows were there is answered with the ticket numbers.
    let closed = match times {
        Times::First => {
            keep_envelopes(tx, changes)?;
            Some(close_spool(tx, changes)?)
        }
        Times::Again => None,
    };
    let seen: Vec<SupportAddressId> = changes.seen_addresses.iter().copied().collect();
    address::seen(tx, &seen, now, SEEN_STEP)?;
    write_rates(tx, now, changes)?;
    let people: Vec<_> =
        changes.people.iter().map(|new| (new.person.clone(), new.address.clone(), new.created_at)).collect();
    user::insert_many(tx, &people, change)?;
    let mut numbers = write_tickets(tx, state, change, changes)?;
    add_earlier(tx, changes, &mut numbers)?;
    write_comments(tx, changes)?;
    write_audits(tx, change, changes)?;
    write_message_ids(tx, changes)?;
    write_bounces(tx, changes)?;
    let locales: Vec<_> = changes.locales.iter().map(|(id, locale)| (*id, locale.as_str())).collect();
    user::set_locales(tx, &locales, change)?;
    for probe in &changes.probes {
        address::probe_returned(tx, probe.address_id, &probe.native, probe.at)?;
    }
    match times {
        Times::First => write_ledger(tx, changes, &numbers)?,
        Times::Again => rewrite_ledger(tx, changes, &numbers)?,
    }
    write_suspended(tx, changes)?;
    write_outgoing(tx, can_deliver, &changes.outgoing, &numbers)?;
    account_state::save(tx, state)?;
    // Last: the rows they lock are those that whoever looks for work waits for.
    announce_held(tx, digest_every, changes)?;
    announce_closing(tx, changes)?;
    announce_outgoing(tx, changes)?;
    closed.map_or(Ok(()), |closed| spool::closed(tx, closed, changes.ledger.len()))
}

/// Numbers of all tickets of the changes, new ones counted on from the account's counter.
fn write_tickets(
    tx: &mut AccountTx<'_, '_>,
    state: &mut State,
    change: i64,
    changes: &Changes,
) -> Result<BTreeMap<TicketId, i64>> {
    let changed: Vec<&Ticket> = changes
        .tickets
        .values()
        .filter(|changed| changed.before.is_some())
        .map(|changed| &changed.after)
        .collect();
    let mut numbers: BTreeMap<TicketId, i64> =
        changed.iter().filter_map(|ticket| Some((ticket.id, ticket.number?.0))).collect();
    let mut fresh: Vec<Ticket> = Vec::with_capacity(changes.new_tickets.len());
    if !changes.new_tickets.is_empty() {
        let first = state.next_numbers(changes.new_tickets.len());
        for (number, id) in (first..).zip(&changes.new_tickets) {
            numbers.insert(*id, number);
            let opened = changes.tickets.get(id).map(|changed| &changed.after);
            fresh
                .extend(opened.map(|ticket| Ticket { number: Some(TicketNumber(number)), ..ticket.clone() }));
        }
    }
    ticket::insert_many(tx, &fresh.iter().collect::<Vec<_>>(), change)?;
    ticket::update_many(tx, &changed, change)?;
    let ccs: Vec<_> = changes.ccs.iter().map(|(ticket, user)| values![ticket.0, user.0]).collect();
    let sql = "INSERT INTO ticket_ccs (account_id, ticket_id, user_id) VALUES ($1, $2, $3) ON CONFLICT (account_id, ticket_id, user_id) DO NOTHING";
    tx.insert_rows(sql, &ccs)?;
    let followers: Vec<_> = changes.followers.iter().map(|(ticket, user)| values![*ticket, *user]).collect();
    let sql = "INSERT INTO ticket_followers (account_id, ticket_id, user_id) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, ticket_id, user_id) DO NOTHING";
    tx.insert_rows(sql, &followers)?;
    Ok(numbers)
}

/// Adds the numbers of tickets that the ledger names and nothing changed: those of duplicates and of bounces.
fn add_earlier(
    tx: &mut AccountTx<'_, '_>,
    changes: &Changes,
    numbers: &mut BTreeMap<TicketId, i64>,
) -> Result<()> {
    let named = changes.ledger.iter().filter_map(|row| row.ticket_id);
    let missing: BTreeSet<TicketId> = named.filter(|id| !numbers.contains_key(id)).collect();
    let missing: Vec<TicketId> = missing.into_iter().collect();
    let sql = "SELECT id, number FROM tickets WHERE account_id = $1 AND id IN ($2..)";
    for mut row in tx.query_in(sql, &[], &list_of(&missing))? {
        numbers.insert(TicketId(row.int()?), row.int()?);
    }
    Ok(())
}

fn write_comments(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    let texts: Vec<(String, String)> =
        changes.comments.iter().map(|comment| (json(&comment.flags), json(&comment.hidden))).collect();
    let rows: Vec<_> = changes
        .comments
        .iter()
        .zip(&texts)
        .map(|(comment, (flags, hidden))| {
            values![
                comment.ticket_id,
                comment.id,
                comment.author_id,
                comment.is_public,
                comment.is_cut,
                &comment.body,
                comment.mail_id,
                flags,
                hidden,
                comment.created_at
            ]
        })
        .collect();
    let sql =
        "INSERT INTO comments (account_id, ticket_id, id, author_id, is_public, is_cut, body, raw_id, flags, hidden, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    tx.insert_rows(sql, &rows)?;
    let rows: Vec<_> = changes
        .attachments
        .iter()
        .map(|new| {
            let part = &new.attachment;
            let size = i64::try_from(part.size_bytes).unwrap_or(i64::MAX);
            values![
                new.comment_id,
                i64::from(part.part),
                new.mail_id,
                &part.name,
                &part.content_type,
                part.content_id.as_deref(),
                size,
                part.inline
            ]
        })
        .collect();
    let sql =
        "INSERT INTO attachments (account_id, comment_id, part, raw_id, name, content_type, content_id, size_bytes, is_inline)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.insert_rows(sql, &rows)
}

fn write_audits(tx: &mut AccountTx<'_, '_>, change: i64, changes: &Changes) -> Result<()> {
    let events: Vec<String> = changes.audits.iter().map(|audit| json(&audit.events)).collect();
    let rows: Vec<_> = changes
        .audits
        .iter()
        .zip(&events)
        .map(|(audit, events)| {
            values![
                audit.ticket_id.0,
                audit.id.0,
                audit.author.stored(),
                audit.channel.as_str(),
                events,
                audit.created_at,
                change
            ]
        })
        .collect();
    let sql = "INSERT INTO audits (account_id, ticket_id, id, author_id, channel, events, created_at, change)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.insert_rows(sql, &rows)
}

fn write_message_ids(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    // One statement may touch a key only once: of an id met several times in a batch, the real mail counts.
    let mut by_hash = BTreeMap::new();
    for id in &changes.message_ids {
        by_hash.insert(hash(&id.message_id), id);
    }
    let rows: Vec<_> = by_hash
        .iter()
        .map(|(hash, id)| {
            let fingerprint = id.fingerprint.as_ref().map(<[u8; 16]>::as_slice);
            values![*hash, &id.message_id, id.kind.as_str(), id.ticket_id, id.mail_id, fingerprint]
        })
        .collect();
    let sql = "INSERT INTO message_ids (account_id, hash, message_id, kind, ticket_id, mail_id, fingerprint)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (account_id, hash) DO UPDATE
               SET kind = excluded.kind, ticket_id = excluded.ticket_id, mail_id = excluded.mail_id,
                   fingerprint = excluded.fingerprint
               WHERE message_ids.message_id = excluded.message_id
                   AND (message_ids.kind = 'seen' AND excluded.kind <> 'seen'
                        OR message_ids.kind = 'in' AND excluded.kind = 'in' AND message_ids.mail_id = excluded.mail_id)";
    tx.insert_rows(sql, &rows)
}

fn write_bounces(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    let failed = |result| matches!(result, DeliveryResult::Hard | DeliveryResult::Soft);
    let of = |wanted: bool| -> Vec<_> {
        let told = changes.bounced.iter().filter(|bounce| failed(bounce.result) == wanted);
        told.map(|bounce| values![&bounce.answer, bounce.at, bounce.delivery.outbox_id]).collect()
    };
    let sql = "UPDATE outbox SET state = 'bounced', last_answer = $2, updated_at = $3 WHERE account_id = $1 AND id = $4";
    tx.write_rows(sql, &of(true))?;
    let sql = "UPDATE outbox SET last_answer = $2, updated_at = $3 WHERE account_id = $1 AND id = $4";
    tx.write_rows(sql, &of(false))?;
    // Before the bounces of this batch: a mail that came with them does not undo them.
    let well: Vec<&str> = changes.well_addresses.iter().map(AddressKey::as_str).collect();
    user::recovered(tx, &well)?;
    let addresses = |wanted: DeliveryResult| -> Vec<String> {
        let told = changes.bounced.iter().filter(|bounce| bounce.result == wanted);
        told.filter_map(|bounce| AddressKey::parse(&bounce.delivery.recipient).ok())
            .map(|key| key.as_str().to_owned())
            .collect()
    };
    user::bounced(tx, &addresses(DeliveryResult::Hard), 1)?;
    user::bounced(tx, &addresses(DeliveryResult::Soft), SOFT_BOUNCES_MAX)
}

/// What was counted of senders; rows that say nothing any more go with it.
fn write_rates(tx: &mut AccountTx<'_, '_>, now: i64, changes: &Changes) -> Result<()> {
    if changes.rates.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = changes
        .rates
        .iter()
        .map(|(sender, rate)| values![sender, rate.window_start, i64::from(rate.count), rate.held_until])
        .collect();
    let sql = "INSERT INTO sender_rates (account_id, sender, window_start, count, held_until) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (account_id, sender) DO UPDATE
               SET window_start = excluded.window_start, count = excluded.count, held_until = excluded.held_until";
    tx.insert_rows(sql, &rows)?;
    let sql = "DELETE FROM sender_rates WHERE account_id = $1 AND window_start < $2";
    tx.write(sql, &values![now - RATES_KEPT])
}

fn write_ledger(
    tx: &mut AccountTx<'_, '_>,
    changes: &Changes,
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    let reasons: Vec<String> = changes.ledger.iter().map(steps).collect();
    let rows: Vec<_> = changes
        .ledger
        .iter()
        .zip(&reasons)
        .map(|(row, reasons)| {
            values![
                row.id,
                row.accepted_at,
                row.decided_at,
                &row.message_id,
                hash(&row.message_id),
                row.outcome.as_str(),
                &row.reason,
                reasons,
                row.ticket_id,
                row.ticket_id.and_then(|id| numbers.get(&id)).copied()
            ]
        })
        .collect();
    let sql = "INSERT INTO ledger (account_id, id, accepted_at, decided_at, message_id, message_hash, outcome, reason, reasons,
                   ticket_id, ticket_number)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    tx.insert_rows(sql, &rows)
}

/// The steps before the last one, which is the reason itself and stands in a column of its own.
fn steps(row: &LedgerRow) -> String {
    json(&row.reasons.split_last().map(|(_, before)| before).unwrap_or_default())
}

fn rewrite_ledger(
    tx: &mut AccountTx<'_, '_>,
    changes: &Changes,
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    for row in &changes.ledger {
        let reasons = steps(row);
        let number = row.ticket_id.and_then(|id| numbers.get(&id)).copied();
        let sql = "UPDATE ledger SET decided_at = $2, outcome = $3, reason = $4, reasons = $5, ticket_id = $6, ticket_number = $7
                   WHERE account_id = $1 AND id = $8";
        let bound = values![
            row.decided_at,
            row.outcome.as_str(),
            &row.reason,
            &reasons,
            row.ticket_id,
            number,
            row.id
        ];
        if tx.execute(sql, &bound)? != 1 {
            return Err(StoreError::Changed("the ledger row of the mail"));
        }
        suspended::release(tx, row.id)?;
    }
    Ok(())
}

/// What SMTP said of the mails that may be decided anew.
fn keep_envelopes(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    let is_settled = |outcome| matches!(outcome, Outcome::NewTicket | Outcome::Comment | Outcome::FollowUp);
    let open = changes.ledger.iter().filter(|row| !is_settled(row.outcome));
    let rows: Vec<_> = open.map(|row| values![row.accepted_at, row.id]).collect();
    let sql = "INSERT INTO envelopes (account_id, id, envelope)
               SELECT account_id, id, envelope FROM spool WHERE account_id = $1 AND accepted_at = $2 AND id = $3";
    tx.write_rows(sql, &rows)
}

fn write_suspended(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    let rows: Vec<_> = changes
        .suspended
        .iter()
        .map(|held| {
            values![
                held.id,
                held.cause.number(),
                &held.sender,
                &held.subject,
                &held.recipient,
                &held.detail,
                held.created_at
            ]
        })
        .collect();
    let sql = "INSERT INTO suspended_tickets (account_id, id, cause, sender, subject, recipient, detail, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.insert_rows(sql, &rows)
}

/// Held mail is deleted when its retention expires, and somebody may want to hear of it before.
fn announce_held(tx: &mut AccountTx<'_, '_>, digest_every: Option<i64>, changes: &Changes) -> Result<()> {
    let Some(held) = changes.suspended.first() else { return Ok(()) };
    let account_id = tx.account_id();
    work::announce(tx.shared(), Kind::Purge, &[account_id], held.created_at + HELD_FOR)?;
    match digest_every {
        Some(every) => timer::set(tx, Kind::Digest, after(held.created_at, every), 0),
        None => Ok(()),
    }
}

/// The next full step after a time, so that many timers are one.
fn after(at: i64, step: i64) -> i64 {
    at - at.rem_euclid(step) + step
}

fn close_spool(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<Asked> {
    let closed: Vec<SpoolKey> =
        changes.ledger.iter().map(|row| SpoolKey { accepted_at: row.accepted_at, id: row.id }).collect();
    spool::close(tx, &closed)
}

fn write_outgoing(
    tx: &mut AccountTx<'_, '_>,
    can_deliver: bool,
    mails: &[Outgoing],
    numbers: &BTreeMap<TicketId, i64>,
) -> Result<()> {
    if mails.is_empty() {
        return Ok(());
    }
    let contents: Vec<(NoticeKind, String)> =
        mails.iter().map(|mail| (mail.content.notice.kind(), json(&mail.content))).collect();
    let rows: Vec<_> = mails
        .iter()
        .zip(&contents)
        .map(|(mail, (kind, content))| {
            values![
                mail.id,
                mail.ticket_id,
                mail.ticket_id.and_then(|id| numbers.get(&id)).copied(),
                mail.comment_id.map(|id| id.0),
                kind.as_str(),
                &mail.message_id,
                content,
                mail.created_at
            ]
        })
        .collect();
    let sql =
        "INSERT INTO outgoing_mails (account_id, id, ticket_id, ticket_number, comment_id, kind, message_id, content, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.insert_rows(sql, &rows)?;
    let state = if can_deliver { OutboxState::Queued } else { OutboxState::Waiting };
    let rows: Vec<_> = mails
        .iter()
        .flat_map(|mail| mail.recipients.iter().map(move |(id, recipient)| (mail, id, recipient)))
        .map(|(mail, id, recipient)| {
            values![
                id.0,
                mail.id.0,
                recipient,
                state.as_str(),
                0,
                DUE_AT_ONCE,
                "",
                mail.created_at,
                mail.created_at
            ]
        })
        .collect();
    let sql =
        "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.insert_rows(sql, &rows)
}

/// New mail is due at once, whatever the clocks of those who write and send it say.
const DUE_AT_ONCE: i64 = 0;

/// Mail that waits for a relay is announced, too: whichever node gets one finds it.
fn announce_outgoing(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    if changes.outgoing.is_empty() {
        return Ok(());
    }
    let account_id = tx.account_id();
    work::announce(tx.shared(), Kind::Outbox, &[account_id], DUE_AT_ONCE)
}

/// A ticket that was solved is closed when its time comes.
fn announce_closing(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    let solved = changes
        .tickets
        .values()
        .map(|changed| &changed.after)
        .filter(|ticket| ticket.status == Status::Solved)
        .filter_map(|ticket| ticket.solved_at)
        .min();
    let Some(at) = solved else { return Ok(()) };
    let account_id = tx.account_id();
    work::announce(tx.shared(), Kind::Close, &[account_id], at + SOLVED_FOR)
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values of strings and numbers always have a JSON text")
}
