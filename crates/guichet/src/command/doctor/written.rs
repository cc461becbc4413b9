//! Can the database be written?

use super::{Finding, Seen};
use crate::failure::Failure;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let error = seen.written.as_ref().err()?;
    Some(Finding::fail("written", Failure::of("nothing can be written", error)))
}
