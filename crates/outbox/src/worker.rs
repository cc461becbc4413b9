//! Processes the outbox: claims what is due, renders each mail once, delivers, records each attempt.
//!
//! One node at a time processes an account's outgoing mail, under a lease. A row is marked as being sent before its
//! first byte leaves, and every result is written at once: a crash can duplicate only what was on the wire
//! (docs/behaviour/outgoing-mail.md §5).

mod deliver;
mod down;
mod hand;
mod make;
mod take;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::id::AccountId;
use desk::signed::SigningKeys;
use store::lane::Lane;
use store::work::Kind;
use store::{Store, StoreError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::retry::Policy;
use crate::transport::Transport;
use down::Down;
use hand::Hand;

/// How long the worker sleeps when nothing rings.
const POLL: Duration = Duration::from_millis(200);
/// Wait after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Maximum number of rows of one account in hand; this bounds the mails a crash may send twice.
const IN_HAND_MAX: usize = 100;
/// Options of the outbox.
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
    transport: Transport,
    options: OutboxOptions,
    hand: Mutex<Hand>,
    down: Mutex<Down>,
    places: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    moving: Mutex<BTreeMap<String, Instant>>,
}

impl Worker {
    /// A worker on an open store; `transport` knows the relay. Times are the database's.
    #[must_use]
    pub fn new(store: Store, keys: SigningKeys, transport: Transport, options: OutboxOptions) -> Worker {
        let inner = Inner {
            store,
            keys,
            transport,
            options,
            hand: Mutex::default(),
            down: Mutex::default(),
            places: Mutex::default(),
            moving: Mutex::default(),
        };
        Worker { inner: Arc::new(inner) }
    }

    /// Processes the outbox until told to stop; then finishes what is on the wire and releases its leases.
    pub async fn run(&self, stop: CancellationToken) {
        let options = &self.inner.options;
        let bell = self.inner.store.bell(Kind::Outbox);
        let mut lane = Lane::new(self.inner.store.clone(), Kind::Outbox, &options.holder, options.lease_ms);
        let mut deliveries = JoinSet::new();
        while !stop.is_cancelled() {
            while deliveries.try_join_next().is_some() {}
            self.hand().hear(&bell.take());
            match self.pass(&mut lane, &mut deliveries, &stop).await {
                Ok(true) => {}
                Ok(false) => tokio::select! {
                    () = bell.heard() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => {}
                },
                Err(error) => {
                    tracing::warn!(%error, "Outgoing mail waits: the database cannot be used now");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        self.finish(&mut lane, &mut deliveries).await;
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Hand> {
        self.inner.hand.lock().expect("plain map")
    }

    /// Waits for what is on the wire. Its leases are kept for as long as that takes: no other node may start it again.
    async fn finish(&self, lane: &mut Lane, deliveries: &mut JoinSet<()>) {
        loop {
            tokio::select! {
                ended = deliveries.join_next() => if ended.is_none() { break },
                () = tokio::time::sleep(POLL) => if let Err(error) = self.renew(lane).await {
                    tracing::warn!(%error, "Leases of mail on the wire cannot be renewed now");
                },
            }
        }
        let all = lane.accounts();
        if let Err(error) = lane.put_down(&all).await {
            tracing::warn!(%error, "What is due cannot be put down now: it is looked for again");
        }
        if let Err(error) = lane.release().await {
            tracing::warn!(%error, "Leases could not be released: they run out by themselves");
        }
    }

    /// Extends the leases in hand and notes how long they last now.
    async fn renew(&self, lane: &mut Lane) -> store::Result<()> {
        let lost = lane.renew().await?;
        let mut hand = self.hand();
        lost.iter().for_each(|account| hand.lose(*account));
        hand.extend(lane);
        Ok(())
    }

    /// Checks once what is due; false when there was nothing to start.
    async fn pass(
        &self,
        lane: &mut Lane,
        deliveries: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> store::Result<bool> {
        self.renew(lane).await?;
        self.give_back_idle(lane).await?;
        // Of several destinations only the rows themselves tell which they are for.
        if self.relay_is_down() {
            return Ok(false);
        }
        let room = self.hand().room(lane.len(), self.inner.transport.has_one_destination(), Instant::now());
        for lease in lane.claim(room).await? {
            self.hand().begin(lane, lease);
        }
        let mut has_begun = false;
        let due = self.hand().due(Instant::now());
        for lease in due {
            let account = lease.account_id;
            match self.take(&lease).await {
                Ok(taken) => {
                    lane.succeeded(account);
                    has_begun |= taken.has_more || !taken.deliveries.is_empty();
                    for delivery in taken.deliveries {
                        let worker = self.clone();
                        let lease = lease.clone();
                        let stop = stop.clone();
                        deliveries.spawn(async move { worker.deliver(&lease, delivery, &stop).await });
                    }
                }
                Err(StoreError::Fenced { .. }) => {
                    self.hand().lose(account);
                    lane.lose(account);
                }
                Err(error) => self.failed(lane, account, &error).await,
            }
        }
        Ok(has_begun)
    }

    /// An account whose mail cannot be taken up waits, and others may try. What it has on the wire keeps its lease.
    async fn failed(&self, lane: &mut Lane, account: AccountId, error: &StoreError) {
        tracing::error!(%error, account.id = account.0, "Outgoing mail of an account waits: it cannot be taken up here now");
        let is_idle = self.hand().put_off(account, Instant::now() + PAUSE);
        if is_idle {
            self.hand().lose(account);
            lane.failed(account).await;
        }
    }

    /// Releases accounts that had nothing to do for a while.
    async fn give_back_idle(&self, lane: &mut Lane) -> store::Result<()> {
        let idle = self.hand().idle(Instant::now());
        if idle.is_empty() {
            return Ok(());
        }
        let due = lane.put_down(&idle).await?;
        let mut hand = self.hand();
        for account in idle {
            if due.contains(&account) {
                hand.hear(&BTreeSet::from([account]));
            } else {
                hand.lose(account);
            }
        }
        Ok(())
    }

    /// Whether the only destination there is will be left alone for now: nothing needs to be claimed before that.
    fn relay_is_down(&self) -> bool {
        let transport = &self.inner.transport;
        transport.has_one_destination() && self.known_down(&transport.destination("")).is_some()
    }
}
