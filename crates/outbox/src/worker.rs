//! Works the outbox: claims what is due, makes the bytes once, delivers, records each attempt.
//!
//! One node at a time works an account's outgoing mail, under a lease. A row is marked as being sent before its first byte
//! leaves, and every result is written at once: what a crash can double is what was on the wire (docs/behaviour/outgoing-mail.md §5).

mod deliver;
mod lease;
mod make;
mod take;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::clock::Clock;
use desk::id::{AccountId, OutboxId};
use desk::signed::SigningKeys;
use store::Store;
use store::work::{self, Announced, Kind, Lease};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::retry::Policy;
use crate::transport::Transport;

/// How long the worker sleeps when nothing rings.
const POLL: Duration = Duration::from_millis(200);
/// Wait after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Rows of one account in hand at most; with it the mails a crash may send twice are bounded.
const IN_HAND_MAX: usize = 100;
/// Accounts worked side by side at most.
const ACCOUNTS_AT_ONCE: usize = 64;
/// Announcements read at once.
const ANNOUNCEMENTS: i64 = 4_096;
/// How often mail that waits for a relay is looked for: a process without one writes it and announces nothing.
const LOOK_FOR_WAITING: Duration = Duration::from_secs(60);

/// How the outbox works.
#[derive(Debug, Clone)]
pub struct OutboxOptions {
    /// Who holds leases: the same after a restart of the same node, different for every other node.
    pub holder: String,
    /// How long a lease lasts without being renewed, milliseconds.
    pub lease_ms: i64,
    /// When to try again, and when to give up.
    pub policy: Policy,
}

/// The worker of a desk's outbox; cheap to clone.
#[derive(Debug, Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    keys: SigningKeys,
    clock: Arc<dyn Clock>,
    transport: Transport,
    options: OutboxOptions,
    accounts: Mutex<BTreeMap<i64, InHand>>,
    down: Mutex<BTreeMap<String, (Instant, String)>>,
    places: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    moving: Mutex<BTreeMap<String, Instant>>,
}

/// An account this node works.
#[derive(Debug, Clone)]
struct InHand {
    lease: Lease,
    renew_from: Instant,
    /// From here on another node may have taken over: nothing is begun.
    ends: Instant,
    /// Rows with their destinations.
    rows: BTreeMap<OutboxId, String>,
}

/// What is done beside the mail itself, and when again.
#[derive(Debug, Default)]
struct Chores {
    resumed: bool,
    again_from: Option<Instant>,
}

impl Worker {
    /// A worker on an open store; `transport` knows the relay.
    #[must_use]
    pub fn new(
        store: Store,
        keys: SigningKeys,
        clock: Arc<dyn Clock>,
        transport: Transport,
        options: OutboxOptions,
    ) -> Worker {
        let inner = Inner {
            store,
            keys,
            clock,
            transport,
            options,
            accounts: Mutex::default(),
            down: Mutex::default(),
            places: Mutex::default(),
            moving: Mutex::default(),
        };
        Worker { inner: Arc::new(inner) }
    }

    /// Works the outbox until told to stop; then finishes what is on the wire and gives its leases back.
    pub async fn run(&self, stop: CancellationToken) {
        let bell = self.inner.store.bell(Kind::Outbox);
        let mut chores = Chores::default();
        let mut deliveries = JoinSet::new();
        while !stop.is_cancelled() {
            while deliveries.try_join_next().is_some() {}
            self.do_chores(&mut chores).await;
            match self.pass(&mut deliveries).await {
                Ok(true) => {}
                Ok(false) => tokio::select! {
                    () = bell.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => {}
                },
                Err(error) => {
                    tracing::warn!(%error, "Outgoing mail waits: the database cannot be worked now");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        self.finish(&mut deliveries).await;
        let leases: Vec<Lease> = self.accounts().values().map(|account| account.lease.clone()).collect();
        if let Err(error) = self.inner.store.write(move |tx| work::release(tx, &leases)).await {
            tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
        }
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, InHand>> {
        self.inner.accounts.lock().expect("plain map")
    }

    /// Waits for what is on the wire. Its leases are kept for as long as that takes: nobody else is to begin it again.
    async fn finish(&self, deliveries: &mut JoinSet<()>) {
        let mut ticks = tokio::time::interval((self.half_lease() / 2).max(Duration::from_millis(1)));
        loop {
            tokio::select! {
                ended = deliveries.join_next() => if ended.is_none() { break },
                _ = ticks.tick() => if let Err(error) = self.renew().await {
                    tracing::warn!(%error, "Leases of mail on the wire cannot be renewed now");
                },
            }
        }
    }

    /// Takes up what was left, until that succeeds once; looks for mail that waits for a relay once a minute.
    async fn do_chores(&self, chores: &mut Chores) {
        if chores.again_from.is_some_and(|from| Instant::now() < from) {
            return;
        }
        let done = async {
            if !chores.resumed {
                self.resume().await?;
                chores.resumed = true;
            }
            self.announce_waiting().await
        };
        let wait = match done.await {
            Ok(()) => LOOK_FOR_WAITING,
            Err(error) => {
                tracing::warn!(%error, "What was in hand before the restart, or waits for a relay, cannot be taken up now");
                PAUSE
            }
        };
        chores.again_from = Some(Instant::now() + wait);
    }

    /// What this node had in hand when it died is due now. Accounts worked since then keep what they have in hand.
    async fn resume(&self) -> store::Result<()> {
        let (now, holder) = (self.inner.clock.now(), self.inner.options.holder.clone());
        let worked: BTreeSet<i64> = self.accounts().keys().copied().collect();
        let marker = self.inner.store.ids(1).await?.next()?;
        self.inner
            .store
            .write(move |tx| {
                let mut due = Vec::new();
                for account_id in work::held_by(tx, Kind::Outbox, &holder)? {
                    if !worked.contains(&account_id) {
                        store::outbox::resume(&mut tx.account(AccountId(account_id)), now)?;
                        due.push((account_id, 0));
                    }
                }
                work::add(tx, Kind::Outbox, &due, marker)
            })
            .await
    }

    /// Announces accounts with mail that waits for a relay, if this node has a way out.
    async fn announce_waiting(&self) -> store::Result<()> {
        if !self.inner.transport.can_deliver() {
            return Ok(());
        }
        let waiting = self.inner.store.read(|tx| {
            let all: Vec<i64> = store::account::list(tx)?.into_iter().map(|account| account.id.0).collect();
            work::waiting_for_relay(tx, &all)
        });
        let due: Vec<(i64, i64)> = waiting.await?.into_iter().map(|account_id| (account_id, 0)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let marker = self.inner.store.ids(1).await?.next()?;
        self.inner.store.write(move |tx| work::add(tx, Kind::Outbox, &due, marker)).await
    }

    /// One look at what is due; false when there was nothing to begin.
    async fn pass(&self, deliveries: &mut JoinSet<()>) -> store::Result<bool> {
        let now = self.inner.clock.now();
        self.renew().await?;
        let announced =
            self.inner.store.read(move |tx| work::due(tx, Kind::Outbox, now, ANNOUNCEMENTS)).await?;
        let seen: usize = announced.iter().map(|account| account.rows.len()).sum();
        let (free, busy): (Vec<Announced>, Vec<Announced>) = announced.into_iter().partition(|account| {
            let accounts = self.accounts();
            accounts.get(&account.account_id).is_none_or(|held| held.rows.len() < IN_HAND_MAX)
        });
        // Announcements of an account that can take no more must not hide those behind them.
        let mut more =
            i64::try_from(seen).is_ok_and(|seen| seen >= ANNOUNCEMENTS) && self.thin_out(busy).await?;
        if let Some(wait) = self.relay_is_down_for() {
            let later = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or_default() + 1);
            return self.postpone(free, later).await.map(|()| more);
        }
        let free: Vec<Announced> = free.into_iter().take(ACCOUNTS_AT_ONCE).collect();
        if free.is_empty() {
            return Ok(more);
        }
        self.claim(&free).await?;
        for account in free {
            let Some(lease) = self.accounts().get(&account.account_id).map(|held| held.lease.clone()) else {
                continue;
            };
            let taken = match self.take(&lease, account).await {
                Ok(taken) => taken,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, account.id = lease.account_id, "Outgoing mail of an account cannot be taken up");
                    continue;
                }
            };
            more |= taken.more || !taken.deliveries.is_empty();
            for delivery in taken.deliveries {
                let (worker, lease) = (self.clone(), lease.clone());
                deliveries.spawn(async move { worker.deliver(&lease, delivery).await });
            }
        }
        Ok(more)
    }

    /// How long the only destination there is will be left alone: nothing needs to be claimed before. Of several destinations
    /// only the rows themselves tell which they are for.
    fn relay_is_down_for(&self) -> Option<Duration> {
        let transport = &self.inner.transport;
        transport.has_one_destination().then(|| self.down_for(&transport.destination("")))?
    }

    /// Announces accounts for later, once each.
    async fn postpone(&self, seen: Vec<Announced>, later: i64) -> store::Result<()> {
        if seen.is_empty() {
            return Ok(());
        }
        let marker = self.inner.store.ids(1).await?.next()?;
        let again: Vec<(i64, i64)> = seen.iter().map(|account| (account.account_id, later)).collect();
        let written = self.inner.store.write(move |tx| {
            seen.iter().try_for_each(|account| work::remove(tx, Kind::Outbox, account))?;
            work::add(tx, Kind::Outbox, &again, marker)
        });
        written.await
    }

    /// Removes all announcements but one of accounts with as much in hand as may be; false when there was none to remove.
    async fn thin_out(&self, busy: Vec<Announced>) -> store::Result<bool> {
        let surplus: Vec<Announced> =
            busy.iter().map(all_but_one).filter(|account| !account.rows.is_empty()).collect();
        if surplus.is_empty() {
            return Ok(false);
        }
        let removed = self
            .inner
            .store
            .write(move |tx| surplus.iter().try_for_each(|account| work::remove(tx, Kind::Outbox, account)));
        removed.await.map(|()| true)
    }
}

/// The announcements of an account without the last one: as long as one is left, the account is looked at again.
fn all_but_one(seen: &Announced) -> Announced {
    let rows = seen.rows.split_last().map(|(_, rows)| rows.to_vec()).unwrap_or_default();
    Announced { account_id: seen.account_id, rows }
}
