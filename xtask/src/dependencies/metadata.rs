//! What `cargo metadata` says, as far as it is used.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

/// All packages of the tree, ours included.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Ours and all that they depend on.
    pub(crate) packages: Vec<Package>,
    /// The ids of ours.
    workspace_members: Vec<String>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name in the registry.
    pub(crate) name: String,
    /// Its licence as an SPDX expression, old ones with `/`.
    pub(crate) license: Option<String>,
    /// Its `Cargo.toml`.
    pub(crate) manifest_path: PathBuf,
    /// What it depends on, of every kind.
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package depends on.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// Its name in this package, where that differs.
    pub(crate) rename: Option<String>,
}

impl Metadata {
    /// Reads cargo's JSON.
    ///
    /// # Errors
    /// When it has a different form.
    pub(crate) fn read(json: &str) -> Result<Metadata> {
        serde_json::from_str(json).context("reading cargo's metadata")
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

impl Dependency {
    /// The name by which the package's manifest calls it.
    pub(crate) fn key(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }

    /// The name by which its code calls it.
    pub(crate) fn crate_name(&self) -> String {
        self.key().replace('-', "_")
    }
}

#[cfg(test)]
impl Package {
    /// A package from a registry.
    pub(crate) fn sample(name: &str, license: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            license: license.map(str::to_owned),
            manifest_path: PathBuf::new(),
            dependencies: Vec::new(),
        }
    }
}
