//! The arrows between the rooms: what a manifest may depend on, and what sources may name.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use super::source::Source;

/// One row of the table in ARCHITECTURE.md §2.
struct Room {
    /// The folder, which is the crate's name.
    name: &'static str,
    /// The rooms that it may use; that includes what those may use.
    may_use: &'static [&'static str],
    /// What it must not know even so: rooms, modules and items by path.
    must_not_know: &'static [&'static str],
}

/// Every room. A new arrow is one more word here and one sentence in ARCHITECTURE.md.
const ROOMS: [Room; 13] = [
    Room { name: "mail", may_use: &[], must_not_know: &[] },
    Room { name: "smtp", may_use: &["mail"], must_not_know: &[] },
    Room { name: "desk", may_use: &["mail"], must_not_know: &[] },
    // It keeps what was decided and cannot decide.
    Room {
        name: "store",
        may_use: &["desk"],
        must_not_know: &[
            "desk::verdict",
            "desk::effect",
            "desk::edit",
            "desk::writer",
            "desk::thread",
            "desk::update",
            "std::net",
            "tokio::net",
        ],
    },
    // It may ask name servers through the resolver, which opens the sockets.
    Room {
        name: "engine",
        may_use: &["store"],
        must_not_know: &["tokio::net", "std::net::TcpStream", "std::net::TcpListener", "std::net::UdpSocket"],
    },
    // What becomes of a mail is not its business.
    Room {
        name: "intake",
        may_use: &["store", "smtp"],
        must_not_know: &[
            "desk::verdict",
            "desk::effect",
            "desk::edit",
            "desk::writer",
            "desk::facts",
            "desk::inbound",
            "desk::thread",
            "desk::ticket",
            "desk::update",
            "store::changes",
            "store::ticket",
        ],
    },
    // Nor is it the outbox's why a mail was written.
    Room {
        name: "outbox",
        may_use: &["store"],
        must_not_know: &[
            "desk::verdict",
            "desk::effect",
            "desk::edit",
            "desk::writer",
            "desk::facts",
            "desk::inbound",
            "desk::thread",
            "desk::update",
            "store::changes",
        ],
    },
    // Both load, hand a command to the engine, and show; they see neither rules nor SQL.
    Room { name: "api", may_use: &["engine"], must_not_know: FRONT },
    Room { name: "web", may_use: &["engine"], must_not_know: FRONT },
    Room {
        name: "guichet",
        may_use: &["mail", "smtp", "desk", "store", "engine", "intake", "outbox", "api", "web"],
        must_not_know: &[
            "desk::effect",
            "desk::edit",
            "desk::writer",
            "desk::facts",
            "desk::thread",
            "store::changes",
        ],
    },
    Room { name: "testkit", may_use: &[], must_not_know: &[] },
    Room { name: "testdesk", may_use: &["engine", "testkit"], must_not_know: &[] },
    Room { name: "xtask", may_use: &["testkit", "engine", "intake"], must_not_know: &[] },
];

/// What the rooms that people and programs see must not know.
const FRONT: &[&str] = &[
    "store",
    "desk::verdict",
    "desk::effect",
    "desk::edit",
    "desk::writer",
    "desk::facts",
    "desk::thread",
    "desk::update",
];

/// The rooms that know no IO, clock, chance or logging.
const PURE: [&str; 3] = ["mail", "smtp", "desk"];

/// The only crates the pure rooms may use: all of them work on values alone.
const PURE_CRATES: [&str; 12] = [
    "blake3",
    "chardetng",
    "encoding_rs",
    "idna",
    "jiff",
    "mail-builder",
    "mail-parser",
    "memchr",
    "serde",
    "serde_json",
    "thiserror",
    "whatlang",
];

/// What the standard library offers but the pure rooms must not know.
const IMPURE: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// What a room's Cargo.toml depends on but must not. Development dependencies are not restricted.
pub(crate) fn manifest_faults(name: &str, manifest: &Table) -> Vec<String> {
    let Some(room) = find(name) else {
        return vec![format!("{name}: this room has no row in xtask/src/tidy/room.rs and ARCHITECTURE.md")];
    };
    let allowed = reachable(room);
    let fault = |dependency: &str| {
        if find(dependency).is_some() {
            (!allowed.contains(dependency)).then(|| format!("{name} must not know {dependency}"))
        } else {
            (PURE.contains(&name) && !PURE_CRATES.contains(&dependency))
                .then(|| format!("{name} is pure and must not know {dependency}"))
        }
    };
    dependencies(manifest).iter().filter_map(|dependency| fault(dependency)).collect()
}

/// What a file of a room names but must not.
pub(crate) fn source_faults(source: &Source) -> Vec<String> {
    let Some(name) = source.room() else {
        return Vec::new();
    };
    let rows = find(name).map(|room| room.must_not_know).unwrap_or_default();
    let impure: &[&str] = if PURE.contains(&name) { &IMPURE } else { &[] };
    let named: BTreeSet<String> = [rows, impure]
        .concat()
        .into_iter()
        .flat_map(|row| source.paths.iter().filter(|path| path.is_below(row)).map(|path| path.text()))
        .collect();
    named.iter().map(|path| format!("{}: {name} must not know {path}", source.shown)).collect()
}

/// The rooms that a room may use, directly and through others.
fn reachable(room: &Room) -> BTreeSet<&'static str> {
    let rooms: BTreeMap<&str, &Room> = ROOMS.iter().map(|room| (room.name, room)).collect();
    let mut found = BTreeSet::new();
    let mut open = room.may_use.to_vec();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(rooms.get(next).map(|room| room.may_use).unwrap_or_default());
        }
    }
    found.retain(|name| !room.must_not_know.contains(name));
    found
}

/// The names of a manifest's dependencies, those for the build and for some platforms too.
fn dependencies(manifest: &Table) -> Vec<String> {
    let platforms =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(Table::values);
    let tables = platforms.filter_map(toml::Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)))
        .filter_map(|kind| kind?.as_table())
        .flat_map(|table| table.iter().map(|(name, value)| name_of(name, value)))
        .collect()
}

/// A renamed dependency counts under its package's name.
fn name_of(name: &str, value: &toml::Value) -> String {
    let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
    package.strip_prefix("guichet-").unwrap_or(package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::{manifest_faults, source_faults};

    #[test]
    fn manifests_follow_the_arrows() -> anyhow::Result<()> {
        for (room, manifest, want) in [
            ("engine", "[dependencies]\nstore.workspace = true\ndesk.workspace = true", &[][..]),
            ("engine", "[dependencies]\nintake.workspace = true", &["engine must not know intake"]),
            ("store", "[build-dependencies]\nengine.workspace = true", &["store must not know engine"]),
            ("api", "[dependencies]\nengine.workspace = true\ndesk.workspace = true", &[]),
            ("api", "[dependencies]\nstore.workspace = true", &["api must not know store"]),
            (
                "desk",
                "[dependencies]\nserde.workspace = true\ntokio = \"1\"",
                &["desk is pure and must not know tokio"],
            ),
            (
                "mail",
                "[target.'cfg(unix)'.dependencies]\nrand = \"1\"",
                &["mail is pure and must not know rand"],
            ),
            ("mail", "[dependencies]\nx = { package = \"guichet-store\" }", &["mail must not know store"]),
            ("store", "[dev-dependencies]\ntestkit.workspace = true", &[]),
            ("store", "[dependencies]\ntestkit.workspace = true", &["store must not know testkit"]),
        ] {
            assert_eq!(manifest_faults(room, &manifest.parse()?), want, "{room}: {manifest}");
        }
        assert_eq!(manifest_faults("cellar", &"".parse()?).len(), 1);
        Ok(())
    }

    #[test]
    fn sources_name_nothing_that_their_room_must_not_know() -> anyhow::Result<()> {
        for (place, text, want) in [
            ("crates/api/src/a.rs", "use engine::submit; use desk::id::TicketId;", &[][..]),
            (
                "crates/web/src/a.rs",
                "use desk::{writer::Writer, id::TicketId}; fn f() { store::ticket::find() }",
                &["desk::writer::Writer", "store::ticket::find"],
            ),
            ("crates/intake/src/a.rs", "use desk::envelope::Envelope;", &[]),
            ("crates/intake/src/a.rs", "use desk::verdict;", &["desk::verdict"]),
            ("crates/intake/tests/intake/a.rs", "use desk::verdict;", &[]),
            ("crates/engine/src/a.rs", "use std::net::IpAddr;", &[]),
            (
                "crates/engine/src/a.rs",
                "async fn f() { tokio::net::TcpStream::connect(a) }",
                &["tokio::net::TcpStream::connect"],
            ),
            ("crates/mail/src/a.rs", "use std::time::{Duration, Instant};", &["std::time::Instant"]),
            ("crates/mail/src/a.rs", "// std::time::Instant\n#[cfg(test)]\nmod tests { use std::fs; }", &[]),
        ] {
            let room = place.split('/').nth(1).unwrap_or_default();
            let want: Vec<String> =
                want.iter().map(|path| format!("{place}: {room} must not know {path}")).collect();
            assert_eq!(source_faults(&Source::new(place, text)?), want, "{place}: {text}");
        }
        Ok(())
    }
}
