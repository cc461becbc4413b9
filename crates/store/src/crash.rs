//! Programs that stopped with an account's mail in hand: how often, and at which mail.
//!
//! A mail that stops the program (a panic does not, an exhausted stack does) would be taken again at each start. Nothing is
//! written for this while all is well: a lease that was not given back tells of the crash when it is claimed, and the
//! oldest undecided mail, whether any batch was closed since the one before.

use std::collections::BTreeMap;

use desk::id::{AccountId, MailId};

use crate::Tx;
use crate::error::Result;
use crate::work::{self, Crashes, Lease};

/// After this many crashes without a completed batch, the account's mail is processed one message at a time.
pub const CAREFUL_FROM: i64 = 2;

/// Counts, for each lease just claimed that was not given back, a crash of its holder. `given` are the epochs that this
/// very program was given: what it lost without stopping tells of no crash.
///
/// # Errors
/// As the database says.
pub fn count(
    tx: &mut Tx<'_>,
    mut leases: Vec<Lease>,
    given: &BTreeMap<AccountId, i64>,
) -> Result<Vec<Lease>> {
    for lease in &mut leases {
        if lease.was_left && given.get(&lease.account_id) != Some(&(lease.epoch - 1)) {
            count_one(tx, lease)?;
        }
    }
    Ok(leases)
}

fn count_one(tx: &mut Tx<'_>, lease: &mut Lease) -> Result<()> {
    let Some(before) = work::crashes(tx, lease)? else { return Ok(()) };
    let oldest = crate::spool::oldest_of_more_than(&mut tx.account(lease.account_id), 0)?;
    let is_stuck = before.tried_mail.is_some() || (oldest.is_some() && oldest == before.oldest_mail);
    lease.crashes = if is_stuck { lease.crashes + 1 } else { 1 };
    work::set_crashes(tx, lease, Crashes { count: lease.crashes, oldest_mail: oldest, ..before })
}

/// Notes that a mail is processed alone from here on; returns how often the program stopped while it was before.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn try_alone(tx: &mut Tx<'_>, lease: &Lease, mail_id: MailId) -> Result<i64> {
    work::hold(tx, lease)?;
    let known = work::crashes(tx, lease)?.unwrap_or_default();
    if known.tried_mail == Some(mail_id) {
        return Ok(known.count - CAREFUL_FROM);
    }
    work::set_crashes(tx, lease, Crashes { count: CAREFUL_FROM, tried_mail: Some(mail_id), ..known })?;
    Ok(0)
}

/// Notes that no mail is processed alone now, though the account is to be processed with care.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn put_down(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    work::hold(tx, lease)?;
    let known = work::crashes(tx, lease)?.unwrap_or_default();
    work::set_crashes(tx, lease, Crashes { count: CAREFUL_FROM, tried_mail: None, ..known })
}

/// Forgets the crashes of an account: its mail was processed without one.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn forget(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    work::hold(tx, lease)?;
    work::set_crashes(tx, lease, Crashes::default())
}
