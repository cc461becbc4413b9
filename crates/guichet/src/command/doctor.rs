//! `guichet doctor`: looks at a desk's health, one finding a line, each with what to do.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use desk::outbox_state::OutboxState;
use serde_json::json;
use store::node::{self, Holding, Unheld};
use store::{Replication, Standby, Store, StoreOptions};

use super::runtime;
use crate::cli::Common;
use crate::config::{Loaded, Out};
use crate::failure::{Failure, Result};
use crate::http::{Depths, depths};
use crate::output::{Output, counted};
use crate::{open, serve};

/// How long a relay may take to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Below this much room a desk should not go on.
const ROOM_KIB: u64 = 1_024 * 1_024;
/// So many undecided mails mean that nobody decides them.
const SPOOL_MAX: i64 = 1_000;

/// Mail that waits so long while nobody holds its account is not taken by itself.
const UNHELD_MS: i64 = 60_000;
/// So many accounts are named; the others are counted.
const NAMED_MAX: usize = 5;

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    level: Level,
    detail: String,
    next: String,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Finding {
        Finding { check, level: Level::Ok, detail: detail.into(), next: String::new() }
    }

    fn warn(check: &'static str, detail: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { check, level: Level::Warn, detail: detail.into(), next: next.into() }
    }

    fn fail(check: &'static str, failure: Failure) -> Finding {
        Finding {
            check,
            level: Level::Fail,
            detail: format!("{}: {}", failure.what, failure.why),
            next: failure.next,
        }
    }
}

/// Runs `doctor`; a warning is no failure.
pub(super) fn run(common: &Common) -> Result<()> {
    let loaded = open::configuration(common)?;
    let mut findings = vec![certificate(&loaded), relay(&loaded), room(&loaded.data), process(&loaded)];
    match open::existing_store(&loaded) {
        Ok(store) => {
            findings.insert(0, durability(&loaded));
            findings.extend(contents(&loaded, &store)?);
        }
        Err(failure) => findings.insert(0, Finding::fail("database", failure)),
    }
    print(common, &findings)?;
    let failed: Vec<&str> =
        findings.iter().filter(|finding| finding.level == Level::Fail).map(|finding| finding.check).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new("the desk is not well", failed.join(", "), "do what stands beside it"))
    }
}

fn print(common: &Common, findings: &[Finding]) -> Result<()> {
    let mut output = Output::standard(common.json);
    let mut list = output.list(&["", "CHECK", "FINDING"])?;
    for finding in findings {
        let word = match finding.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        let value =
            json!({"check": finding.check, "state": word, "detail": finding.detail, "next": finding.next});
        let told = if finding.next.is_empty() {
            finding.detail.clone()
        } else {
            format!("{}; {}", finding.detail, finding.next)
        };
        list.row(&value, [word.to_owned(), finding.check.to_owned(), told])?;
    }
    list.end("")
}

/// Whether a commit survives a power cut. Opening refuses weak settings unless they are allowed, so it is asked not to allow them.
fn durability(loaded: &Loaded) -> Finding {
    let options =
        StoreOptions { allow_unsafe: false, connections: 1, ..loaded.config.store_options(&loaded.data) };
    match (loaded.config.store.allow_unsafe, options.url.starts_with("sqlite:")) {
        (_, true) => Finding::ok(
            "database",
            "SQLite with a write-ahead log and synchronous=FULL: what got 250 is on disk",
        ),
        (false, false) => {
            Finding::ok("database", "PostgreSQL with fsync, synchronous_commit and full_page_writes on")
        }
        (true, false) => match Store::open(&options) {
            Ok(store) => {
                store.close();
                Finding::warn(
                    "database",
                    "PostgreSQL is durable, but store.allow_unsafe would hide it when it no longer is",
                    "take store.allow_unsafe out",
                )
            }
            Err(error) => {
                let failure = Failure::of("accepted mail can vanish", &error);
                Finding::warn("database", format!("{}: {}", failure.what, failure.why), failure.next)
            }
        },
    }
}

fn certificate(loaded: &Loaded) -> Finding {
    if loaded.config.tls.certificate_file.is_some() {
        return Finding::ok("tls", "STARTTLS with your certificate");
    }
    Finding::ok(
        "tls",
        "STARTTLS with a self-signed certificate; other servers encrypt to it without checking its name",
    )
}

fn relay(loaded: &Loaded) -> Finding {
    match &loaded.config.delivery.relay {
        Out::Waits => Finding::warn(
            "delivery",
            "no way out: mail waits in the outbox",
            "set delivery.relay to smtp://…, smtps://… or direct",
        ),
        Out::Direct => Finding::ok(
            "delivery",
            "straight to mail exchangers; they want a reverse name and port 25 open outwards",
        ),
        Out::Relay(relay) => match connect(&relay.host, relay.port) {
            Ok(()) => Finding::ok("delivery", format!("{relay} takes connections")),
            Err(error) => {
                let detail = format!("{relay} cannot be reached: {error}");
                Finding::warn(
                    "delivery",
                    detail,
                    "see that it runs and that delivery.relay is right; mail waits and is tried again",
                )
            }
        },
    }
}

fn connect(host: &str, port: u16) -> std::io::Result<()> {
    let mut last = std::io::Error::other("the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn room(data: &Path) -> Finding {
    match free_kib(data) {
        Some(kib) if kib < ROOM_KIB => {
            let detail = format!("{} MiB are free below {}", kib / 1_024, data.display());
            Finding::warn(
                "disk",
                detail,
                "make room: with a full disk mail is refused with 451 and tried again by its senders",
            )
        }
        Some(kib) => {
            Finding::ok("disk", format!("{} GiB are free below {}", kib / 1_024 / 1_024, data.display()))
        }
        None => Finding::warn(
            "disk",
            format!("free space of {} cannot be seen", data.display()),
            "see that the folder is there",
        ),
    }
}

/// Free space as `df` tells it (POSIX output: the fourth column of the second line).
fn free_kib(folder: &Path) -> Option<u64> {
    let output =
        Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn process(loaded: &Loaded) -> Finding {
    match serve::is_running(loaded) {
        Some(true) => Finding::ok("process", "a desk runs on this database"),
        Some(false) => {
            Finding::warn("process", "no desk runs on this database", "start it with `guichet serve`")
        }
        None => Finding::ok("process", "several may run on this PostgreSQL; each tells its own /readyz"),
    }
}

/// What the tables say.
fn contents(loaded: &Loaded, store: &Store) -> Result<Vec<Finding>> {
    let holder = serve::holder(
        &loaded.config,
        loaded.config.sqlite_file(&loaded.data).is_some(),
        loaded.config.http.listen,
    );
    let read = store.read(|tx| {
        let accounts = store::account::list(tx)?;
        Ok((accounts, node::holdings(tx)?, node::unheld(tx, UNHELD_MS)?, tx.replication()?, depths(tx)?))
    });
    match runtime()?.block_on(read) {
        Ok((accounts, holdings, unheld, replication, depths)) => {
            let name_of = |id| {
                accounts
                    .iter()
                    .find(|(known, ..)| *known == id)
                    .map_or_else(String::new, |(_, name, _)| name.clone())
            };
            let mut findings = vec![whose(accounts.len()), leases(&holder, &holdings)];
            findings.extend(unworked(&unheld, name_of));
            findings.extend(replication.as_ref().map(standbys));
            findings.extend(waiting(loaded, &depths));
            Ok(findings)
        }
        Err(error) => Ok(vec![Finding::fail("tables", Failure::of("the tables cannot be read", &error))]),
    }
}

/// Who holds what, the node of this configuration first.
fn leases(own: &str, holdings: &[Holding]) -> Finding {
    let mut nodes: Vec<&str> =
        holdings.iter().map(|holding| holding.holder.as_str()).filter(|holder| *holder != own).collect();
    nodes.dedup();
    let held = |holder: &str, kind: &str| {
        let of = |holding: &&Holding| holding.holder == holder && holding.kind == kind;
        holdings.iter().find(of).map_or(0, |holding| holding.accounts)
    };
    let of = |holder, kind| counted(held(holder, kind), "account");
    let counts =
        |holder| format!("the mail of {} and the outbox of {}", of(holder, "mail"), of(holder, "outbox"));
    let others = nodes.into_iter().map(|node| format!("; {node} holds {}", counts(node)));
    Finding::ok(
        "leases",
        format!("{own} (the node of this configuration) holds {}{}", counts(own), others.collect::<String>()),
    )
}

/// Accounts whose mail waits while nobody works them.
fn unworked(unheld: &[Unheld], name_of: impl Fn(i64) -> String) -> Option<Finding> {
    if unheld.is_empty() {
        return None;
    }
    let shown = |one: &Unheld| match one.holder.as_str() {
        "" => format!("{} of {}", one.kind, name_of(one.account_id)),
        holder => format!("{} of {} (last held by {holder})", one.kind, name_of(one.account_id)),
    };
    let mut named: Vec<String> = unheld.iter().take(NAMED_MAX).map(shown).collect();
    if unheld.len() > NAMED_MAX {
        named.push(format!("{} more", unheld.len() - NAMED_MAX));
    }
    Some(Finding::warn(
        "unworked",
        format!("for a minute nobody has worked {}", named.join(", ")),
        "see that processes with the roles engine and outbox run, and their logs",
    ))
}

/// Whether accepted mail would outlive a failover (docs/operating.md §7).
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

fn whose(accounts: usize) -> Finding {
    match accounts {
        0 => Finding::warn(
            "accounts",
            "there is none",
            "make one with `guichet account create SUBDOMAIN --admin EMAIL`",
        ),
        count => Finding::ok("accounts", counted(count, "account")),
    }
}

fn waiting(loaded: &Loaded, depths: &Depths) -> [Finding; 2] {
    let spool = match depths.spool {
        count if count > SPOOL_MAX => Finding::warn(
            "spool",
            format!("{} undecided", counted(count, "mail")),
            "see that a process with the role engine runs, and its log",
        ),
        count => Finding::ok("spool", format!("{} undecided", counted(count, "mail"))),
    };
    let of = |state| depths.outbox.get(&state).copied().unwrap_or_default();
    let detail = format!(
        "{} waiting, {} queued, {} being sent, {} deferred",
        of(OutboxState::Waiting),
        of(OutboxState::Queued),
        of(OutboxState::Sending),
        of(OutboxState::Deferred)
    );
    let outbox = match (of(OutboxState::Waiting), of(OutboxState::Deferred), loaded.config.can_deliver()) {
        (1.., _, false) => Finding::warn("outbox", detail, "set delivery.relay; what waits leaves then"),
        (_, 1.., _) => Finding::warn(
            "outbox",
            detail,
            "see the answers in `guichet outbox list`; `guichet outbox retry` tries at once",
        ),
        _ => Finding::ok("outbox", detail),
    };
    [spool, outbox]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::{Sources, load};

    fn loaded(flags: &[&str]) -> Loaded {
        load(&Sources { flags: flags.iter().map(|flag| (*flag).to_owned()).collect(), ..Sources::default() })
            .unwrap()
    }

    #[test]
    fn what_waits_is_told_with_what_to_do() {
        let with = |spool, state, count| Depths { spool, outbox: [(state, count)].into(), database_bytes: 0 };
        for (flags, depths, want) in [
            (&[][..], with(0, OutboxState::Waiting, 0), [Level::Ok, Level::Ok]),
            (&[], with(0, OutboxState::Waiting, 1), [Level::Ok, Level::Warn]),
            (&["delivery.relay=direct"], with(0, OutboxState::Waiting, 1), [Level::Ok, Level::Ok]),
            (&["delivery.relay=direct"], with(0, OutboxState::Deferred, 1), [Level::Ok, Level::Warn]),
            (&[], with(SPOOL_MAX, OutboxState::Queued, 5), [Level::Ok, Level::Ok]),
            (&[], with(SPOOL_MAX + 1, OutboxState::Queued, 5), [Level::Warn, Level::Ok]),
        ] {
            assert_eq!(waiting(&loaded(flags), &depths).map(|finding| finding.level), want, "{depths:?}");
        }
    }

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

    #[test]
    fn nodes_are_shown_with_what_they_hold_and_what_nobody_works() {
        let held = |holder: &str, kind: &str, accounts| Holding {
            holder: holder.into(),
            kind: kind.into(),
            accounts,
        };
        let holdings =
            [held("a", "mail", 2), held("b", "close", 1), held("b", "mail", 5), held("b", "outbox", 1)];
        let shown = leases("a", &holdings).detail;
        let want = "a (the node of this configuration) holds the mail of 2 accounts and the outbox of 0 accounts; \
             b holds the mail of 5 accounts and the outbox of 1 account";
        assert_eq!(shown, want);
        let name_of = |id| format!("desk-{id}");
        assert_eq!(unworked(&[], name_of), None);
        let unheld =
            |account_id, holder: &str| Unheld { account_id, kind: "mail".into(), holder: holder.into() };
        let found = unworked(&[unheld(1, "b"), unheld(2, "")], name_of).unwrap();
        assert_eq!(found.level, Level::Warn);
        assert!(found.detail.ends_with("mail of desk-1 (last held by b), mail of desk-2"), "{found:?}");
        let many: Vec<Unheld> = (1..=7).map(|id| unheld(id, "")).collect();
        assert!(unworked(&many, name_of).unwrap().detail.ends_with("mail of desk-5, 2 more"));
    }

    #[test]
    fn a_relay_is_tried_by_a_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let flag = format!("delivery.relay=smtp://u:hush@{}", listener.local_addr().unwrap());
        assert_eq!(relay(&loaded(&[&flag])).level, Level::Ok);
        // A port that was free a moment ago may be another test's by now; nobody listens on the first one.
        let gone = relay(&loaded(&["delivery.relay=smtp://u:hush@127.0.0.1:1"]));
        assert_eq!(gone.level, Level::Warn);
        assert!(!gone.detail.contains("hush"), "{gone:?}");
    }

    #[test]
    fn free_space_is_seen_where_there_is_a_folder() {
        assert!(free_kib(Path::new("/")).is_some());
        assert_eq!(free_kib(Path::new("/nowhere/at/all")), None);
    }
}
