//! What `guichet user` takes.

use clap::{Subcommand, ValueEnum};

use super::Paging;

/// `user …`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person, or change the role of a known one
    Add {
        /// Their address
        email: String,
        /// What they may do [default: a known person keeps their role, a new one is end-user]
        #[arg(long, value_enum)]
        role: Option<RoleWord>,
        /// Their name [default: made from the address]
        #[arg(long)]
        name: Option<String>,
    },
    /// List the people
    List(Paging),
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Answers
    Agent,
    /// Answers and configures
    Admin,
    /// Asks
    EndUser,
}
