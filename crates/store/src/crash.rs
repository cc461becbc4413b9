//! Programs that stopped with an account's mail in hand: how often, and at which mail.
//!
//! A mail that stops the program (a panic does not, an exhausted stack does) would be taken again at each start. Nothing is
//! written for this while all is well: a lease that was not given back tells of the crash when it is claimed, and the
//! oldest undecided mail, whether any batch was closed since the one before.

use std::collections::BTreeMap;

use desk::id::AccountId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::work::{self, Lease};
use crate::{Tx, values};

/// From so many crashes without a batch closed in between an account's mail is worked one at a time.
pub const CAREFUL_FROM: i64 = 2;

/// Counts, for each lease just claimed that was not given back, a crash of whoever held it. `given` are the epochs that this
/// very program was given: what it lost without stopping tells of no crash.
///
/// # Errors
/// As the database says.
pub fn count(tx: &mut Tx<'_>, mut leases: Vec<Lease>, given: &BTreeMap<i64, i64>) -> Result<Vec<Lease>> {
    for lease in &mut leases {
        if lease.was_left && given.get(&lease.account_id) != Some(&(lease.epoch - 1)) {
            count_one(tx, lease)?;
        }
    }
    Ok(leases)
}

fn count_one(tx: &mut Tx<'_>, lease: &mut Lease) -> Result<()> {
    let key = values![lease.account_id, lease.kind.as_str()];
    let before =
        tx.find("SELECT oldest_mail, tried_mail FROM leases WHERE account_id = $1 AND kind = $2", &key)?;
    let Some(mut before) = before else { return Ok(()) };
    let (oldest_before, tried) = (before.maybe_int()?, before.maybe_int()?);
    let oldest =
        crate::spool::oldest_of_more_than(&mut tx.account(AccountId(lease.account_id)), 0)?.map(|id| id.0);
    let is_stuck = tried.is_some() || (oldest.is_some() && oldest == oldest_before);
    lease.crashes = if is_stuck { lease.crashes + 1 } else { 1 };
    let sql = "UPDATE leases SET crashes = $1, oldest_mail = $2 WHERE account_id = $3 AND kind = $4";
    tx.execute(sql, &values![lease.crashes, oldest, lease.account_id, lease.kind.as_str()])?;
    Ok(())
}

/// Notes that a mail is worked alone from here on; returns how often the program stopped while it was before.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn try_alone(tx: &mut Tx<'_>, lease: &Lease, mail_id: i64) -> Result<i64> {
    work::hold(tx, lease)?;
    let key = values![lease.account_id, lease.kind.as_str()];
    let row = tx.find("SELECT crashes, tried_mail FROM leases WHERE account_id = $1 AND kind = $2", &key)?;
    let (crashes, tried) = row.map_or(Ok((0, None)), |mut row| Ok((row.int()?, row.maybe_int()?)))?;
    if tried == Some(mail_id) {
        return Ok(crashes - CAREFUL_FROM);
    }
    let sql = "UPDATE leases SET tried_mail = $1, crashes = $2 WHERE account_id = $3 AND kind = $4";
    tx.execute(sql, &values![mail_id, CAREFUL_FROM, lease.account_id, lease.kind.as_str()])?;
    Ok(0)
}

/// Notes that no mail is worked alone now, though the account is to be worked with care.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn put_down(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    work::hold(tx, lease)?;
    let sql = "UPDATE leases SET tried_mail = NULL, crashes = $1 WHERE account_id = $2 AND kind = $3";
    tx.execute(sql, &values![CAREFUL_FROM, lease.account_id, lease.kind.as_str()])?;
    Ok(())
}

/// Forgets the crashes of an account: its mail was worked without one.
///
/// # Errors
/// [`crate::StoreError::Fenced`] when another node took over.
pub fn forget(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    work::hold(tx, lease)?;
    let sql = "UPDATE leases SET crashes = 0, oldest_mail = NULL, tried_mail = NULL WHERE account_id = $1 AND kind = $2";
    tx.execute(sql, &values![lease.account_id, lease.kind.as_str()])?;
    Ok(())
}
