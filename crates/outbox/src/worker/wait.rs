//! Rows that are returned without an attempt.

use desk::clock::Millis;
use desk::outbox_state::OutboxState;
use store::outbox::{Attempted, Due};

/// How long a row that is returned untried waits, milliseconds.
pub(super) const WAIT_MS: i64 = 30_000;

/// A row that cannot be tried now, as its destination is known to be down: no attempt of it is counted.
pub(super) fn untried(due: &Due, answer: &str, now: Millis) -> Attempted {
    Attempted {
        id: due.id,
        state: OutboxState::Deferred,
        due_at: now + WAIT_MS,
        answer: answer.to_owned(),
        tried: false,
    }
}
