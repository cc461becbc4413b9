//! What `guichet brand` takes.

use clap::Subcommand;

/// `brand …`
#[derive(Debug, Subcommand)]
pub(crate) enum Brand {
    /// Add a brand with support@ at its native host
    Add {
        /// Letters, digits and hyphens
        subdomain: String,
        /// The name customers see [default: the subdomain]
        #[arg(long)]
        name: Option<String>,
        /// The native host [default: SUBDOMAIN.{mail.domain}]
        #[arg(long, value_name = "HOST")]
        native_host: Option<String>,
    },
    /// List the brands
    List,
}
