//! What waits for a time: closing solved tickets, deleting held mail, sending digests of held mail, giving up on
//! probes. One loop and one way to claim for all of them; each has a file with what it does.
//!
//! When an account is due follows from its own rows (`store::work`). One account's failure stops nobody else's jobs.

mod close;
mod digest;
mod probe;
mod purge;

use std::time::Duration;

use desk::id::AccountId;
use store::Result;
use store::lane::Lane;
use store::work::{Kind, Lease};
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// Polling interval for what is due: a minute is accurate enough for waits of hours and days.
const EVERY: Duration = Duration::from_secs(60);
/// Accounts claimed at once for one kind of job.
const AT_ONCE: usize = 64;
/// How often the hints of work are compared with the rows they are about.
const MEND_EVERY: Duration = Duration::from_secs(600);
/// Accounts whose hints are compared in one transaction.
const MENDED_AT_ONCE: usize = 512;

/// The kinds of work that are jobs of this loop.
const JOBS: &[Kind] = &[Kind::Close, Kind::Purge, Kind::Digest, Kind::Probe];

/// How much the due jobs did, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueDone {
    /// Solved tickets that were closed.
    pub closed: u64,
    /// Suspended tickets that were deleted for good.
    pub purged: u64,
    /// Digests of held mail that were sent.
    pub digests: u64,
    /// Forwarding probes that were given up.
    pub probes: u64,
    /// Accounts whose jobs failed; they are tried again later.
    pub failed: u64,
}

impl Engine {
    /// Does what is due until told to stop.
    pub async fn run_due(&self, stop: CancellationToken) {
        let mut lanes: Vec<(Kind, Lane)> = JOBS.iter().map(|kind| (*kind, self.lane(*kind))).collect();
        let mut mended_at: Option<std::time::Instant> = None;
        while !stop.is_cancelled() {
            self.do_due(&mut lanes, &stop).await;
            if mended_at.is_none_or(|at| at.elapsed() >= MEND_EVERY) {
                mended_at = Some(std::time::Instant::now());
                if let Err(error) = self.mend().await {
                    tracing::warn!(%error, "Hints of work cannot be compared with their rows now");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
        for (_, lane) in &mut lanes {
            if let Err(error) = lane.release().await {
                tracing::warn!(%error, "Leases could not be released: they run out by themselves");
            }
        }
    }

    /// Does everything that is due now, once; what fails for one account is tried again later.
    pub async fn work_due(&self) -> DueDone {
        let mut lanes: Vec<(Kind, Lane)> = JOBS.iter().map(|kind| (*kind, self.lane(*kind))).collect();
        self.do_due(&mut lanes, &CancellationToken::new()).await
    }

    /// The kinds take turns, and within each the accounts that are due, until none is.
    async fn do_due(&self, lanes: &mut [(Kind, Lane)], stop: &CancellationToken) -> DueDone {
        let mut done = DueDone::default();
        let mut has_more = true;
        while has_more && !stop.is_cancelled() {
            has_more = false;
            for (kind, lane) in &mut *lanes {
                match lane.claim(AT_ONCE).await {
                    Ok(leases) => {
                        has_more |= !leases.is_empty();
                        self.do_accounts(*kind, lane, leases, stop, &mut done).await;
                    }
                    Err(error) => {
                        tracing::warn!(kind = kind.as_str(), %error, "What is due waits: the database cannot be used now");
                    }
                }
            }
        }
        done
    }

    /// One turn for each account. None stays in hand, whatever happens: these leases are not renewed.
    async fn do_accounts(
        &self,
        kind: Kind,
        lane: &mut Lane,
        leases: Vec<Lease>,
        stop: &CancellationToken,
        done: &mut DueDone,
    ) {
        for lease in leases {
            if stop.is_cancelled() {
                return;
            }
            let account_id = lease.account_id;
            if let Err(error) = self.do_account(kind, lane, account_id, done).await {
                done.failed += 1;
                lane.failed(account_id).await;
                tracing::warn!(
                    account.id = account_id.0,
                    kind = kind.as_str(),
                    %error,
                    "What is due for an account waits: it cannot be done now"
                );
            }
        }
    }

    async fn do_account(
        &self,
        kind: Kind,
        lane: &mut Lane,
        account_id: AccountId,
        done: &mut DueDone,
    ) -> Result<()> {
        let count = self.do_job(kind, account_id, done).await?;
        let still_held = lane.put_down(&[account_id]).await?;
        if count == 0 && !still_held.is_empty() {
            // Its rows ask for something that the job does not find, or are locked: without a pause this would loop
            // forever.
            lane.failed(account_id).await;
            return Ok(());
        }
        lane.succeeded(account_id);
        // One that is already due again has its next turn after the others.
        lane.give_back(&still_held).await
    }

    /// Does a job for an account; returns how much there was to do.
    async fn do_job(&self, kind: Kind, account_id: AccountId, done: &mut DueDone) -> Result<u64> {
        let (count, total) = match kind {
            Kind::Close => (self.close_solved(account_id).await?, &mut done.closed),
            Kind::Purge => (self.purge_held(account_id).await?, &mut done.purged),
            Kind::Digest => (u64::from(self.tell_of_held(account_id).await?), &mut done.digests),
            Kind::Probe => (self.give_up_probes(account_id).await?, &mut done.probes),
            // Processed by the sorter and by the outbox.
            Kind::Mail | Kind::Outbox => return Ok(0),
        };
        *total += count;
        Ok(count)
    }

    /// Announces what is due according to rows but has no hint: the safety net for programs that forget.
    async fn mend(&self) -> Result<()> {
        let accounts = self.store().read_now(store::account::ids).await?;
        for page in accounts.chunks(MENDED_AT_ONCE) {
            for kind in Kind::ALL {
                // A problem with one page must not keep the others from being repaired.
                if let Err(error) = self.mend_page(*kind, page.to_vec()).await {
                    tracing::warn!(kind = kind.as_str(), %error, "Hints of work cannot be compared with their rows now");
                }
            }
        }
        Ok(())
    }

    async fn mend_page(&self, kind: Kind, page: Vec<AccountId>) -> Result<()> {
        let missed = self.store().read_now(move |tx| store::work::unannounced(tx, kind, &page)).await?;
        if missed.is_empty() {
            return Ok(());
        }
        let accounts: Vec<AccountId> = missed.iter().map(|missed| missed.account_id).collect();
        for account in self.store().write(move |tx| store::work::mend(tx, kind, &accounts)).await? {
            tracing::warn!(account.id = account.0, kind = kind.as_str(), "Found work that nobody announced");
            self.store().ring_here(kind, account);
        }
        Ok(())
    }
}
