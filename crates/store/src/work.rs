//! Which accounts have something to do, and which node does it: work rows and leases.
//!
//! A work row is committed together with the work it announces. Whoever holds the account's lease reads the work rows first,
//! then the work, and removes only the rows it read: what came in between leaves a row that stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::{Row, Store, Tx, Value, values};

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Mail to decide.
    Mail,
    /// Mail to send.
    Outbox,
    /// Solved tickets to close.
    Close,
    /// Suspended tickets to delete for good.
    Purge,
    /// Suspended tickets to tell somebody of.
    Digest,
}

const KINDS: [Kind; 5] = [Kind::Mail, Kind::Outbox, Kind::Close, Kind::Purge, Kind::Digest];

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Mail => "mail",
            Kind::Outbox => "outbox",
            Kind::Close => "close",
            Kind::Purge => "purge",
            Kind::Digest => "digest",
        }
    }
}

/// The bells of this process; polling is the safety net.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    mail: Arc<Notify>,
    outbox: Arc<Notify>,
    close: Arc<Notify>,
}

impl Wakes {
    fn bell(&self, kind: Kind) -> &Arc<Notify> {
        match kind {
            Kind::Mail => &self.mail,
            Kind::Outbox => &self.outbox,
            // Days of waiting: all that has a due time far away is looked for by one task.
            Kind::Close | Kind::Purge | Kind::Digest => &self.close,
        }
    }

    /// Rings what another node told of; a kind of a newer version has no bell here.
    pub(crate) fn ring(&self, kind: &str) {
        if let Some(kind) = KINDS.into_iter().find(|known| known.as_str() == kind) {
            self.bell(kind).notify_one();
        }
    }

    pub(crate) fn ring_all(&self) {
        [&self.mail, &self.outbox, &self.close].into_iter().for_each(|bell| bell.notify_one());
    }
}

impl Store {
    /// Rings for a kind of work on this node alone: what others have to do has not changed. Returns at once.
    pub fn wake_here(&self, kind: Kind) {
        self.inner.wakes.bell(kind).notify_one();
    }

    /// Rings for a kind of work, here and on the other nodes. Returns at once.
    pub fn wake(&self, kind: Kind) {
        self.wake_here(kind);
        self.tell_others(kind.as_str());
    }

    /// The bell of a kind of work. Whoever asks for one hears the other nodes, too.
    #[must_use]
    pub fn bell(&self, kind: Kind) -> Arc<Notify> {
        self.hear_others();
        Arc::clone(self.inner.wakes.bell(kind))
    }
}

/// Announces work for accounts, each from a time on (0: at once). `marker` is an id of its own for this announcement.
///
/// # Errors
/// As the database says.
pub fn add(tx: &mut Tx<'_>, kind: Kind, due: &[(i64, i64)], marker: i64) -> Result<()> {
    let rows: Vec<_> =
        due.iter().map(|(account_id, due_at)| values![kind.as_str(), *due_at, *account_id, marker]).collect();
    tx.insert_rows("INSERT INTO work (kind, due_at, account_id, id) VALUES ($1, $2, $3, $4)", &rows)
}

/// Announces work that many transactions ask for at the same time, once.
///
/// # Errors
/// As the database says.
pub fn add_once(tx: &mut Tx<'_>, kind: Kind, account_id: i64, due_at: i64) -> Result<()> {
    let sql = "INSERT INTO work (kind, due_at, account_id, id) VALUES ($1, $2, $3, $4)
               ON CONFLICT (kind, due_at, account_id, id) DO NOTHING";
    tx.write(sql, &values![kind.as_str(), due_at, account_id, 0])
}

/// An account that has work, with the announcements seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The account.
    pub account_id: i64,
    /// `(due_at, id)` of each announcement seen.
    pub rows: Vec<(i64, i64)>,
}

/// Accounts behind one of the given id whose mail waits, by their ids, from at most `limit` announcements; and whether those
/// were all. The last account may have more announcements than are told.
///
/// # Errors
/// As the database says.
pub fn mail_after(tx: &mut Tx<'_>, account_id: i64, limit: usize) -> Result<(Vec<Announced>, bool)> {
    let sql = "SELECT due_at, account_id, id FROM work WHERE kind = $1 AND due_at = $2 AND account_id > $3
               ORDER BY account_id, id LIMIT $4";
    let rows = tx
        .query(sql, &values![Kind::Mail.as_str(), 0, account_id, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let is_all = rows.len() < limit;
    Ok((by_account(rows)?, is_all))
}

/// Accounts with work due at `now`, the longest waiting first, from at most `limit` announcements.
///
/// # Errors
/// As the database says.
pub fn due(tx: &mut Tx<'_>, kind: Kind, now: i64, limit: i64) -> Result<Vec<Announced>> {
    let sql = "SELECT due_at, account_id, id FROM work WHERE kind = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
    by_account(tx.query(sql, &values![kind.as_str(), now, limit])?)
}

fn by_account(rows: Vec<Row>) -> Result<Vec<Announced>> {
    let mut found: Vec<Announced> = Vec::new();
    let mut places = BTreeMap::new();
    for mut row in rows {
        let (due_at, account_id, id) = (row.int()?, row.int()?, row.int()?);
        let place = *places.entry(account_id).or_insert_with(|| {
            found.push(Announced { account_id, rows: Vec::new() });
            found.len() - 1
        });
        if let Some(account) = found.get_mut(place) {
            account.rows.push((due_at, id));
        }
    }
    Ok(found)
}

/// Removes announcements whose work was seen done.
///
/// # Errors
/// As the database says.
pub fn remove(tx: &mut Tx<'_>, kind: Kind, announced: &Announced) -> Result<()> {
    let rows: Vec<_> = announced
        .rows
        .iter()
        .map(|(due_at, id)| values![kind.as_str(), *due_at, announced.account_id, *id])
        .collect();
    tx.write_rows("DELETE FROM work WHERE kind = $1 AND due_at = $2 AND account_id = $3 AND id = $4", &rows)
}

/// The right to work an account until a time by the database's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The account.
    pub account_id: i64,
    /// What for.
    pub kind: Kind,
    /// Counts up with every change of hands; a write under an older epoch is refused.
    pub epoch: i64,
    /// Whether the one before did not give it back: it stopped in the middle, froze, or is this program itself.
    pub was_left: bool,
    /// Programs that stopped with the account in hand, one after the other (see [`crate::crash`]).
    pub crashes: i64,
}

/// Claims those of the accounts that nobody holds, or whose holder let its lease run out.
///
/// # Errors
/// As the database says.
pub fn claim(
    tx: &mut Tx<'_>,
    kind: Kind,
    accounts: &[i64],
    holder: &str,
    lease_ms: i64,
) -> Result<Vec<Lease>> {
    let now = tx.database_now()?;
    let list: Vec<Value<'_>> = accounts.iter().map(|id| Value::Int(*id)).collect();
    let sql = "SELECT account_id, epoch, until, crashes FROM leases WHERE kind = $1 AND (until <= $2 OR holder = $3) AND account_id IN ($4..)
               FOR UPDATE SKIP LOCKED";
    let mut leases = Vec::new();
    for mut row in tx.query_in(sql, &values![kind.as_str(), now, holder], &list)? {
        let (account_id, epoch, until, crashes) = (row.int()?, row.int()?, row.int()?, row.int()?);
        leases.push(Lease { account_id, kind, epoch: epoch + 1, was_left: until > 0, crashes });
    }
    leases.sort_by_key(|lease| lease.account_id);
    leases.dedup();
    let rows: Vec<_> = leases
        .iter()
        .map(|lease| values![lease.epoch, holder, now + lease_ms, lease.account_id, kind.as_str()])
        .collect();
    tx.execute_rows(
        "UPDATE leases SET epoch = $1, holder = $2, until = $3 WHERE account_id = $4 AND kind = $5",
        &rows,
    )?;
    Ok(leases)
}

/// Locks the lease row for the rest of the transaction and checks that it is still ours.
///
/// This is also the lock that puts everything that writes one account's tickets into a row.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn hold(tx: &mut Tx<'_>, lease: &Lease) -> Result<()> {
    let asked = ask_hold(tx, lease)?;
    held(tx, lease, asked)
}

/// Locks the lease row as [`hold`] does; [`held`] checks the answer, before anything of the transaction may stand.
///
/// # Errors
/// As the database says.
pub fn ask_hold(tx: &mut Tx<'_>, lease: &Lease) -> Result<Asked> {
    let sql = "SELECT epoch FROM leases WHERE account_id = $1 AND kind = $2 FOR UPDATE";
    tx.ask(sql, &values![lease.account_id, lease.kind.as_str()])
}

/// Checks that a lease was still ours when its row was locked.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn held(tx: &mut Tx<'_>, lease: &Lease, asked: Asked) -> Result<()> {
    let epoch = tx.rows(asked)?.into_iter().next().map(|mut row| row.int()).transpose()?;
    if epoch == Some(lease.epoch) { Ok(()) } else { Err(StoreError::Fenced { account_id: lease.account_id }) }
}

/// Locks an account's tickets against other writers for the rest of the transaction, without holding its lease.
///
/// # Errors
/// As the database says.
pub fn lock_account(tx: &mut Tx<'_>, account_id: i64) -> Result<()> {
    let sql = "SELECT epoch FROM leases WHERE account_id = $1 AND kind = $2 FOR UPDATE";
    tx.query(sql, &values![account_id, Kind::Mail.as_str()])?;
    Ok(())
}

/// Extends a lease.
///
/// # Errors
/// [`StoreError::Fenced`] when another node took over.
pub fn renew(tx: &mut Tx<'_>, lease: &Lease, lease_ms: i64) -> Result<()> {
    let until = tx.database_now()? + lease_ms;
    let sql = "UPDATE leases SET until = $1 WHERE account_id = $2 AND kind = $3 AND epoch = $4";
    let changed = tx.execute(sql, &values![until, lease.account_id, lease.kind.as_str(), lease.epoch])?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Fenced { account_id: lease.account_id }) }
}

/// What became of leases that were to be extended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Accounts whose lease lasts longer now.
    pub extended: Vec<i64>,
    /// Accounts that another node took over.
    pub lost: Vec<i64>,
}

/// Extends leases of one kind. Those whose row is locked are left out: a transaction of their holder is open, which nobody can
/// take over from, and waiting for it would hold up all others.
///
/// # Errors
/// As the database says.
pub fn renew_free(tx: &mut Tx<'_>, kind: Kind, leases: &[Lease], lease_ms: i64) -> Result<Renewed> {
    let until = tx.database_now()? + lease_ms;
    let accounts: Vec<Value<'_>> = leases.iter().map(|lease| Value::Int(lease.account_id)).collect();
    let sql = "SELECT account_id, epoch FROM leases WHERE kind = $1 AND account_id IN ($2..) FOR UPDATE SKIP LOCKED";
    let rows = tx.query_in(sql, &values![kind.as_str()], &accounts)?;
    let epochs: BTreeMap<i64, i64> =
        rows.into_iter().map(|mut row| Ok((row.int()?, row.int()?))).collect::<Result<_>>()?;
    let mut renewed = Renewed::default();
    for lease in leases {
        match epochs.get(&lease.account_id) {
            Some(epoch) if *epoch == lease.epoch => renewed.extended.push(lease.account_id),
            Some(_) => renewed.lost.push(lease.account_id),
            None => {}
        }
    }
    let rows: Vec<_> = renewed.extended.iter().map(|id| values![until, *id, kind.as_str()]).collect();
    tx.write_rows("UPDATE leases SET until = $1 WHERE account_id = $2 AND kind = $3", &rows)?;
    Ok(renewed)
}

/// Gives leases back so that the next node need not wait; those lost meanwhile are left alone.
///
/// # Errors
/// As the database says.
pub fn release(tx: &mut Tx<'_>, leases: &[Lease]) -> Result<()> {
    let rows: Vec<_> =
        leases.iter().map(|lease| values![lease.account_id, lease.kind.as_str(), lease.epoch]).collect();
    tx.execute_rows("UPDATE leases SET until = 0 WHERE account_id = $1 AND kind = $2 AND epoch = $3", &rows)?;
    Ok(())
}

/// Makes the lease rows of a new account.
pub(crate) fn make_leases(tx: &mut Tx<'_>, account_id: i64) -> Result<()> {
    let kinds = [Kind::Mail, Kind::Outbox, Kind::Close];
    let rows = kinds.map(|kind| values![account_id, kind.as_str(), 0, "", 0]);
    tx.insert_rows(
        "INSERT INTO leases (account_id, kind, epoch, holder, until) VALUES ($1, $2, $3, $4, $5)",
        &rows,
    )?;
    Ok(())
}

/// Accounts whose lease of a kind was last held by `holder`: what a node that starts again had in hand.
///
/// # Errors
/// As the database says.
pub fn held_by(tx: &mut Tx<'_>, kind: Kind, holder: &str) -> Result<Vec<i64>> {
    let sql =
        "SELECT account_id FROM leases WHERE kind = $1 AND holder = $2 AND until > 0 ORDER BY account_id";
    tx.query(sql, &values![kind.as_str(), holder])?.into_iter().map(|mut row| row.int()).collect()
}

/// Accounts with mail that waits for a relay; asked when a node with a relay starts, and now and then.
///
/// # Errors
/// As the database says.
pub fn waiting_for_relay(tx: &mut Tx<'_>, accounts: &[i64]) -> Result<Vec<i64>> {
    // As the index outbox_due says it (see crate::outbox).
    let sql = "SELECT id FROM outbox
               WHERE account_id = $1 AND state IN ('waiting', 'queued', 'sending', 'deferred') AND due_at >= 0
                   AND state = 'waiting' LIMIT 1";
    let mut found = Vec::new();
    // Many are asked at once: a round trip for each would keep whoever waits for this from renewing its leases.
    for page in accounts.chunks(512) {
        let asked = page.iter().map(|id| tx.ask(sql, &values![*id])).collect::<Result<Vec<_>>>()?;
        for (account_id, asked) in page.iter().zip(asked) {
            if !tx.rows(asked)?.is_empty() {
                found.push(*account_id);
            }
        }
    }
    Ok(found)
}
