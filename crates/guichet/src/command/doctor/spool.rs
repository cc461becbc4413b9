//! Is accepted mail decided?

use super::{Finding, Seen};
use crate::output::counted;

/// More undecided mails than this mean that nobody is deciding them.
const SPOOL_MAX: i64 = 1_000;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    Some(spool(seen.depths.spool))
}

fn spool(undecided: i64) -> Finding {
    match undecided {
        count if count > SPOOL_MAX => Finding::warn(
            "spool",
            format!("{} undecided", counted(count, "mail")),
            "make sure that a process with the role engine is running, and read its log",
        ),
        count => Finding::ok("spool", format!("{} undecided", counted(count, "mail"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Level;

    #[test]
    fn more_than_a_working_engine_leaves_is_warned_of() {
        assert_eq!(spool(0).level, Level::Ok);
        assert_eq!(spool(SPOOL_MAX).level, Level::Ok);
        assert_eq!(spool(SPOOL_MAX + 1).level, Level::Warn);
    }
}
