//! Is a desk running on this database?

use super::Finding;
use crate::config::Loaded;
use crate::serve;

pub(super) fn check(loaded: &Loaded) -> Finding {
    match serve::is_running(loaded) {
        Some(true) => Finding::ok("process", "a desk is running on this database"),
        Some(false) => {
            Finding::warn("process", "no desk is running on this database", "start it with `guichet serve`")
        }
        None => Finding::ok("process", "several may run on this PostgreSQL; each has its own /readyz"),
    }
}
