//! What the sorter has in hand: accounts being processed, accounts whose turn is next, and idle accounts about to be
//! released.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use desk::id::AccountId;
use store::StoreError;
use store::lane::Lane;
use store::spool::SpoolKey;
use store::work::Lease;
use tokio::task::{Id, JoinError, JoinSet};

use super::rate::Rate;
use super::took_too_long;

/// Maximum number of accounts processed concurrently.
const ACCOUNTS_AT_ONCE: usize = 64;
/// How long an account without mail stays in hand: more mail often comes soon, and releasing the account costs a
/// transaction.
const REST: Duration = Duration::from_secs(1);
/// While the hand is full, a few accounts leave it this often, so that accounts that no node has in hand get their turn
/// too.
const CHANGE_EVERY: Duration = Duration::from_secs(1);
/// How many leave it then.
const CHANGED_AT_ONCE: usize = 8;
/// How often the spool of a busy account is read from its beginning.
const WHOLE_EVERY: Duration = Duration::from_secs(5);

/// How an account's turn ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) account_id: AccountId,
    pub(super) turn: store::Result<Turn>,
}

/// What is left after a turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Where to resume reading the spool; none: from its beginning.
    pub(crate) last: Option<SpoolKey>,
    /// Whether more mail may wait.
    pub(crate) has_more: bool,
}

/// Where to resume reading an account's spool, and when it was last read from its beginning.
#[derive(Debug, Clone, Copy)]
struct Place {
    key: SpoolKey,
    since: Instant,
}

/// What the sorter has in hand.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) lane: Lane,
    pub(super) running: JoinSet<Ended>,
    /// Accounts of ours with mail, in the order of their turns.
    pub(super) ready: VecDeque<AccountId>,
    /// From this time on the database is checked even if no bell rings.
    pub(super) look_from: Instant,
    /// When there was last room for more accounts.
    had_room: Instant,
    at_work: BTreeSet<AccountId>,
    /// Whose turn each task is.
    tasks: BTreeMap<Id, AccountId>,
    /// Accounts being processed whose bell rang meanwhile.
    rung: BTreeSet<AccountId>,
    resting: BTreeMap<AccountId, Instant>,
    places: BTreeMap<AccountId, Place>,
    /// The batch size of accounts that took too long with larger batches.
    limits: BTreeMap<AccountId, usize>,
    limit: usize,
    rate: Rate,
}

impl Hand {
    pub(super) fn new(lane: Lane, limit: usize) -> Hand {
        Hand {
            lane,
            running: JoinSet::new(),
            ready: VecDeque::new(),
            look_from: Instant::now(),
            had_room: Instant::now(),
            at_work: BTreeSet::new(),
            tasks: BTreeMap::new(),
            rung: BTreeSet::new(),
            resting: BTreeMap::new(),
            places: BTreeMap::new(),
            limits: BTreeMap::new(),
            limit,
            rate: Rate::default(),
        }
    }

    /// Takes in the bells; returns whether all of them are for accounts in hand, so that no search is needed.
    pub(super) fn hear(&mut self, rung: BTreeSet<AccountId>) -> bool {
        let mut is_known = !rung.is_empty();
        for account in rung {
            if self.at_work.contains(&account) {
                self.rung.insert(account);
            } else if self.lane.lease(account).is_some() {
                self.make_ready(account);
            } else {
                is_known = false;
            }
        }
        is_known
    }

    fn make_ready(&mut self, account: AccountId) {
        self.resting.remove(&account);
        if !self.ready.contains(&account) {
            self.ready.push_back(account);
        }
    }

    /// Accounts that have been idle long enough to be released.
    pub(super) fn rested(&self, now: Instant) -> Vec<AccountId> {
        self.resting.iter().filter(|(_, since)| now >= **since + REST).map(|(account, _)| *account).collect()
    }

    /// Notes what became of accounts that were to be released. Those that are due have mail before the place from which
    /// their spool was last read.
    pub(super) fn put_down(&mut self, rested: &[AccountId], due_again: &[AccountId]) {
        self.forget(rested);
        due_again.iter().for_each(|account| self.make_ready(*account));
    }

    /// Forgets everything about accounts except their leases.
    pub(super) fn forget(&mut self, accounts: &[AccountId]) {
        for account in accounts {
            self.resting.remove(account);
            self.places.remove(account);
            self.limits.remove(account);
            self.ready.retain(|ready| ready != account);
        }
    }

    /// How many more accounts may be claimed.
    pub(super) fn room(&mut self, now: Instant) -> usize {
        let taken = self.at_work.len() + self.ready.len();
        ACCOUNTS_AT_ONCE.saturating_sub(taken).min(self.rate.left(now))
    }

    /// The accounts to release although they have mail, since the hand has been full for a while: those that had the
    /// latest turn. They rejoin the rotation of all accounts.
    pub(super) fn leaving(&mut self, now: Instant) -> Vec<AccountId> {
        if self.at_work.len() + self.ready.len() < ACCOUNTS_AT_ONCE {
            self.had_room = now;
        }
        if now < self.had_room + CHANGE_EVERY {
            return Vec::new();
        }
        self.had_room = now;
        let first = self.ready.len().saturating_sub(CHANGED_AT_ONCE);
        let leaving: Vec<AccountId> = self.ready.iter().skip(first).copied().collect();
        self.forget(&leaving);
        leaving
    }

    /// The next account to process, with its batch size and where to resume reading.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Lease, usize, Option<SpoolKey>)> {
        while self.at_work.len() < ACCOUNTS_AT_ONCE && self.rate.left(now) > 0 {
            let account = self.ready.pop_front()?;
            // Its lease was lost meanwhile.
            let Some(lease) = self.lane.lease(account).cloned() else { continue };
            self.rate.take(1);
            self.at_work.insert(account);
            let limit = self.limits.get(&account).copied().unwrap_or(self.limit);
            let place = self.places.get(&account).filter(|place| now < place.since + WHOLE_EVERY);
            return Some((lease, limit, place.map(|place| place.key)));
        }
        None
    }

    /// Notes all turns that have ended.
    pub(super) async fn note_joined(&mut self) {
        while let Some(joined) = self.running.try_join_next_with_id() {
            self.note(Some(joined)).await;
        }
    }

    /// Notes how a turn ended. A failure concerns that account alone.
    pub(super) async fn note(&mut self, joined: Option<Result<(Id, Ended), JoinError>>) {
        match joined {
            Some(Ok((id, Ended { account_id, turn }))) => {
                self.tasks.remove(&id);
                self.note_turn(account_id, turn).await;
            }
            None => {}
            Some(Err(error)) => {
                let Some(account) = self.tasks.remove(&error.id()) else { return };
                tracing::error!(account.id = account.0, "A turn of an account panicked");
                self.at_work.remove(&account);
                self.rung.remove(&account);
                self.forget(&[account]);
                self.lane.failed(account).await;
            }
        }
    }

    /// Begins a turn.
    pub(super) fn spawn(&mut self, account: AccountId, turn: impl Future<Output = Ended> + Send + 'static) {
        let id = self.running.spawn(turn).id();
        self.tasks.insert(id, account);
    }

    async fn note_turn(&mut self, account: AccountId, turn: store::Result<Turn>) {
        self.at_work.remove(&account);
        let has_rung = self.rung.remove(&account);
        let error = match turn {
            Ok(turn) => {
                self.lane.succeeded(account);
                self.note_place(account, turn.last);
                self.grow(account);
                if turn.has_more || has_rung {
                    self.make_ready(account);
                } else {
                    self.resting.insert(account, Instant::now());
                }
                return;
            }
            Err(error) => error,
        };
        if took_too_long(&error) {
            let limit = self.limits.entry(account).or_insert(self.limit);
            *limit = (*limit / 2).max(1);
        }
        if matches!(error, StoreError::Fenced { .. }) {
            tracing::warn!(account.id = account.0, "Another node took this account over");
            self.forget(&[account]);
            self.lane.lose(account);
            return;
        }
        self.places.remove(&account);
        let wait = self.lane.failed(account).await;
        tracing::warn!(
            account.id = account.0,
            %error,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "Mail of an account waits: it cannot be processed here now"
        );
    }

    fn note_place(&mut self, account: AccountId, last: Option<SpoolKey>) {
        let Some(key) = last else {
            self.places.remove(&account);
            return;
        };
        let now = Instant::now();
        let place = self.places.entry(account).or_insert(Place { key, since: now });
        if now >= place.since + WHOLE_EVERY {
            place.since = now;
        }
        place.key = key;
    }

    /// After a success the batch size doubles, up to the usual one.
    fn grow(&mut self, account: AccountId) {
        let Some(limit) = self.limits.get_mut(&account) else { return };
        *limit = limit.saturating_mul(2);
        if *limit >= self.limit {
            self.limits.remove(&account);
        }
    }
}
