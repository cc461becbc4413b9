//! Taking rows in hand: which of those due are begun, and which wait.

use std::collections::{BTreeMap, BTreeSet};

use desk::id::{AccountId, OutboxId};
use desk::outbox_state::OutboxState;
use store::StoreError;
use store::outbox::{Attempted, Due};
use store::work::{self, Announced, Kind, Lease};

use super::make::{Delivery, Unmade, make};
use super::wait::{WAIT_MS, untried};
use super::{IN_HAND_MAX, Worker, all_but_one};

/// What came of a look at an account's rows.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// To be begun.
    pub(super) deliveries: Vec<Delivery>,
    /// Whether there may be more due.
    pub(super) more: bool,
}

impl Worker {
    /// Takes rows of an account in hand and makes the bytes of mails that have none yet, in one transaction. A row whose mail
    /// cannot be made is bounced there and then, so that it stops nobody else's.
    pub(super) async fn take(&self, lease: &Lease, seen: Announced) -> store::Result<Taken> {
        let limit = self.room(lease);
        let in_hand = self.in_hand(lease);
        let (now, again_at) = (self.inner.clock.now(), self.inner.clock.now() + self.inner.options.lease_ms);
        let marker = self.inner.store.ids(1).await?.next()?;
        let (worker, held) = (self.clone(), lease.clone());
        let written = self.inner.store.write(move |tx| {
            work::hold(tx, &held)?;
            let held_ids: Vec<OutboxId> = in_hand.keys().copied().collect();
            let due = store::outbox::claim(
                &mut tx.account(AccountId(held.account_id)),
                now,
                again_at,
                &held_ids,
                limit,
            )?;
            let more = due.len() == limit;
            let done = if more { all_but_one(&seen) } else { seen.clone() };
            work::remove(tx, Kind::Outbox, &done)?;
            let (begun, mut back) = worker.sift(&in_hand, due, now);
            let mut deliveries = Vec::new();
            let mut unmade = Vec::new();
            for made in make(&mut tx.account(AccountId(held.account_id)), &worker.inner.keys, begun, now)? {
                match made {
                    Ok(delivery) => deliveries.push(delivery),
                    Err(Unmade::Damaged(row)) => unmade.push(row),
                    Err(Unmade::Newer(row)) => back.push(row),
                }
            }
            let mut again: BTreeSet<i64> = back.iter().map(|row| row.due_at).collect();
            store::outbox::record(
                &mut tx.account(AccountId(held.account_id)),
                &[back, unmade.clone()].concat(),
                now,
            )?;
            if !deliveries.is_empty() || !in_hand.is_empty() {
                // Should this node die: whoever takes over finds what was in hand by this.
                again.insert(again_at);
            }
            let again: Vec<(i64, i64)> = again.into_iter().map(|due_at| (held.account_id, due_at)).collect();
            work::add(tx, Kind::Outbox, &again, marker)?;
            Ok((Taken { deliveries, more }, unmade))
        });
        match written.await {
            Ok((taken, unmade)) => {
                for row in unmade {
                    tracing::error!(
                        account.id = lease.account_id,
                        outbox.id = row.id.0,
                        "Gave a mail up: {}",
                        row.answer
                    );
                }
                if let Some(held) = Self::under(&mut self.accounts(), lease) {
                    let destination = |row: &Due| self.inner.transport.destination(&row.recipient);
                    held.rows.extend(taken.deliveries.iter().map(|one| (one.due.id, destination(&one.due))));
                }
                Ok(taken)
            }
            Err(StoreError::Fenced { .. }) => {
                self.accounts().remove(&lease.account_id);
                Ok(Taken::default())
            }
            Err(error) => Err(error),
        }
    }

    fn room(&self, lease: &Lease) -> usize {
        self.accounts().get(&lease.account_id).map_or(0, |held| IN_HAND_MAX.saturating_sub(held.rows.len()))
    }

    fn in_hand(&self, lease: &Lease) -> BTreeMap<OutboxId, String> {
        self.accounts().get(&lease.account_id).map(|held| held.rows.clone()).unwrap_or_default()
    }

    /// Parts claimed rows into those to begin and those handed back untried: their destination is down, or so slow that it
    /// has as many rows in hand as may be. A slow one must not take all the places of an account.
    fn sift(
        &self,
        in_hand: &BTreeMap<OutboxId, String>,
        due: Vec<Due>,
        now: i64,
    ) -> (Vec<Due>, Vec<Attempted>) {
        let transport = &self.inner.transport;
        let connections = transport.connections().max(1);
        // With a relay there is one destination: nobody else waits behind it.
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

/// When the row in this place behind the cap may have its turn at a destination that takes mail: about one mail a second
/// and connection, and never later than [`WAIT_MS`].
fn spread(place: usize, connections: usize) -> i64 {
    let seconds = i64::try_from(place.div_ceil(connections)).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000).min(WAIT_MS)
}
