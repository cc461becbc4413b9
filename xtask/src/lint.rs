//! `cargo xtask fmt` and `cargo xtask lint`: the checks that need no server.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use xtask::bench::build;

/// Formats every file of the workspace.
pub(crate) fn format() -> Result<()> {
    cargo(&["fmt", "--all"], None)
}

/// Runs the checks of `.ci/run` that come before the tests.
pub(crate) fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"], None)?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], None)?;
    cargo(&["doc", "--workspace", "--no-deps"], Some(("RUSTDOCFLAGS", "-D warnings")))
}

fn cargo(arguments: &[&str], variable: Option<(&str, &str)>) -> Result<()> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).envs(variable).current_dir(build::root()?);
    let status = command.status().context("starting cargo")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}
