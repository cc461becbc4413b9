//! The row that makes all writers of an account take turns: mail, commands, timers, configuration.
//!
//! It is locked first and written last. Under the lock the change number counts up by one a transaction, so it is in the order of
//! commits and has no gaps: a reader that follows an account by it misses nothing. Times cannot serve, since clocks differ.

use desk::clock::Millis;
use desk::id::AccountId;

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::{AccountTx, values};

/// An account's row, as it was when it was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The account.
    pub account_id: AccountId,
    /// The epoch of the claim under which its mail was last decided.
    pub epoch: i64,
    /// The change number of the last transaction that wrote the account.
    pub change: i64,
    /// The last ticket number that was given.
    pub ticket_number: i64,
    /// The version of its configuration.
    pub version: i64,
    /// The database's clock when the row was locked: the time of what is decided under the lock.
    pub now: Millis,
}

impl State {
    /// Takes the change number of this transaction; ask once a transaction, before the rows that carry it are written.
    #[must_use]
    pub fn next_change(&mut self) -> i64 {
        self.change += 1;
        self.change
    }

    /// Takes `count` ticket numbers and returns the first.
    #[must_use]
    pub fn next_numbers(&mut self, count: usize) -> i64 {
        let first = self.ticket_number + 1;
        self.ticket_number += i64::try_from(count).unwrap_or(i64::MAX);
        first
    }

    /// Notes that the account's mail is decided under a claim.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it was decided under a later one already: another node took over.
    pub fn fence(&mut self, epoch: i64) -> Result<()> {
        if epoch < self.epoch {
            return Err(StoreError::Fenced { account_id: self.account_id });
        }
        self.epoch = epoch;
        Ok(())
    }
}

/// Inserts the row of a new account.
pub(crate) fn insert(tx: &mut AccountTx<'_, '_>) -> Result<()> {
    let sql = "INSERT INTO account_state (account_id, epoch, change, ticket_number, version) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, &values![0, 0, 0, 0])?;
    Ok(())
}

/// Locks an account against all other writers for the rest of the transaction.
///
/// # Errors
/// [`StoreError::Changed`] when there is no such account.
pub fn lock(tx: &mut AccountTx<'_, '_>) -> Result<State> {
    let asked = ask_lock(tx)?;
    locked(tx, asked)
}

/// Asks for the lock as [`lock`] does; [`locked`] reads the answer, which must be done before the transaction ends.
///
/// # Errors
/// As the database says.
pub fn ask_lock(tx: &mut AccountTx<'_, '_>) -> Result<Asked> {
    let sql = tx.shared().dialect().lock_account();
    tx.ask(sql, &[])
}

/// The row that was locked.
///
/// # Errors
/// As [`lock`].
pub fn locked(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<State> {
    let mut row = tx.rows(asked)?.into_iter().next().ok_or(StoreError::Changed("the account"))?;
    let state = State {
        account_id: tx.account_id(),
        epoch: row.int()?,
        change: row.int()?,
        ticket_number: row.int()?,
        version: row.int()?,
        now: row.time()?,
    };
    Ok(State { now: tx.shared().clock_or(state.now), ..state })
}

/// Writes what was taken under the lock. The last statement on the account in its transaction.
///
/// # Errors
/// As the database says.
pub fn save(tx: &mut AccountTx<'_, '_>, state: &State) -> Result<()> {
    // Its version is counted up by itself, in the statement of `reconfigured`.
    let sql = "UPDATE account_state SET epoch = $2, change = $3, ticket_number = $4 WHERE account_id = $1";
    tx.write(sql, &values![state.epoch, state.change, state.ticket_number])
}

/// The version of an account's configuration, 0 before the first change.
///
/// # Errors
/// As the database says.
pub fn version(tx: &mut AccountTx<'_, '_>) -> Result<i64> {
    let row = tx.find("SELECT version FROM account_state WHERE account_id = $1", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// The change number of an account's last committed transaction.
///
/// # Errors
/// As the database says.
pub fn change(tx: &mut AccountTx<'_, '_>) -> Result<i64> {
    let row = tx.find("SELECT change FROM account_state WHERE account_id = $1", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// Counts the version of an account's configuration up; call it in the transaction that changes the configuration.
///
/// # Errors
/// As the database says.
pub fn reconfigured(tx: &mut AccountTx<'_, '_>) -> Result<()> {
    let sql = "UPDATE account_state SET version = version + 1 WHERE account_id = $1";
    tx.execute(sql, &[])?;
    Ok(())
}
