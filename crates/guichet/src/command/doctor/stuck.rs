//! Is there a mail that keeps its account from going on?

use store::spool::Troubled;

use super::{Finding, Seen};
use crate::clock::written;

/// So many are read and named.
pub(super) const NAMED_MAX: i64 = 5;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let named: Vec<String> = seen
        .troubled
        .iter()
        .map(|Troubled { account_id, id, since }| {
            format!("mail {id} of {} since {}", seen.name_of(*account_id), written(*since))
        })
        .collect();
    if named.is_empty() {
        return None;
    }
    Some(Finding::warn(
        "stuck",
        format!("what comes after it waits for {}", named.join(", ")),
        "the log says what is wrong with it (a raw mail that is missing, say): put that right; after six hours it is suspended and \
         its account goes on",
    ))
}
