//! What `guichet check` takes.

use clap::Args;

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Print the reference of all keys instead (Markdown)
    #[arg(long)]
    pub(crate) reference: bool,
}
