//! What `guichet account` takes.

use clap::Subcommand;

/// `account …`
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Create an account with its default brand, support@ at its native host, its first admin and an API token
    Create {
        /// Letters, digits and hyphens, such as acme
        subdomain: String,
        /// The first admin's address
        #[arg(long, value_name = "EMAIL")]
        admin: String,
        /// The company's name [default: the subdomain]
        #[arg(long)]
        name: Option<String>,
        /// The native host [default: SUBDOMAIN.{mail.domain}]
        #[arg(long, value_name = "HOST")]
        native_host: Option<String>,
    },
    /// List the accounts
    List,
}
