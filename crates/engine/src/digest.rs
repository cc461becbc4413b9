//! Tells an account's chosen address what was held since it was last told (docs/behaviour/suspension.md).

use std::collections::BTreeMap;

use desk::account::Account;
use desk::changes::Changes;
use desk::digest::{Digest, Held, NEWEST_SHOWN};
use desk::facts::Facts;
use desk::id::AccountId;
use desk::notice;
use desk::suspension::Cause;
use desk::writer::Writer;
use mail::address::AddressKey;
use store::changes::Writing;
use store::suspended::Since;
use store::work::{self, Announced, Kind};

use crate::id_source::BatchIds;
use crate::{Engine, accounts};

/// Announcements read at once.
const ANNOUNCEMENTS: i64 = 1_000;
/// Ids of one digest: a marker, the mail, its row.
const IDS: usize = 3;

impl Engine {
    /// Puts the digests that are due into the outbox; returns how many.
    ///
    /// # Errors
    /// As the store says; a digest that was written is not written again.
    pub async fn tell_of_suspended(&self) -> store::Result<u64> {
        let now = self.now();
        let announced = self.store().read(move |tx| work::due(tx, Kind::Digest, now, ANNOUNCEMENTS)).await?;
        let mut told = 0;
        for account in announced {
            told += u64::from(self.tell_account(account).await?);
        }
        if told > 0 {
            self.store().wake(Kind::Outbox);
        }
        Ok(told)
    }

    async fn tell_account(&self, seen: Announced) -> store::Result<bool> {
        let (account_id, now, can_deliver) =
            (AccountId(seen.account_id), self.now(), self.inner.options.can_deliver);
        let reserved = self.store().ids(IDS).await?;
        self.store()
            .write(move |tx| {
                work::lock_account(tx, account_id.0)?;
                work::remove(tx, Kind::Digest, &seen)?;
                let versioned = accounts::load(tx, account_id)?;
                let account = versioned.account();
                let Some(to) = recipient(account) else { return Ok(false) };
                let last = store::suspended::told_until(&mut tx.account(account_id), now)?;
                let since = store::suspended::since(
                    &mut tx.account(account_id),
                    last.unwrap_or_default(),
                    i64::try_from(NEWEST_SHOWN).unwrap_or(i64::MAX),
                )?;
                let Some(letter) = digest(since).letter(&account.name, &account.subdomain) else {
                    return Ok(false);
                };
                let Some(content) = notice::digest(account, &to, letter) else { return Ok(false) };
                let mut supply = BatchIds::new(reserved.again());
                let marker = desk::id_source::IdSource::id(&mut supply);
                let (mut facts, mut changes) = (Facts::default(), Changes::default());
                let mut desk =
                    Writer { account, facts: &mut facts, supply: &mut supply, changes: &mut changes, now };
                desk.send(None, None, content, vec![to]);
                let writing = Writing { now, marker, can_deliver, digest_every: None };
                store::changes::write(&mut tx.account(account_id), writing, &changes)?;
                Ok(true)
            })
            .await
    }
}

/// Who is told: never one of our own addresses, where the digest would be held in its turn.
fn recipient(account: &Account) -> Option<String> {
    let settings = &account.settings;
    settings.suspended_notification.every_ms()?;
    let written = settings.suspended_notification_address.trim();
    let key = AddressKey::parse(written).ok()?;
    let is_ours = account.owner_of(&key).is_some() || account.brand_of_host(key.domain()).is_some();
    (!is_ours).then(|| written.to_owned())
}

fn digest(since: Since) -> Digest {
    let counts: BTreeMap<Cause, u64> = since
        .counts
        .into_iter()
        .filter_map(|(number, count)| Cause::of_number(number).map(|cause| (cause, count)))
        .collect();
    let newest = since.newest.into_iter().filter_map(|row| {
        Cause::of_number(row.cause).map(|cause| Held {
            id: row.id.0,
            cause,
            sender: row.sender,
            subject: row.subject,
        })
    });
    Digest { counts, newest: newest.collect(), held: since.held }
}
