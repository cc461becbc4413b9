//! Deletes suspended tickets for good: 14 days after they were held, or when somebody asks for it.

use std::sync::Arc;

use desk::id::{AccountId, MailId};
use desk::suspension::HELD_FOR;
use store::{Owner, Result, StoreError, Tx};

use crate::Engine;
use crate::transact::{Open, Work};

/// Suspended tickets deleted in one transaction.
const AT_ONCE: i64 = 500;
/// What the ledger says of those whose retention has expired.
const EXPIRED: &str = "deleted for good 14 days after it was held";

impl Engine {
    /// Deletes suspended tickets of an account whose retention has expired; returns how many. Those beyond [`AT_ONCE`]
    /// have their turn after other accounts. Mail that was held because we could not process it (causes 19 and 24)
    /// stays until a person has looked at it. One that cannot be deleted does not keep the others.
    ///
    /// # Errors
    /// As the store says, when none could be deleted.
    pub(super) async fn purge_held(&self, account_id: AccountId) -> Result<u64> {
        match self.delete_held(account_id, Delete { ids: None, reason: EXPIRED.to_owned() }).await {
            Err(error) if matches!(error.owner(), Owner::Mail | Owner::Account) => {
                self.purge_singly(account_id, error).await
            }
            result => result,
        }
    }

    /// Deletes those whose retention has expired one by one, after `error` came of deleting them together.
    async fn purge_singly(&self, account_id: AccountId, error: StoreError) -> Result<u64> {
        let expired = move |tx: &mut Tx<'_>| {
            let before = tx.database_now()? - HELD_FOR;
            store::suspended::expired(&mut tx.account(account_id), before, AT_ONCE)
        };
        let mut count = 0;
        for id in self.store().read_now(expired).await? {
            let alone = Delete { ids: Some(vec![id]), reason: EXPIRED.to_owned() };
            match self.delete_held(account_id, alone).await {
                Ok(deleted) => count += deleted,
                Err(error) if error.owner() == Owner::System => return Err(error),
                Err(error) => tracing::error!(
                    account.id = account_id.0,
                    mail.id = id.0,
                    %error,
                    "A suspended ticket whose retention has expired cannot be deleted"
                ),
            }
        }
        if count == 0 { Err(error) } else { Ok(count) }
    }

    /// Deletes suspended tickets now; returns how many of them there were. Their senders are not told.
    ///
    /// # Errors
    /// As the store says; nothing is deleted then.
    pub async fn delete_suspended(&self, account_id: AccountId, ids: Vec<MailId>, by: &str) -> Result<u64> {
        self.delete_held(account_id, Delete { ids: Some(ids), reason: format!("deleted by {by}") }).await
    }

    async fn delete_held(&self, account_id: AccountId, delete: Delete) -> Result<u64> {
        let (deleted, blobs) = self.transact(account_id, Arc::new(delete)).await?.done;
        for name in blobs {
            // A blob that cannot be deleted now is swept later, with all others that no row names.
            if let Err(error) = self.store().blobs().delete(&name).await {
                tracing::warn!(%error, "A deleted mail's blob stays for now");
            }
        }
        Ok(deleted)
    }
}

/// Which suspended tickets to delete, and what the ledger says of it; none: those whose retention has expired.
struct Delete {
    ids: Option<Vec<MailId>>,
    reason: String,
}

impl Work for Delete {
    type Done = (u64, Vec<String>);
    type Error = store::StoreError;

    fn ids_expected(&self) -> usize {
        0
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<(u64, Vec<String>)> {
        let now = open.now();
        let ids = match &self.ids {
            Some(ids) => ids.clone(),
            None => store::suspended::expired(open.tx, now - HELD_FOR, AT_ONCE)?,
        };
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let change = open.take_change();
        store::suspended::delete(open.tx, &ids, &self.reason, now, change)
    }
}
