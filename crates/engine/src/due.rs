//! What waits for a time: closing what was long solved, deleting what was long held, telling of held mail, giving probes up. One loop
//! and one way to claim for all of them; each has a file with what it does.
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
use store::work::Kind;
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// How often is looked for what is due: minutes are near enough for waits of hours and days.
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
                tracing::warn!(%error, "Leases run out by themselves: they could not be given back");
            }
        }
    }

    /// Does once all that is due now; what fails for one account is tried again later.
    pub async fn work_due(&self) -> DueDone {
        let mut lanes: Vec<(Kind, Lane)> = JOBS.iter().map(|kind| (*kind, self.lane(*kind))).collect();
        self.do_due(&mut lanes, &CancellationToken::new()).await
    }

    async fn do_due(&self, lanes: &mut [(Kind, Lane)], stop: &CancellationToken) -> DueDone {
        let mut done = DueDone::default();
        for (kind, lane) in lanes {
            if let Err(error) = self.do_kind(*kind, lane, stop, &mut done).await {
                tracing::warn!(kind = kind.as_str(), %error, "What is due waits: the database cannot be worked now");
            }
        }
        done
    }

    /// Accounts of one kind of job, until none is due.
    async fn do_kind(
        &self,
        kind: Kind,
        lane: &mut Lane,
        stop: &CancellationToken,
        done: &mut DueDone,
    ) -> Result<()> {
        while !stop.is_cancelled() {
            let leases = lane.claim(AT_ONCE).await?;
            if leases.is_empty() {
                return Ok(());
            }
            for lease in leases {
                let account_id = lease.account_id;
                match self.do_job(kind, account_id, done).await {
                    Ok(()) => {
                        lane.succeeded(account_id);
                        // One that is due again already has its next turn at once.
                        let due = lane.put_down(&[account_id]).await?;
                        for account in due {
                            lane.give_back(account).await?;
                        }
                    }
                    Err(error) => {
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
        }
        Ok(())
    }

    async fn do_job(&self, kind: Kind, account_id: AccountId, done: &mut DueDone) -> Result<()> {
        match kind {
            Kind::Close => done.closed += self.close_solved(account_id).await?,
            Kind::Purge => done.purged += self.purge_held(account_id).await?,
            Kind::Digest => done.digests += u64::from(self.tell_of_held(account_id).await?),
            Kind::Probe => done.probes += self.give_up_probes(account_id).await?,
            // Worked by the sorter and by the outbox.
            Kind::Mail | Kind::Outbox => {}
        }
        Ok(())
    }

    /// Announces what rows say is due and no hint tells of: the safety net for programs that forget.
    async fn mend(&self) -> Result<()> {
        let accounts = self.store().read(store::account::ids).await?;
        for page in accounts.chunks(MENDED_AT_ONCE) {
            for kind in Kind::ALL {
                let page = page.to_vec();
                let missed = self.store().read(move |tx| store::work::unannounced(tx, *kind, &page)).await?;
                if missed.is_empty() {
                    continue;
                }
                let accounts: Vec<AccountId> = missed.iter().map(|missed| missed.account_id).collect();
                let mended = self.store().write(move |tx| store::work::mend(tx, *kind, &accounts)).await?;
                for account in mended {
                    tracing::warn!(
                        account.id = account.0,
                        kind = kind.as_str(),
                        "Found work that nobody announced"
                    );
                    self.store().ring_here(*kind, account);
                }
            }
        }
        Ok(())
    }
}
