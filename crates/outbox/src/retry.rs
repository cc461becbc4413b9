//! When a deferred mail is tried again, and when it is given up.
//!
//! Pure: no clock, no chance, no store. The caller passes the class of the last failure, how often the mail was
//! tried, its row id and the times; the answer is the next due time or the reason for giving up. The same input
//! always gives the same answer, so every node computes the same plan.

use desk::clock::Millis;
use desk::id::OutboxId;

/// Says what kind of temporary failure deferred a mail; each class has its own ladder of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nobody could be talked to: DNS, connection, TLS, greeting, or a connection lost half way.
    Connection,
    /// A 4xx answer without a more exact class.
    Temporary,
    /// The server answered 421 and closed: it is overloaded or wants fewer connections from us.
    Closing,
    /// A 4xx answer that asks an unknown sender to come back later.
    Greylisted,
    /// The operator must change something (a refused password, a certificate, a relay that does not relay for us).
    Operator,
}

impl Class {
    /// All classes, in declaration order.
    pub const ALL: [Self; 5] =
        [Self::Connection, Self::Temporary, Self::Closing, Self::Greylisted, Self::Operator];

    /// Returns the class as one lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Temporary => "temporary",
            Self::Closing => "closing",
            Self::Greylisted => "greylisted",
            Self::Operator => "operator",
        }
    }

    /// Waits in minutes after the first, second, … failed attempt; the last one repeats.
    fn ladder(self) -> &'static [i64] {
        match self {
            Self::Connection | Self::Temporary => &[1, 5, 15, 30, 60, 120, 240],
            // One minute is too soon for a server that has just asked us to go away, and most greylisting
            // opens after five minutes: an earlier try costs a connection and gains nothing.
            Self::Closing | Self::Greylisted => &[5, 15, 30, 60, 120, 240],
            // The mail should leave soon after the operator has repaired the setting, whatever its age.
            Self::Operator => &[1, 5, 15, 30],
        }
    }
}

const MINUTE_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The longest jitter, in thousandths of the wait.
const JITTER_PER_MILLE: i64 = 200;

/// The longest wait that [`Policy::wait_ms`] can return, in milliseconds: four hours and a fifth.
pub const LONGEST_WAIT_MS: i64 = 240 * MINUTE_MS * (1000 + JITTER_PER_MILLE) / 1000;

/// The settings of the retry policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long after it was queued a mail is given up, in milliseconds; zero or less: after the first failure.
    pub give_up_after_ms: i64,
}

impl Default for Policy {
    /// Gives up after five days (RFC 5321 §4.5.4.1 asks for at least four to five).
    fn default() -> Self {
        Self { give_up_after_ms: 5 * DAY_MS }
    }
}

/// What becomes of a mail whose attempt was deferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Retry {
        /// When; always later than the failed attempt.
        due_at: Millis,
    },
    /// It is given up.
    Expired {
        /// One sentence for people: how long was tried, how often, and the last answer.
        reason: String,
    },
}

/// One deferred mail, as the policy needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deferred<'a> {
    /// The class of the last failure.
    pub class: Class,
    /// How many attempts were made, the last one included; zero counts as one.
    pub attempts: u32,
    /// The id of the outbox row; it spreads the due times of mails that failed together.
    pub row_id: OutboxId,
    /// When the mail was queued.
    pub queued_at: Millis,
    /// The last answer, for the reason; any length.
    pub last_answer: &'a str,
}

impl Policy {
    /// Returns how long to wait after the attempt number `attempts`, in milliseconds: the class's ladder plus up to
    /// a fifth of jitter. It never shrinks as `attempts` grows and never exceeds [`LONGEST_WAIT_MS`].
    #[must_use]
    pub fn wait_ms(&self, class: Class, attempts: u32, row_id: OutboxId) -> i64 {
        let ladder = class.ladder();
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let minutes = ladder.get(step).or(ladder.last()).copied().unwrap_or(1);
        let wait_ms = minutes * MINUTE_MS;
        // One factor for all attempts of a row keeps its waits growing.
        wait_ms + wait_ms * jitter_per_mille(row_id) / 1000
    }

    /// Returns what becomes of a mail that was deferred at `now`: the next due time, at the
    /// latest the moment of giving up, so that one attempt is made then; after it, expired.
    #[must_use]
    pub fn next(&self, mail: &Deferred<'_>, now: Millis) -> Next {
        let last_try_at = mail.queued_at + self.give_up_after_ms;
        if now >= last_try_at {
            return Next::Expired { reason: reason(mail, now) };
        }
        let wait_ms = self.wait_ms(mail.class, mail.attempts, mail.row_id);
        Next::Retry { due_at: (now + wait_ms).min(last_try_at) }
    }
}

fn reason(mail: &Deferred<'_>, now: Millis) -> String {
    let attempts = mail.attempts.max(1);
    let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
    let elapsed = elapsed_words(now - mail.queued_at);
    format!("given up after {elapsed}, tried {times}; last answer: {}", mail.last_answer)
}

fn elapsed_words(elapsed_ms: i64) -> String {
    let (amount, unit) = match elapsed_ms.max(0) {
        ms if ms >= 2 * DAY_MS => (ms / DAY_MS, "day"),
        ms if ms >= 120 * MINUTE_MS => (ms / (60 * MINUTE_MS), "hour"),
        ms => (ms / MINUTE_MS, "minute"),
    };
    format!("{amount} {unit}{}", if amount == 1 { "" } else { "s" })
}

/// A number from 0 to [`JITTER_PER_MILLE`] that looks random but is fixed for a row.
fn jitter_per_mille(row_id: OutboxId) -> i64 {
    // The finaliser of splitmix64: neighbouring ids give far-apart values.
    let mut mixed = row_id.0.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let span = JITTER_PER_MILLE.cast_unsigned() + 1;
    (mixed % span).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_class() -> impl Strategy<Value = Class> {
        prop::sample::select(Class::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn waits_never_shrink_and_stay_bounded(class in any_class(), attempts in any::<u32>(), row_id in any::<i64>()) {
            let (policy, row_id) = (Policy::default(), OutboxId(row_id));
            let wait_ms = policy.wait_ms(class, attempts, row_id);
            prop_assert!((MINUTE_MS..=LONGEST_WAIT_MS).contains(&wait_ms));
            prop_assert!(policy.wait_ms(class, attempts.saturating_add(1), row_id) >= wait_ms);
        }

        #[test]
        fn due_lies_after_now_and_not_after_giving_up(
            class in any_class(), attempts in any::<u32>(), row_id in any::<i64>(),
            queued_at_ms in 0..4_000_000_000_000_i64, age_ms in 0..10 * DAY_MS, give_up_after_ms in 0..10 * DAY_MS,
        ) {
            let policy = Policy { give_up_after_ms };
            let queued_at = Millis(queued_at_ms);
            let mail =
                Deferred { class, attempts, row_id: OutboxId(row_id), queued_at, last_answer: "451 later" };
            let now = queued_at + age_ms;
            match policy.next(&mail, now) {
                Next::Retry { due_at } => {
                    prop_assert!(due_at > now);
                    prop_assert!(due_at <= queued_at + give_up_after_ms);
                }
                Next::Expired { .. } => prop_assert!(age_ms >= give_up_after_ms),
            }
        }
    }

    #[test]
    fn every_mail_is_given_up_in_the_end_and_was_tried_at_the_deadline() {
        let policy = Policy::default();
        for class in Class::ALL {
            let mut now = Millis(0);
            let mut attempts = 1;
            loop {
                let mail = Deferred {
                    class,
                    attempts,
                    row_id: OutboxId(7),
                    queued_at: Millis(0),
                    last_answer: "no answer",
                };
                match policy.next(&mail, now) {
                    Next::Retry { due_at } => now = due_at,
                    Next::Expired { .. } => break,
                }
                attempts += 1;
                assert!(attempts < 1_000, "{class:?} is never given up");
            }
            assert_eq!(now, Millis(5 * DAY_MS), "{class:?}");
        }
    }

    #[test]
    fn ladders_are_the_documented_ones() {
        let policy = Policy::default();
        // A row whose jitter is zero shows the bare ladder.
        let row_id = (0..).map(OutboxId).find(|row_id| jitter_per_mille(*row_id) == 0).unwrap();
        for (class, want) in [
            (Class::Connection, [1, 5, 15, 30, 60, 120, 240, 240]),
            (Class::Temporary, [1, 5, 15, 30, 60, 120, 240, 240]),
            (Class::Closing, [5, 15, 30, 60, 120, 240, 240, 240]),
            (Class::Greylisted, [5, 15, 30, 60, 120, 240, 240, 240]),
            (Class::Operator, [1, 5, 15, 30, 30, 30, 30, 30]),
        ] {
            let got =
                [1, 2, 3, 4, 5, 6, 7, 8].map(|attempts| policy.wait_ms(class, attempts, row_id) / MINUTE_MS);
            assert_eq!(got, want, "{class:?}");
        }
    }

    #[test]
    fn jitter_uses_its_whole_range() {
        let seen: std::collections::BTreeSet<i64> = (0..10_000).map(OutboxId).map(jitter_per_mille).collect();
        assert_eq!(seen.len(), 201);
        assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&JITTER_PER_MILLE)));
    }

    #[test]
    fn reason_names_age_attempts_and_last_answer() {
        for (give_up_after_ms, attempts, want) in [
            (5 * DAY_MS, 31, "given up after 5 days, tried 31 times; last answer: 451 4.7.1 later"),
            (3 * 60 * MINUTE_MS, 4, "given up after 3 hours, tried 4 times; last answer: 451 4.7.1 later"),
            (0, 1, "given up after 0 minutes, tried once; last answer: 451 4.7.1 later"),
        ] {
            let mail = Deferred {
                class: Class::Temporary,
                attempts,
                row_id: OutboxId(1),
                queued_at: Millis(1_000),
                last_answer: "451 4.7.1 later",
            };
            let next = Policy { give_up_after_ms }.next(&mail, Millis(1_000) + give_up_after_ms);
            assert_eq!(next, Next::Expired { reason: want.to_owned() });
        }
    }
}
