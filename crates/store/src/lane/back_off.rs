//! Which accounts are left alone, and how long.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use desk::id::AccountId;

/// The first wait after a failure; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST: Duration = Duration::from_secs(300);
/// Failures are forgotten when an account was left alone this long without another one.
const REMEMBERED: Duration = Duration::from_secs(900);

/// Accounts that are left alone for a while.
#[derive(Debug, Default)]
pub(super) struct BackOff(BTreeMap<AccountId, Left>);

#[derive(Debug, Clone, Copy)]
struct Left {
    failures: u32,
    until: Instant,
}

impl BackOff {
    /// Leaves an account alone without calling that a failure.
    pub(super) fn leave(&mut self, account: AccountId, now: Instant, wait: Duration) {
        let left = self.0.entry(account).or_insert(Left { failures: 0, until: now });
        left.until = left.until.max(now + wait);
    }

    /// Counts a failure; returns how long the account is left alone.
    pub(super) fn failed(&mut self, account: AccountId, now: Instant) -> Duration {
        let left = self.0.entry(account).or_insert(Left { failures: 0, until: now });
        let wait = FIRST.saturating_mul(1 << left.failures.min(16)).min(LONGEST);
        left.failures += 1;
        left.until = now + wait;
        wait
    }

    pub(super) fn succeeded(&mut self, account: AccountId) {
        self.0.remove(&account);
    }

    pub(super) fn is_left(&self, account: AccountId, now: Instant) -> bool {
        self.0.get(&account).is_some_and(|left| now < left.until)
    }

    /// Drops what says nothing any more.
    pub(super) fn forget_until(&mut self, now: Instant) {
        self.0.retain(|_, left| {
            let kept = if left.failures == 0 { Duration::ZERO } else { REMEMBERED };
            now < left.until + kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_minutes_and_a_success_ends_them() {
        let mut back_off = BackOff::default();
        let account = AccountId(3);
        let now = Instant::now();
        let waits: Vec<u128> = (0..12).map(|_| back_off.failed(account, now).as_millis()).collect();
        assert_eq!(waits[..4], [500, 1_000, 2_000, 4_000]);
        assert_eq!(waits[11], LONGEST.as_millis());
        assert!(back_off.is_left(account, now + Duration::from_secs(299)));
        assert!(!back_off.is_left(account, now + LONGEST));
        back_off.succeeded(account);
        assert!(!back_off.is_left(account, now));
        assert_eq!(back_off.failed(account, now), FIRST);
    }

    #[test]
    fn who_was_only_taken_by_another_node_has_not_failed() {
        let mut back_off = BackOff::default();
        let now = Instant::now();
        back_off.leave(AccountId(1), now, Duration::from_secs(1));
        assert!(back_off.is_left(AccountId(1), now));
        back_off.forget_until(now + Duration::from_secs(1));
        assert_eq!(back_off.failed(AccountId(1), now), FIRST);
        back_off.forget_until(now + Duration::from_secs(2));
        assert_eq!(back_off.failed(AccountId(1), now), FIRST * 2, "a failure is remembered for a while");
    }
}
