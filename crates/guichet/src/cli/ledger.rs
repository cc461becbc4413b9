//! What `guichet ledger` takes.

use clap::Subcommand;

use super::Paging;

/// `ledger …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// List every mail in and out with its outcome, newest first
    List {
        /// Only the mail with this Message-ID, with or without <>
        #[arg(long, value_name = "ID")]
        message_id: Option<String>,
        /// How much of it
        #[command(flatten)]
        paging: Paging,
    },
    /// Decide a mail again, after a fix or a changed setting
    Replay {
        /// The mail's id
        id: i64,
        /// Only say what would become of it
        #[arg(long)]
        dry_run: bool,
    },
}
