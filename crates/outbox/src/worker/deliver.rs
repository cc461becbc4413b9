//! One attempt: waits for its place, delivers, judges the answer and writes the result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::clock::Millis;
use desk::id::OutboxId;
use desk::outbox_state::OutboxState;
use store::outbox::{Attempted, Due};
use store::work::{self, Kind, Lease};
use store::{Owner, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::make::Delivery;
use super::wait::untried;
use super::{PAUSE, Worker};
use crate::attempt::{Attempt, AttemptResult};
use crate::retry::{Class, Deferred, Next};
use crate::transport::Envelope;

/// How long after an attempt that came to an end a destination counts as moving.
const MOVING: Duration = Duration::from_secs(30);
/// Longest wait before a result that the database refused is written again.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(60);

impl Worker {
    /// Makes one attempt and records it.
    pub(super) async fn deliver(&self, lease: &Lease, delivery: Delivery, stop: &CancellationToken) {
        let destination = self.inner.transport.destination(&delivery.due.recipient);
        // Held until the result is written: a crash can duplicate one mail per connection, not everything that was
        // claimed.
        let place = self.place(&destination).await;
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
        if let Ok(attempt) = &attempt {
            self.note_host(&destination, attempt);
            self.note_moving(&destination);
            metrics::counter!("guichet_mails_delivered_total", "result" => attempt.result.as_str())
                .increment(1);
        }
        self.record(lease, &delivery.due, attempt, place, stop).await;
    }

    /// The row is due again once the lease has run out, here or elsewhere.
    fn withdraw(&self, lease: &Lease, due: &Due) {
        tracing::warn!(
            account.id = lease.account_id.0,
            outbox.id = due.id.0,
            "Not started: the lease of the account ran out while this mail waited for its connection"
        );
        self.let_go(lease, due.id, None);
    }

    fn may_begin(&self, lease: &Lease) -> bool {
        self.hand().may_begin(lease)
    }

    /// A row is no longer in hand under this lease: there is room for another.
    fn let_go(&self, lease: &Lease, id: OutboxId, again_in: Option<Duration>) {
        self.hand().let_go(lease, id, again_in);
        self.inner.store.ring_here(Kind::Outbox, lease.account_id);
    }

    async fn place(&self, destination: &str) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut places = self.inner.places.lock().expect("plain map");
            // Destinations that nobody waits for are forgotten.
            places.retain(|name, places| name == destination || Arc::strong_count(places) > 1);
            let fresh = || Arc::new(Semaphore::new(self.inner.transport.connections().max(1)));
            Arc::clone(places.entry(destination.to_owned()).or_insert_with(fresh))
        };
        // Never closed; none would only mean going without.
        places.acquire_owned().await.ok()
    }

    pub(super) fn known_down(&self, destination: &str) -> Option<String> {
        self.inner.down.lock().expect("plain map").answer(destination, Instant::now())
    }

    fn note_host(&self, destination: &str, attempt: &Attempt) {
        let in_a_row_max = self.inner.transport.connections().max(1);
        let mut down = self.inner.down.lock().expect("plain map");
        down.note(destination, attempt, in_a_row_max, Instant::now());
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

    fn judge(&self, due: &Due, attempt: &Attempt, now: Millis) -> Attempted {
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
                    row_id: due.id,
                    queued_at: due.created_at,
                    last_answer: &attempt.answer,
                };
                match self.inner.options.policy.next(&deferred, now) {
                    Next::Retry { due_at } => done(OutboxState::Deferred, due_at, &attempt.answer),
                    Next::Expired { reason } => done(OutboxState::Expired, now, &reason),
                }
            }
        }
    }

    /// Writes a result. Until it is written the row stays in hand, so that it is not started again here. One that the
    /// database refuses is tried again for as long as the lease is held and the program runs.
    async fn record(
        &self,
        lease: &Lease,
        due: &Due,
        attempt: Result<Attempt, String>,
        place: Option<OwnedSemaphorePermit>,
        stop: &CancellationToken,
    ) {
        let attempt = Arc::new(attempt);
        let mut place = place;
        let mut answer = None;
        let mut wait = PAUSE;
        loop {
            match self.try_record(lease, due, &attempt, answer).await {
                Ok(Recorded { done, again_in }) => {
                    tracing::info!(
                        account.id = lease.account_id.0,
                        outbox.id = done.id.0,
                        mail.id = due.mail_id.0,
                        state = done.state.as_str(),
                        "Tried to deliver outgoing mail {}",
                        due.mail_id
                    );
                    return self.let_go(lease, due.id, again_in);
                }
                Err(StoreError::Fenced { account_id }) => {
                    tracing::warn!(
                        account.id = account_id.0,
                        outbox.id = due.id.0,
                        "Another node took this account over: it may send this mail once more"
                    );
                    return self.hand().lose_under(lease);
                }
                Err(error) if error.owner() == Owner::System => {
                    tracing::warn!(%error, outbox.id = due.id.0, "The result of a delivery cannot be written now: trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                // The database may be refusing the peer's words.
                Err(error) if answer.is_none() => {
                    tracing::error!(%error, outbox.id = due.id.0, "The answer to a delivery cannot be stored: writing the result without it");
                    answer = Some("what the server answered could not be stored");
                }
                Err(error) if stop.is_cancelled() => {
                    tracing::error!(
                        %error,
                        account.id = lease.account_id.0,
                        outbox.id = due.id.0,
                        "The result of a delivery was never written: the mail is sent once more after the restart"
                    );
                    return;
                }
                Err(error) => {
                    // Others may have its place meanwhile.
                    drop(place.take());
                    tracing::error!(
                        %error,
                        account.id = lease.account_id.0,
                        outbox.id = due.id.0,
                        "The result of a delivery cannot be written: trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => {}
                    }
                    wait = (wait * 2).min(REFUSED_PAUSE_MAX);
                }
            }
        }
    }

    async fn try_record(
        &self,
        lease: &Lease,
        due: &Due,
        attempt: &Arc<Result<Attempt, String>>,
        answer: Option<&'static str>,
    ) -> store::Result<Recorded> {
        let worker = self.clone();
        let held = lease.clone();
        let due = due.clone();
        let attempt = Arc::clone(attempt);
        let written = self.inner.store.write(move |tx| {
            work::check(tx, &held)?;
            let now = tx.database_now()?;
            let mut done = match attempt.as_ref() {
                Ok(attempt) => worker.judge(&due, attempt, now),
                Err(answer) => untried(&due, answer, now),
            };
            if let Some(answer) = answer {
                answer.clone_into(&mut done.answer);
            }
            store::outbox::record(
                &mut tx.account(held.account_id),
                held.epoch,
                std::slice::from_ref(&done),
                now,
            )?;
            let wait = Duration::from_millis(u64::try_from(done.due_at - now).unwrap_or_default());
            let again_in = matches!(done.state, OutboxState::Deferred | OutboxState::Queued).then_some(wait);
            Ok(Recorded { done, again_in })
        });
        written.await
    }
}

/// A result that was written.
struct Recorded {
    done: Attempted,
    /// How long until the row is due once more.
    again_in: Option<Duration>,
}
