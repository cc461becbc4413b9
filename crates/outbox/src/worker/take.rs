//! Taking rows in hand: which of the due rows are started, and which wait.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use desk::clock::Millis;
use desk::id::OutboxId;
use desk::outbox_state::OutboxState;
use store::outbox::{Attempted, Due};
use store::work::{self, Lease};

use super::make::{Delivery, Unmade, make};
use super::wait::{WAIT_MS, untried};
use super::{IN_HAND_MAX, Worker};

/// Minimum time an account is left alone when everything due is in hand.
const AGAIN: Duration = Duration::from_secs(1);

/// The result of looking at an account's rows.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// To be started.
    pub(super) deliveries: Vec<Delivery>,
    /// Whether there may be more due.
    pub(super) has_more: bool,
}

/// What the transaction gave.
struct Written {
    deliveries: Vec<Delivery>,
    has_more: bool,
    unmade: Vec<Attempted>,
    /// How long until the next row is due, in hand or not.
    next_in: Option<Duration>,
}

impl Worker {
    /// Claims rows of an account and renders mails that have no bytes yet, in one transaction. A row whose mail cannot
    /// be rendered is bounced there and then, so that it does not hold up others.
    ///
    /// # Errors
    /// [`store::StoreError::Fenced`] when another node took over; as the database says.
    pub(super) async fn take(&self, lease: &Lease) -> store::Result<Taken> {
        let in_hand = self.hand().rows(lease);
        let limit = IN_HAND_MAX.saturating_sub(in_hand.len());
        let worker = self.clone();
        let held = lease.clone();
        let written = self.inner.store.write(move |tx| worker.take_in(tx, &held, &in_hand, limit)).await?;
        for row in &written.unmade {
            tracing::error!(
                account.id = lease.account_id.0,
                outbox.id = row.id.0,
                "Gave a mail up: {}",
                row.answer
            );
        }
        let destination = |row: &Due| self.inner.transport.destination(&row.recipient);
        let rows = written.deliveries.iter().map(|one| (one.due.id, destination(&one.due))).collect();
        let now = Instant::now();
        // What is in hand is due again when the lease is over, which is renewed: no reason to look at once.
        let later = written.next_in.map(|wait| now + wait.max(AGAIN));
        let look_from = if written.has_more { Some(now) } else { later };
        self.hand().take(lease, rows, look_from);
        Ok(Taken { deliveries: written.deliveries, has_more: written.has_more })
    }

    fn take_in(
        &self,
        tx: &mut store::Tx<'_>,
        lease: &Lease,
        in_hand: &BTreeMap<OutboxId, String>,
        limit: usize,
    ) -> store::Result<Written> {
        let now = tx.database_now()?;
        // In case this node dies with them: they are due again when its lease has run out.
        let again_at = now + self.inner.options.lease_ms;
        let mut account = tx.account(lease.account_id);
        if lease.was_left && in_hand.is_empty() {
            // Their previous holder no longer sends them.
            store::outbox::resume(&mut account)?;
        }
        let ids: Vec<OutboxId> = in_hand.keys().copied().collect();
        let due = store::outbox::claim(&mut account, now, again_at, &ids, limit)?;
        let has_more = due.len() == limit;
        let (begun, mut back) = self.sift(in_hand, due, now);
        let mut deliveries = Vec::new();
        let mut unmade = Vec::new();
        for made in make(&mut account, &self.inner.keys, begun, now)? {
            match made {
                Ok(delivery) => deliveries.push(delivery),
                Err(Unmade::Damaged(row)) => unmade.push(row),
                Err(Unmade::Newer(row)) => back.push(row),
            }
        }
        store::outbox::record(&mut account, lease.epoch, &[back, unmade.clone()].concat(), now)?;
        // Last, since everyone who adds mail waits for the row that this locks.
        let next = work::put_down_held(tx, lease)?;
        let next_in = next.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or_default()));
        Ok(Written { deliveries, has_more, unmade, next_in })
    }

    /// Splits claimed rows into those to start and those returned untried: their destination is down, or so slow that
    /// it has as many rows in hand as may be. A slow one must not take all the places of an account.
    fn sift(
        &self,
        in_hand: &BTreeMap<OutboxId, String>,
        due: Vec<Due>,
        now: Millis,
    ) -> (Vec<Due>, Vec<Attempted>) {
        let transport = &self.inner.transport;
        let connections = transport.connections().max(1);
        // With a relay there is one destination: no other destination is held up by it.
        let cap = if transport.has_one_destination() { usize::MAX } else { connections.saturating_mul(2) };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for destination in in_hand.values() {
            *counts.entry(destination.clone()).or_default() += 1;
        }
        let (mut begun, mut back) = (Vec::new(), Vec::new());
        for row in due {
            let destination = transport.destination(&row.recipient);
            if let Some(answer) = self.known_down(&destination) {
                back.push(untried(&row, &answer, now));
                continue;
            }
            let is_moving = self.is_moving(&destination);
            let count = counts.entry(destination).or_default();
            *count += 1;
            if *count <= cap {
                begun.push(row);
                continue;
            }
            let wait = if is_moving { spread(*count - cap, connections) } else { WAIT_MS };
            let answer = "too many other mails are on their way to this destination".to_owned();
            back.push(Attempted {
                id: row.id,
                state: OutboxState::Queued,
                due_at: now + wait,
                answer,
                tried: false,
            });
        }
        (begun, back)
    }
}

/// When the row at this place beyond the cap may have its turn at a destination that takes mail: about one mail per
/// second and connection, and never later than [`WAIT_MS`].
fn spread(place: usize, connections: usize) -> i64 {
    let seconds = i64::try_from(place.div_ceil(connections)).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000).min(WAIT_MS)
}
