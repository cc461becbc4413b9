//! `cargo xtask test`: sets up everything that the tests need, then runs them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use testkit::server::{Exim, Folder, Postgres, PostgresOptions};
use xtask::bench::build;

use crate::count::Count;
use crate::{cargo, packages};

/// The arguments of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of `cargo test` that replace `--workspace`, such as `-p guichet-store` or `-p guichet-tests --test smtp`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs every test, as the README's command does.
///
/// # Errors
/// As [`run`].
pub(crate) fn all() -> Result<()> {
    run(&Options { arguments: Vec::new() })
}

/// Installs what is missing, starts PostgreSQL, builds the program, runs the tests and prints the counts.
///
/// # Errors
/// When something that the tests need is missing, or a test fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    Folder::sweep();
    packages::ensure_installed()?;
    let exim = Folder::new("exim-package")?;
    Exim::unpack(exim.path()).context("fetching Exim, which cannot be installed alongside Postfix")?;
    let postgres = Postgres::start(PostgresOptions { connections: 400, ..PostgresOptions::default() })?;
    println!("xtask: PostgreSQL runs on port {}", postgres.port());
    let program = build::guichet(false)?;

    let mut command = cargo::command(&["test", "--no-fail-fast"])?;
    if options.arguments.is_empty() {
        command.arg("--workspace");
    }
    command.args(&options.arguments);
    command.env(testkit::database::VARIABLE, postgres.url());
    command.env(testkit::server::EXIM_VARIABLE, exim.path());
    command.env("GUICHET_BIN", program);
    let (status, count) = run_counted(&mut command)?;

    println!("xtask: {} passed, {} failed, {} ignored", count.passed, count.failed, count.ignored);
    ensure!(status.success(), "cargo test ended with {status}");
    ensure!(count.failed == 0, "{} tests failed", count.failed);
    ensure!(count.passed > 0, "no test ran");
    Ok(())
}

/// Runs a command, passes its standard output on line by line, and counts the tests that it reports.
fn run_counted(command: &mut Command) -> Result<(ExitStatus, Count)> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting cargo test")?;
    let output = child.stdout.take().context("standard output is piped")?;
    let mut count = Count::default();
    let mut here = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        here.write_all(&line)?;
        here.write_all(b"\n")?;
        count.add(&String::from_utf8_lossy(&line));
    }
    Ok((child.wait()?, count))
}
