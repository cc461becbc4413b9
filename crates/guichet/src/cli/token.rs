//! What `guichet token` takes.

use clap::Subcommand;

/// `token …`
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Create an API token with a person's rights; it is shown only this once
    Create {
        /// Whose rights it has
        #[arg(value_name = "EMAIL")]
        user: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// List the tokens, without their secrets
    List,
    /// Revoke a token
    Revoke {
        /// Its id
        id: i64,
    },
}
