//! The name under which this process holds accounts: the same after a restart, different from every other process.

use std::net::SocketAddr;
use std::time::Duration;

use store::Store;

use crate::config::{Config, Role};
use crate::failure::{Doing as _, Failure, Result};

/// How long the process that had the name before may take to disappear: PostgreSQL needs about ten seconds to notice
/// that a machine has vanished.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Takes the name for this process, if it has a part that holds accounts.
///
/// # Errors
/// When another process has it.
pub(super) async fn take(config: &Config, store: &Store, holder: &str) -> Result<()> {
    let has_leases = config.has_role(Role::Engine) || config.has_role(Role::Outbox);
    if !has_leases
        || store.take_name(holder, GONE_WITHIN).await.doing("the name of this node cannot be taken")?
    {
        return Ok(());
    }
    Err(Failure::new(
        format!("a node named {holder:?} is already running on this database"),
        "two processes with one name would process the same accounts at once and send mail twice",
        "set node.name to another name for each process, or stop the other one",
    ))
}

/// The name given, else a generated one: an embedded database has one process, so its name need not be unique.
pub(crate) fn holder(config: &Config, is_embedded: bool, http: SocketAddr) -> String {
    match &config.node.name {
        Some(name) => name.clone(),
        None if is_embedded => "embedded".to_owned(),
        None => format!("{} {http}", host_name()),
    }
}

fn host_name() -> String {
    let of_system = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = of_system.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "node".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_given_or_tells_processes_apart_where_there_can_be_several() {
        let mut config = Config::default();
        let port = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(holder(&config, true, port(1)), holder(&config, true, port(2)));
        assert_ne!(holder(&config, false, port(1)), holder(&config, false, port(2)));
        config.node.name = Some("desk-1".into());
        assert_eq!(holder(&config, false, port(1)), "desk-1");
    }
}
