//! `cargo xtask dependencies`: checks what cargo's own metadata says about everything that is built.

use std::fs;

use anyhow::{Result, ensure};
use xtask::bench::build;

use crate::cargo;

mod banned;
mod explained;
mod licence;
mod metadata;
mod toolchain;
mod used;

use metadata::Metadata;

/// Checks the whole tree of dependencies, with all features and for all platforms.
///
/// # Errors
/// When `Cargo.lock` is not up to date or something is wrong; the error lists all of it.
pub(crate) fn run() -> Result<()> {
    let root = build::root()?;
    let arguments = ["metadata", "--format-version", "1", "--all-features", "--locked"];
    let metadata = Metadata::read(&cargo::output(&arguments)?)?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let faults = [
        licence::faults(&metadata.packages),
        banned::faults(&metadata.packages),
        used::faults(&metadata, &manifest.parse()?)?,
        explained::faults(&manifest),
        toolchain::faults(&manifest.parse()?, &toolchain::version()?),
    ]
    .concat();
    ensure!(faults.is_empty(), "not as it should be:\n{}", faults.join("\n"));
    println!("xtask: {} crates are as they should be", metadata.packages.len());
    Ok(())
}
