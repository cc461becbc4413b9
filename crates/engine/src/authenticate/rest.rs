//! A rest from DNS that is away, so that mail does not wait for it again and again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Checks that must miss one after the other before no more is asked.
const MISSES: u32 = 8;
/// How long nothing is asked then.
const REST: Duration = Duration::from_secs(30);

/// Counts checks that were not answered in time.
#[derive(Debug, Default)]
pub(super) struct Rest {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    misses: u32,
    until: Option<Instant>,
}

impl Rest {
    /// Whether nothing is asked now.
    pub(super) fn is_resting(&self) -> bool {
        let mut state = self.state.lock().expect("plain counting");
        if state.until.is_some_and(|until| Instant::now() >= until) {
            *state = State::default();
        }
        state.until.is_some()
    }

    /// A check was answered.
    pub(super) fn answered(&self) {
        self.state.lock().expect("plain counting").misses = 0;
    }

    /// A check was not answered in time; true when the rest begins with it.
    pub(super) fn missed(&self) -> bool {
        let mut state = self.state.lock().expect("plain counting");
        state.misses = state.misses.saturating_add(1);
        let begins = state.misses >= MISSES && state.until.is_none();
        if begins {
            state.until = Some(Instant::now() + REST);
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_begins_when_no_check_of_many_was_answered() {
        let rest = Rest::default();
        for _ in 1..MISSES {
            assert!(!rest.missed());
        }
        rest.answered();
        assert!(!rest.missed() && !rest.is_resting());
        let begins = (1..MISSES).filter(|_| rest.missed()).count();
        assert!(begins == 1 && rest.is_resting());
        assert!(!rest.missed(), "it begins once");
    }
}
