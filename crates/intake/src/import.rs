//! Old mail: readers of mbox files, Maildirs and folders of .eml files, and what spools what they find.
//!
//! Each mail is taken once, however often an import is run and wherever it was stopped: what was spooled is remembered
//! by its digest in the same transaction (docs/behaviour/doors.md §3).

pub mod folder;
pub mod maildir;
pub mod mbox;
mod source;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::envelope::{Door, Envelope};
use desk::id::{AccountId, MailId};
use store::import::Digest;
use store::spool::NewMail;

use crate::{Intake, parcel, raw_mail};

pub use source::{Found, OldMail, Skip, Source};

/// The account's undecided mails beyond which an import waits, so that new mail does not wait long for it.
const WAITING_MAX: i64 = 2_048;
/// How often an import looks whether there is room again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// When nothing was decided for this long, the import assumes that no engine is running and continues.
const IDLE_AFTER: Duration = Duration::from_secs(5);

/// How many mails of a batch were new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Spooled now.
    pub new: u64,
    /// Imported before, or twice in the source.
    pub known: u64,
}

/// Spools old mail for one recipient.
#[derive(Debug)]
pub struct Importer {
    intake: Intake,
    account_id: AccountId,
    recipient: String,
    /// Whether somebody decides mails: only then is there something to wait for.
    is_decided: bool,
}

impl Importer {
    /// An importer into an account, to one of its addresses. `is_decided` tells whether a desk may be running that
    /// decides what is imported; where that cannot be known, say so.
    #[must_use]
    pub fn new(intake: Intake, account_id: AccountId, recipient: String, is_decided: bool) -> Importer {
        Importer { intake, account_id, recipient, is_decided }
    }

    /// Makes a batch durable in one transaction, without what was imported before. Waits for room first: while many of
    /// the account's mails are undecided and somebody decides them.
    ///
    /// # Errors
    /// The store's; nothing of the batch is kept then.
    pub async fn take(&mut self, mails: Vec<OldMail>) -> store::Result<Taken> {
        let all = mails.len();
        let digests: Vec<Digest> = mails.iter().map(|mail| raw_mail::digest(&mail.raw)).collect();
        let mut seen = self.known(digests.clone()).await?;
        let new: Vec<(Digest, OldMail)> =
            digests.into_iter().zip(mails).filter(|(digest, _)| seen.insert(*digest)).collect();
        if new.is_empty() {
            return Ok(Taken { new: 0, known: all as u64 });
        }
        self.make_room().await?;
        let count = self.spool(new).await?;
        Ok(Taken { new: count as u64, known: all.saturating_sub(count) as u64 })
    }

    async fn make_room(&mut self) -> store::Result<()> {
        let (mut oldest, mut since) = (None, Instant::now());
        while self.is_decided {
            let account_id = self.account_id;
            let store = &self.intake.store;
            let now = store
                .read_now(move |tx| {
                    store::spool::oldest_of_more_than(&mut tx.account(account_id), WAITING_MAX)
                })
                .await?;
            if now.is_none() {
                break;
            }
            if now != oldest {
                (oldest, since) = (now, Instant::now());
            }
            self.is_decided = since.elapsed() < IDLE_AFTER;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn known(&self, digests: Vec<Digest>) -> store::Result<BTreeSet<Digest>> {
        let account_id = self.account_id;
        self.intake
            .store
            .read_now(move |tx| store::import::known(&mut tx.account(account_id), &digests))
            .await
    }

    async fn spool(&self, new: Vec<(Digest, OldMail)>) -> store::Result<usize> {
        let Importer { intake, account_id, .. } = self;
        let accepted_at = intake.clock.now();
        let mut ids = intake.store.ids(new.len()).await?;
        let mut mails = Vec::with_capacity(new.len());
        for (digest, mail) in new {
            let id = MailId(ids.next()?);
            let envelope = parcel::written(&self.envelope(&mail))?;
            let packed = intake.store.pack_mail(*account_id, id, &Arc::new(mail.raw)).await?;
            mails.push((digest, NewMail { account_id: *account_id, id, accepted_at, envelope, packed }));
        }
        intake.store.spool_imported(*account_id, mails).await
    }

    fn envelope(&self, mail: &OldMail) -> Envelope {
        Envelope {
            door: Door::Import,
            client: String::new(),
            helo: String::new(),
            mail_from: raw_mail::return_path(&mail.raw, mail.from_line.as_deref()),
            recipients: vec![self.recipient.clone()],
            trusted: false,
            tls: false,
        }
    }
}
