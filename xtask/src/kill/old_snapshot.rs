//! The scene of an old snapshot: somebody dumps the database, and replaced rows cannot be vacuumed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testkit::server::{Postgres, PostgresOptions};

use super::act::{Act, ActOptions, Load, QUIET_WITHIN, Roles};
use super::report::Report;
use super::{Length, Options};
use crate::load::desk::{ACCOUNT, Environment};
use crate::load::mails::Mix;
use crate::load::sink::SinkOptions;
use crate::load::snapshot::Snapshot;

/// How long mail comes in while the snapshot is held.
fn lasts(length: Length) -> Duration {
    match length {
        Length::Short => Duration::from_secs(3),
        Length::Long => Duration::from_secs(300),
    }
}

/// Plays it once: mail comes in at a steady pace and is answered, on two nodes.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default())?;
    let mut act = Act::set(&ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server: Some(&server),
        accounts: 3,
        is_watched: true,
        relay: SinkOptions::default(),
    })?;
    let nodes = ["first", "second"];
    for name in nodes {
        act.start(name, Roles::ALL, Environment::new())?;
    }
    let snapshot = Snapshot::hold(act.url.as_deref().context("the act has a database server")?)?;
    let accounts = act.accounts.clone();
    let begun = Instant::now();
    while begun.elapsed() < lasts(options.length) {
        act.load_accepted(&Load {
            count: 100,
            mix: Mix::Desk,
            accounts: &accounts,
            doors: &nodes,
            connections: 4,
            pace: Duration::from_millis(50),
        })?;
        act.settle(QUIET_WITHIN);
        act.answer(ACCOUNT, 2, &Environment::new())?;
    }
    act.settle(QUIET_WITHIN);
    snapshot.release()?;
    let evidence = act.finish()?;
    report.add(&format!("a snapshot held for {:.0?}", begun.elapsed()), &evidence, Vec::new());
    Ok(())
}
