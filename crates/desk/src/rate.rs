//! The guard against loops: how many messages an hour one sender may send (docs/behaviour/senders.md §2).
//!
//! A pure step over a counter that the caller keeps for each sender: the state before and the time give the
//! state after and what becomes of the message.

use crate::clock::{HOUR, Millis};

/// How long a window lasts, and how long a sender is held.
pub const WINDOW: i64 = HOUR;

/// Mails an hour that are processed, unless the operator says otherwise.
pub const LIMIT_DEFAULT: u32 = 20;

/// How many times as many a sender on the allow list may send.
pub const ALLOWED_FACTOR: u32 = 10;

/// What is remembered of a sender; the default is a sender who never wrote.
///
/// A window opens with the first message and lasts an hour. The message beyond the limit holds the sender for
/// an hour from then, and the window lasts until that is over; later messages do not lengthen it. The first
/// message after the window opens the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// When the window opened.
    pub window_start: Millis,
    /// Mails in the window, this one included; 0 for no window.
    pub count: u32,
    /// Until when the sender is held.
    pub held_until: Option<Millis>,
}

/// What the guard says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Process it.
    Pass,
    /// Hold it as a loop (cause 4).
    Suspend,
    /// Discard it; the ledger keeps why.
    Reject,
}

impl Rate {
    /// Counts one message that came `now`, with `limit` mails an hour passed, as many more suspended and the
    /// rest rejected.
    ///
    /// A limit of 0 switches the guard off and forgets the counter. A clock that was set back neither frees a
    /// sender nor holds one for longer than an hour from the time it shows.
    #[must_use]
    pub fn count(self, now: Millis, limit: u32) -> (Rate, Pace) {
        if limit == 0 {
            return (Rate::default(), Pace::Pass);
        }
        let mut rate = self.window_at(now);
        rate.count = rate.count.saturating_add(1);
        let pace = if rate.count > limit.saturating_mul(2) {
            Pace::Reject
        } else if rate.count > limit || rate.held_until.is_some() {
            Pace::Suspend
        } else {
            Pace::Pass
        };
        if pace != Pace::Pass {
            rate.held_until.get_or_insert(now + WINDOW);
        }
        (rate, pace)
    }

    /// The window that a message of this time falls into, without that message.
    fn window_at(self, now: Millis) -> Rate {
        let latest = now + WINDOW;
        let start = self.window_start.min(now);
        let held_until = self.held_until.map(|until| until.min(latest));
        let end = held_until.unwrap_or_else(|| start + WINDOW);
        if self.count == 0 || now >= end {
            return Rate { window_start: now, count: 0, held_until: None };
        }
        Rate { window_start: start, count: self.count, held_until }
    }
}

/// The limit for a sender: `per_hour` of the configuration, ten times that on the allow list, 0 for none.
#[must_use]
pub fn limit(per_hour: u32, is_allowed: bool) -> u32 {
    if is_allowed { per_hour.saturating_mul(ALLOWED_FACTOR) } else { per_hour }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;
    use proptest::prelude::*;

    /// Counts mails at these times; gives what became of each.
    fn paces(times: impl IntoIterator<Item = i64>, limit: u32) -> Vec<Pace> {
        let mut rate = Rate::default();
        let mut step = |now| {
            let (next, pace) = rate.count(Millis(now), limit);
            rate = next;
            pace
        };
        times.into_iter().map(&mut step).collect()
    }

    fn tally(paces: &[Pace]) -> [usize; 3] {
        [Pace::Pass, Pace::Suspend, Pace::Reject]
            .map(|wanted| paces.iter().filter(|&&pace| pace == wanted).count())
    }

    #[test]
    fn mails_of_one_hour_pass_are_held_are_rejected() {
        struct Case {
            name: &'static str,
            per_hour: u32,
            is_allowed: bool,
            mails: i64,
            want: [usize; 3],
        }
        fn usual() -> Case {
            Case { name: "", per_hour: 20, is_allowed: false, mails: 0, want: [0, 0, 0] }
        }

        for Case { name, per_hour, is_allowed, mails, want } in [
            Case { name: "the 20th passes", mails: 20, want: [20, 0, 0], ..usual() },
            Case { name: "the 21st is held", mails: 21, want: [20, 1, 0], ..usual() },
            Case { name: "the 40th is held", mails: 40, want: [20, 20, 0], ..usual() },
            Case { name: "the 41st is rejected", mails: 41, want: [20, 20, 1], ..usual() },
            Case {
                name: "the 200th of an allow-listed sender passes",
                is_allowed: true,
                mails: 200,
                want: [200, 0, 0],
                ..usual()
            },
            Case {
                name: "the 201st of an allow-listed sender is held",
                is_allowed: true,
                mails: 201,
                want: [200, 1, 0],
                ..usual()
            },
            Case {
                name: "the 401st of an allow-listed sender is rejected",
                is_allowed: true,
                mails: 401,
                want: [200, 200, 1],
                ..usual()
            },
            Case { name: "0 switches the guard off", per_hour: 0, mails: 500, want: [500, 0, 0], ..usual() },
            Case {
                name: "0 stays off for allow-listed senders",
                per_hour: 0,
                is_allowed: true,
                mails: 500,
                want: [500, 0, 0],
            },
        ] {
            let paces = paces((0..mails).map(|at| 1_000 + at), limit(per_hour, is_allowed));
            assert_eq!(tally(&paces), want, "{name}");
            assert!(paces.is_sorted(), "{name}: never milder within a window");
        }
        assert_eq!(limit(LIMIT_DEFAULT, false), 20);
    }

    #[test]
    fn a_sender_is_held_for_an_hour_from_the_mail_too_many() {
        // Two pass, the third at 50 minutes is too many.
        for (name, at, want) in [
            ("the window's hour is over, the hold is not", 61 * MINUTE, Pace::Suspend),
            ("the last moment of the hold", 110 * MINUTE - 1, Pace::Suspend),
            ("the hold is over", 110 * MINUTE, Pace::Pass),
        ] {
            assert_eq!(paces([0, MINUTE, 50 * MINUTE, at], 2).last(), Some(&want), "{name}");
        }
        // Held mails do not lengthen the hold.
        assert_eq!(paces([0, 0, 0, 59 * MINUTE, HOUR], 2).last(), Some(&Pace::Pass));
    }

    #[test]
    fn a_window_ends_an_hour_after_its_first_mail() {
        assert_eq!(
            paces([0, HOUR - 1, HOUR, HOUR, HOUR], 2),
            [Pace::Pass, Pace::Pass, Pace::Pass, Pace::Pass, Pace::Suspend]
        );
        assert_eq!(paces([0, 0, HOUR - 1], 2), [Pace::Pass, Pace::Pass, Pace::Suspend]);
    }

    #[test]
    fn a_clock_set_back_frees_nobody_and_holds_nobody_for_days() {
        let day = 24 * HOUR;
        assert_eq!(paces([day, day, day, 0], 2).last(), Some(&Pace::Suspend));
        assert_eq!(paces([day, day, day, 0, 1, HOUR + 1], 2).last(), Some(&Pace::Pass));
        assert_eq!(paces([day, day, 0], 2).last(), Some(&Pace::Suspend));
        let extremes = [i64::MAX, i64::MIN, i64::MAX, 0];
        assert_eq!(paces(extremes, 1).len(), 4);
    }

    proptest! {
        #[test]
        fn no_window_passes_more_than_its_limit(gaps in proptest::collection::vec(0..HOUR / 2, 0..200), limit in 1_u32..6) {
            let mut rate = Rate::default();
            let mut now = Millis(0);
            let mut window = None;
            let mut tallies = (0_u32, 0_u32);
            let mut passes: Vec<Millis> = vec![];
            for gap in gaps {
                now += gap;
                let (next, pace) = rate.count(now, limit);
                if window != Some(next.window_start) || next.count == 1 {
                    prop_assert!(window.is_none_or(|start| now - start >= WINDOW), "a window lasts its hour at least");
                    (window, tallies) = (Some(next.window_start), (0, 0));
                }
                match pace {
                    Pace::Pass => { tallies.0 += 1; passes.push(now); }
                    Pace::Suspend => tallies.1 += 1,
                    Pace::Reject => prop_assert_eq!(tallies, (limit, limit)),
                }
                prop_assert!(tallies.0 <= limit && tallies.1 <= limit);
                prop_assert_eq!(next.held_until.is_some(), pace != Pace::Pass);
                rate = next;
            }
            // Two windows may touch within any one hour, never three.
            for (at, start) in passes.iter().enumerate() {
                let within = passes.iter().skip(at).take_while(|pass| **pass - *start < WINDOW).count();
                prop_assert!(within <= 2 * limit as usize);
            }
        }

        #[test]
        fn a_higher_limit_is_never_stricter(gaps in proptest::collection::vec(0..10 * MINUTE, 0..60), limit in 1_u32..20) {
            let times: Vec<i64> = gaps.iter().scan(0, |now, gap| { *now += gap; Some(*now) }).take_while(|now| *now < HOUR).collect();
            let low = paces(times.clone(), limit);
            let high = paces(times, limit + 1);
            prop_assert!(low.iter().zip(&high).all(|(low, high)| high <= low));
        }
    }
}
