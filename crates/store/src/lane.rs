//! The accounts that one node processes for one kind of work: found, claimed, renewed, released. The same for mail to decide, mail
//! to send and every job that has its time.
//!
//! Nodes share without knowing of each other: each claims no more than it has room for, in a circle of all accounts that are due,
//! and releases what has nothing left to do. An account on which this node fails is released at once and left alone for a while,
//! the longer the more often: the fault may be this node's alone, and others may try.

mod back_off;
mod circle;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::id::AccountId;

use crate::error::Result;
use crate::work::{self, Kind, Lease};
use crate::{Store, crash};
use back_off::BackOff;
use circle::{Circle, Wanted};

/// How long an account that another node claimed first, or may claim now, is left alone.
const TAKEN_FOR: Duration = Duration::from_millis(500);

/// A node's accounts for one kind of work.
#[derive(Debug)]
pub struct Lane {
    store: Store,
    kind: Kind,
    holder: String,
    lease_ms: i64,
    held: BTreeMap<AccountId, Held>,
    /// The last epoch of each account that this program was given: what it lost without stopping tells of no crash.
    given: BTreeMap<AccountId, i64>,
    back_off: BackOff,
    /// Where in the circle of due accounts the next look begins.
    after: work::Due,
}

/// A lease with the times on this node's own clock between which it is to be renewed.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    renew_from: Instant,
    ends: Instant,
}

impl Lane {
    /// A lane without accounts. `holder` is the node's name, the same after a restart of the same node.
    #[must_use]
    pub fn new(store: Store, kind: Kind, holder: &str, lease_ms: i64) -> Lane {
        Lane {
            store,
            kind,
            holder: holder.to_owned(),
            lease_ms,
            held: BTreeMap::new(),
            given: BTreeMap::new(),
            back_off: BackOff::default(),
            after: work::Due::FIRST,
        }
    }

    /// Finds accounts that are due and free and claims them, at most `room`; the longest waiting of the circle first.
    ///
    /// # Errors
    /// As the database says; what was claimed before stays claimed.
    pub async fn claim(&mut self, room: usize) -> Result<Vec<Lease>> {
        let found = self.find(room).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let kind = self.kind;
        let holder = self.holder.clone();
        let lease_ms = self.lease_ms;
        let takes_back = self.takes_back();
        let given: BTreeMap<AccountId, i64> =
            found.iter().filter_map(|id| Some((*id, *self.given.get(id)?))).collect();
        let wanted = found.clone();
        let asked_at = Instant::now();
        let claimed = self.store.write(move |tx| {
            let claimed = work::claim(tx, kind, &wanted, &holder, takes_back, lease_ms)?;
            if kind == Kind::Mail { crash::count(tx, claimed, &given) } else { Ok(claimed) }
        });
        let claimed = claimed.await?;
        let ours: BTreeSet<AccountId> = claimed.iter().map(|lease| lease.account_id).collect();
        found
            .iter()
            .filter(|id| !ours.contains(id))
            .for_each(|id| self.back_off.leave(*id, asked_at, TAKEN_FOR));
        for lease in &claimed {
            self.given.insert(lease.account_id, lease.epoch);
            self.held.insert(lease.account_id, self.held_from(lease.clone(), asked_at));
        }
        Ok(claimed)
    }

    /// The next accounts that are due, free, and not left alone.
    async fn find(&mut self, room: usize) -> Result<Vec<AccountId>> {
        let now = Instant::now();
        self.back_off.forget_until(now);
        let mut circle = Circle::new(self.after, room);
        while let Some(Wanted { after, limit }) = circle.wanted() {
            let kind = self.kind;
            let holder = self.holder.clone();
            let takes_back = self.takes_back();
            let page =
                self.store.read_now(move |tx| work::due(tx, kind, after, &holder, takes_back, limit)).await?;
            let is_free = |account: AccountId| {
                !self.held.contains_key(&account) && !self.back_off.is_left(account, now)
            };
            circle.take(&page, page.len() < limit, is_free);
        }
        let (found, after) = circle.end();
        self.after = after;
        Ok(found)
    }

    /// An older process of this node's name may still be sending where nobody but the database keeps it from that: then its
    /// leases are waited for. What decides is fenced by the epoch, so it begins at once.
    fn takes_back(&self) -> bool {
        self.kind != Kind::Outbox || self.store.is_embedded()
    }

    fn held_from(&self, lease: Lease, since: Instant) -> Held {
        let whole = Duration::from_millis(u64::try_from(self.lease_ms).unwrap_or_default());
        Held { lease, renew_from: since + whole / 2, ends: since + whole }
    }

    /// The lease of an account.
    #[must_use]
    pub fn lease(&self, account: AccountId) -> Option<&Lease> {
        self.held.get(&account).map(|held| &held.lease)
    }

    /// Until when no other node can have taken an account over, on this node's own clock; none when it is not held under this epoch.
    #[must_use]
    pub fn ends(&self, account: AccountId, epoch: i64) -> Option<Instant> {
        self.held.get(&account).filter(|held| held.lease.epoch == epoch).map(|held| held.ends)
    }

    /// How many accounts are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no account is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The accounts that are held.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        self.held.keys().copied().collect()
    }

    /// Extends the leases that are half over; returns the accounts that another node took over.
    ///
    /// # Errors
    /// As the database says; try again soon.
    pub async fn renew(&mut self) -> Result<Vec<AccountId>> {
        let now = Instant::now();
        let stale: Vec<Lease> =
            self.held.values().filter(|held| now >= held.renew_from).map(|held| held.lease.clone()).collect();
        if stale.is_empty() {
            return Ok(Vec::new());
        }
        let kind = self.kind;
        let lease_ms = self.lease_ms;
        let renewed = self.store.write(move |tx| work::renew(tx, kind, &stale, lease_ms)).await?;
        for account in renewed.extended {
            if let Some(held) = self.held.remove(&account) {
                let held = self.held_from(held.lease, now);
                self.held.insert(account, held);
            }
        }
        renewed.lost.iter().for_each(|account| self.lose(*account));
        Ok(renewed.lost)
    }

    /// Puts down when accounts that seem done are due next, and gives them back; returns those that are still held, to be looked at
    /// again: they are due already, or somebody who announces work for them has their row locked.
    ///
    /// # Errors
    /// As the database says; all are still held then.
    pub async fn put_down(&mut self, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
        let leases: Vec<Lease> = accounts.iter().filter_map(|id| self.lease(*id).cloned()).collect();
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let kind = self.kind;
        let put_down = self.store.write(move |tx| work::put_down(tx, kind, &leases)).await?;
        put_down.released.iter().chain(&put_down.lost).for_each(|account| self.lose(*account));
        Ok(accounts.iter().copied().filter(|account| self.held.contains_key(account)).collect())
    }

    /// Forgets the crashes of an account and its failures: its work came to an end.
    pub fn succeeded(&mut self, account: AccountId) {
        self.back_off.succeeded(account);
        if let Some(held) = self.held.get_mut(&account) {
            held.lease.crashes = 0;
        }
    }

    /// Releases an account on which this node failed and leaves it alone for a while, which it returns: half a second the first
    /// time, minutes in the end. Others may try at once.
    pub async fn failed(&mut self, account: AccountId) -> Duration {
        let wait = self.back_off.failed(account, Instant::now());
        if let Some(held) = self.held.remove(&account) {
            let lease = held.lease;
            // What cannot be released now expires by itself.
            let _ = self.store.write(move |tx| work::release(tx, std::slice::from_ref(&lease))).await;
        }
        wait
    }

    /// Gives accounts back that have more to do: they take their place in the circle again.
    ///
    /// # Errors
    /// As the database says; the leases run out by themselves then.
    pub async fn give_back(&mut self, accounts: &[AccountId]) -> Result<()> {
        let leases: Vec<Lease> =
            accounts.iter().filter_map(|account| self.held.remove(account)).map(|held| held.lease).collect();
        if leases.is_empty() {
            return Ok(());
        }
        self.store.write(move |tx| work::release(tx, &leases)).await
    }

    /// Gives accounts back, and for a moment leaves them to other nodes, which may have nothing to do.
    ///
    /// # Errors
    /// As [`Lane::give_back`].
    pub async fn hand_over(&mut self, accounts: &[AccountId]) -> Result<()> {
        let now = Instant::now();
        accounts.iter().for_each(|account| self.back_off.leave(*account, now, TAKEN_FOR));
        self.give_back(accounts).await
    }

    /// Forgets an account that another node took over.
    pub fn lose(&mut self, account: AccountId) {
        self.held.remove(&account);
    }

    /// Releases everything.
    ///
    /// # Errors
    /// As the database says; the leases expire by themselves then.
    pub async fn release(&mut self) -> Result<()> {
        let leases: Vec<Lease> =
            std::mem::take(&mut self.held).into_values().map(|held| held.lease).collect();
        self.store.write(move |tx| work::release(tx, &leases)).await
    }
}
