//! Closes tickets that were solved long ago (docs/behaviour/tickets.md §3): a wait that is a row with a due time. The same
//! task looks for the other waits of days: suspended tickets to delete and to tell of.

use std::collections::BTreeSet;
use std::time::Duration;

use desk::changes::Changes;
use desk::id::{AccountId, TicketId};
use desk::id_source::IdSource as _;
use desk::ticket::SOLVED_FOR;
use desk::writer::Writer;
use store::Tx;
use store::changes::Writing;
use store::work::{self, Announced, Kind, Lease};
use tokio_util::sync::CancellationToken;

use crate::id_source::BatchIds;
use crate::{Engine, accounts};

/// How often due closings are looked for: a day's precision is asked for.
const EVERY: Duration = Duration::from_secs(60);
/// Tickets closed in one transaction.
const AT_ONCE: usize = 500;
/// Announcements read at once.
const ANNOUNCEMENTS: i64 = 1_000;

impl Engine {
    /// Closes and deletes what is due until told to stop.
    pub async fn run_closer(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.close_due().await {
                tracing::warn!(%error, "Closing solved tickets waits: the database cannot be worked now");
            }
            if let Err(error) = self.purge_due().await {
                tracing::warn!(%error, "Deleting old suspended tickets waits: the database cannot be worked now");
            }
            if let Err(error) = self.tell_of_suspended().await {
                tracing::warn!(%error, "The digest of suspended tickets waits: the database cannot be worked now");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Closes every ticket that was solved [`SOLVED_FOR`] ago; returns how many.
    ///
    /// # Errors
    /// As the store says; what was closed stays closed.
    pub async fn close_due(&self) -> store::Result<u64> {
        let now = self.now();
        let announced = self.store().read(move |tx| work::due(tx, Kind::Close, now, ANNOUNCEMENTS)).await?;
        let mut closed = 0;
        for account in announced {
            let accounts = [account.account_id];
            let (holder, lease_ms) = (self.inner.options.holder.clone(), self.inner.options.lease_ms);
            let leases = self
                .store()
                .write(move |tx| work::claim(tx, Kind::Close, &accounts, &holder, lease_ms))
                .await?;
            for lease in leases {
                closed += self.close_account(lease, account.clone()).await?;
            }
        }
        Ok(closed)
    }

    async fn close_account(&self, lease: Lease, seen: Announced) -> store::Result<u64> {
        let now = self.now();
        let reserved = self.store().ids(AT_ONCE + 1).await?;
        let engine = self.clone();
        self.store()
            .write(move |tx| {
                work::hold(tx, &lease)?;
                work::lock_account(tx, lease.account_id)?;
                let mut ids = BatchIds::new(reserved.again());
                let marker = ids.id();
                let closed = engine.close_tickets(tx, AccountId(lease.account_id), &mut ids, marker, now)?;
                work::remove(tx, Kind::Close, &seen)?;
                if let Some(oldest) =
                    store::ticket::oldest_solved(&mut tx.account(AccountId(lease.account_id)))?
                {
                    work::add(tx, Kind::Close, &[(lease.account_id, oldest + SOLVED_FOR)], marker)?;
                }
                work::release(tx, std::slice::from_ref(&lease))?;
                Ok(closed)
            })
            .await
    }

    /// Closes up to [`AT_ONCE`] tickets of an account whose time has come, under the account's lock.
    fn close_tickets(
        &self,
        tx: &mut Tx<'_>,
        account_id: AccountId,
        ids: &mut BatchIds,
        marker: i64,
        now: i64,
    ) -> store::Result<u64> {
        let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let due: BTreeSet<TicketId> =
            store::ticket::solved_before(&mut tx.account(account_id), now - SOLVED_FOR, limit)?
                .into_iter()
                .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let versioned = accounts::load(tx, account_id)?;
        let mut facts = store::facts::of_tickets(&mut tx.account(account_id), &due)?;
        let mut changes = Changes::default();
        let mut writer = Writer {
            account: versioned.account(),
            facts: &mut facts,
            supply: ids,
            changes: &mut changes,
            now,
        };
        let closed = due.iter().filter(|id| writer.close(**id)).count();
        let can_deliver = self.inner.options.can_deliver;
        store::changes::write(
            &mut tx.account(account_id),
            Writing { now, marker, can_deliver, digest_every: None },
            &changes,
        )?;
        Ok(closed as u64)
    }
}
