//! What `guichet explain` takes.

use std::path::PathBuf;

use clap::Args;

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The mail as a file; - reads standard input
    #[arg(value_name = "MAIL.eml")]
    pub(crate) mail: PathBuf,
    /// An envelope recipient; may be repeated
    #[arg(long, required = true, value_name = "ADDR")]
    pub(crate) rcpt: Vec<String>,
    /// The return path [default: the address in From]
    #[arg(long, value_name = "ADDR", conflicts_with = "null_sender")]
    pub(crate) mail_from: Option<String>,
    /// The null return path <>, as bounces have it
    #[arg(long)]
    pub(crate) null_sender: bool,
}
