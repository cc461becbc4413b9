//! Would accepted mail outlive a failover (docs/operating.md §7)?

use store::{Replication, Standby};

use super::{Finding, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    seen.replication.as_ref().map(standbys)
}

fn standbys(found: &Replication) -> Finding {
    let shown = |standby: &Standby| {
        let name = if standby.name.is_empty() { "(name not shown)" } else { &standby.name };
        format!("{name} {}", standby.state.as_deref().unwrap_or("(state not shown)"))
    };
    let names = found.standbys.iter().map(shown).collect::<Vec<_>>().join(", ");
    match (found.synchronous_names.is_empty(), found.standbys.is_empty(), found.synchronous_commit.as_str()) {
        (true, true, _) => Finding::ok("standbys", "none is connected to this PostgreSQL"),
        (true, false, _) => Finding::warn(
            "standbys",
            format!("asynchronous: {names}; one that takes over may lack the last mails that got 250"),
            "name them in synchronous_standby_names there, or never let them take over",
        ),
        (false, _, commit @ ("local" | "remote_write" | "off")) => Finding::warn(
            "standbys",
            format!(
                "synchronous_commit={commit} does not wait until a standby has a mail on its disk: {names}"
            ),
            "set synchronous_commit = on there",
        ),
        (false, true, _) => Finding::warn(
            "standbys",
            format!(
                "synchronous_standby_names={:?} waits for one, but none is connected: no mail can be taken",
                found.synchronous_names
            ),
            "start the standby, or empty the setting there",
        ),
        (false, false, _) => Finding::ok("standbys", format!("a commit waits for them: {names}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Level;

    #[test]
    fn a_failover_that_could_lose_mail_is_warned_of() {
        let standby =
            |name: &str, state: Option<&str>| Standby { name: name.into(), state: state.map(str::to_owned) };
        let with = |commit: &str, names: &str, standbys: &[Standby]| Replication {
            synchronous_commit: commit.into(),
            synchronous_names: names.into(),
            standbys: standbys.to_vec(),
        };
        let (sync, other) = (standby("b", Some("sync")), standby("c", Some("async")));
        for (replication, want, words) in [
            (with("on", "", &[]), Level::Ok, "none is connected"),
            (with("local", "", &[]), Level::Ok, "none is connected"),
            (with("on", "", std::slice::from_ref(&other)), Level::Warn, "asynchronous: c async"),
            (with("on", "", &[standby("", None)]), Level::Warn, "(name not shown)"),
            (with("on", "b", &[sync.clone(), other.clone()]), Level::Ok, "b sync, c async"),
            (with("remote_apply", "b", std::slice::from_ref(&sync)), Level::Ok, "b sync"),
            (
                with("remote_write", "b", std::slice::from_ref(&sync)),
                Level::Warn,
                "synchronous_commit=remote_write",
            ),
            (with("local", "b", std::slice::from_ref(&sync)), Level::Warn, "synchronous_commit=local"),
            (with("on", "b", &[]), Level::Warn, "none is connected: no mail"),
        ] {
            let found = standbys(&replication);
            assert_eq!(found.level, want, "{replication:?}: {found:?}");
            assert!(found.detail.contains(words), "{found:?}");
        }
    }
}
