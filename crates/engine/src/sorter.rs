//! Works the spool: finds accounts with mail, holds their leases, decides batch after batch.

mod lease;
mod rate;
mod round;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::id::{AccountId, MailId};
use store::StoreError;
use store::spool::SpoolKey;
use store::work::{self, Announced, Kind, Lease};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::Decided;
use lease::Leases;
use rate::Rate;
use round::{Round, Wanted};

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

impl Engine {
    /// Works the spool until it is told to stop; finishes the batches in hand and gives its leases back.
    pub async fn run_sorter(&self, stop: CancellationToken) {
        let bell = self.store().bell(Kind::Mail);
        let mut hand = InHand { stop: stop.clone(), ..InHand::default() };
        while !stop.is_cancelled() {
            while let Some(joined) = hand.running.try_join_next() {
                hand.note_joined(joined);
            }
            if let Err(error) = self.pass(&mut hand).await {
                tracing::warn!(%error, "Mail waits: the database cannot be worked now");
                sleep(PAUSE, &stop).await;
                continue;
            }
            let joined = tokio::select! {
                () = bell.notified() => None,
                () = tokio::time::sleep(POLL) => None,
                () = stop.cancelled() => break,
                joined = hand.running.join_next(), if !hand.running.is_empty() => joined,
            };
            if let Some(joined) = joined {
                hand.note_joined(joined);
            }
            // A few more mails cost the transaction almost nothing.
            sleep(Duration::from_millis(self.inner.options.batch_wait_ms), &stop).await;
        }
        self.finish(hand).await;
    }

    /// One look at what is announced; begins the work on accounts that are not at work already.
    async fn pass(&self, hand: &mut InHand) -> store::Result<()> {
        self.renew(&hand.at_work, &mut hand.leases).await?;
        let now = Instant::now();
        hand.refused.retain(|_, until| now < *until);
        let announced = self.announced(hand).await?;
        hand.pace.take(announced.len());
        self.claim(&announced, &mut hand.leases).await?;
        for account in announced {
            let account_id = account.account_id;
            let Some(lease) = hand.leases.find(account_id).cloned() else {
                hand.refused.insert(account_id, now + REFUSED_FOR);
                continue;
            };
            hand.at_work.insert(account_id);
            let (engine, stop) = (self.clone(), hand.stop.clone());
            hand.running
                .spawn(async move { (account_id, engine.work_account(&lease, account, &stop).await) });
        }
        Ok(())
    }

    /// The next accounts that have mail and are free, as many as there is room for.
    async fn announced(&self, hand: &mut InHand) -> store::Result<Vec<Announced>> {
        let room = ACCOUNTS_AT_ONCE.saturating_sub(hand.at_work.len()).min(hand.pace.left(Instant::now()));
        let mut round = Round::new(hand.looked_at, room);
        while let Some(Wanted { after, limit }) = round.wanted() {
            let (page, is_all) = self.store().read(move |tx| work::mail_after(tx, after, limit)).await?;
            round.take(page, is_all, |account_id| hand.is_free(account_id));
        }
        let (found, looked_at) = round.end();
        hand.looked_at = looked_at;
        Ok(found)
    }

    /// Some batches of an account, until its mail is decided or others have their turn.
    async fn work_account(
        &self,
        lease: &Lease,
        mut announced: Announced,
        stop: &CancellationToken,
    ) -> store::Result<()> {
        if lease.crashes >= store::crash::CAREFUL_FROM {
            return self.work_carefully(lease, announced, stop).await;
        }
        let (mut items, mut is_full) = self.next_batch(AccountId(lease.account_id), None).await?;
        for turn in 1..=BATCHES_IN_TURN {
            let last =
                items.last().map(|item| SpoolKey { accepted_at: item.accepted_at, id: MailId(item.id) });
            // Whatever was announced is in this batch, unless it is full: then more may wait, and one announcement stays
            // for it. More than one would only stand before those of other accounts.
            let kept = usize::from(is_full).min(announced.rows.len());
            let gone = announced.rows.split_off(kept);
            let seen =
                (!gone.is_empty()).then_some(Announced { account_id: announced.account_id, rows: gone });
            // The batch behind this one is read and parsed while this one is written. A mail that comes in meanwhile with an
            // earlier time is not in it: its own announcement is still there.
            let has_next = is_full && turn < BATCHES_IN_TURN;
            let read_ahead = async {
                if has_next {
                    self.next_batch(AccountId(lease.account_id), last).await.map(Some)
                } else {
                    Ok(None)
                }
            };
            let (settled, next) = tokio::join!(self.settle(lease, items, seen), read_ahead);
            settled?;
            let Some(next) = next? else { return Ok(()) };
            (items, is_full) = next;
        }
        Ok(())
    }

    /// Waits for the batches in hand, keeping their leases meanwhile, and gives all leases back.
    async fn finish(&self, mut hand: InHand) {
        while !hand.running.is_empty() {
            tokio::select! {
                Some(joined) = hand.running.join_next() => hand.note_joined(joined),
                () = tokio::time::sleep(POLL) => {
                    if let Err(error) = self.renew(&hand.at_work, &mut hand.leases).await {
                        tracing::warn!(%error, "Leases cannot be renewed now");
                    }
                }
            }
        }
        if let Err(error) = self.release(hand.leases).await {
            tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
        }
    }

    pub(crate) fn report(&self, account_id: i64, decided: &[Decided]) {
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

/// What the sorter has in hand.
#[derive(Debug, Default)]
struct InHand {
    leases: Leases,
    /// Accounts left alone for a while: another node works them, or they failed.
    refused: BTreeMap<i64, Instant>,
    running: JoinSet<Ended>,
    at_work: BTreeSet<i64>,
    /// The account behind which the next round begins.
    looked_at: i64,
    pace: Rate,
    stop: CancellationToken,
}

/// An account, and how the work on it ended.
type Ended = (i64, store::Result<()>);

impl InHand {
    fn is_free(&self, account_id: i64) -> bool {
        !self.refused.contains_key(&account_id) && !self.at_work.contains(&account_id)
    }

    fn note_joined(&mut self, joined: Result<Ended, JoinError>) {
        match joined {
            Ok((account_id, outcome)) => self.note(account_id, outcome),
            // Stopped together with one that panicked.
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                tracing::error!(%error, "A task of the sorter panicked");
                // Which one it was is not told: all begin anew, under new epochs.
                self.running.abort_all();
                self.at_work.clear();
                self.leases.lose_all();
            }
        }
    }

    /// Notes how the work on an account ended. A failure concerns that account alone.
    fn note(&mut self, account_id: i64, outcome: store::Result<()>) {
        self.at_work.remove(&account_id);
        let Err(error) = outcome else {
            self.leases.forget_crashes(account_id);
            return;
        };
        self.leases.lose(account_id);
        if matches!(error, StoreError::Fenced { .. } | StoreError::Changed(_)) {
            tracing::warn!(account.id = account_id, "Another node took this account over");
        } else {
            tracing::warn!(account.id = account_id, %error, "Mail of an account waits: it cannot be worked now");
            self.refused.insert(account_id, Instant::now() + PAUSE);
        }
    }
}

async fn sleep(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
