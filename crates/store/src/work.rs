//! When there is something to do for an account, and which node does it: one row an account and kind.
//!
//! The time in a row is a hint that is never too late: code that adds something to do moves it forward in the same transaction
//! ([`announce`]), and a node that has processed the account reads it from the rows it is about, under the row's lock
//! ([`put_down`]). So nothing is forgotten when a ring is lost, a node dies, or two clocks differ: times are the
//! database's, or 0 for "at once".

use std::collections::BTreeMap;

use desk::clock::Millis;
use desk::id::{AccountId, MailId};
use desk::suspension::HELD_FOR;
use desk::ticket::SOLVED_FOR;

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{Tx, Value, values};

pub use crate::kind::{Kind, UnknownKind};

/// When an account is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// By the database's clock; [`AT_ONCE`] for at once.
    pub at: Millis,
    /// The account, which orders those due at one time.
    pub account_id: AccountId,
}

impl Due {
    /// Before every account.
    pub const FIRST: Due = Due { at: AT_ONCE, account_id: AccountId(0) };
}

/// The time of what is due at once, whatever the clocks say.
pub const AT_ONCE: Millis = Millis(0);

/// Says that accounts have something to do from a time on, unless they say so already. A missing row is inserted.
///
/// The row is locked for the rest of the transaction: a node that reads what is due meanwhile waits, and then sees what was added.
///
/// # Errors
/// As the database says.
pub fn announce(tx: &mut Tx<'_>, kind: Kind, accounts: &[AccountId], due_at: Millis) -> Result<()> {
    let mut sorted: Vec<AccountId> = accounts.to_vec();
    // In one order, so two transactions never wait for each other.
    sorted.sort_unstable();
    sorted.dedup();
    let rows: Vec<_> =
        sorted.iter().map(|account| values![kind.as_str(), account.0, due_at, 0, NOBODY, 0, 0]).collect();
    let sql = "INSERT INTO work (kind, account_id, due_at, epoch, holder, until, crashes) VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (kind, account_id) DO UPDATE SET due_at = excluded.due_at
               WHERE work.due_at IS NULL OR work.due_at > excluded.due_at";
    tx.insert_rows(sql, &rows)
}

/// Accounts that are due and that nobody holds, after a place in the order of their times, at most `limit`. `holder` is the
/// node that asks: with `takes_back`, what it held before a restart is free to it.
///
/// # Errors
/// As the database says.
pub fn due(
    tx: &mut Tx<'_>,
    kind: Kind,
    after: Due,
    holder: &str,
    takes_back: bool,
    limit: usize,
) -> Result<Vec<Due>> {
    let now = tx.database_now()?;
    let sql = "SELECT due_at, account_id FROM work
               WHERE kind = $1 AND (due_at, account_id) > ($2, $3) AND due_at <= $4
                   AND (until <= $5 OR holder = $6)
               ORDER BY due_at, account_id LIMIT $7";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = values![kind.as_str(), after.at, after.account_id, now, now, own(holder, takes_back), limit];
    tx.query(sql, &values)?
        .into_iter()
        .map(|mut row| Ok(Due { at: row.time()?, account_id: AccountId(row.int()?) }))
        .collect()
}

/// Who may take an account though its lease lasts: nobody has no name.
fn own(holder: &str, takes_back: bool) -> &str {
    if takes_back { holder } else { NOBODY }
}

/// The holder of rows that were never claimed, which are free in any case.
const NOBODY: &str = "";

/// When the rows themselves say that each of the accounts is due next; those without are left out.
///
/// # Errors
/// As the database says.
pub fn next_due(tx: &mut Tx<'_>, kind: Kind, accounts: &[AccountId]) -> Result<BTreeMap<AccountId, Millis>> {
    // As the index outbox_due says it (see crate::outbox); a row that waits for a relay is due like any other.
    let (sql, later) = match kind {
        Kind::Mail => {
            ("SELECT CAST(0 AS BIGINT) FROM spool WHERE account_id = $1 ORDER BY accepted_at, id LIMIT 1", 0)
        }
        Kind::Outbox => (
            "SELECT due_at FROM outbox WHERE account_id = $1
                 AND state IN ('waiting', 'queued', 'sending', 'deferred') ORDER BY due_at, id LIMIT 1",
            0,
        ),
        Kind::Close => (
            "SELECT solved_at FROM tickets WHERE account_id = $1 AND status = 'solved' ORDER BY solved_at, id LIMIT 1",
            SOLVED_FOR,
        ),
        Kind::Purge => (
            "SELECT created_at FROM suspended_tickets WHERE account_id = $1 AND cause NOT IN (19, 24)
             ORDER BY created_at, id LIMIT 1",
            HELD_FOR,
        ),
        Kind::Digest => (
            "SELECT due_at FROM timers WHERE account_id = $1 AND kind = 'digest' ORDER BY due_at, subject LIMIT 1",
            0,
        ),
        Kind::Probe => (
            "SELECT due_at FROM timers WHERE account_id = $1 AND kind = 'probe' ORDER BY due_at, subject LIMIT 1",
            0,
        ),
    };
    let mut found = BTreeMap::new();
    // Many are asked at once: a round trip for each would keep the waiting node from renewing its leases.
    for page in accounts.chunks(512) {
        let asked =
            page.iter().map(|account| tx.ask(sql, &values![account.0])).collect::<Result<Vec<_>>>()?;
        for (account, asked) in page.iter().zip(asked) {
            if let Some(mut row) = tx.rows(asked)?.into_iter().next() {
                found.insert(*account, row.time()? + later);
            }
        }
    }
    Ok(found)
}

/// The right to process an account until a time by the database's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The account.
    pub account_id: AccountId,
    /// What for.
    pub kind: Kind,
    /// Counts up with every claim; what is done under an older one is refused.
    pub epoch: i64,
    /// Whether the previous holder did not release it: it stopped in the middle, froze, or is this program itself.
    pub was_left: bool,
    /// Programs that stopped with the account in hand, one after the other (see [`crate::crash`]).
    pub crashes: i64,
}

/// Claims those of the accounts that nobody holds, or whose holder let its lease expire.
///
/// # Errors
/// As the database says.
pub fn claim(
    tx: &mut Tx<'_>,
    kind: Kind,
    accounts: &[AccountId],
    holder: &str,
    takes_back: bool,
    lease_ms: i64,
) -> Result<Vec<Lease>> {
    let now = tx.database_now()?;
    let sql = "SELECT account_id, epoch, until, crashes FROM work
               WHERE kind = $1 AND (until <= $2 OR holder = $3) AND account_id IN ($4..)
               FOR UPDATE SKIP LOCKED";
    let mut leases = Vec::new();
    for mut row in tx.query_in(sql, &values![kind.as_str(), now, own(holder, takes_back)], &list(accounts))? {
        let account_id = AccountId(row.int()?);
        let epoch = row.int()? + 1;
        let was_left = row.int()? > 0;
        leases.push(Lease { account_id, kind, epoch, was_left, crashes: row.int()? });
    }
    leases.sort_by_key(|lease| lease.account_id);
    leases.dedup();
    let until = now + lease_ms;
    let rows: Vec<_> = leases
        .iter()
        .map(|lease| values![lease.epoch, holder, until, kind.as_str(), lease.account_id.0])
        .collect();
    let sql = "UPDATE work SET epoch = $1, holder = $2, until = $3 WHERE kind = $4 AND account_id = $5";
    tx.execute_rows(sql, &rows)?;
    Ok(leases)
}

/// Locks the row of a lease for the rest of the transaction and checks that it is still ours.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn hold(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    let sql = "SELECT epoch FROM work WHERE kind = $1 AND account_id = $2 FOR UPDATE";
    let row = tx.find(sql, &values![lease.kind.as_str(), lease.account_id.0])?;
    let epoch = row.map(|mut row| row.int()).transpose()?;
    if epoch == Some(lease.epoch) { Ok(()) } else { Err(StoreError::Fenced { account_id: lease.account_id }) }
}

/// Checks that a lease is still ours, without keeping others from claiming it.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn check(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    let sql = "SELECT epoch FROM work WHERE kind = $1 AND account_id = $2";
    let row = tx.find(sql, &values![lease.kind.as_str(), lease.account_id.0])?;
    let epoch = row.map(|mut row| row.int()).transpose()?;
    if epoch == Some(lease.epoch) { Ok(()) } else { Err(StoreError::Fenced { account_id: lease.account_id }) }
}

/// What became of leases that were to be extended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Accounts whose lease lasts longer now.
    pub extended: Vec<AccountId>,
    /// Accounts that another node took over.
    pub lost: Vec<AccountId>,
}

/// Extends leases of one kind. Those whose row is locked are left out, to be tried again soon: waiting for one would hold up all
/// others.
///
/// # Errors
/// As the database says.
pub fn renew(tx: &mut Tx<'_>, kind: Kind, leases: &[Lease], lease_ms: i64) -> Result<Renewed> {
    let until = tx.database_now()? + lease_ms;
    let epochs = locked(tx, kind, leases)?;
    let mut renewed = Renewed::default();
    for lease in leases {
        match epochs.get(&lease.account_id) {
            Some(epoch) if *epoch == lease.epoch => renewed.extended.push(lease.account_id),
            Some(_) => renewed.lost.push(lease.account_id),
            None => {}
        }
    }
    let rows: Vec<_> =
        renewed.extended.iter().map(|account| values![until, kind.as_str(), account.0]).collect();
    tx.write_rows("UPDATE work SET until = $1 WHERE kind = $2 AND account_id = $3", &rows)?;
    Ok(renewed)
}

/// The epochs of those rows of leases that nobody else has locked, locked now.
fn locked(tx: &mut Tx<'_>, kind: Kind, leases: &[Lease]) -> Result<BTreeMap<AccountId, i64>> {
    let accounts: Vec<AccountId> = leases.iter().map(|lease| lease.account_id).collect();
    let sql =
        "SELECT account_id, epoch FROM work WHERE kind = $1 AND account_id IN ($2..) FOR UPDATE SKIP LOCKED";
    let rows = tx.query_in(sql, &values![kind.as_str()], &list(&accounts))?;
    rows.into_iter().map(|mut row| Ok((AccountId(row.int()?), row.int()?))).collect()
}

/// What a look at the rows gave of accounts that seemed done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutDown {
    /// Accounts that are due already: their leases stay.
    pub due: Vec<AccountId>,
    /// Accounts whose leases were released.
    pub released: Vec<AccountId>,
    /// Accounts that another node took over.
    pub lost: Vec<AccountId>,
}

/// Reads from the rows when accounts are due next, records that, and releases the leases of those that are not due now. Rows
/// that are locked are left out.
///
/// # Errors
/// As the database says.
pub fn put_down(tx: &mut Tx<'_>, kind: Kind, leases: &[Lease]) -> Result<PutDown> {
    let epochs = locked(tx, kind, leases)?;
    let now = tx.database_now()?;
    let (ours, others): (Vec<&Lease>, Vec<&Lease>) = leases
        .iter()
        .filter(|lease| epochs.contains_key(&lease.account_id))
        .partition(|lease| epochs.get(&lease.account_id) == Some(&lease.epoch));
    let ours: Vec<AccountId> = ours.iter().map(|lease| lease.account_id).collect();
    let next = next_due(tx, kind, &ours)?;
    let is_due = |account: &AccountId| next.get(account).is_some_and(|at| *at <= now);
    let (due, released): (Vec<AccountId>, Vec<AccountId>) =
        ours.into_iter().partition(|account| is_due(account));
    let rows: Vec<_> =
        due.iter().map(|account| values![next.get(account).copied(), kind.as_str(), account.0]).collect();
    tx.write_rows("UPDATE work SET due_at = $1 WHERE kind = $2 AND account_id = $3", &rows)?;
    let rows: Vec<_> = released
        .iter()
        .map(|account| values![next.get(account).copied(), 0, kind.as_str(), account.0])
        .collect();
    tx.write_rows("UPDATE work SET due_at = $1, until = $2 WHERE kind = $3 AND account_id = $4", &rows)?;
    Ok(PutDown { due, released, lost: others.iter().map(|lease| lease.account_id).collect() })
}

/// Reads from the rows when one account is due next and records it; the lease stays. Returns the time.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn put_down_held(tx: &mut Tx<'_>, lease: &Lease) -> Result<Option<Millis>> {
    hold(tx, lease)?;
    let next = next_due(tx, lease.kind, &[lease.account_id])?.get(&lease.account_id).copied();
    let sql = "UPDATE work SET due_at = $1 WHERE kind = $2 AND account_id = $3";
    tx.write(sql, &values![next, lease.kind.as_str(), lease.account_id.0])?;
    Ok(next)
}

/// Releases leases, so another node need not wait; those lost meanwhile are left alone. What is due stays due.
///
/// # Errors
/// As the database says.
pub fn release(tx: &mut Tx<'_>, leases: &[Lease]) -> Result<()> {
    let rows: Vec<_> =
        leases.iter().map(|lease| values![lease.kind.as_str(), lease.account_id.0, lease.epoch]).collect();
    tx.execute_rows("UPDATE work SET until = 0 WHERE kind = $1 AND account_id = $2 AND epoch = $3", &rows)?;
    Ok(())
}

/// Moves the time of accounts forward to what their rows say, where it says later or nothing: the safety net for what no
/// transaction announced, such as one of an older version. Returns the accounts it helped.
///
/// # Errors
/// As the database says.
pub fn mend(tx: &mut Tx<'_>, kind: Kind, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    let missed: Vec<Unannounced> = unannounced(tx, kind, accounts)?;
    for missed in &missed {
        announce(tx, kind, &[missed.account_id], missed.due_at)?;
    }
    Ok(missed.into_iter().map(|missed| missed.account_id).collect())
}

/// Something to do that the row of its account does not tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unannounced {
    /// The account.
    pub account_id: AccountId,
    /// When it is due by its own rows.
    pub due_at: Millis,
}

/// Which of the accounts are due earlier than their rows in `work` say.
///
/// # Errors
/// As the database says.
pub fn unannounced(tx: &mut Tx<'_>, kind: Kind, accounts: &[AccountId]) -> Result<Vec<Unannounced>> {
    let next = next_due(tx, kind, accounts)?;
    let sql = "SELECT account_id, due_at FROM work WHERE kind = $1 AND account_id IN ($2..)";
    let mut told = BTreeMap::new();
    for mut row in tx.query_in(sql, &values![kind.as_str()], &list(accounts))? {
        told.insert(AccountId(row.int()?), row.maybe_time()?);
    }
    let is_missed =
        |account: &AccountId, at: Millis| told.get(account).copied().flatten().is_none_or(|told| told > at);
    let missed = next.into_iter().filter(|(account, at)| is_missed(account, *at));
    Ok(missed.map(|(account_id, due_at)| Unannounced { account_id, due_at }).collect())
}

fn list(accounts: &[AccountId]) -> Vec<Value<'static>> {
    accounts.iter().map(|account| Value::Int(account.0)).collect()
}

/// The accounts that have work of a kind, now or later, by id.
///
/// # Errors
/// As the database says.
pub fn accounts(tx: &mut Tx<'_>, kind: Kind) -> Result<Vec<AccountId>> {
    let sql = "SELECT account_id FROM work WHERE kind = $1 AND due_at IS NOT NULL ORDER BY account_id";
    let rows = tx.query(sql, &values![kind.as_str()])?;
    rows.into_iter().map(|mut row| row.int().map(AccountId)).collect()
}

/// What is known of programs that stopped with an account's mail in hand (`crate::crash`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Crashes {
    /// One after the other.
    pub(crate) count: i64,
    /// The oldest undecided mail at the last one.
    pub(crate) oldest_mail: Option<MailId>,
    /// The mail that is processed alone.
    pub(crate) tried_mail: Option<MailId>,
}

/// What is known of crashes; none when the account has no such work.
pub(crate) fn crashes(tx: &mut Tx<'_>, lease: &Lease) -> Result<Option<Crashes>> {
    let sql = "SELECT crashes, oldest_mail, tried_mail FROM work WHERE account_id = $1 AND kind = $2";
    let row = tx.find(sql, &values![lease.account_id.0, lease.kind.as_str()])?;
    row.map(|mut row| {
        Ok(Crashes {
            count: row.int()?,
            oldest_mail: row.maybe_int()?.map(MailId),
            tried_mail: row.maybe_int()?.map(MailId),
        })
    })
    .transpose()
}

/// Notes what is known of crashes.
pub(crate) fn set_crashes(tx: &mut Tx<'_>, lease: &Lease, known: Crashes) -> Result<()> {
    let Crashes { count, oldest_mail, tried_mail } = known;
    let sql =
        "UPDATE work SET crashes = $1, oldest_mail = $2, tried_mail = $3 WHERE account_id = $4 AND kind = $5";
    tx.execute(sql, &values![count, oldest_mail, tried_mail, lease.account_id.0, lease.kind.as_str()])?;
    Ok(())
}
