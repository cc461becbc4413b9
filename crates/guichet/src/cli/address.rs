//! What `guichet address` takes.

use clap::Subcommand;

/// `address …`
#[derive(Debug, Subcommand)]
pub(crate) enum Address {
    /// Add a support address; mail is taken for it at once
    Add {
        /// The address
        email: String,
        /// Its brand, by name or subdomain [default: the brand of its host, else the default brand]
        #[arg(long)]
        brand: Option<String>,
        /// The name in From of answers
        #[arg(long)]
        name: Option<String>,
        /// Make it its brand's default
        #[arg(long)]
        default: bool,
    },
    /// List the support addresses
    List,
    /// Send a probe through the forward of an external address
    Check {
        /// The address
        email: String,
    },
    /// Remove a support address; its tickets stay
    Remove {
        /// The address
        email: String,
    },
    /// Make a verified address its brand's default
    Default {
        /// The address
        email: String,
    },
}
