//! One attempt: waits for its place, delivers, judges the answer and writes the result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::id::AccountId;
use desk::outbox_state::OutboxState;
use store::StoreError;
use store::outbox::{Attempted, Due};
use store::work::{self, Kind, Lease};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::make::Delivery;
use super::wait::untried;
use super::{PAUSE, Worker};
use crate::attempt::{Attempt, AttemptResult, Scope};
use crate::retry::{Class, Deferred, Next};
use crate::transport::Envelope;

/// How long other mails to a destination that is down are not even tried.
const HOST_DOWN: Duration = Duration::from_secs(10);
/// How long after an attempt that came to an end a destination counts as moving.
const MOVING: Duration = Duration::from_secs(30);

impl Worker {
    /// Makes one attempt and records it.
    pub(super) async fn deliver(&self, lease: &Lease, delivery: Delivery) {
        let destination = self.inner.transport.destination(&delivery.due.recipient);
        // Held until the result is written: what a crash can double is one mail a connection, not all that was claimed.
        let _place = self.place(&destination).await;
        let down = self.known_down(&destination);
        let attempt = match down {
            Some(answer) => Err(answer),
            None => {
                let envelope = Envelope {
                    mail_from: Some(delivery.envelope_from.clone()),
                    rcpt_to: delivery.due.recipient.clone(),
                };
                match self.inner.transport.send(envelope, &delivery.bytes, &|| self.may_begin(lease)).await {
                    Some(attempt) => Ok(attempt),
                    None => return self.withdraw(lease, &delivery.due),
                }
            }
        };
        let now = self.inner.clock.now();
        let done = match &attempt {
            Ok(attempt) => {
                self.note_host(&destination, attempt);
                self.note_moving(&destination);
                metrics::counter!("guichet_mails_delivered_total", "result" => attempt.result.as_str())
                    .increment(1);
                self.judge(&delivery.due, attempt, now)
            }
            Err(answer) => untried(&delivery.due, answer, now),
        };
        tracing::info!(
            account.id = lease.account_id,
            outbox.id = done.id.0,
            mail.id = delivery.due.mail_id.0,
            state = done.state.as_str(),
            "Tried to deliver outgoing mail {}",
            delivery.due.mail_id
        );
        self.record(lease, done).await;
    }

    /// The row is due again once the lease has run out, here or elsewhere.
    fn withdraw(&self, lease: &Lease, due: &Due) {
        tracing::warn!(
            account.id = lease.account_id,
            outbox.id = due.id.0,
            "Not begun: the lease of the account ran out while this mail waited for its connection"
        );
        self.let_go(lease, due.id);
    }

    async fn place(&self, destination: &str) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut places = self.inner.places.lock().expect("plain map");
            // Destinations nobody waits for are forgotten.
            places.retain(|name, places| name == destination || Arc::strong_count(places) > 1);
            let fresh = || Arc::new(Semaphore::new(self.inner.transport.connections().max(1)));
            Arc::clone(places.entry(destination.to_owned()).or_insert_with(fresh))
        };
        // Never closed; none would only mean going without.
        places.acquire_owned().await.ok()
    }

    pub(super) fn known_down(&self, destination: &str) -> Option<String> {
        let mut down = self.inner.down.lock().expect("plain map");
        let (until, answer) = down.get(destination)?;
        if Instant::now() < *until {
            return Some(answer.clone());
        }
        down.remove(destination);
        None
    }

    /// For how long a destination that is down is still left alone.
    pub(super) fn down_for(&self, destination: &str) -> Option<Duration> {
        let down = self.inner.down.lock().expect("plain map");
        down.get(destination)
            .map(|(until, _)| until.saturating_duration_since(Instant::now()))
            .filter(|wait| !wait.is_zero())
    }

    fn note_host(&self, destination: &str, attempt: &Attempt) {
        if attempt.result == AttemptResult::Deferred && attempt.scope == Scope::Host {
            let mut down = self.inner.down.lock().expect("plain map");
            // Those that nobody asks for again are forgotten.
            down.retain(|_, (until, _)| Instant::now() < *until);
            down.insert(destination.to_owned(), (Instant::now() + HOST_DOWN, attempt.answer.clone()));
        }
    }

    fn note_moving(&self, destination: &str) {
        let now = Instant::now();
        let mut moving = self.inner.moving.lock().expect("plain map");
        moving.retain(|_, until| now < *until);
        moving.insert(destination.to_owned(), now + MOVING);
    }

    /// Whether any attempt at a destination came to an end lately.
    pub(super) fn is_moving(&self, destination: &str) -> bool {
        self.inner
            .moving
            .lock()
            .expect("plain map")
            .get(destination)
            .is_some_and(|until| Instant::now() < *until)
    }

    fn judge(&self, due: &Due, attempt: &Attempt, now: i64) -> Attempted {
        let done = |state, due_at, answer: &str| Attempted {
            id: due.id,
            state,
            due_at,
            answer: answer.to_owned(),
            tried: true,
        };
        match attempt.result {
            AttemptResult::Sent => done(OutboxState::Sent, now, &attempt.answer),
            AttemptResult::Bounced => done(OutboxState::Bounced, now, &attempt.answer),
            AttemptResult::Deferred => {
                let deferred = Deferred {
                    class: attempt.class.unwrap_or(Class::Connection),
                    attempts: u32::try_from(due.attempts + 1).unwrap_or(u32::MAX),
                    row_id: due.id.0,
                    queued_at_ms: due.created_at,
                    last_answer: &attempt.answer,
                };
                match self.inner.options.policy.next(&deferred, now) {
                    Next::Retry { due_ms } => done(OutboxState::Deferred, due_ms, &attempt.answer),
                    Next::Expired { reason } => done(OutboxState::Expired, now, &reason),
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
                store::outbox::record(
                    &mut tx.account(AccountId(lease_now.account_id)),
                    std::slice::from_ref(&done_now),
                    now,
                )?;
                if matches!(done_now.state, OutboxState::Deferred | OutboxState::Queued) {
                    work::add(tx, Kind::Outbox, &[(lease_now.account_id, done_now.due_at)], marker)?;
                }
                Ok(())
            });
            match written.await {
                Ok(()) => break,
                Err(StoreError::Fenced { account_id }) => {
                    tracing::warn!(
                        account.id = account_id,
                        outbox.id = id.0,
                        "Another node took this account over: it may send this mail once more"
                    );
                    self.lose(lease);
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, outbox.id = id.0, "The result of a delivery cannot be written now: trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        self.let_go(lease, id);
    }
}
