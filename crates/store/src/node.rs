//! A node's name, which one process bears; and for `doctor`: which nodes hold which accounts, and which accounts nobody holds
//! though something waits there.

use std::time::Duration;

use desk::id::AccountId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::work::Kind;
use crate::{Backend, Store, Tx, values};

impl Store {
    /// Takes the name under which this process holds leases, until the store is closed; false when another process has it
    /// after `wait` still. A name whose connection is lost is taken again. An embedded database has one process, by the lock of
    /// its own file.
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
    pub account_id: i64,
    /// `mail` or `outbox`.
    pub kind: String,
    /// Who held it last; empty: nobody ever did.
    pub holder: String,
}

/// What each node holds now, sorted by node and kind.
///
/// # Errors
/// As the database says.
pub fn holdings(tx: &mut Tx<'_>) -> Result<Vec<Holding>> {
    let now = tx.database_now()?;
    let sql = "SELECT holder, kind, count(*) FROM leases WHERE until > $1 GROUP BY holder, kind ORDER BY holder, kind";
    let rows = tx.query(sql, &values![now])?;
    rows.into_iter()
        .map(|mut row| Ok(Holding { holder: row.text()?, kind: row.text()?, accounts: row.int()? }))
        .collect()
}

/// Accounts that nobody holds though mail waits there to be decided or sent, for `waiting_ms` at least: a node that is well
/// takes them within a second. Sorted by kind and account.
///
/// # Errors
/// As the database says.
pub fn unheld(tx: &mut Tx<'_>, waiting_ms: i64) -> Result<Vec<Unheld>> {
    let now = tx.database_now()?;
    let since = now - waiting_ms;
    let mut found = Vec::new();
    for kind in [Kind::Mail, Kind::Outbox] {
        let sql = "SELECT DISTINCT l.account_id, l.holder
                   FROM leases l JOIN work w ON w.kind = l.kind AND w.account_id = l.account_id
                   WHERE l.kind = $1 AND l.until <= $2 AND w.due_at <= $3 ORDER BY l.account_id";
        for mut row in tx.query(sql, &values![kind.as_str(), now, since])? {
            let (account_id, holder) = (row.int()?, row.text()?);
            if kind != Kind::Mail || is_mail_older(tx, account_id, since)? {
                found.push(Unheld { account_id, kind: kind.as_str().to_owned(), holder });
            }
        }
    }
    Ok(found)
}

/// What is announced for mail is due at once, so its age is that of the oldest mail.
fn is_mail_older(tx: &mut Tx<'_>, account_id: i64, since: i64) -> Result<bool> {
    let oldest = crate::spool::page(&mut tx.account(AccountId(account_id)), None, 1)?;
    Ok(oldest.first().is_some_and(|oldest| oldest.accepted_at <= since))
}
