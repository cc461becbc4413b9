//! Which accounts this node works: claimed under a lease, renewed while they are at work, given back at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use store::work::{self, Announced, Kind, Lease};

use crate::Engine;

/// The leases of this node.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<i64, Held>,
    /// The last epoch of each account that this program was given.
    given: BTreeMap<i64, i64>,
}

/// A lease with the time on this node's own clock from which on it must be renewed.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    renew_from: Instant,
}

impl Leases {
    pub(super) fn find(&self, account_id: i64) -> Option<&Lease> {
        self.held.get(&account_id).map(|held| &held.lease)
    }

    /// A batch was closed: whatever stopped the program before did not now.
    pub(super) fn forget_crashes(&mut self, account_id: i64) {
        self.held.entry(account_id).and_modify(|held| held.lease.crashes = 0);
    }

    /// The account must be claimed anew before it is worked again.
    pub(super) fn lose(&mut self, account_id: i64) {
        self.held.remove(&account_id);
    }

    pub(super) fn lose_all(&mut self) {
        self.held.clear();
    }
}

impl Engine {
    /// Claims what is not held, or was held so long without work that it must be claimed anew.
    pub(super) async fn claim(&self, announced: &[Announced], leases: &mut Leases) -> store::Result<()> {
        let now = Instant::now();
        let stale = |id: &i64| leases.held.get(id).is_none_or(|held| now >= held.renew_from);
        let wanted: Vec<i64> = announced.iter().map(|account| account.account_id).filter(stale).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        for id in &wanted {
            leases.lose(*id);
        }
        let (holder, lease_ms) = (self.inner.options.holder.clone(), self.inner.options.lease_ms);
        let given: BTreeMap<i64, i64> =
            wanted.iter().filter_map(|id| Some((*id, *leases.given.get(id)?))).collect();
        let claimed = self.store().write(move |tx| {
            let claimed = work::claim(tx, Kind::Mail, &wanted, &holder, lease_ms)?;
            store::crash::count(tx, claimed, &given)
        });
        for lease in claimed.await? {
            leases.given.insert(lease.account_id, lease.epoch);
            leases.held.insert(lease.account_id, Held { lease, renew_from: now + self.half_lease() });
        }
        Ok(())
    }

    /// Extends the leases of accounts at work, however long a mail of theirs takes to read.
    pub(super) async fn renew(&self, at_work: &BTreeSet<i64>, leases: &mut Leases) -> store::Result<()> {
        let now = Instant::now();
        let lease_ms = self.inner.options.lease_ms;
        let held = at_work.iter().filter_map(|id| leases.held.get(id));
        let stale: Vec<Lease> =
            held.filter(|held| now >= held.renew_from).map(|held| held.lease.clone()).collect();
        if stale.is_empty() {
            return Ok(());
        }
        let renewed =
            self.store().write(move |tx| work::renew_free(tx, Kind::Mail, &stale, lease_ms)).await?;
        for account_id in renewed.extended {
            leases.held.entry(account_id).and_modify(|held| held.renew_from = now + self.half_lease());
        }
        for account_id in renewed.lost {
            // Its batch will be refused and say so.
            leases.lose(account_id);
        }
        Ok(())
    }

    /// Gives all leases back.
    pub(super) async fn release(&self, leases: Leases) -> store::Result<()> {
        let held: Vec<Lease> = leases.held.into_values().map(|held| held.lease).collect();
        self.store().write(move |tx| work::release(tx, &held)).await
    }

    fn half_lease(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.inner.options.lease_ms / 2).unwrap_or_default())
    }
}
