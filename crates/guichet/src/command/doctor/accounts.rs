//! Is there an account?

use super::{Finding, Seen};
use crate::output::counted;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    Some(match seen.accounts.len() {
        0 => Finding::warn(
            "accounts",
            "there is none",
            "create one with `guichet account create SUBDOMAIN --admin EMAIL`",
        ),
        count => Finding::ok("accounts", counted(count, "account")),
    })
}
