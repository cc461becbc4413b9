//! What `guichet setting` takes.

use clap::Subcommand;

/// `setting …`
#[derive(Debug, Subcommand)]
pub(crate) enum Setting {
    /// List all settings: value, what is in force and from where, what is allowed
    List,
    /// Show all settings, or one
    Get {
        /// Its name
        key: Option<String>,
    },
    /// Change a setting
    Set {
        /// Its name
        key: String,
        /// Its value
        value: String,
    },
}
