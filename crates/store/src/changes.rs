//! Writes everything a batch changes, inside the caller's transaction.

use desk::changes::Changes;
use desk::clock::{HOUR, Millis};
use desk::id::SupportAddressId;
use desk::suspension::HELD_FOR;
use desk::ticket::{SOLVED_FOR, Status};

use crate::account_state::{self, State};
use crate::error::Result;
use crate::spool::SpoolKey;
use crate::tx::Asked;
use crate::work::{self, Kind};
use crate::{
    AccountTx, address, attachment, audit, comment, envelope, identity, ledger, message_id, outbox, outgoing,
    sender_rate, spool, suspended, ticket, timer, user,
};

/// How often "last seen" of a busy support address is written at most.
const SEEN_STEP: i64 = HOUR;

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
/// [`crate::StoreError::Changed`] when a spool row was decided by somebody else; the transaction must not commit then.
pub fn write(tx: &mut AccountTx<'_, '_>, writing: Writing<'_>, changes: &Changes) -> Result<()> {
    write_all(tx, writing, changes, Times::First)
}

/// As [`write()`], of mails that were decided before: their ledger rows are changed, and what held them is gone.
///
/// # Errors
/// [`crate::StoreError::Changed`] when a mail has no ledger row; the transaction must not commit then.
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
    // What changes existing rows comes first: inserts that follow each other are one statement on PostgreSQL. Whether all spool
    // rows were there is answered together with the ticket numbers.
    let closed = match times {
        Times::First => {
            envelope::keep(tx, &changes.ledger)?;
            Some(close_spool(tx, changes)?)
        }
        Times::Again => None,
    };
    let seen: Vec<SupportAddressId> = changes.seen_addresses.iter().copied().collect();
    address::seen(tx, &seen, now, SEEN_STEP)?;
    sender_rate::write(tx, &changes.rates, now)?;
    user::insert_many(tx, &changes.people, change)?;
    let mut numbers = ticket::write(tx, state, change, changes)?;
    ticket::add_numbers(tx, &changes.ledger, &mut numbers)?;
    comment::insert_many(tx, &changes.comments)?;
    attachment::insert_many(tx, &changes.attachments)?;
    audit::insert_many(tx, &changes.audits, change)?;
    message_id::remember(tx, &changes.message_ids)?;
    outbox::write_bounced(tx, &changes.bounced)?;
    let touched = identity::write_bounced(tx, &changes.well_addresses, &changes.bounced)?;
    user::touch(tx, &touched, change)?;
    user::set_locales(tx, &changes.locales, change)?;
    for probe in &changes.probes {
        address::probe_returned(tx, probe.address_id, &probe.native, probe.at)?;
    }
    match times {
        Times::First => ledger::insert_many(tx, &changes.ledger, &numbers)?,
        Times::Again => {
            ledger::rewrite(tx, &changes.ledger, &numbers)?;
            suspended::release(tx, &changes.ledger, change)?;
        }
    }
    suspended::insert_many(tx, &changes.suspended, change)?;
    outgoing::insert_many(tx, &changes.outgoing, &numbers)?;
    outbox::insert_many(tx, &changes.outgoing, can_deliver)?;
    account_state::save(tx, state)?;
    // Last: the rows they lock are the ones that nodes looking for work wait for.
    announce_held(tx, digest_every, changes)?;
    announce_closing(tx, changes)?;
    announce_outgoing(tx, changes)?;
    closed.map_or(Ok(()), |closed| spool::closed(tx, closed, changes.ledger.len()))
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
fn after(at: Millis, step: i64) -> Millis {
    at - at.0.rem_euclid(step) + step
}

fn close_spool(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<Asked> {
    let closed: Vec<SpoolKey> =
        changes.ledger.iter().map(|row| SpoolKey { accepted_at: row.accepted_at, id: row.id }).collect();
    spool::close(tx, &closed)
}

/// Mail that waits for a relay is announced, too: whichever node gets one finds it.
fn announce_outgoing(tx: &mut AccountTx<'_, '_>, changes: &Changes) -> Result<()> {
    if changes.outgoing.is_empty() {
        return Ok(());
    }
    let account_id = tx.account_id();
    work::announce(tx.shared(), Kind::Outbox, &[account_id], outbox::DUE_AT_ONCE)
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
