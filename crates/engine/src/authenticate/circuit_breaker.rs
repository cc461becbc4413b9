//! Pauses DNS lookups while DNS is unavailable, so that mail does not wait for it again and again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many checks in a row must go unanswered before DNS is suspected to be unavailable.
const MISSES: u32 = 8;
/// How long nothing is asked then.
const REST: Duration = Duration::from_secs(30);

/// Counts checks that were not answered in time.
///
/// They alone prove nothing: anybody can send mail whose domain has name servers that do not answer.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    misses: u32,
    until: Option<Instant>,
}

impl CircuitBreaker {
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

    /// A check was not answered in time.
    pub(super) fn missed(&self) {
        let mut state = self.state.lock().expect("plain counting");
        state.misses = state.misses.saturating_add(1);
    }

    /// Whether enough checks were missed that it is time to see if DNS is there; the count then starts again.
    pub(super) fn is_suspicious(&self) -> bool {
        let mut state = self.state.lock().expect("plain counting");
        let is_suspicious = state.misses >= MISSES && state.until.is_none();
        if is_suspicious {
            state.misses = 0;
        }
        is_suspicious
    }

    /// DNS is unavailable: nothing is asked for a while.
    pub(super) fn begin(&self) {
        self.state.lock().expect("plain counting").until = Some(Instant::now() + REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_is_suspected_when_no_check_of_many_was_answered() {
        let rest = CircuitBreaker::default();
        let miss = |times| (0..times).for_each(|_| rest.missed());
        miss(MISSES - 1);
        assert!(!rest.is_suspicious());
        rest.answered();
        miss(MISSES - 1);
        assert!(!rest.is_suspicious());
        miss(1);
        assert!(rest.is_suspicious() && !rest.is_resting());
        assert!(!rest.is_suspicious(), "it counts from zero again");
        miss(MISSES);
        rest.begin();
        assert!(rest.is_resting() && !rest.is_suspicious());
    }
}
