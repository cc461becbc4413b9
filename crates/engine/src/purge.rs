//! Deletes suspended tickets for good: 14 days after they were held, or when somebody says so.

use desk::id::{AccountId, MailId};
use desk::suspension::HELD_FOR;
use store::work::{self, Announced, Kind};

use crate::Engine;

/// Suspended tickets deleted in one transaction.
const AT_ONCE: i64 = 500;
/// Announcements read at once.
const ANNOUNCEMENTS: i64 = 1_000;

impl Engine {
    /// Deletes suspended tickets of which the time has come; returns how many.
    ///
    /// # Errors
    /// As the store says; what was deleted stays deleted.
    pub async fn purge_due(&self) -> store::Result<u64> {
        let now = self.now();
        let announced = self.store().read(move |tx| work::due(tx, Kind::Purge, now, ANNOUNCEMENTS)).await?;
        let mut purged = 0;
        for account in announced {
            purged += self.purge_account(account).await?;
        }
        Ok(purged)
    }

    /// Each transaction takes a page; the announcement goes with the last.
    async fn purge_account(&self, seen: Announced) -> store::Result<u64> {
        let (account_id, now) = (AccountId(seen.account_id), self.now());
        let mut purged = 0;
        loop {
            let seen = seen.clone();
            let (count, blobs) = self
                .store()
                .write(move |tx| {
                    work::lock_account(tx, account_id.0)?;
                    let held =
                        store::suspended::held_until(&mut tx.account(account_id), now - HELD_FOR, AT_ONCE)?;
                    let ids: Vec<MailId> = held.iter().map(|held| held.id).collect();
                    let gone = store::suspended::delete(
                        &mut tx.account(account_id),
                        &ids,
                        "deleted for good 14 days after it was held",
                        now,
                    )?;
                    if gone.0 == 0 {
                        work::remove(tx, Kind::Purge, &seen)?;
                    }
                    Ok(gone)
                })
                .await?;
            self.forget(&blobs).await;
            purged += count;
            if count == 0 {
                return Ok(purged);
            }
        }
    }

    /// Deletes suspended tickets now; returns how many of them there were. Their senders are not told.
    ///
    /// # Errors
    /// As the store says; nothing is deleted then.
    pub async fn delete_suspended(
        &self,
        account_id: AccountId,
        ids: Vec<MailId>,
        by: &str,
    ) -> store::Result<u64> {
        let (now, reason) = (self.now(), format!("deleted by {by}"));
        let deleted = self
            .store()
            .write(move |tx| {
                work::lock_account(tx, account_id.0)?;
                store::suspended::delete(&mut tx.account(account_id), &ids, &reason, now)
            })
            .await?;
        self.forget(&deleted.1).await;
        Ok(deleted.0)
    }

    /// A blob that cannot be deleted now is swept later with all that no row names.
    async fn forget(&self, blobs: &[String]) {
        for name in blobs {
            if let Err(error) = self.store().blobs().delete(name).await {
                tracing::warn!(%error, "A deleted mail's blob stays for now");
            }
        }
    }
}
