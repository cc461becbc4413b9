//! Which accounts this node works: claimed under a lease, renewed while mail is on the wire, forgotten once lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use desk::id::OutboxId;
use store::StoreError;
use store::work::{self, Announced, Kind, Lease};

use super::{InHand, Worker};

impl Worker {
    /// Claims those of the announced accounts that are not worked here yet.
    pub(super) async fn claim(&self, announced: &[Announced]) -> store::Result<()> {
        let wanted: Vec<i64> = announced
            .iter()
            .map(|account| account.account_id)
            .filter(|id| !self.accounts().contains_key(id))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (holder, lease_ms) = (self.inner.options.holder.clone(), self.inner.options.lease_ms);
        let began = Instant::now();
        let leases = self
            .inner
            .store
            .write(move |tx| work::claim(tx, Kind::Outbox, &wanted, &holder, lease_ms))
            .await?;
        let mut accounts = self.accounts();
        for lease in leases {
            let (renew_from, ends) = (began + self.half_lease(), began + self.lease());
            accounts.insert(lease.account_id, InHand { lease, renew_from, ends, rows: BTreeMap::new() });
        }
        Ok(())
    }

    /// Extends the leases of accounts with mail on the wire; gives those of idle accounts back.
    pub(super) async fn renew(&self) -> store::Result<()> {
        let now = Instant::now();
        let stale: Vec<InHand> =
            self.accounts().values().filter(|held| now >= held.renew_from).cloned().collect();
        for held in stale {
            let (lease, lease_ms, idle) =
                (held.lease.clone(), self.inner.options.lease_ms, held.rows.is_empty());
            let written = self.inner.store.write(move |tx| {
                if idle {
                    work::release(tx, std::slice::from_ref(&lease))
                } else {
                    work::renew(tx, &lease, lease_ms)
                }
            });
            match written.await {
                Ok(()) if !idle => {
                    if let Some(account) = Self::under(&mut self.accounts(), &held.lease) {
                        account.renew_from = now + self.half_lease();
                        account.ends = now + self.lease();
                    }
                }
                Ok(()) | Err(StoreError::Fenced { .. }) => {
                    self.accounts().remove(&held.lease.account_id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether no other node can have taken the account over since its mail was taken in hand: a node that was frozen, or
    /// whose database did not answer, must not send what another one sends.
    pub(super) fn may_begin(&self, lease: &Lease) -> bool {
        Self::under(&mut self.accounts(), lease).is_some_and(|held| Instant::now() < held.ends)
    }

    /// Forgets an account that another node took over; what was taken in hand under a newer lease stays.
    pub(super) fn lose(&self, lease: &Lease) {
        let mut accounts = self.accounts();
        if Self::under(&mut accounts, lease).is_some() {
            accounts.remove(&lease.account_id);
        }
    }

    /// A row is no longer in hand under this lease: there is room for another one.
    pub(super) fn let_go(&self, lease: &Lease, id: OutboxId) {
        if let Some(held) = Self::under(&mut self.accounts(), lease) {
            held.rows.remove(&id);
        }
        self.inner.store.wake_here(Kind::Outbox);
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.inner.options.lease_ms).unwrap_or_default())
    }

    pub(super) fn half_lease(&self) -> Duration {
        self.lease() / 2
    }

    /// What is in hand under this very lease, if it was not lost since.
    pub(super) fn under<'a>(
        accounts: &'a mut BTreeMap<i64, InHand>,
        lease: &Lease,
    ) -> Option<&'a mut InHand> {
        accounts.get_mut(&lease.account_id).filter(|held| held.lease.epoch == lease.epoch)
    }
}
