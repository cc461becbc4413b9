//! Calls cargo in the checkout: the same cargo that runs us.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use testkit::server;
use xtask::bench::build;

/// A call of cargo with these arguments, in the root folder.
///
/// # Errors
/// When the root folder is not known.
pub(crate) fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(build::root()?);
    Ok(command)
}

/// Runs cargo with these arguments; its output is shown.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    run_with(arguments, None)
}

/// Runs cargo with these arguments and an environment variable; its output is shown.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn run_with(arguments: &[&str], variable: Option<(&str, &str)>) -> Result<()> {
    let status = command(arguments)?.envs(variable).status().context("starting cargo")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// Runs cargo with these arguments and returns its standard output.
///
/// # Errors
/// When it cannot be started or fails; the error carries its output.
pub(crate) fn output(arguments: &[&str]) -> Result<String> {
    server::run(&mut command(arguments)?)
}
