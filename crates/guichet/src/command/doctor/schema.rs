//! Has a newer version changed the tables?

use store::Schema;

use super::{Finding, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let Schema::Ready { newer } = &seen.schema else { return None };
    let numbers: Vec<String> = newer.iter().map(ToString::to_string).collect();
    (!newer.is_empty()).then(|| {
        Finding::warn(
            "schema",
            format!("a newer version added migrations that this one does not know: {}", numbers.join(", ")),
            "this one may keep running alongside it; start the newer version here too",
        )
    })
}
