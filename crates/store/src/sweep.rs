//! Blobs that no row names: what a crash between writing a blob and its row leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use desk::clock::Millis;
use desk::id::{AccountId, MailId};
use futures_util::StreamExt as _;

use crate::Store;
use crate::blob::Blobs;
use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::list_of;

/// A blob is left alone for a day: its row may be about to come.
const GRACE_MS: i64 = 24 * 3_600_000;
/// Blobs whose rows are asked for at once.
const AT_ONCE: usize = 500;

/// What a sweep found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Blobs there were.
    pub seen: u64,
    /// Those removed.
    pub removed: u64,
}

impl Store {
    /// Removes the blobs that were written a day before `now` or earlier and that no row names; a `now` that the database's
    /// clock has not reached counts as that. Idempotent; safe while doors and other nodes are at work. Objects whose names
    /// are not ours are left alone.
    ///
    /// # Errors
    /// [`crate::StoreError::Setup`] when the blobs are another desk's, [`crate::StoreError::Blob`], or as the database says;
    /// what was removed stays removed.
    pub async fn sweep_blobs(&self, now: Millis) -> Result<Swept> {
        self.own_blobs().await?;
        let now = now.min(self.read_now(|tx| tx.database_now()).await?);
        let mut swept = Swept::default();
        let mut old = Vec::new();
        let mut listed = self.blobs().list();
        while let Some(blob) = listed.next().await {
            let (name, written_at) = blob?;
            if Blobs::owner(&name).is_none() {
                continue;
            }
            swept.seen += 1;
            if written_at + GRACE_MS <= now {
                old.push(name);
            }
            if old.len() >= AT_ONCE {
                swept.removed += self.remove_unnamed(std::mem::take(&mut old)).await?;
            }
        }
        swept.removed += self.remove_unnamed(old).await?;
        Ok(swept)
    }

    async fn remove_unnamed(&self, names: Vec<String>) -> Result<u64> {
        let mut by_account: BTreeMap<AccountId, Vec<MailId>> = BTreeMap::new();
        for (account_id, mail_id) in names.iter().filter_map(|name| Blobs::owner(name)) {
            by_account.entry(account_id).or_default().push(mail_id);
        }
        let named: BTreeSet<String> = self
            .read_now(move |tx| {
                let mut named = BTreeSet::new();
                for (account_id, ids) in &by_account {
                    let sql = "SELECT blob FROM raw_mails WHERE account_id = $1 AND id IN ($2..)";
                    for mut row in tx.account(*account_id).query_in(sql, &[], &list_of(ids))? {
                        named.extend(row.maybe_text()?);
                    }
                }
                Ok(named)
            })
            .await?;
        let mut removed = 0;
        for name in names.iter().filter(|name| !named.contains(*name)) {
            self.blobs().delete(name).await?;
            removed += 1;
        }
        Ok(removed)
    }
}
