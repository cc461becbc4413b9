//! Which account a recipient belongs to. What is known is remembered while the directory's version stands; what is not
//! known is looked up each time, so that a new address is known as soon as it is added.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use desk::id::AccountId;
use mail::address::AddressKey;
use store::Store;

/// How long remembered answers are used before the version is compared again: a removed address is noticed this late.
const FRESH: Duration = Duration::from_millis(250);
/// Maximum number of answers remembered; beyond that all are forgotten.
const KEPT_MAX: usize = 16_384;

/// The directory with its memory.
#[derive(Debug)]
pub(crate) struct Directory {
    store: Store,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    version: i64,
    checked: Option<Instant>,
    accounts: BTreeMap<AddressKey, AccountId>,
}

impl Directory {
    pub(crate) fn new(store: Store) -> Directory {
        let memory = Memory { version: 0, checked: None, accounts: BTreeMap::new() };
        Directory { store, memory: Mutex::new(memory) }
    }

    /// The account of an address; none when nobody has it.
    pub(crate) async fn account_of(&self, key: &AddressKey) -> store::Result<Option<AccountId>> {
        if let Some(account) = self.remembered(key) {
            return Ok(Some(account));
        }
        let asked = key.clone();
        let (version, account) = self
            .store
            .read_now(move |tx| {
                let version = store::version::find(tx, store::version::DIRECTORY)?;
                Ok((version, store::recipient::account_of(tx, &asked)?))
            })
            .await?;
        self.remember(version, key, account);
        Ok(account)
    }

    /// The account of `<postmaster>`.
    pub(crate) async fn postmaster(&self) -> store::Result<Option<AccountId>> {
        self.store.read_now(store::account::only).await
    }

    fn remembered(&self, key: &AddressKey) -> Option<AccountId> {
        let memory = self.memory.lock().expect("plain map");
        let fresh = memory.checked.is_some_and(|checked| checked.elapsed() < FRESH);
        if fresh { memory.accounts.get(key).copied() } else { None }
    }

    fn remember(&self, version: i64, key: &AddressKey, account: Option<AccountId>) {
        let mut memory = self.memory.lock().expect("plain map");
        if memory.version != version || memory.accounts.len() >= KEPT_MAX {
            memory.accounts.clear();
            memory.version = version;
        }
        memory.checked = Some(Instant::now());
        if let Some(account) = account {
            memory.accounts.insert(key.clone(), account);
        }
    }
}
