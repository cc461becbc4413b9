//! The scene of a moody relay: it defers some mails once or twice and refuses others for good.

use std::time::Duration;

use anyhow::Result;
use testkit::server::{Postgres, PostgresOptions, until};

use super::act::{Act, ActOptions, Load, QUIET_WITHIN, Roles};
use super::report::Report;
use super::{Length, Options, read};
use crate::load::desk::Environment;
use crate::load::mails::Mix;
use crate::load::sink::{Refusals, SinkOptions};

/// How long the first deferred mails may take by themselves: the first wait is a minute plus up to a fifth
/// (docs/behaviour/outgoing-mail.md §4), and then their turn must come.
const FIRST_RETRY_WITHIN: Duration = Duration::from_secs(90);
/// A mail is deferred twice at most.
const RETRIES: usize = 3;
/// Accounts of an act.
const ACCOUNTS: usize = 4;

/// Plays it on both databases; the short version only on PostgreSQL, and without the minute until the first retry.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default())?;
    moody_relay(options, Some(&server), &["first", "second"], report)?;
    match options.length {
        Length::Short => Ok(()),
        Length::Long => moody_relay(options, None, &["first"], report),
    }
}

fn moody_relay(
    options: &Options,
    server: Option<&Postgres>,
    nodes: &[&str],
    report: &mut Report,
) -> Result<()> {
    let refusals = Some(Refusals { seed: options.seed });
    let mut act = Act::set(&ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server,
        accounts: ACCOUNTS,
        is_watched: true,
        relay: SinkOptions { refusals, ..SinkOptions::default() },
    })?;
    for name in nodes {
        act.start(name, Roles::ALL, Environment::new())?;
    }
    let accounts = act.accounts.clone();
    act.load_accepted(&Load {
        count: match options.length {
            Length::Short => 80,
            Length::Long => 400,
        },
        mix: Mix::Desk,
        accounts: &accounts,
        doors: nodes,
        connections: 4,
        pace: Duration::from_millis(20),
    })?;
    let database = if server.is_some() { "PostgreSQL" } else { "SQLite" };
    retry_until_quiet(&act, options.length)?;
    let evidence = act.finish()?;
    report.add(&format!("a relay that defers and refuses, on {database}"), &evidence, Vec::new());
    Ok(())
}

/// The first retry comes by itself, or in the short version by a command, like all later ones, which would take minutes.
fn retry_until_quiet(act: &Act, length: Length) -> Result<()> {
    all_tried(act, QUIET_WITHIN);
    if length == Length::Long {
        let deferred = |attempts: usize| act.sink.attempts().len() > attempts;
        let before = act.sink.attempts().len();
        if let Err(error) =
            until("deferred mail is tried again", FIRST_RETRY_WITHIN, || Ok(deferred(before).then_some(())))
        {
            eprintln!("{error:#}\n{}", act.desk.log_tail());
        }
    }
    for _ in 0..RETRIES {
        for account in &act.accounts {
            act.desk.command(&["outbox", "retry", "--account", account])?;
        }
        all_tried(act, QUIET_WITHIN);
    }
    act.settle(QUIET_WITHIN);
    Ok(())
}

/// Waits until nothing is due: what is left is deferred, sent or bounced.
fn all_tried(act: &Act, within: Duration) {
    let tried = until("all mail is decided and tried", within, || {
        let is_decided = read::is_all_decided(&act.desk, &act.accounts)?;
        let is_tried = read::is_none_in(&act.desk, &act.accounts, &["queued", "sending"])?;
        Ok((is_decided && is_tried).then_some(()))
    });
    if let Err(error) = tried {
        eprintln!("{error:#}\n{}", act.desk.log_tail());
    }
}
