//! Tells an account's chosen address what was held since the last digest (docs/behaviour/suspension.md).

use std::collections::BTreeMap;
use std::sync::Arc;

use desk::account::Account;
use desk::digest::{Digest, Held, NEWEST_SHOWN};
use desk::id::AccountId;
use desk::notice;
use desk::suspension::Cause;
use mail::address::AddressKey;
use store::Result;
use store::suspended::Since;
use store::work::Kind;

use crate::Engine;
use crate::transact::{Open, Work};

/// Ids of one digest: the mail and its row.
const IDS: usize = 2;

impl Engine {
    /// Puts a digest that is due into the outbox; false when there was nothing to report, or nobody to report it to.
    ///
    /// # Errors
    /// As the store says; a digest that was written is not written again.
    pub(super) async fn tell_of_held(&self, account_id: AccountId) -> Result<bool> {
        Ok(self.transact(account_id, Arc::new(Tell)).await?.done)
    }
}

struct Tell;

impl Work for Tell {
    type Done = bool;
    type Error = store::StoreError;

    fn ids_expected(&self) -> usize {
        IDS
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<bool> {
        let account = open.account();
        let now = open.now();
        store::timer::remove_until(open.tx, Kind::Digest, now)?;
        let Some(to) = recipient(&account) else { return Ok(false) };
        let last = store::mark::find(open.tx, store::mark::SUSPENDED_TOLD)?;
        let newest = i64::try_from(NEWEST_SHOWN).unwrap_or(i64::MAX);
        let since = store::suspended::since(open.tx, last.unwrap_or_default(), newest)?;
        let Some(letter) = digest(since).letter(&account.name, &account.subdomain) else { return Ok(false) };
        let Some(content) = notice::digest(&account, &to, letter) else { return Ok(false) };
        open.writer().send(None, None, content, vec![to]);
        // Only now: what could not be reported is in the next digest.
        store::mark::set(open.tx, store::mark::SUSPENDED_TOLD, now)?;
        Ok(true)
    }
}

/// The recipient: never one of our own addresses, where the digest would itself be held.
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
        let cause = Cause::of_number(row.cause)?;
        Some(Held { id: row.id.0, cause, sender: row.sender, subject: row.subject })
    });
    Digest { counts, newest: newest.collect(), held: since.held }
}
