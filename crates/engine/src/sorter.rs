//! Works the spool: finds accounts with mail, holds their leases, decides batch after batch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use store::StoreError;
use store::work::{self, Announced, Kind, Lease};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::Decided;

/// How long the sorter sleeps when nothing rings: other nodes' mail is found by this.
const POLL: Duration = Duration::from_millis(200);
/// How long an account that another node works is not asked for again.
const REFUSED_FOR: Duration = Duration::from_millis(500);
/// Wait after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Accounts worked side by side at most.
const ACCOUNTS_AT_ONCE: usize = 64;
/// Batches of one account before the others get their turn.
const BATCHES_IN_TURN: usize = 8;
/// Announcements read at once.
const ANNOUNCEMENTS: i64 = 4_096;

/// A lease with the time on this node's own clock from which on it must be renewed.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    renew_from: Instant,
}

impl Engine {
    /// Works the spool until it is told to stop; finishes the batches in hand and gives its leases back.
    pub async fn run_sorter(&self, stop: CancellationToken) {
        let bell = self.store().bell(Kind::Mail);
        let mut held: BTreeMap<i64, Held> = BTreeMap::new();
        let mut refused: BTreeMap<i64, Instant> = BTreeMap::new();
        while !stop.is_cancelled() {
            let worked = match self.pass(&mut held, &mut refused).await {
                Ok(worked) => worked,
                Err(error) => {
                    tracing::warn!(%error, "Mail waits: the database cannot be worked now");
                    held.clear();
                    sleep(PAUSE, &stop).await;
                    continue;
                }
            };
            if !worked {
                tokio::select! {
                    () = bell.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => break,
                }
            }
            // A few more mails cost the transaction almost nothing.
            sleep(Duration::from_millis(self.inner.options.batch_wait_ms), &stop).await;
        }
        let leases: Vec<Lease> = held.into_values().map(|held| held.lease).collect();
        if let Err(error) = self.store().write(move |tx| work::release(tx, &leases)).await {
            tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
        }
    }

    /// One look at what is announced; false when nothing was.
    async fn pass(&self, held: &mut BTreeMap<i64, Held>, refused: &mut BTreeMap<i64, Instant>) -> store::Result<bool> {
        let announced = self.store().read(|tx| work::due(tx, Kind::Mail, 0, ANNOUNCEMENTS)).await?;
        let now = Instant::now();
        refused.retain(|_, until| now < *until);
        let free = announced.into_iter().filter(|account| !refused.contains_key(&account.account_id));
        let announced: Vec<Announced> = free.take(ACCOUNTS_AT_ONCE).collect();
        if announced.is_empty() {
            return Ok(false);
        }
        self.hold_leases(&announced, held).await?;
        let mut accounts = JoinSet::new();
        for account in announced {
            let Some(held) = held.get(&account.account_id) else {
                refused.insert(account.account_id, now + REFUSED_FOR);
                continue;
            };
            let (engine, lease) = (self.clone(), held.lease.clone());
            accounts.spawn(async move {
                let account_id = account.account_id;
                (account_id, engine.work_account(&lease, account).await)
            });
        }
        let mut worked = false;
        let mut failed = None;
        while let Some(joined) = accounts.join_next().await {
            match joined {
                Ok((_, Ok(()))) => worked = true,
                Ok((account_id, Err(StoreError::Fenced { .. } | StoreError::Changed(_)))) => {
                    tracing::warn!(account.id = account_id, "Another node took this account over");
                    held.remove(&account_id);
                }
                Ok((account_id, Err(error))) => {
                    held.remove(&account_id);
                    failed = Some(error);
                }
                Err(panic) => failed = Some(StoreError::Panicked(panic.to_string())),
            }
        }
        failed.map_or(Ok(worked), Err)
    }

    /// Claims what is not held, and renews what is past half its time.
    async fn hold_leases(&self, announced: &[Announced], held: &mut BTreeMap<i64, Held>) -> store::Result<()> {
        let now = Instant::now();
        let wanted: Vec<i64> = announced
            .iter()
            .map(|account| account.account_id)
            .filter(|id| held.get(id).is_none_or(|held| now >= held.renew_from))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let lease_ms = self.inner.options.lease_ms;
        let holder = self.inner.options.holder.clone();
        for id in &wanted {
            held.remove(id);
        }
        let claimed = self.store().write(move |tx| work::claim(tx, Kind::Mail, &wanted, &holder, lease_ms)).await?;
        let half = Duration::from_millis(u64::try_from(lease_ms / 2).unwrap_or_default());
        for lease in claimed {
            held.insert(lease.account_id, Held { lease, renew_from: now + half });
        }
        Ok(())
    }

    async fn work_account(&self, lease: &Lease, announced: Announced) -> store::Result<()> {
        for _ in 0..BATCHES_IN_TURN {
            let (items, is_full) = self.next_batch(lease.account_id).await?;
            // Whatever was announced is in this batch, unless it is full: then more may wait.
            let seen = (!is_full).then(|| announced.clone());
            let decided = self.settle(lease, items, seen).await?;
            self.report(lease.account_id, &decided);
            if !is_full {
                return Ok(());
            }
        }
        Ok(())
    }

    fn report(&self, account_id: i64, decided: &[Decided]) {
        let now = self.now();
        for mail in decided {
            metrics::counter!("guichet_mails_decided_total", "outcome" => mail.outcome.as_str()).increment(1);
            let waited_ms = u32::try_from((now - mail.accepted_at).max(0)).unwrap_or(u32::MAX);
            metrics::histogram!("guichet_mail_decide_seconds").record(f64::from(waited_ms) / 1_000.0);
            tracing::debug!(
                account.id = account_id,
                mail.id = mail.id,
                outcome = mail.outcome.as_str(),
                "Decided mail {}",
                mail.id
            );
        }
        if decided.iter().any(|mail| mail.has_outgoing) {
            self.store().wake(Kind::Outbox);
        }
    }
}

async fn sleep(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
