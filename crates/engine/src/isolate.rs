//! Works an account whose mail may have stopped the program: one mail at a time, each noted before it is read, so that the
//! one that does is found and held (docs/behaviour/intake.md §9).

use std::sync::Arc;

use desk::authentication::Authentication;
use desk::id::AccountId;
use store::spool::SpoolRow;
use store::work::{self, Announced, Kind, Lease};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::batch::Item;
use crate::parse::Unread;

/// A mail at which the program stopped so often while it was worked alone is held. Power cuts and kills count too, and a
/// database that is away keeps a mail noted: fewer would let those hold a mail that did nothing.
const TRIES: i64 = 5;

impl Engine {
    /// Works as many mails as could have been in hand when the program stopped; all accounts take turns, so that a crash is
    /// the fault of the one mail that is noted.
    pub(crate) async fn work_carefully(
        &self,
        lease: &Lease,
        announced: Announced,
        stop: &CancellationToken,
    ) -> store::Result<()> {
        let Some(_turn) = stop.run_until_cancelled(self.inner.careful.lock()).await else { return Ok(()) };
        tracing::warn!(
            account.id = lease.account_id,
            crashes = lease.crashes,
            "The program stopped with this account's mail in hand: working it one mail at a time"
        );
        // A batch, and the one that is read ahead of it.
        for _ in 0..self.inner.options.batch_max * 2 {
            let account_id = lease.account_id;
            let oldest = self
                .store()
                .read(move |tx| store::spool::page(&mut tx.account(AccountId(account_id)), None, 1))
                .await?
                .pop();
            let Some(row) = oldest else {
                return self.calm(lease, Some(announced)).await;
            };
            // A stop that takes too long would count as a crash.
            if stop.is_cancelled() {
                return Ok(());
            }
            self.work_alone(lease, row).await?;
        }
        self.calm(lease, None).await
    }

    async fn work_alone(&self, lease: &Lease, row: SpoolRow) -> store::Result<()> {
        let (held, id) = (lease.clone(), row.id.0);
        let crashes = self.store().write(move |tx| store::crash::try_alone(tx, &held, id)).await?;
        if crashes >= TRIES {
            let step = format!("working it stopped the program {crashes} times");
            return self.hold_back(lease, &unread(row, &step), &step, None).await;
        }
        self.try_mail(lease, id).await
    }

    async fn try_mail(&self, lease: &Lease, id: i64) -> store::Result<()> {
        let tried = async {
            let (items, _) = self.batch_of(AccountId(lease.account_id), None, 1).await?;
            // One that came in meanwhile with an earlier time is noted first.
            if items.first().is_none_or(|item| item.id != id) {
                return Ok(());
            }
            self.settle(lease, items, None).await
        };
        let tried = tried.await;
        if tried.is_err() {
            let lease = lease.clone();
            // It failed, so it did not stop the program. Where this cannot be written, the next end counts as this mail's.
            let _ = self.store().write(move |tx| store::crash::put_down(tx, &lease)).await;
        }
        tried
    }

    /// Nothing stopped the program: from here on mail is worked in batches again. `done` is what was announced and is decided.
    async fn calm(&self, lease: &Lease, done: Option<Announced>) -> store::Result<()> {
        let lease = lease.clone();
        self.store()
            .write(move |tx| {
                store::crash::forget(tx, &lease)?;
                done.as_ref().map_or(Ok(()), |done| work::remove(tx, Kind::Mail, done))
            })
            .await
    }
}

/// A mail that is not read again.
fn unread(row: SpoolRow, why: &str) -> Item {
    Item {
        id: row.id.0,
        accepted_at: row.accepted_at,
        envelope: Arc::new(row.envelope),
        raw: Arc::new(Vec::new()),
        letter: Err(Unread::failed(why)),
        authentication: Authentication::unchecked(),
    }
}
