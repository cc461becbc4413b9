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
/// How long an account that has more mail than goes into its turns stays in hand, where this node has more accounts than
/// processors: other nodes may have nothing to do, and nobody here knows.
const SHARED_AFTER: Duration = Duration::from_secs(5);
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
    /// How many accounts this node can process at full speed; more are shared. None: there is nobody to share with.
    own: Option<usize>,
    at_work: BTreeSet<AccountId>,
    /// Since when each account has had more mail than went into its turn.
    busy: BTreeMap<AccountId, Instant>,
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
    /// A hand with nothing in it; `own` is how many busy accounts the node keeps to itself, none where there are no other nodes.
    pub(super) fn new(lane: Lane, limit: usize, own: Option<usize>) -> Hand {
        Hand {
            lane,
            running: JoinSet::new(),
            ready: VecDeque::new(),
            look_from: Instant::now(),
            had_room: Instant::now(),
            own,
            at_work: BTreeSet::new(),
            busy: BTreeMap::new(),
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
            self.busy.remove(account);
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

    /// The accounts to leave to other nodes although they have mail: those that have been busy for long, where there are more
    /// than this node can process at full speed.
    pub(super) fn shared(&mut self, now: Instant) -> Vec<AccountId> {
        let Some(own) = self.own else { return Vec::new() };
        let too_many = (self.at_work.len() + self.ready.len()).saturating_sub(own);
        let is_long =
            |account: &&AccountId| self.busy.get(account).is_some_and(|since| now >= *since + SHARED_AFTER);
        let shared: Vec<AccountId> = self.ready.iter().filter(is_long).take(too_many).copied().collect();
        self.forget(&shared);
        shared
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
                let now = Instant::now();
                if turn.has_more {
                    self.busy.entry(account).or_insert(now);
                } else {
                    self.busy.remove(&account);
                }
                if turn.has_more || has_rung {
                    self.make_ready(account);
                } else {
                    self.resting.insert(account, now);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use store::work::Kind;
    use store::{Store, StoreOptions};
    use testkit::database::{self, Database};

    use super::*;

    /// A hand that has accounts 1 to `accounts` with mail, and the database behind it.
    fn hand(own: Option<usize>, accounts: i64) -> (Hand, Database) {
        let database = database::sqlite();
        let options = StoreOptions {
            url: database.url.clone(),
            blobs: format!("file:{}", database.folder.path().display()),
            connections: 1,
            allow_unsafe: false,
            clock: None,
        };
        let store = Store::open(&options).unwrap();
        let mut hand = Hand::new(Lane::new(store, Kind::Mail, "one", 8_000), 256, own);
        (1..=accounts).for_each(|account| hand.make_ready(AccountId(account)));
        (hand, database)
    }

    async fn has_more(hand: &mut Hand, account: i64, has_more: bool) {
        hand.note_turn(AccountId(account), Ok(Turn { last: None, has_more })).await;
    }

    fn ids(accounts: &[AccountId]) -> Vec<i64> {
        accounts.iter().map(|account| account.0).collect()
    }

    #[tokio::test]
    async fn accounts_that_a_node_does_not_keep_up_with_are_left_to_others_after_a_while() {
        let (mut node, _database) = hand(Some(2), 5);
        for account in 1..=4 {
            has_more(&mut node, account, true).await;
        }
        has_more(&mut node, 4, false).await;
        node.make_ready(AccountId(4));
        let now = Instant::now();
        assert_eq!(ids(&node.shared(now)), [0; 0], "not at once");
        assert_eq!(
            ids(&node.shared(now + SHARED_AFTER)),
            [1, 2, 3],
            "4 came to an end meanwhile, 5 had no turn"
        );
        assert_eq!(node.ready, [AccountId(4), AccountId(5)]);
        has_more(&mut node, 4, true).await;
        has_more(&mut node, 5, true).await;
        assert_eq!(ids(&node.shared(Instant::now() + SHARED_AFTER)), [0; 0], "two processors, two accounts");

        let (mut alone, _database) = hand(None, 5);
        for account in 1..=5 {
            has_more(&mut alone, account, true).await;
        }
        assert_eq!(ids(&alone.shared(Instant::now() + SHARED_AFTER)), [0; 0], "there is nobody else");
    }

    #[tokio::test]
    async fn a_hand_that_stays_full_lets_a_few_go_each_second() {
        let (mut node, _database) = hand(None, 64);
        let begun = Instant::now();
        assert_eq!(ids(&node.leaving(begun)), [0; 0]);
        assert_eq!(ids(&node.leaving(begun + CHANGE_EVERY)), (57..=64).collect::<Vec<_>>());
        assert_eq!(node.ready.len(), 56);
        assert_eq!(ids(&node.leaving(begun + CHANGE_EVERY * 3)), [0; 0], "there is room");
        (57..=64).for_each(|account| node.make_ready(AccountId(account)));
        assert_eq!(ids(&node.leaving(begun + CHANGE_EVERY * 3)), [0; 0], "it is full again from now on");
        assert_eq!(node.leaving(begun + CHANGE_EVERY * 4).len(), CHANGED_AT_ONCE);
    }

    /// What a node does in a second: some leave, some are claimed, and all it has get a turn, after which they have more.
    async fn second(node: &mut Hand, circle: &mut VecDeque<AccountId>, now: Instant) -> Vec<AccountId> {
        circle.extend(node.leaving(now));
        for _ in 0..node.room(now) {
            let Some(account) = circle.pop_front() else { break };
            node.make_ready(account);
        }
        let turns: Vec<AccountId> = node.ready.drain(..).collect();
        for account in &turns {
            has_more(node, account.0, true).await;
        }
        turns
    }

    #[tokio::test]
    async fn of_more_accounts_than_a_node_takes_each_gets_its_turn() {
        const ACCOUNTS: i64 = 300;
        for nodes in [1, 2] {
            let mut hands: Vec<_> = (0..nodes).map(|_| hand(None, 0)).collect();
            let mut circle: VecDeque<AccountId> = (1..=ACCOUNTS).map(AccountId).collect();
            let mut had_turn = BTreeSet::new();
            let begun = Instant::now();
            let at_most = u32::try_from(ACCOUNTS).unwrap() / 8;
            for number in 0..at_most {
                for (node, _database) in &mut hands {
                    had_turn.extend(second(node, &mut circle, begun + CHANGE_EVERY * number).await);
                }
            }
            let without: Vec<i64> =
                (1..=ACCOUNTS).filter(|account| !had_turn.contains(&AccountId(*account))).collect();
            assert_eq!(without, [0; 0], "{nodes} nodes");
        }
    }

    #[tokio::test]
    async fn a_turn_that_panics_leaves_its_account_alone_and_no_other() {
        let (mut node, _database) = hand(None, 0);
        let ended = |account| Ended { account_id: account, turn: Ok(Turn { last: None, has_more: true }) };
        for account in [AccountId(1), AccountId(2)] {
            node.at_work.insert(account);
            node.rung.insert(account);
        }
        node.spawn(AccountId(1), async { panic!("a defect of ours") });
        node.spawn(AccountId(2), async move { ended(AccountId(2)) });
        let told = Told::default();
        let guard = tracing::subscriber::set_default(told.clone());
        while let Some(joined) = node.running.join_next_with_id().await {
            node.note(Some(joined)).await;
        }
        drop(guard);
        assert_eq!(*told.0.lock().unwrap(), ["account.id=1"]);
        assert_eq!(node.ready, [AccountId(2)]);
        assert!(node.at_work.is_empty() && node.tasks.is_empty());
    }

    /// The accounts that errors in the log name.
    #[derive(Debug, Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl tracing::Subscriber for Told {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::ERROR
        }

        fn event(&self, event: &tracing::Event<'_>) {
            event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if field.name() == "account.id" {
                    self.0.lock().unwrap().push(format!("{}={value:?}", field.name()));
                }
            });
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
            tracing::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}
        fn enter(&self, _: &tracing::Id) {}
        fn exit(&self, _: &tracing::Id) {}
    }
}
