//! The accounts that are in hand: until when, which of their rows, and when they are to be looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use desk::id::{AccountId, OutboxId};
use store::lane::Lane;
use store::work::Lease;

use super::IN_HAND_MAX;

/// Maximum number of accounts in hand, besides those that only wait for slow servers.
const ACCOUNTS_AT_ONCE: usize = 64;
/// Maximum number of accounts in hand in total.
const ACCOUNTS_MAX: usize = 512;

/// How long an account without mail stays in hand: more mail often comes soon, and releasing the account costs a
/// transaction.
const REST: Duration = Duration::from_secs(1);

/// An account whose mail has been on the wire this long without a result only waits for its peers: it takes no other
/// account's place.
const SLOW_FROM: Duration = Duration::from_secs(10);

/// What this node has in hand.
#[derive(Debug, Default)]
pub(super) struct Hand(BTreeMap<AccountId, InHand>);

/// An account this node processes.
#[derive(Debug, Clone)]
struct InHand {
    lease: Lease,
    /// From here on another node may have taken over: nothing is started.
    ends: Instant,
    /// Rows with their destinations.
    rows: BTreeMap<OutboxId, String>,
    /// When the rows are looked at next; none: nothing is due that is not in hand.
    look_from: Option<Instant>,
    /// When something was last taken in hand, or had its result.
    idle_since: Instant,
}

impl Hand {
    /// Takes an account in hand that was just claimed.
    pub(super) fn begin(&mut self, lane: &Lane, lease: Lease) {
        let now = Instant::now();
        let Some(ends) = lane.ends(lease.account_id, lease.epoch) else { return };
        let account = lease.account_id;
        let in_hand = InHand { lease, ends, rows: BTreeMap::new(), look_from: Some(now), idle_since: now };
        self.0.insert(account, in_hand);
    }

    /// Notes how long the leases now last.
    pub(super) fn extend(&mut self, lane: &Lane) {
        for (account, held) in &mut self.0 {
            if let Some(ends) = lane.ends(*account, held.lease.epoch) {
                held.ends = ends;
            }
        }
    }

    /// It rang for accounts: those in hand are looked at now.
    pub(super) fn hear(&mut self, rung: &BTreeSet<AccountId>) {
        let now = Instant::now();
        for account in rung {
            if let Some(held) = self.0.get_mut(account) {
                held.look_from = Some(now);
            }
        }
    }

    /// The accounts to look at now, those with room for more rows.
    pub(super) fn due(&self, now: Instant) -> Vec<Lease> {
        let is_due =
            |held: &&InHand| held.look_from.is_some_and(|from| now >= from) && held.rows.len() < IN_HAND_MAX;
        self.0.values().filter(is_due).map(|held| held.lease.clone()).collect()
    }

    /// Postpones looking at an account; returns whether it has nothing in hand.
    pub(super) fn put_off(&mut self, account: AccountId, until: Instant) -> bool {
        let Some(held) = self.0.get_mut(&account) else { return false };
        held.look_from = Some(until);
        held.rows.is_empty()
    }

    /// Accounts that may be released.
    pub(super) fn idle(&self, now: Instant) -> Vec<AccountId> {
        let soon = now + REST;
        let is_idle = |held: &&InHand| {
            held.rows.is_empty()
                && held.look_from.is_none_or(|from| from > soon)
                && now >= held.idle_since + REST
        };
        self.0.values().filter(is_idle).map(|held| held.lease.account_id).collect()
    }

    /// How many more accounts may be claimed by a node that has leases of `held`.
    pub(super) fn room(&self, held: usize, has_one_destination: bool, now: Instant) -> usize {
        // With a relay all wait for the same server: more of them here would only keep them from other nodes.
        let waiting = if has_one_destination { 0 } else { self.waiting(now) };
        let moving = held.saturating_sub(waiting);
        ACCOUNTS_AT_ONCE.saturating_sub(moving).min(ACCOUNTS_MAX.saturating_sub(held))
    }

    /// How many accounts only wait for servers that are slow.
    fn waiting(&self, now: Instant) -> usize {
        let is_waiting = |held: &&InHand| !held.rows.is_empty() && now >= held.idle_since + SLOW_FROM;
        self.0.values().filter(is_waiting).count()
    }

    /// The rows of an account in hand, with their destinations.
    pub(super) fn rows(&self, lease: &Lease) -> BTreeMap<OutboxId, String> {
        self.0.get(&lease.account_id).map(|held| held.rows.clone()).unwrap_or_default()
    }

    /// Notes rows that were taken in hand, and when the account is looked at next.
    pub(super) fn take(
        &mut self,
        lease: &Lease,
        rows: BTreeMap<OutboxId, String>,
        look_from: Option<Instant>,
    ) {
        if let Some(held) = self.under(lease) {
            held.rows.extend(rows);
            // What its previous holder left has been picked up by now.
            held.lease.was_left = false;
            held.look_from = look_from;
            held.idle_since = Instant::now();
        }
    }

    /// Whether no other node can have taken the account over since its mail was taken in hand: a node that was frozen,
    /// or whose database did not answer, must not send what another one sends.
    pub(super) fn may_begin(&mut self, lease: &Lease) -> bool {
        self.under(lease).is_some_and(|held| Instant::now() < held.ends)
    }

    /// A row is no longer in hand; `again_in` is when it is due once more.
    pub(super) fn let_go(&mut self, lease: &Lease, id: OutboxId, again_in: Option<Duration>) {
        let Some(held) = self.under(lease) else { return };
        let now = Instant::now();
        held.rows.remove(&id);
        held.idle_since = now;
        let again = again_in.map(|wait| now + wait);
        held.look_from = [held.look_from, again].into_iter().flatten().min();
    }

    /// Forgets an account that is not ours any more.
    pub(super) fn lose(&mut self, account: AccountId) {
        self.0.remove(&account);
    }

    /// Forgets an account that another node took over; what was taken in hand under a newer lease stays.
    pub(super) fn lose_under(&mut self, lease: &Lease) {
        if self.under(lease).is_some() {
            self.0.remove(&lease.account_id);
        }
    }

    /// What is in hand under this very lease, if it was not lost since.
    fn under(&mut self, lease: &Lease) -> Option<&mut InHand> {
        self.0.get_mut(&lease.account_id).filter(|held| held.lease.epoch == lease.epoch)
    }
}

#[cfg(test)]
mod tests {
    use store::work::Kind;

    use super::*;

    /// A hand with this many accounts, each with a row on the wire since `since`.
    fn hand(accounts: i64, since: Instant) -> Hand {
        let mut hand = Hand::default();
        (1..=accounts).for_each(|account| add(&mut hand, account, since));
        hand
    }

    fn add(hand: &mut Hand, account: i64, since: Instant) {
        let account_id = AccountId(account);
        let lease = Lease { account_id, kind: Kind::Outbox, epoch: 1, crashes: 0, was_left: false };
        let rows = BTreeMap::from([(OutboxId(account), "slow.example".to_owned())]);
        let in_hand = InHand { lease, ends: since, rows, look_from: None, idle_since: since };
        hand.0.insert(account_id, in_hand);
    }

    #[test]
    fn accounts_that_only_wait_for_slow_servers_take_no_others_place() {
        struct Case {
            accounts: i64,
            waited: Duration,
            has_one_destination: bool,
            room: usize,
        }
        fn usual() -> Case {
            Case { accounts: 0, waited: Duration::ZERO, has_one_destination: false, room: 0 }
        }

        let now = Instant::now();
        for Case { accounts, waited, has_one_destination, room } in [
            Case { room: 64, ..usual() },
            Case { accounts: 60, room: 4, ..usual() },
            Case { accounts: 64, room: 0, ..usual() },
            Case { accounts: 64, waited: SLOW_FROM, room: 64, ..usual() },
            Case { accounts: 500, waited: SLOW_FROM, room: 12, ..usual() },
            Case { accounts: 512, waited: SLOW_FROM, room: 0, ..usual() },
            Case { accounts: 60, waited: SLOW_FROM, has_one_destination: true, room: 4 },
            Case { accounts: 64, waited: SLOW_FROM, has_one_destination: true, room: 0 },
        ] {
            let held = usize::try_from(accounts).unwrap();
            let got = hand(accounts, now).room(held, has_one_destination, now + waited);
            assert_eq!(got, room, "{accounts} after {waited:?}, one destination: {has_one_destination}");
        }
    }

    #[test]
    fn only_mail_on_the_wire_is_waited_for_and_a_result_ends_the_wait() {
        let begun = Instant::now();
        let mut node = hand(3, begun.checked_sub(SLOW_FROM).unwrap());
        assert_eq!(node.waiting(begun), 3);
        node.0.get_mut(&AccountId(1)).unwrap().rows.clear();
        assert_eq!(node.waiting(begun), 2, "one has nothing on the wire");
        let lease = node.0.get(&AccountId(2)).unwrap().lease.clone();
        node.0.get_mut(&AccountId(2)).unwrap().rows.insert(OutboxId(20), "slow.example".to_owned());
        node.let_go(&lease, OutboxId(2), None);
        assert_eq!(node.waiting(begun), 1, "one got a result");
    }

    #[test]
    fn each_account_beyond_those_that_wait_for_slow_servers_gets_its_turn() {
        const ACCOUNTS: i64 = 300;
        let begun = Instant::now();
        let (mut node, mut had_turn) = (Hand::default(), 0);
        // None of them ever gets an answer.
        for number in 0..5 {
            let now = begun + SLOW_FROM * number;
            let room = node.room(node.0.len(), false, now);
            for _ in 0..room {
                if had_turn < ACCOUNTS {
                    had_turn += 1;
                    add(&mut node, had_turn, now);
                }
            }
        }
        assert_eq!(had_turn, ACCOUNTS);
    }
}
