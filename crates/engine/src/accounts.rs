//! Accounts kept in memory between changes of their configuration; the version is compared in every batch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use desk::account::Account;
use desk::id::AccountId;
use store::{AccountTx, Result, StoreError};

/// The accounts this node has processed lately.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    kept: Mutex<BTreeMap<AccountId, Versioned>>,
}

/// An account with the version of its configuration.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    version: i64,
    account: Arc<Account>,
}

/// Maximum number of accounts kept; beyond that all are forgotten and read again when needed.
const KEPT_MAX: usize = 4_096;

impl Accounts {
    pub(crate) fn kept(&self, account_id: AccountId) -> Option<Versioned> {
        self.kept.lock().expect("plain map").get(&account_id).cloned()
    }

    pub(crate) fn keep(&self, account_id: AccountId, versioned: Versioned) {
        let mut kept = self.kept.lock().expect("plain map");
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(account_id, versioned);
    }
}

impl Versioned {
    /// Whether the configuration still has the version that the database reports.
    pub(crate) fn is_of(&self, version: i64) -> bool {
        self.version == version
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

/// The account as it is in this transaction, read again.
///
/// # Errors
/// [`StoreError::Changed`] when the account is gone.
pub(crate) fn load(tx: &mut AccountTx<'_, '_>) -> Result<Versioned> {
    let (version, account) = store::account::load(tx)?.ok_or(StoreError::Changed("the account"))?;
    Ok(Versioned { version, account: Arc::new(account) })
}
