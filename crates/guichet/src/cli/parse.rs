//! What `guichet parse` takes.

use std::path::PathBuf;

use clap::Args;

/// `parse`
#[derive(Debug, Args)]
pub(crate) struct Parse {
    /// The mail as a file; - reads standard input
    #[arg(value_name = "MAIL.eml")]
    pub(crate) mail: PathBuf,
}
