//! `cargo xtask fmt`, `lint` and `doc`: what the toolchain itself checks.

use anyhow::Result;

use crate::cargo;

/// The package of the fuzz targets, which is outside the workspace.
const FUZZ: [&str; 2] = ["--manifest-path", "fuzz/Cargo.toml"];

/// Formats every file.
///
/// # Errors
/// When rustfmt is missing or cannot read a file.
pub(crate) fn format() -> Result<()> {
    cargo::run(&["fmt", "--all"])?;
    cargo::run(&[&["fmt"][..], &FUZZ].concat())
}

/// Checks that every file is formatted.
///
/// # Errors
/// When one is not, or rustfmt is missing.
pub(crate) fn formatting() -> Result<()> {
    cargo::run(&["fmt", "--all", "--check"])?;
    cargo::run(&[&["fmt", "--check"][..], &FUZZ].concat())
}

/// Runs clippy over everything that the workspace builds; each warning is an error.
///
/// # Errors
/// When there is one, or clippy is missing.
pub(crate) fn clippy() -> Result<()> {
    cargo::run(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}

/// Builds the documentation; each warning is an error.
///
/// # Errors
/// When there is one.
pub(crate) fn documentation() -> Result<()> {
    cargo::run_with(&["doc", "--workspace", "--no-deps", "--locked"], Some(("RUSTDOCFLAGS", "-D warnings")))
}
