//! Holding a mail that no step could work, whole, with cause 19, or 24 when reading it took too long.

use std::collections::BTreeMap;
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

/// Failures remembered at most; beyond them all are forgotten.
const REMEMBERED: usize = 256;

/// The errors of the database that mails were held for. The same one from a second mail is not the mails' fault: else a fault of
/// the machine would suspend all mail, one by one.
#[derive(Debug, Default)]
pub(crate) struct Guilty(Mutex<BTreeMap<(AccountId, String), MailId>>);

impl Guilty {
    /// Notes an error that a mail alone gave; whether no other mail of the account gave the same before.
    pub(crate) fn is_new(&self, account_id: AccountId, mail: MailId, error: &StoreError) -> bool {
        let mut known = self.0.lock().expect("plain map");
        if known.len() >= REMEMBERED {
            known.clear();
        }
        *known.entry((account_id, error.to_string())).or_insert(mail) == mail
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
    fn the_same_error_from_two_mails_is_not_the_mails_fault() {
        let guilty = Guilty::default();
        let account = AccountId(1);
        let refused = |what: &str| StoreError::Refused(what.to_owned());
        assert!(guilty.is_new(account, MailId(1), &refused("a")));
        assert!(guilty.is_new(account, MailId(1), &refused("a")), "the same mail tried again");
        assert!(!guilty.is_new(account, MailId(2), &refused("a")));
        assert!(guilty.is_new(account, MailId(2), &refused("b")));
        assert!(guilty.is_new(AccountId(2), MailId(3), &refused("a")), "another account has its own");
    }
}
