//! The chores of this repository: `cargo xtask <chore>`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::bench::commands::{self, CommandsArgs};
use xtask::bench::intake::{self, IntakeArgs};
use xtask::bench::mail::{self as bench_mail, MailArgs};
use xtask::bench::snapshot::{self, SnapshotArgs};
use xtask::corpus::{self, CorpusArgs};
use xtask::kill::{self, KillArgs};

mod cargo;
mod ci;
mod count;
mod dependencies;
mod lint;
mod packages;
mod test;
mod tidy;

/// Chores of the Guichet repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run everything that a change must pass: the checks below and all tests.
    Ci,
    /// Install what the tests need, start throw-away servers, run every test, print the counts.
    Test(test::Options),
    /// Check what the compiler cannot: arrows, circles, who writes what, citations, file names.
    Tidy,
    /// Check licences, banned and unused crates, and the compiler's version.
    Dependencies,
    /// Format every file.
    Fmt,
    /// Run clippy; a warning is an error.
    Lint,
    /// Build the documentation; a warning is an error.
    Doc,
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
    /// Write what Guichet makes of a folder of judged mails.
    Corpus(CorpusArgs),
    /// Make whatever can go wrong go wrong under load, and count what is left.
    Kill(KillArgs),
}

#[derive(Subcommand)]
enum Bench {
    /// Mails per second from the door to the ticket.
    Intake(IntakeArgs),
    /// What understanding one mail costs, and that the cost of hostile mails only grows with their size.
    Mail(MailArgs),
    /// Agents' answers a second on one busy account while mail comes in at full rate.
    Commands(CommandsArgs),
    /// What an old snapshot of the database does to the questions that every node asks all the time.
    Snapshot(SnapshotArgs),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore) -> Result<()> {
    match chore {
        Chore::Test(options) => test::run(options),
        Chore::Ci => ci::run(),
        Chore::Tidy => tidy::run(),
        Chore::Dependencies => dependencies::run(),
        Chore::Fmt => lint::format(),
        Chore::Lint => lint::clippy(),
        Chore::Doc => lint::documentation(),
        Chore::Bench(Bench::Intake(arguments)) => intake::run(arguments),
        Chore::Bench(Bench::Mail(arguments)) => bench_mail::run(arguments),
        Chore::Bench(Bench::Commands(arguments)) => commands::run(arguments),
        Chore::Bench(Bench::Snapshot(arguments)) => snapshot::run(arguments),
        Chore::Corpus(arguments) => corpus::run(arguments),
        Chore::Kill(arguments) => kill::run(arguments),
    }
}
