//! File descriptors: each connection takes one, and where none is left no mail is accepted.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::{Config, Role};
use crate::http::BOUNDS;

/// For the database, blobs, log, name servers and outgoing connections.
const OTHERS: usize = 256;

/// Raises the limit as far as this process may, and warns when its doors could need more.
pub(super) fn raise(config: &Config) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = raised,
            Err(error) => tracing::debug!(%error, "The limit on file descriptors stays as it was"),
        }
    }
    let wanted = wanted(config);
    let has = limit.current;
    if is_short(has, wanted) {
        let has = has.unwrap_or_default();
        let next = "raise LimitNOFILE of the service, or lower limits.connections";
        tracing::warn!(
            has,
            wanted,
            "{has} file descriptors are fewer than the {wanted} that all doors may take: {next}"
        );
    }
}

/// What all doors of this process may take, plus what the rest of it needs.
fn wanted(config: &Config) -> u64 {
    let has_doors = config.has_role(Role::Smtp);
    let doors = usize::from(has_doors && config.smtp.listen.is_some())
        + usize::from(has_doors && config.lmtp.listen.is_some());
    let pages = if config.has_role(Role::Web) { BOUNDS.connections } else { 0 };
    let all = doors
        .saturating_mul(config.limits.connections)
        .saturating_add(pages + config.store.connections + OTHERS);
    u64::try_from(all).unwrap_or(u64::MAX)
}

/// Whether a limit (none: unlimited) is less than what is needed.
fn is_short(limit: Option<u64>, wanted: u64) -> bool {
    limit.is_some_and(|limit| limit < wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_open_door_wants_a_descriptor_for_each_connection() {
        let mut config = Config::default();
        let rest = u64::try_from(config.store.connections + OTHERS).unwrap();
        assert_eq!(wanted(&config), 2_000 + 512 + rest);
        config.lmtp.listen = None;
        assert_eq!(wanted(&config), 1_000 + 512 + rest);
        config.roles = vec![Role::Engine];
        assert_eq!(wanted(&config), rest);
        config.roles = vec![Role::Smtp];
        config.limits.connections = usize::MAX;
        assert_eq!(wanted(&config), u64::MAX);
    }

    #[test]
    fn as_many_as_are_wanted_are_enough() {
        let rows = [(None, false), (Some(1_023), true), (Some(1_024), false)];
        for (limit, want) in rows {
            assert_eq!(is_short(limit, 1_024), want, "{limit:?}");
        }
    }

    #[test]
    fn all_that_may_be_had_are_taken() {
        raise(&Config::default());
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
