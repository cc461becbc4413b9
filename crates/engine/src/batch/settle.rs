//! Settling a batch: all of it in one transaction, or, when that fails, the halves of it, down to the mail whose fault
//! it is.
//!
//! A failure has an owner (docs/behaviour/intake.md §9): a guilty mail is held and the others go on; an account's or
//! the system's failure leaves the mail where it is.

use std::sync::Arc;
use std::time::Duration;

use desk::id::AccountId;
use store::work::Lease;
use store::{Owner, Result, StoreError};

use super::{Decided, Item, MailBatch, step_of};
use crate::Engine;

/// A mail that keeps its account from going on is held after this time. Hours, so that there is time to repair the
/// machine first.
const PATIENCE: Duration = Duration::from_secs(6 * 3_600);

impl Engine {
    /// Decides mails, writes everything and reports what was committed.
    ///
    /// # Errors
    /// A failure of the account or of the system, or a lost lease: the mails that were not decided stay in the spool. A
    /// guilty mail is no error: it is suspended.
    pub(crate) async fn settle(&self, lease: &Lease, items: Vec<Item>) -> Result<()> {
        let mut stack = vec![items];
        while let Some(mut items) = stack.pop() {
            if items.is_empty() {
                continue;
            }
            // Those that could not even be read are held one by one, in their place among the others.
            if let Some(at) = items.iter().position(|item| item.letter.is_err()) {
                let rest = items.split_off(at.max(1));
                if at > 0 {
                    stack.push(rest);
                    stack.push(items);
                    continue;
                }
                stack.push(rest);
                if let Some((unread, why)) =
                    items.first().and_then(|item| Some((item, item.letter.as_ref().err()?)))
                {
                    self.hold_back(lease, unread, &why.why).await?;
                }
                continue;
            }
            match self.try_settle(lease, &items).await {
                Ok(decided) => {
                    self.inner.guilty.forget(lease.account_id);
                    self.report(lease.account_id, &decided);
                    // The rest has its turn after the waiting commands.
                    stack.push(items.split_off(decided.len().min(items.len())));
                }
                Err(error) if error.owner() == Owner::Nobody || is_of_the_system(&error) => {
                    return Err(error);
                }
                Err(error) if items.len() > 1 => {
                    tracing::warn!(
                        account.id = lease.account_id.0,
                        mails = items.len(),
                        %error,
                        "A batch failed: halving it to find the guilty mail"
                    );
                    let second = items.split_off(items.len() / 2);
                    // Order is kept: the first half is settled first.
                    stack.push(second);
                    stack.push(items);
                }
                Err(error) => match items.first() {
                    Some(alone) => self.settle_guilty(lease, alone, error).await?,
                    None => return Err(error),
                },
            }
        }
        Ok(())
    }

    async fn try_settle(&self, lease: &Lease, items: &[Item]) -> Result<Vec<Decided>> {
        let fault = self.inner.options.fault.clone();
        let batch = MailBatch { epoch: lease.epoch, items: items.to_vec(), fault };
        self.decide_mail(lease.account_id, Arc::new(batch)).await
    }

    /// One mail that failed by itself.
    async fn settle_guilty(&self, lease: &Lease, item: &Item, error: StoreError) -> Result<()> {
        let is_its_own =
            error.owner() == Owner::Mail && self.inner.guilty.is_new(lease.account_id, item.id(), &error);
        if is_its_own || self.is_patience_over(lease.account_id, item).await {
            return self.hold_back(lease, item, &step_of(&error)).await;
        }
        Err(error)
    }

    /// Notes that a mail keeps its account from going on; whether it has done so for too long.
    pub(crate) async fn is_patience_over(&self, account_id: AccountId, item: &Item) -> bool {
        let key = item.key;
        let noted = self.store().write(move |tx| {
            let now = tx.database_now()?;
            Ok(now - store::spool::note_trouble(&mut tx.account(account_id), key, now)?)
        });
        // A failure that cannot even be noted is no mail's fault.
        noted
            .await
            .is_ok_and(|waited| u128::try_from(waited).is_ok_and(|waited| waited >= PATIENCE.as_millis()))
    }
}

/// Whether no mail of the batch has to be tried alone. What took too long may be done in smaller pieces.
fn is_of_the_system(error: &StoreError) -> bool {
    error.owner() == Owner::System && !matches!(error, StoreError::TimedOut(_))
}
