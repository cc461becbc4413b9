//! Can the database be written?

use super::{Finding, Seen};
use crate::failure::Failure;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let error = seen.written.as_ref().err()?;
    let failure = Failure::of("nothing can be written", error).or_next(
        "make sure that its disk has room, that it is neither a standby nor set read-only (default_transaction_read_only), and that the role \
         in store.url may write; until then mail is refused with 451, and its senders try again",
    );
    Some(Finding::fail("written", failure))
}
