//! A node's name, which only one process has; and for `doctor`: which nodes hold which accounts, and which accounts nobody holds
//! though something waits there.

use std::time::Duration;

use desk::clock::Millis;
use desk::id::AccountId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::work::Kind;
use crate::{Backend, Store, Tx, values};

impl Store {
    /// Takes the name under which this process holds leases, until the store is closed; false when another process
    /// still has it after `wait`. A name whose connection is lost is taken again. An embedded database has one process, by the
    /// lock of its own file.
    ///
    /// # Errors
    /// [`crate::StoreError::Unavailable`].
    pub async fn take_name(&self, name: &str, wait: Duration) -> Result<bool> {
        match &self.inner.backend {
            Backend::Sqlite(_) => Ok(true),
            Backend::Postgres(postgres) => postgres.take_name(name, wait).await,
        }
    }
}

/// How many accounts a node holds for one kind of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The node.
    pub holder: String,
    /// `mail`, `outbox` or `close`.
    pub kind: String,
    /// How many.
    pub accounts: i64,
}

/// An account whose work waits while nobody holds its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheld {
    /// The account.
    pub account_id: AccountId,
    /// What waits: mail to be decided or sent.
    pub kind: Kind,
    /// Who held it last; empty: nobody has.
    pub holder: String,
}

/// What each node holds now, sorted by node and kind.
///
/// # Errors
/// As the database says.
pub fn holdings(tx: &mut Tx<'_>) -> Result<Vec<Holding>> {
    let now = tx.database_now()?;
    let sql = "SELECT holder, kind, count(*) FROM work WHERE until > $1 GROUP BY holder, kind ORDER BY holder, kind";
    let rows = tx.query(sql, &values![now])?;
    rows.into_iter()
        .map(|mut row| Ok(Holding { holder: row.text()?, kind: row.text()?, accounts: row.int()? }))
        .collect()
}

/// How many times as long as mail a job may wait before nobody seems to do it.
const JOB_PATIENCE: i64 = 10;

/// Accounts that nobody holds though mail has waited there to be decided or sent for `waiting_ms` at least: a node that
/// is well takes them within a second. Jobs that have their time are looked for less often and count after ten times as
/// long. Sorted by kind and account.
///
/// # Errors
/// As the database says.
pub fn unheld(tx: &mut Tx<'_>, waiting_ms: i64) -> Result<Vec<Unheld>> {
    let now = tx.database_now()?;
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let is_job = !matches!(kind, Kind::Mail | Kind::Outbox);
        let since = now - if is_job { JOB_PATIENCE * waiting_ms } else { waiting_ms };
        let sql = "SELECT account_id, holder FROM work WHERE kind = $1 AND due_at <= $2 AND until <= $3 ORDER BY account_id";
        for mut row in tx.query(sql, &values![kind.as_str(), since, now])? {
            let account_id = AccountId(row.int()?);
            let holder = row.text()?;
            if is_job || is_older(tx, kind, account_id, since)? {
                found.push(Unheld { account_id, kind, holder });
            }
        }
    }
    Ok(found)
}

/// What is announced is mostly due at once, so its age is that of the oldest row it is about.
fn is_older(tx: &mut Tx<'_>, kind: Kind, account_id: AccountId, since: Millis) -> Result<bool> {
    let tx = &mut tx.account(account_id);
    match kind {
        Kind::Mail => {
            Ok(crate::spool::page(tx, None, 1)?.first().is_some_and(|oldest| oldest.accepted_at <= since))
        }
        _ => Ok(crate::outbox::oldest_due(tx, since)?.is_some()),
    }
}

/// An account whose rows say that something is due, while nothing tells of it: nobody would take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The account.
    pub account_id: AccountId,
    /// What is due there.
    pub kind: Kind,
}

/// Accounts where something has been due for `waiting_ms` that no row of `work` tells of. Looks at every account.
///
/// # Errors
/// As the database says.
pub fn forgotten(tx: &mut Tx<'_>, waiting_ms: i64) -> Result<Vec<Forgotten>> {
    let since = tx.database_now()? - waiting_ms;
    let accounts = crate::account::ids(tx)?;
    let mut found = Vec::new();
    for kind in Kind::ALL {
        for missed in crate::work::unannounced(tx, *kind, &accounts)? {
            if missed.due_at <= since
                && (*kind != Kind::Mail || is_older(tx, *kind, missed.account_id, since)?)
            {
                found.push(Forgotten { account_id: missed.account_id, kind: *kind });
            }
        }
    }
    Ok(found)
}
