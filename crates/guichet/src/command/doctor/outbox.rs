//! Does mail leave?

use desk::outbox_state::OutboxState;

use super::{Finding, Seen};
use crate::http::Depths;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    Some(outbox(&seen.depths, seen.loaded.config.can_deliver()))
}

fn outbox(depths: &Depths, can_deliver: bool) -> Finding {
    let of = |state| depths.outbox.get(&state).copied().unwrap_or_default();
    let detail = format!(
        "{} waiting, {} queued, {} being sent, {} deferred",
        of(OutboxState::Waiting),
        of(OutboxState::Queued),
        of(OutboxState::Sending),
        of(OutboxState::Deferred)
    );
    match (of(OutboxState::Waiting), of(OutboxState::Deferred), can_deliver) {
        (1.., _, false) => Finding::warn("outbox", detail, "set delivery.relay; waiting mail then leaves"),
        (_, 1.., _) => Finding::warn(
            "outbox",
            detail,
            "see the answers in `guichet outbox list`; `guichet outbox retry` tries at once",
        ),
        _ => Finding::ok("outbox", detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Level;

    #[test]
    fn what_waits_is_told_with_what_to_do() {
        struct Case {
            can_deliver: bool,
            state: OutboxState,
            count: i64,
            want: Level,
        }
        fn usual() -> Case {
            Case { can_deliver: true, state: OutboxState::Waiting, count: 1, want: Level::Ok }
        }

        for Case { can_deliver, state, count, want } in [
            Case { can_deliver: false, state: OutboxState::Waiting, count: 0, want: Level::Ok },
            Case { can_deliver: false, state: OutboxState::Waiting, want: Level::Warn, ..usual() },
            Case { state: OutboxState::Waiting, want: Level::Ok, ..usual() },
            Case { state: OutboxState::Deferred, want: Level::Warn, ..usual() },
            Case { can_deliver: false, state: OutboxState::Queued, count: 5, want: Level::Ok },
        ] {
            let depths = Depths { spool: 0, outbox: [(state.clone(), count)].into(), database_bytes: 0 };
            assert_eq!(outbox(&depths, can_deliver).level, want, "{count} {state}");
        }
    }
}
