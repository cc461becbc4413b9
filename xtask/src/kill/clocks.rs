//! The scene of wrong clocks: two processes whose clocks differ, and a command from a machine that is ahead.

use std::time::Duration;

use anyhow::Result;
use testkit::server::{Postgres, PostgresOptions};

use super::act::{Act, ActOptions, Load, QUIET_WITHIN, Roles};
use super::clock_shim::ClockShim;
use super::report::Report;
use super::{Length, Options};
use crate::load::desk::ACCOUNT;
use crate::load::mails::Mix;
use crate::load::sink::SinkOptions;

/// How far clocks are apart, milliseconds: as NTP keeps them, as it corrects them, and as on a machine that was forgotten.
const APART_MS: [i64; 3] = [30, 1_500, 60_000];
/// How far ahead the command's clock is on SQLite, milliseconds.
const COMMAND_AHEAD_MS: i64 = 2_000;
/// Mails of an act.
const MAILS: usize = 30;
/// Answers of an act.
const ANSWERS: usize = 3;

/// How the work is split between the two processes `first` and `second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Split {
    /// One takes and decides mail, the other one sends it.
    ByRole,
    /// Both do everything.
    Whole,
}

impl Split {
    fn roles(self) -> [Roles; 2] {
        match self {
            Self::ByRole => [Roles::DOORS_AND_ENGINE, Roles::OUTBOX],
            Self::Whole => [Roles::ALL; 2],
        }
    }

    fn doors(self) -> &'static [&'static str] {
        match self {
            Self::ByRole => &["first"],
            Self::Whole => &["first", "second"],
        }
    }
}

/// Plays every distance in both directions with both splits, and the command on SQLite; the short version plays a few
/// of them.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let shim = ClockShim::compile()?;
    let server = Postgres::start(PostgresOptions::default())?;
    for split in [Split::ByRole, Split::Whole] {
        for offsets in distances(options.length, split) {
            two_nodes(options, &server, &shim, split, offsets, report)?;
        }
    }
    command_ahead(options, &shim, report)
}

/// The offsets of both processes.
fn distances(length: Length, split: Split) -> Vec<[i64; 2]> {
    match (length, split) {
        (Length::Short, Split::ByRole) => vec![[30, 0]],
        (Length::Short, Split::Whole) => vec![[0, 1_500]],
        (Length::Long, _) => APART_MS.into_iter().flat_map(|apart| [[apart, 0], [0, apart]]).collect(),
    }
}

fn two_nodes(
    options: &Options,
    server: &Postgres,
    shim: &ClockShim,
    split: Split,
    offsets: [i64; 2],
    report: &mut Report,
) -> Result<()> {
    let mut act = Act::set(&act_options(options, Some(server)))?;
    for ((name, roles), offset) in ["first", "second"].into_iter().zip(split.roles()).zip(offsets) {
        act.start(name, roles, shim.off_by(offset))?;
    }
    converse(&mut act, split.doors(), shim, offsets)?;
    let evidence = act.finish()?;
    let [first, second] = offsets;
    report.add(&format!("clocks {first} and {second} ms ahead, {split:?}"), &evidence, Vec::new());
    Ok(())
}

/// Mail comes in and is answered, by commands with the clock of either process.
fn converse(act: &mut Act, doors: &[&str], shim: &ClockShim, offsets: [i64; 2]) -> Result<()> {
    let accounts = act.accounts.clone();
    let load = Load {
        count: MAILS,
        mix: Mix::Desk,
        accounts: &accounts,
        doors,
        connections: 2,
        // Slow enough that mails come one by one: a mail that follows at once would get the one before it processed.
        pace: Duration::from_millis(150),
    };
    act.load_accepted(&load)?;
    act.settle(QUIET_WITHIN);
    for offset in offsets {
        act.answer(ACCOUNT, ANSWERS, &shim.off_by(offset))?;
    }
    act.settle(QUIET_WITHIN);
    Ok(())
}

/// One process on SQLite, and an agent's answer from a command whose clock is ahead of it.
fn command_ahead(options: &Options, shim: &ClockShim, report: &mut Report) -> Result<()> {
    let mut act = Act::set(&act_options(options, None))?;
    act.start("first", Roles::ALL, shim.off_by(0))?;
    converse(&mut act, &["first"], shim, [0, COMMAND_AHEAD_MS])?;
    let evidence = act.finish()?;
    report.add(&format!("a command {COMMAND_AHEAD_MS} ms ahead on SQLite"), &evidence, Vec::new());
    Ok(())
}

fn act_options<'a>(options: &Options, server: Option<&'a Postgres>) -> ActOptions<'a> {
    ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server,
        accounts: 1,
        is_watched: true,
        relay: SinkOptions::default(),
    }
}
