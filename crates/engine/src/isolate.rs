//! Processes an account whose mail may have stopped the program: one mail at a time, each noted before it is read, so
//! that the guilty one is found and held (docs/behaviour/intake.md §9).

use desk::id::MailId;
use store::Result;
use store::spool::SpoolRow;
use store::work::Lease;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::{Batch, unread};
use crate::sorter::Turn;

/// A mail is held once the program has stopped this often while processing it alone. Power cuts and kills count too,
/// and while the database is away a mail stays noted: with a lower limit those would hold an innocent mail.
const TRIES: i64 = 5;

/// The account is looked at again from the beginning of its spool.
const MORE: Turn = Turn { last: None, has_more: true };

impl Engine {
    /// Processes as many mails as could have been in hand when the program stopped. All such accounts take turns, a mail each, so
    /// that a crash is the fault of the one mail that is being processed.
    pub(crate) async fn work_carefully(&self, lease: &Lease, stop: &CancellationToken) -> Result<Turn> {
        tracing::warn!(
            account.id = lease.account_id.0,
            crashes = lease.crashes,
            "The program stopped with this account's mail in hand: processing it one mail at a time"
        );
        // A batch, and the one that is read ahead of it.
        for _ in 0..self.inner.options.batch_max * 2 {
            let account_id = lease.account_id;
            let page =
                self.store().read_now(move |tx| store::spool::page(&mut tx.account(account_id), None, 1));
            let Some(row) = page.await?.pop() else {
                self.calm(lease).await?;
                return Ok(Turn { last: None, has_more: false });
            };
            // A shutdown that takes too long would count as a crash.
            let Some(_turn) = stop.run_until_cancelled(self.inner.careful.lock()).await else {
                return Ok(MORE);
            };
            self.work_alone(lease, row).await?;
        }
        self.calm(lease).await?;
        Ok(MORE)
    }

    async fn work_alone(&self, lease: &Lease, row: SpoolRow) -> Result<()> {
        let held = lease.clone();
        let id = row.id;
        let crashes = self.store().write(move |tx| store::crash::try_alone(tx, &held, id)).await?;
        if crashes >= TRIES {
            let step = format!("processing it stopped the program {crashes} times");
            return self.hold_back(lease, &unread(row, &step), &step).await;
        }
        let tried = self.try_mail(lease, id).await;
        if tried.is_err() {
            let lease = lease.clone();
            // It failed, so it did not stop the program. If this cannot be written, the next crash counts against this
            // mail.
            let _ = self.store().write(move |tx| store::crash::put_down(tx, &lease)).await;
        }
        tried
    }

    async fn try_mail(&self, lease: &Lease, id: MailId) -> Result<()> {
        let Batch { items, blocked, room: _room, .. } = self.batch_of(lease.account_id, None, 1).await?;
        if let Some(blocked) = blocked {
            return self.settle_blocked(lease, blocked).await;
        }
        // One that came in meanwhile with an earlier time is noted first.
        if items.first().is_none_or(|item| item.id() != id) {
            return Ok(());
        }
        self.settle(lease, items).await
    }

    /// Nothing stopped the program: from here on mail is processed in batches again.
    async fn calm(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        self.store().write(move |tx| store::crash::forget(tx, &lease)).await
    }
}
