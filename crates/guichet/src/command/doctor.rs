//! `guichet doctor`: examines a desk's health, one finding per line, each with what to do.
//! Each file below checks one thing: those in [`OUTSIDE`] what can be seen without the database, those in [`INSIDE`]
//! what its tables say. A new check is a file and a line in one of these lists.

mod accounts;
mod blobs;
mod certificate;
mod disk;
mod durability;
mod forgotten;
mod leases;
mod outbox;
mod process;
mod relay;
mod schema;
mod spool;
mod standbys;
mod stuck;
mod unworked;
mod written;

use desk::id::AccountId;
use serde_json::json;
use store::account::AccountRow;
use store::node::{self, Forgotten, Holding, Unheld};
use store::spool::Troubled;
use store::{Replication, Schema, Store, StoreError};

use super::runtime;
use crate::cli::Common;
use crate::config::Loaded;
use crate::failure::{Failure, Result};
use crate::http::{Depths, depths};
use crate::open;
use crate::output::Output;

/// Mail that has waited this long while nobody holds its account is not going to be taken without help.
const UNHELD_MS: i64 = 60_000;

/// What to do when the tables cannot be read and the error does not say.
const TABLES_NEXT: &str = "make sure that the database answers, and that the role in store.url owns the tables or may SELECT, INSERT, \
                           UPDATE and DELETE on all of them";

/// The checks that need no database, in the order in which they are printed.
const OUTSIDE: &[fn(&Loaded) -> Finding] = &[certificate::check, relay::check, disk::check, process::check];

/// The checks of what the tables say, in the order in which they are printed; some have nothing to say.
const INSIDE: &[fn(&Seen<'_>) -> Option<Finding>] = &[
    written::check,
    blobs::check,
    accounts::check,
    leases::check,
    unworked::check,
    forgotten::check,
    stuck::check,
    standbys::check,
    schema::check,
    spool::check,
    outbox::check,
];

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// The result of one check.
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

/// What was read from the tables, all at once.
struct Seen<'a> {
    loaded: &'a Loaded,
    schema: Schema,
    accounts: Vec<AccountRow>,
    holdings: Vec<Holding>,
    unheld: Vec<Unheld>,
    forgotten: Vec<Forgotten>,
    troubled: Vec<Troubled>,
    /// Whether a write succeeded.
    written: Result<(), StoreError>,
    /// Whether the place of the blobs can be read and is ours.
    blobs: Result<(), StoreError>,
    /// None where there are no standbys.
    replication: Option<Replication>,
    depths: Depths,
}

impl Seen<'_> {
    /// The subdomain of an account; empty for one that is gone.
    fn name_of(&self, id: AccountId) -> String {
        let found = self.accounts.iter().find(|known| known.id == id);
        found.map_or_else(String::new, |known| known.subdomain.clone())
    }
}

/// Runs `doctor`; a warning is no failure.
pub(super) fn run(common: &Common) -> Result<()> {
    let loaded = open::configuration(common)?;
    let outside = OUTSIDE.iter().map(|check| check(&loaded));
    let findings: Vec<Finding> = match open::existing_store(&loaded) {
        Ok(store) => {
            let first = durability::check(&loaded);
            std::iter::once(first).chain(outside).chain(inside(&loaded, &store)?).collect()
        }
        Err(failure) => std::iter::once(Finding::fail("database", failure)).chain(outside).collect(),
    };
    print(common, &findings)?;
    let failed: Vec<&str> =
        findings.iter().filter(|finding| finding.level == Level::Fail).map(|finding| finding.check).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new("the desk is not well", failed.join(", "), "do what is said next to each"))
    }
}

/// What the tables say.
fn inside(loaded: &Loaded, store: &Store) -> Result<Vec<Finding>> {
    match runtime()?.block_on(see(loaded, store)) {
        Ok(seen) => Ok(INSIDE.iter().filter_map(|check| check(&seen)).collect()),
        Err(error) => Ok(vec![Finding::fail(
            "tables",
            Failure::of("the tables cannot be read", &error).or_next(TABLES_NEXT),
        )]),
    }
}

async fn see<'a>(loaded: &'a Loaded, store: &Store) -> Result<Seen<'a>, StoreError> {
    let written = store.check_writable().await;
    let blobs = store.check_marker().await;
    let tables = store.read_now(|tx| {
        let accounts = store::account::list(tx)?;
        let (holdings, unheld) = (node::holdings(tx)?, node::unheld(tx, UNHELD_MS)?);
        let (forgotten, troubled) = (node::forgotten(tx, UNHELD_MS)?, stuck::troubled(tx)?);
        Ok((accounts, holdings, unheld, (forgotten, troubled), tx.replication()?, depths(tx)?))
    });
    let (accounts, holdings, unheld, (forgotten, troubled), replication, depths) = tables.await?;
    let schema = store.look().await?;
    Ok(Seen {
        loaded,
        schema,
        accounts,
        holdings,
        unheld,
        forgotten,
        troubled,
        written,
        blobs,
        replication,
        depths,
    })
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

#[cfg(test)]
mod tests {
    use crate::config::Loaded;
    use crate::config::load::{Sources, load};

    /// A configuration that consists of flags.
    pub(super) fn loaded(flags: &[&str]) -> Loaded {
        load(&Sources { flags: flags.iter().map(|flag| (*flag).to_owned()).collect(), ..Sources::default() })
            .unwrap()
    }
}
