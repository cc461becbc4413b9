//! Holds a mail that some step could not process, whole, with cause 19, or 24 when reading it took too long.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use desk::effect;
use desk::id::{AccountId, MailId};
use desk::inbound::Inbound;
use desk::ledger::Outcome;
use desk::suspension::Cause;
use mail::letter::Letter;
use store::work::Lease;
use store::{Result, StoreError};

use super::{Decided, Item};
use crate::Engine;
use crate::transact::{Open, Work};

/// Maximum number of accounts whose failures are remembered; beyond that all are forgotten.
const REMEMBERED: usize = 256;
/// This many mails of an account in a row are held for the same error. One more with it is not the mails' fault:
/// otherwise a fault of the account or of the machine would suspend all mail, one by one. More than one, so that a bad
/// mail that was sent twice does not stop an account.
const HELD_IN_A_ROW: usize = 3;

/// For each account, the errors its mails were held for since one was last decided.
#[derive(Debug, Default)]
pub(crate) struct Guilty(Mutex<BTreeMap<AccountId, BTreeMap<String, BTreeSet<MailId>>>>);

impl Guilty {
    /// Notes an error that a mail caused by itself; returns whether it may be held for it.
    pub(crate) fn is_new(&self, account_id: AccountId, mail: MailId, error: &StoreError) -> bool {
        let mut known = self.0.lock().expect("plain map");
        if known.len() >= REMEMBERED && !known.contains_key(&account_id) {
            known.clear();
        }
        let mails = known.entry(account_id).or_default().entry(error.to_string()).or_default();
        mails.contains(&mail) || (mails.len() < HELD_IN_A_ROW && mails.insert(mail))
    }

    /// Mail of the account was decided: what failed before was not its fault.
    pub(crate) fn forget(&self, account_id: AccountId) {
        self.0.lock().expect("plain map").remove(&account_id);
    }
}

/// What the ledger says of the step that failed. A panic's text may quote the mail, so it stays out.
pub(crate) fn step_of(error: &StoreError) -> String {
    match error {
        StoreError::Panicked(_) => "deciding it panicked".to_owned(),
        other => other.to_string(),
    }
}

impl Engine {
    /// Suspends a mail; its bytes are kept.
    ///
    /// # Errors
    /// The store's: the mail stays in the spool.
    pub(crate) async fn hold_back(&self, lease: &Lease, item: &Item, step: &str) -> Result<()> {
        tracing::error!(
            account.id = lease.account_id.0,
            mail.id = item.id().0,
            step,
            "Suspended a mail that could not be processed"
        );
        let held = HoldBack { epoch: lease.epoch, item: item.clone(), step: step.to_owned() };
        self.transact(lease.account_id, Arc::new(held)).await?;
        let decided =
            Decided { id: item.id(), accepted_at: item.key.accepted_at, outcome: Outcome::Suspended };
        self.report(lease.account_id, &[decided]);
        Ok(())
    }
}

struct HoldBack {
    epoch: i64,
    item: Item,
    step: String,
}

impl Work for HoldBack {
    type Done = ();
    type Error = StoreError;

    fn epoch(&self) -> Option<i64> {
        Some(self.epoch)
    }

    fn ids_expected(&self) -> usize {
        0
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<()> {
        let empty = Letter::parse(b"");
        let key = self.item.key;
        let inbound = Inbound::new(key.id, key.accepted_at, &self.item.envelope, &empty);
        let cause = self.item.letter.as_ref().err().map_or(Cause::UnprocessableEmail, |unread| unread.cause);
        open.changes = effect::unprocessable(&inbound, cause, &self.step, open.now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_from_mail_after_mail_is_not_the_mails_fault() {
        let guilty = Guilty::default();
        let account = AccountId(1);
        let is_new =
            |mail: i64, what: &str| guilty.is_new(account, MailId(mail), &StoreError::Refused(what.into()));
        assert!(is_new(1, "a") && is_new(2, "a") && is_new(3, "a"));
        assert!(is_new(1, "a"), "the same mail tried again");
        assert!(!is_new(4, "a"));
        assert!(is_new(4, "b"));
        let other = StoreError::Refused("a".into());
        assert!(guilty.is_new(AccountId(2), MailId(9), &other), "another account has its own");
        guilty.forget(account);
        assert!(is_new(4, "a"), "mail was decided between them");
    }
}
