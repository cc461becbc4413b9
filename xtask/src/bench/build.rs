//! Builds what is measured, and makes sure that the measuring program is a release build too.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The checkout's root folder.
///
/// # Errors
/// When the program does not run under cargo and its own path does not tell.
pub fn root() -> Result<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(PathBuf::from).context("the manifest folder has a parent")
}

/// Builds `guichet` and returns the program; `release` chooses the profile.
///
/// # Errors
/// When cargo fails.
pub fn guichet(release: bool) -> Result<PathBuf> {
    cargo_build("guichet", release)
}

/// Continues as a release build: builds xtask as one and becomes it, with the same arguments. Returns if it already is
/// one. An unoptimised sender or floor would take the CPU that they are meant to leave alone.
///
/// # Errors
/// When the build or the change of program fails.
pub fn become_release() -> Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let program = cargo_build("xtask", true)?;
    // `exec` only returns if it failed.
    Err(Command::new(&program).args(env::args_os().skip(1)).exec())
        .with_context(|| format!("running {}", program.display()))
}

fn cargo_build(package: &str, release: bool) -> Result<PathBuf> {
    let root = root()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&root).args(["build", "--quiet", "--bin", package, "--package", package]);
    command.args(release.then_some("--release"));
    let status = command.status().context("starting cargo")?;
    if !status.success() {
        bail!("cargo build of {package} ended with {status}");
    }
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    Ok(target.join(if release { "release" } else { "debug" }).join(package))
}
