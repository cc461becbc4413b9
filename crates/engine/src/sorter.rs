//! Works the spool: finds accounts with mail, holds their leases, decides batch after batch.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use store::StoreError;
use store::work::{self, Announced, Kind, Lease};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::Decided;
use crate::pace::Pace;

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
/// Announcements read at once at most, for each account that there is room for, and how often in one look.
const ANNOUNCEMENTS: usize = 512;
const ANNOUNCEMENTS_EACH: usize = 32;
const PAGES: usize = 8;

/// A lease with the time on this node's own clock from which on it must be renewed.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    renew_from: Instant,
}

/// What the sorter has in hand.
#[derive(Debug, Default)]
struct InHand {
    held: BTreeMap<i64, Held>,
    /// The last epoch of each account that this program was given.
    given: BTreeMap<i64, i64>,
    /// Accounts left alone for a while: another node works them, or they failed.
    refused: BTreeMap<i64, Instant>,
    running: JoinSet<(i64, store::Result<()>)>,
    at_work: BTreeSet<i64>,
    /// The account after which the next look begins: all have their turn, whoever has the most to do.
    looked_at: i64,
    pace: Pace,
    stop: CancellationToken,
}

impl InHand {
    fn is_free(&self, account_id: i64) -> bool {
        !self.refused.contains_key(&account_id) && !self.at_work.contains(&account_id)
    }

    /// Notes how the work on an account ended. A failure concerns that account alone.
    fn note(&mut self, account_id: i64, outcome: store::Result<()>) {
        self.at_work.remove(&account_id);
        let Err(error) = outcome else {
            // A batch was closed: whatever stopped the program before did not now.
            self.held.entry(account_id).and_modify(|held| held.lease.crashes = 0);
            return;
        };
        self.held.remove(&account_id);
        if matches!(error, StoreError::Fenced { .. } | StoreError::Changed(_)) {
            tracing::warn!(account.id = account_id, "Another node took this account over");
        } else {
            tracing::warn!(account.id = account_id, %error, "Mail of an account waits: it cannot be worked now");
            self.refused.insert(account_id, Instant::now() + PAUSE);
        }
    }

    fn note_joined(&mut self, joined: Result<(i64, store::Result<()>), tokio::task::JoinError>) {
        match joined {
            Ok((account_id, outcome)) => self.note(account_id, outcome),
            // Stopped together with one that panicked.
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                tracing::error!(%error, "A task of the sorter panicked");
                // Which one it was is not told: all begin anew, under new epochs.
                self.running.abort_all();
                self.at_work.clear();
                self.held.clear();
            }
        }
    }
}

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

    async fn finish(&self, mut hand: InHand) {
        while !hand.running.is_empty() {
            tokio::select! {
                Some(joined) = hand.running.join_next() => hand.note_joined(joined),
                () = tokio::time::sleep(POLL) => {
                    if let Err(error) = self.renew(&mut hand).await {
                        tracing::warn!(%error, "Leases cannot be renewed now");
                    }
                }
            }
        }
        let leases: Vec<Lease> = hand.held.into_values().map(|held| held.lease).collect();
        if let Err(error) = self.store().write(move |tx| work::release(tx, &leases)).await {
            tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
        }
    }

    /// One look at what is announced; begins the work on accounts that are not at work already.
    async fn pass(&self, hand: &mut InHand) -> store::Result<()> {
        self.renew(hand).await?;
        let now = Instant::now();
        hand.refused.retain(|_, until| now < *until);
        let announced = self.announced(hand).await?;
        hand.pace.take(announced.len());
        self.claim(&announced, hand).await?;
        for account in announced {
            let account_id = account.account_id;
            let Some(lease) = hand.held.get(&account_id).map(|held| held.lease.clone()) else {
                hand.refused.insert(account_id, now + REFUSED_FOR);
                continue;
            };
            hand.at_work.insert(account_id);
            let (engine, stop) = (self.clone(), hand.stop.clone());
            hand.running.spawn(async move { (account_id, engine.work_account(&lease, account, &stop).await) });
        }
        Ok(())
    }

    /// The next accounts that have mail and are free, as many as there is room for, in a circle of all accounts.
    async fn announced(&self, hand: &mut InHand) -> store::Result<Vec<Announced>> {
        let room = ACCOUNTS_AT_ONCE.saturating_sub(hand.at_work.len()).min(hand.pace.left(Instant::now()));
        let (begun, mut is_second_round) = (hand.looked_at, hand.looked_at == 0);
        let limit = ANNOUNCEMENTS.min(room * ANNOUNCEMENTS_EACH);
        let mut found = Vec::new();
        for _ in 0..PAGES {
            if found.len() >= room {
                return Ok(found);
            }
            let after = hand.looked_at;
            let (page, is_all) = self.store().read(move |tx| work::mail_after(tx, after, limit)).await?;
            for account in page {
                if found.len() >= room || (is_second_round && begun != 0 && account.account_id > begun) {
                    return Ok(found);
                }
                hand.looked_at = account.account_id;
                if hand.is_free(account.account_id) {
                    found.push(account);
                }
            }
            if is_all {
                hand.looked_at = 0;
                if is_second_round {
                    return Ok(found);
                }
                is_second_round = true;
            }
        }
        Ok(found)
    }

    /// Claims what is not held, or was held so long without work that it must be claimed anew.
    async fn claim(&self, announced: &[Announced], hand: &mut InHand) -> store::Result<()> {
        let now = Instant::now();
        let stale = |id: &i64| hand.held.get(id).is_none_or(|held| now >= held.renew_from);
        let wanted: Vec<i64> = announced.iter().map(|account| account.account_id).filter(stale).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let lease_ms = self.inner.options.lease_ms;
        let holder = self.inner.options.holder.clone();
        for id in &wanted {
            hand.held.remove(id);
        }
        let given: BTreeMap<i64, i64> = wanted.iter().filter_map(|id| Some((*id, *hand.given.get(id)?))).collect();
        let claimed = self
            .store()
            .write(move |tx| {
                let leases = work::claim(tx, Kind::Mail, &wanted, &holder, lease_ms)?;
                store::crash::count(tx, leases, &given)
            })
            .await?;
        for lease in claimed {
            hand.given.insert(lease.account_id, lease.epoch);
            hand.held.insert(lease.account_id, Held { lease, renew_from: now + self.half_lease() });
        }
        Ok(())
    }

    fn half_lease(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.inner.options.lease_ms / 2).unwrap_or_default())
    }

    /// Extends the leases of accounts at work, however long a mail of theirs takes to read.
    async fn renew(&self, hand: &mut InHand) -> store::Result<()> {
        let now = Instant::now();
        let lease_ms = self.inner.options.lease_ms;
        let at_work = hand.at_work.iter().filter_map(|id| hand.held.get(id));
        let stale: Vec<Lease> = at_work.filter(|held| now >= held.renew_from).map(|held| held.lease.clone()).collect();
        if stale.is_empty() {
            return Ok(());
        }
        let renewed = self.store().write(move |tx| work::renew_free(tx, Kind::Mail, &stale, lease_ms)).await?;
        for account_id in renewed.extended {
            if let Some(held) = hand.held.get_mut(&account_id) {
                held.renew_from = now + self.half_lease();
            }
        }
        for account_id in renewed.lost {
            // Its batch will be refused and say so.
            hand.held.remove(&account_id);
        }
        Ok(())
    }

    async fn work_account(&self, lease: &Lease, mut announced: Announced, stop: &CancellationToken) -> store::Result<()> {
        if lease.crashes >= store::crash::CAREFUL_FROM {
            return self.work_carefully(lease, announced, stop).await;
        }
        let (mut items, mut is_full) = self.next_batch(lease.account_id, (0, 0)).await?;
        for turn in 1..=BATCHES_IN_TURN {
            let last = items.last().map(|item| (item.accepted_at, item.id)).unwrap_or_default();
            // Whatever was announced is in this batch, unless it is full: then more may wait, and one announcement stays
            // for it. More than one would only stand before those of other accounts.
            let kept = usize::from(is_full).min(announced.rows.len());
            let gone = announced.rows.split_off(kept);
            let seen = (!gone.is_empty()).then_some(Announced { account_id: announced.account_id, rows: gone });
            // The batch behind this one is read and parsed while this one is written. A mail that comes in meanwhile with an
            // earlier time is not in it: its own announcement is still there.
            let has_next = is_full && turn < BATCHES_IN_TURN;
            let read_ahead = async { if has_next { self.next_batch(lease.account_id, last).await.map(Some) } else { Ok(None) } };
            let (settled, next) = tokio::join!(self.settle(lease, items, seen), read_ahead);
            settled?;
            let Some(next) = next? else { return Ok(()) };
            (items, is_full) = next;
        }
        Ok(())
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

async fn sleep(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
