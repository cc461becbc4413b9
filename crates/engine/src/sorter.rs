//! Processes the spool: claims accounts with mail, decides batch after batch, releases idle accounts.

mod hand;
mod rate;

use std::time::{Duration, Instant};

use desk::id::AccountId;
use store::bell::Bell;
use store::spool::SpoolKey;
use store::work::{Kind, Lease};
use store::{Result, StoreError};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::{Batch, Blocked, Decided};
pub(crate) use hand::Turn;
use hand::{Ended, Hand};

/// How long the sorter sleeps when no bell rings: this is how it finds what other processes write without one.
const POLL: Duration = Duration::from_millis(200);
/// Wait after a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Batches of one account before the others get their turn, and how long they may take together.
const BATCHES_IN_TURN: usize = 8;
/// See [`BATCHES_IN_TURN`].
const TURN_FOR: Duration = Duration::from_secs(1);
/// How far before the last decided mail of an account the spool is read again: for mail whose door took longer to write
/// it.
const SLACK_MS: i64 = 10_000;

impl Engine {
    /// Processes the spool until told to stop; then finishes the batches in hand and releases its leases.
    pub async fn run_sorter(&self, stop: CancellationToken) {
        let bell = self.store().bell(Kind::Mail);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let own = (!self.store().is_embedded()).then_some(processors);
        let mut hand = Hand::new(self.lane(Kind::Mail), self.inner.options.batch_max, own);
        while !stop.is_cancelled() {
            hand.note_joined().await;
            if let Err(error) = self.pass(&mut hand, &bell, &stop).await {
                tracing::warn!(%error, "Mail waits: the database cannot be used now");
                sleep(PAUSE, &stop).await;
                continue;
            }
            tokio::select! {
                () = bell.heard() => {}
                () = tokio::time::sleep(POLL) => {}
                () = stop.cancelled() => break,
                joined = hand.running.join_next_with_id(), if !hand.running.is_empty() => hand.note(joined).await,
            }
            // A few more mails cost the transaction almost nothing.
            sleep(Duration::from_millis(self.inner.options.batch_wait_ms), &stop).await;
        }
        self.finish(hand).await;
    }

    /// Checks once what there is to do, and starts processing the accounts whose turn it is.
    async fn pass(&self, hand: &mut Hand, bell: &Bell, stop: &CancellationToken) -> Result<()> {
        let lost = hand.lane.renew().await?;
        hand.forget(&lost);
        let now = Instant::now();
        let is_known = hand.hear(bell.take());
        let rested = hand.rested(now);
        let due_again = hand.lane.put_down(&rested).await?;
        hand.put_down(&rested, &due_again);
        let shared = hand.shared(now);
        hand.lane.hand_over(&shared).await?;
        if !is_known || now >= hand.look_from {
            let leaving = hand.leaving(now);
            hand.lane.give_back(&leaving).await?;
            let room = hand.room(now);
            for lease in hand.lane.claim(room).await? {
                hand.ready.push_back(lease.account_id);
            }
            hand.look_from = now + POLL;
        }
        while let Some((lease, limit, after)) = hand.next(Instant::now()) {
            let engine = self.clone();
            let stop = stop.clone();
            let account_id = lease.account_id;
            hand.spawn(account_id, async move {
                Ended { account_id, turn: engine.work_account(&lease, limit, after, &stop).await }
            });
        }
        Ok(())
    }

    /// Some batches of an account, until its mail is decided or others have their turn.
    async fn work_account(
        &self,
        lease: &Lease,
        limit: usize,
        after: Option<SpoolKey>,
        stop: &CancellationToken,
    ) -> Result<Turn> {
        if lease.crashes >= store::crash::CAREFUL_FROM {
            return self.work_carefully(lease, stop).await;
        }
        let begun = Instant::now();
        let mut turn = Turn { last: after, has_more: false };
        let mut batch = self.batch_of(lease.account_id, after, limit).await?;
        for number in 1..=BATCHES_IN_TURN {
            let Batch { items, is_full, blocked, room } = batch;
            let last = items.last().map(|item| item.key);
            turn.has_more = is_full;
            // The batch after this one is read and parsed while this one is written.
            let has_next =
                is_full && blocked.is_none() && number < BATCHES_IN_TURN && begun.elapsed() < TURN_FOR;
            let read_ahead = async {
                if has_next { self.batch_of(lease.account_id, last, limit).await.map(Some) } else { Ok(None) }
            };
            let settle = async {
                let settled = self.settle(lease, items).await;
                drop(room);
                settled
            };
            let (settled, next) = tokio::join!(settle, read_ahead);
            settled?;
            turn.last =
                last.map(|last| SpoolKey { accepted_at: last.accepted_at - SLACK_MS, ..last }).or(turn.last);
            if let Some(blocked) = blocked {
                self.settle_blocked(lease, blocked).await?;
                turn.has_more = true;
                return Ok(turn);
            }
            let Some(next) = next? else { return Ok(turn) };
            batch = next;
        }
        Ok(turn)
    }

    /// A mail whose bytes are unavailable: its account waits, so that order is kept, and after some hours the mail is
    /// held. While no blob can be read at all, this is not counted against any mail.
    pub(crate) async fn settle_blocked(&self, lease: &Lease, blocked: Blocked) -> Result<()> {
        let Blocked { item, error } = blocked;
        let is_this_one_alone = self.store().blobs_are_well().await;
        if is_this_one_alone && self.is_patience_over(lease.account_id, &item).await {
            return self.hold_back(lease, &item, &error.to_string()).await;
        }
        Err(error)
    }

    /// Waits for the batches in hand, keeping their leases meanwhile, and then releases all leases.
    async fn finish(&self, mut hand: Hand) {
        while !hand.running.is_empty() {
            tokio::select! {
                joined = hand.running.join_next_with_id() => hand.note(joined).await,
                () = tokio::time::sleep(POLL) => {
                    if let Err(error) = hand.lane.renew().await {
                        tracing::warn!(%error, "Leases cannot be renewed now");
                    }
                }
            }
        }
        let all = hand.lane.accounts();
        if let Err(error) = hand.lane.put_down(&all).await {
            tracing::warn!(%error, "What is due cannot be put down now: it is looked for again");
        }
        if let Err(error) = hand.lane.release().await {
            tracing::warn!(%error, "Leases could not be released: they run out by themselves");
        }
    }

    pub(crate) fn report(&self, account_id: AccountId, decided: &[Decided]) {
        let now = self.now();
        for mail in decided {
            metrics::counter!("guichet_mails_decided_total", "outcome" => mail.outcome.as_str()).increment(1);
            let waited_ms = u32::try_from((now - mail.accepted_at).max(0)).unwrap_or(u32::MAX);
            metrics::histogram!("guichet_mail_decide_seconds").record(f64::from(waited_ms) / 1_000.0);
            tracing::debug!(
                account.id = account_id.0,
                mail.id = mail.id.0,
                outcome = mail.outcome.as_str(),
                "Decided mail {}",
                mail.id
            );
        }
    }
}

/// Whether an account is to be tried in smaller batches.
fn took_too_long(error: &StoreError) -> bool {
    matches!(error, StoreError::TimedOut(_))
}

async fn sleep(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
