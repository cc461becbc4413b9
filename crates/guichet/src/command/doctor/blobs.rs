//! Can the larger raw mails be read, and are they ours?

use super::{Finding, Seen};
use crate::failure::Failure;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    Some(match &seen.blobs {
        Ok(()) => Finding::ok("blobs", "their place can be read and is this desk's own"),
        Err(error) => Finding::fail(
            "blobs",
            Failure::of("raw mails cannot be read", error)
                .or_next("make sure that blobs.url names the same place as always, and that it is mounted"),
        ),
    })
}
