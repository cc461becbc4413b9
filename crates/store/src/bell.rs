//! Bells: who in this process, and on other nodes, is to look at an account now. They are hints: a bell that is lost costs the
//! time until the next look, nothing else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use desk::id::AccountId;
use tokio::sync::Notify;

use crate::Store;
use crate::kind::Kind;

/// Accounts that a bell keeps until it is heard; beyond them it only says that there is something to look for.
const ACCOUNTS_MAX: usize = 1_024;

/// What rings when there is work of a kind.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Notify,
    accounts: Mutex<BTreeSet<AccountId>>,
}

impl Bell {
    /// Waits until it rings; one ring is kept for a late comer.
    pub async fn heard(&self) {
        self.rung.notified().await;
    }

    /// The accounts it was rung for since this was last asked. Some may be missing: the rows that are due are complete.
    #[must_use]
    pub fn take(&self) -> BTreeSet<AccountId> {
        std::mem::take(&mut *self.accounts.lock().expect("plain take"))
    }

    pub(crate) fn ring(&self, account: Option<AccountId>) {
        if let Some(account) = account {
            let mut accounts = self.accounts.lock().expect("plain insert");
            if accounts.len() < ACCOUNTS_MAX {
                accounts.insert(account);
            }
        }
        self.rung.notify_one();
    }
}

/// A ring as other nodes hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ring {
    /// What there is to do.
    pub kind: Kind,
    /// For which account; none: it is not known which.
    pub account: Option<AccountId>,
    /// The account's change number when it was rung, where a change of the account caused it.
    pub change: Option<i64>,
}

impl Ring {
    /// `kind account change`, `-` for what is missing.
    pub(crate) fn text(self) -> String {
        let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        format!("{} {} {}", self.kind.as_str(), number(self.account.map(|id| id.0)), number(self.change))
    }

    /// None for a kind that this version does not know, or a text that is not a ring's.
    pub(crate) fn parse(text: &str) -> Option<Ring> {
        let mut words = text.split(' ');
        let kind = words.next()?.parse().ok()?;
        let mut number = || words.next().and_then(|word| word.parse().ok());
        Some(Ring { kind, account: number().map(AccountId), change: number() })
    }
}

/// The bells of a process, one a kind.
#[derive(Debug)]
pub(crate) struct Bells(Vec<(Kind, Arc<Bell>)>);

impl Default for Bells {
    fn default() -> Bells {
        Bells(Kind::ALL.iter().map(|kind| (*kind, Arc::default())).collect())
    }
}

impl Bells {
    pub(crate) fn of(&self, kind: Kind) -> Arc<Bell> {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map(|(_, bell)| Arc::clone(bell)).unwrap_or_default()
    }

    pub(crate) fn ring(&self, ring: Ring) {
        self.of(ring.kind).ring(ring.account);
    }

    /// After a time in which rings of others may have been missed.
    pub(crate) fn ring_all(&self) {
        self.0.iter().for_each(|(_, bell)| bell.ring(None));
    }
}

impl Store {
    /// Rings for an account's work on this node alone: for the others nothing has changed. Returns at once.
    pub fn ring_here(&self, kind: Kind, account: AccountId) {
        self.inner.bells.ring(Ring { kind, account: Some(account), change: None });
    }

    /// Rings for an account's work, here and on the other nodes. Returns at once.
    pub fn ring(&self, kind: Kind, account: AccountId, change: Option<i64>) {
        let ring = Ring { kind, account: Some(account), change };
        self.inner.bells.ring(ring);
        self.tell_others(ring);
    }

    /// The bell of a kind of work. Asking for one also makes this process hear the other nodes.
    #[must_use]
    pub fn bell(&self, kind: Kind) -> Arc<Bell> {
        self.hear_others();
        self.inner.bells.of(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_read_as_it_was_told_and_one_of_a_newer_version_is_left_alone() {
        let account = Some(AccountId(7));
        for ring in [
            Ring { kind: Kind::Mail, account, change: None },
            Ring { kind: Kind::Outbox, account, change: Some(41) },
            Ring { kind: Kind::Close, account: None, change: None },
        ] {
            assert_eq!(Ring::parse(&ring.text()), Some(ring));
        }
        assert_eq!(Ring::parse("webhook 7 41"), None);
        assert_eq!(Ring::parse("mail"), Some(Ring { kind: Kind::Mail, account: None, change: None }));
    }

    #[test]
    fn a_bell_keeps_so_many_accounts_and_rings_for_all() {
        let bell = Bell::default();
        (0..2 * ACCOUNTS_MAX as i64).for_each(|id| bell.ring(Some(AccountId(id))));
        assert_eq!(bell.take().len(), ACCOUNTS_MAX);
        assert!(bell.take().is_empty());
    }
}
