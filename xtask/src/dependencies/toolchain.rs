//! `rust-version` is the compiler that checks every change: nobody could promise that an older one works.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};
use testkit::server;
use toml::Table;

/// The version of the compiler in use, as `1.95.0`.
///
/// # Errors
/// When it cannot be asked.
pub(crate) fn version() -> Result<String> {
    let said =
        server::run(Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version"))?;
    said.split_whitespace().nth(1).map(str::to_owned).context("rustc names a version")
}

/// What is wrong with the workspace's `rust-version`.
pub(crate) fn faults(manifest: &Table, rustc: &str) -> Vec<String> {
    let package = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
    let said = package.and_then(|package| package.get("rust-version")).and_then(toml::Value::as_str);
    let mut parts = rustc.split('.');
    let minor = [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()].join(".");
    if said == Some(minor.as_str()) {
        return Vec::new();
    }
    let said = said.unwrap_or_default();
    vec![format!(
        "Cargo.toml says rust-version = \"{said}\", and the compiler in use is {rustc}: either write rust-version = \
         \"{minor}\", which drops the older ones, or check with the other compiler (cargo +{said} xtask ci)"
    )]
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn rust_version_is_the_compiler_in_use() -> anyhow::Result<()> {
        let manifest = "[workspace.package]\nrust-version = \"1.95\"".parse()?;
        for (rustc, is_fine) in [
            ("1.95.0", true),
            ("1.95.1", true),
            ("1.96.0", false),
            ("1.9.0", false),
            ("1.97.0-nightly", false),
        ] {
            assert_eq!(faults(&manifest, rustc).is_empty(), is_fine, "{rustc}");
        }
        assert_eq!(faults(&"".parse()?, "1.95.0").len(), 1);
        Ok(())
    }
}
