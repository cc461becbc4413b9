//! Works the outbox: claims what is due, makes the bytes once, delivers, records each attempt.
//!
//! One node at a time works an account's outgoing mail, under a lease. A row is marked as being sent before its first byte
//! leaves, and every result is written at once: what a crash can double is what was on the wire (docs/behaviour/outgoing-mail.md §5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::clock::Clock;
use desk::notice::{Rendering, render};
use desk::signed::{Purpose, SigningKeys};
use store::outbox::{Attempted, Due};
use store::work::{self, Announced, Kind, Lease};
use store::{Store, StoreError, Tx};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::answer::{Attempt, AttemptResult, Scope};
use crate::retry::{Class, Deferred, Next, Policy};
use crate::transport::{Envelope, Transport};

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
/// How long other mails to a destination that is down are not even tried.
const HOST_DOWN: Duration = Duration::from_secs(10);

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
}

/// An account this node works.
#[derive(Debug, Clone)]
struct InHand {
    lease: Lease,
    renew_from: Instant,
    rows: BTreeSet<i64>,
}

/// A recipient with the bytes it gets.
#[derive(Debug, Clone)]
struct Delivery {
    due: Due,
    envelope_from: String,
    bytes: Arc<Vec<u8>>,
}

impl Worker {
    /// A worker on an open store; `transport` knows the relay.
    #[must_use]
    pub fn new(store: Store, keys: SigningKeys, clock: Arc<dyn Clock>, transport: Transport, options: OutboxOptions) -> Worker {
        let inner = Inner {
            store,
            keys,
            clock,
            transport,
            options,
            accounts: Mutex::default(),
            down: Mutex::default(),
            places: Mutex::default(),
        };
        Worker { inner: Arc::new(inner) }
    }

    /// Works the outbox until told to stop; then finishes what is on the wire and gives its leases back.
    pub async fn run(&self, stop: CancellationToken) {
        let bell = self.inner.store.bell(Kind::Outbox);
        if let Err(error) = self.resume().await {
            tracing::warn!(%error, "What was in hand before the restart waits for its lease to run out");
        }
        let mut deliveries = JoinSet::new();
        while !stop.is_cancelled() {
            while deliveries.try_join_next().is_some() {}
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
        while deliveries.join_next().await.is_some() {}
        let leases: Vec<Lease> = self.accounts().values().map(|account| account.lease.clone()).collect();
        if let Err(error) = self.inner.store.write(move |tx| work::release(tx, &leases)).await {
            tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
        }
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, InHand>> {
        self.inner.accounts.lock().expect("plain map")
    }

    /// At the start: what this node had in hand when it died, and what waited for a relay, is due now.
    async fn resume(&self) -> store::Result<()> {
        let (now, holder) = (self.inner.clock.now(), self.inner.options.holder.clone());
        let marker = self.inner.store.ids(1).await?.next()?;
        self.inner
            .store
            .write(move |tx| {
                let all: Vec<i64> = store::account::list(tx)?.into_iter().map(|(id, ..)| id).collect();
                let mut accounts: BTreeSet<i64> = work::waiting_for_relay(tx, &all)?.into_iter().collect();
                for account_id in work::held_by(tx, Kind::Outbox, &holder)? {
                    store::outbox::resume(tx, account_id, now)?;
                    accounts.insert(account_id);
                }
                let due: Vec<(i64, i64)> = accounts.into_iter().map(|account_id| (account_id, 0)).collect();
                work::add(tx, Kind::Outbox, &due, marker)
            })
            .await
    }

    /// One look at what is due; false when there was nothing to begin.
    async fn pass(&self, deliveries: &mut JoinSet<()>) -> store::Result<bool> {
        let now = self.inner.clock.now();
        self.renew().await?;
        let announced = self.inner.store.read(move |tx| work::due(tx, Kind::Outbox, now, ANNOUNCEMENTS)).await?;
        let room = |account: &Announced| {
            let accounts = self.accounts();
            accounts.get(&account.account_id).is_none_or(|held| held.rows.len() < IN_HAND_MAX)
        };
        let announced: Vec<Announced> = announced.into_iter().filter(room).take(ACCOUNTS_AT_ONCE).collect();
        if announced.is_empty() {
            return Ok(false);
        }
        self.claim(&announced).await?;
        let mut begun = false;
        for account in announced {
            let Some(lease) = self.accounts().get(&account.account_id).map(|held| held.lease.clone()) else { continue };
            for delivery in self.take(&lease, account).await? {
                begun = true;
                let (worker, lease) = (self.clone(), lease.clone());
                deliveries.spawn(async move { worker.deliver(&lease, delivery).await });
            }
        }
        Ok(begun)
    }

    async fn claim(&self, announced: &[Announced]) -> store::Result<()> {
        let wanted: Vec<i64> =
            announced.iter().map(|account| account.account_id).filter(|id| !self.accounts().contains_key(id)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (holder, lease_ms) = (self.inner.options.holder.clone(), self.inner.options.lease_ms);
        let began = Instant::now();
        let leases = self.inner.store.write(move |tx| work::claim(tx, Kind::Outbox, &wanted, &holder, lease_ms)).await?;
        let mut accounts = self.accounts();
        for lease in leases {
            let renew_from = began + self.half_lease();
            accounts.insert(lease.account_id, InHand { lease, renew_from, rows: BTreeSet::new() });
        }
        Ok(())
    }

    fn half_lease(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.inner.options.lease_ms / 2).unwrap_or_default())
    }

    /// Extends the leases of accounts with mail on the wire; gives those of idle accounts back.
    async fn renew(&self) -> store::Result<()> {
        let now = Instant::now();
        let stale: Vec<InHand> = self.accounts().values().filter(|held| now >= held.renew_from).cloned().collect();
        for held in stale {
            let (lease, lease_ms, idle) = (held.lease.clone(), self.inner.options.lease_ms, held.rows.is_empty());
            let written = self.inner.store.write(move |tx| {
                if idle { work::release(tx, std::slice::from_ref(&lease)) } else { work::renew(tx, &lease, lease_ms) }
            });
            match written.await {
                Ok(()) if !idle => {
                    if let Some(account) = self.accounts().get_mut(&held.lease.account_id) {
                        account.renew_from = now + self.half_lease();
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

    /// Claims rows of an account and makes the bytes of mails that have none yet, in one transaction.
    async fn take(&self, lease: &Lease, seen: Announced) -> store::Result<Vec<Delivery>> {
        let in_hand: Vec<i64> =
            self.accounts().get(&lease.account_id).map(|held| held.rows.iter().copied().collect()).unwrap_or_default();
        let limit = IN_HAND_MAX.saturating_sub(in_hand.len());
        let (now, again_at) = (self.inner.clock.now(), self.inner.clock.now() + self.inner.options.lease_ms);
        let marker = self.inner.store.ids(1).await?.next()?;
        let (inner, held) = (Arc::clone(&self.inner), lease.clone());
        let taken = self.inner.store.write(move |tx| {
            work::hold(tx, &held)?;
            let due = store::outbox::claim(tx, held.account_id, now, again_at, &in_hand, limit)?;
            if due.len() < limit {
                work::remove(tx, Kind::Outbox, &seen)?;
            }
            if !due.is_empty() || !in_hand.is_empty() {
                // Should this node die: whoever takes over finds what was in hand by this.
                work::add(tx, Kind::Outbox, &[(held.account_id, again_at)], marker)?;
            }
            deliveries(tx, &inner.keys, held.account_id, due)
        });
        match taken.await {
            Ok(taken) => {
                if let Some(held) = self.accounts().get_mut(&lease.account_id) {
                    held.rows.extend(taken.iter().map(|delivery| delivery.due.id));
                }
                Ok(taken)
            }
            Err(StoreError::Fenced { .. }) => {
                self.accounts().remove(&lease.account_id);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Makes one attempt and records it.
    async fn deliver(&self, lease: &Lease, delivery: Delivery) {
        let destination = self.inner.transport.destination(&delivery.due.recipient);
        // Held until the result is written: what a crash can double is one mail a connection, not all that was claimed.
        let _place = self.place(&destination).await;
        let down = self.known_down(&destination);
        let tried = down.is_none();
        let attempt = match down {
            Some(answer) => Err(answer),
            None => {
                let envelope =
                    Envelope { mail_from: Some(delivery.envelope_from.clone()), rcpt_to: delivery.due.recipient.clone() };
                Ok(self.inner.transport.send(envelope, &delivery.bytes).await)
            }
        };
        let now = self.inner.clock.now();
        let done = match &attempt {
            Ok(attempt) => {
                self.note_host(&destination, attempt);
                metrics::counter!("guichet_mails_delivered_total", "result" => attempt.result.as_str()).increment(1);
                self.judge(&delivery.due, attempt, now)
            }
            Err(answer) => Attempted {
                id: delivery.due.id,
                state: "deferred",
                due_at: now + i64::try_from(HOST_DOWN.as_millis()).unwrap_or_default(),
                answer: answer.clone(),
                tried,
            },
        };
        tracing::info!(
            account.id = lease.account_id,
            outbox.id = done.id,
            mail.id = delivery.due.mail_id,
            state = done.state,
            "Tried to deliver outgoing mail {}",
            delivery.due.mail_id
        );
        self.record(lease, done).await;
    }

    async fn place(&self, destination: &str) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut places = self.inner.places.lock().expect("plain map");
            // Destinations nobody waits for are forgotten.
            places.retain(|name, places| name == destination || Arc::strong_count(places) > 1);
            let fresh = || Arc::new(Semaphore::new(self.inner.transport.connections()));
            Arc::clone(places.entry(destination.to_owned()).or_insert_with(fresh))
        };
        // Never closed; none would only mean going without.
        places.acquire_owned().await.ok()
    }

    fn known_down(&self, destination: &str) -> Option<String> {
        let mut down = self.inner.down.lock().expect("plain map");
        let (until, answer) = down.get(destination)?;
        if Instant::now() < *until {
            return Some(answer.clone());
        }
        down.remove(destination);
        None
    }

    fn note_host(&self, destination: &str, attempt: &Attempt) {
        if attempt.result == AttemptResult::Deferred && attempt.scope == Scope::Host {
            let mut down = self.inner.down.lock().expect("plain map");
            down.insert(destination.to_owned(), (Instant::now() + HOST_DOWN, attempt.answer.clone()));
        }
    }

    fn judge(&self, due: &Due, attempt: &Attempt, now: i64) -> Attempted {
        let done = |state, due_at, answer: &str| Attempted { id: due.id, state, due_at, answer: answer.to_owned(), tried: true };
        match attempt.result {
            AttemptResult::Sent => done("sent", now, &attempt.answer),
            AttemptResult::Bounced => done("bounced", now, &attempt.answer),
            AttemptResult::Deferred => {
                let deferred = Deferred {
                    class: attempt.class.unwrap_or(Class::Connection),
                    attempts: u32::try_from(due.attempts + 1).unwrap_or(u32::MAX),
                    row_id: due.id,
                    queued_at_ms: due.created_at,
                    last_answer: &attempt.answer,
                };
                match self.inner.options.policy.next(&deferred, now) {
                    Next::Retry { due_ms } => done("deferred", due_ms, &attempt.answer),
                    Next::Expired { reason } => done("expired", now, &reason),
                }
            }
        }
    }

    /// Writes a result. Until it is written the row stays in hand, so that it is not begun again here.
    async fn record(&self, lease: &Lease, done: Attempted) {
        let id = done.id;
        loop {
            let (lease_now, done_now, now) = (lease.clone(), done.clone(), self.inner.clock.now());
            let marker = match self.inner.store.ids(1).await {
                Ok(mut ids) => ids.next().unwrap_or_default(),
                Err(_) => 0,
            };
            let written = self.inner.store.write(move |tx| {
                work::hold(tx, &lease_now)?;
                store::outbox::record(tx, lease_now.account_id, std::slice::from_ref(&done_now), now)?;
                if done_now.state == "deferred" {
                    work::add(tx, Kind::Outbox, &[(lease_now.account_id, done_now.due_at)], marker)?;
                }
                Ok(())
            });
            match written.await {
                Ok(()) => break,
                Err(StoreError::Fenced { account_id }) => {
                    tracing::warn!(
                        account.id = account_id,
                        outbox.id = id,
                        "Another node took this account over: it may send this mail once more"
                    );
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, outbox.id = id, "The result of a delivery cannot be written now: trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        if let Some(held) = self.accounts().get_mut(&lease.account_id) {
            held.rows.remove(&id);
        }
        self.inner.store.wake(Kind::Outbox);
    }
}

/// The claimed rows with their bytes; bytes are made here once and kept, so that every attempt sends the same.
fn deliveries(tx: &mut Tx<'_>, keys: &SigningKeys, account_id: i64, due: Vec<Due>) -> store::Result<Vec<Delivery>> {
    let ids: BTreeSet<i64> = due.iter().map(|row| row.mail_id).collect();
    let mut ready: BTreeMap<i64, (String, Arc<Vec<u8>>)> = BTreeMap::new();
    let mut fresh: Vec<(i64, Vec<u8>)> = Vec::new();
    for mail in store::outbox::mails(tx, account_id, &ids.into_iter().collect::<Vec<_>>())? {
        let host = mail.content.host.clone();
        let bytes = match mail.raw.clone() {
            Some(raw) => raw,
            None => {
                let made = make_bytes(tx, keys, account_id, &mail)?;
                fresh.push((mail.id, made.clone()));
                made
            }
        };
        ready.insert(mail.id, (host, Arc::new(bytes)));
    }
    store::outbox::keep_bytes(tx, account_id, &fresh)?;
    let found = due.into_iter().filter_map(|due| {
        let (host, bytes) = ready.get(&due.mail_id)?;
        let envelope_from = format!("bounce+{}@{host}", keys.sign(Purpose::Bounce, account_id, due.id));
        Some(Delivery { envelope_from, bytes: Arc::clone(bytes), due })
    });
    Ok(found.collect())
}

fn make_bytes(tx: &mut Tx<'_>, keys: &SigningKeys, account_id: i64, mail: &store::outbox::Mail) -> store::Result<Vec<u8>> {
    let comment = match (mail.ticket_id, mail.comment_id) {
        (Some(ticket), Some(comment)) => store::ticket::comment_body(tx, account_id, ticket, comment)?.unwrap_or_default(),
        _ => String::new(),
    };
    let references = match mail.ticket_id {
        Some(ticket) => store::outbox::conversation(tx, account_id, ticket, mail.created_at)?,
        None => Vec::new(),
    };
    let mark = keys.sign(Purpose::Mail, account_id, mail.id);
    Ok(render(&Rendering {
        content: &mail.content,
        message_id: &mail.message_id,
        number: mail.ticket_number.unwrap_or_default(),
        comment: &comment,
        references: &references,
        mark: &mark,
        id: mail.id,
        date: mail.created_at,
    }))
}
