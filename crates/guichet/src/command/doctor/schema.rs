//! Has a newer version gone on with the tables?

use store::Schema;

use super::{Finding, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let Schema::Ready { newer } = &seen.schema else { return None };
    let numbers: Vec<String> = newer.iter().map(ToString::to_string).collect();
    (!newer.is_empty()).then(|| {
        Finding::warn(
            "schema",
            format!("a newer version added migrations that this one does not know: {}", numbers.join(", ")),
            "this one may go on beside it; start the newer version here too",
        )
    })
}
