//! What `guichet ticket` takes.

use std::path::PathBuf;

use clap::{ArgGroup, Subcommand, ValueEnum};

use super::Paging;

/// `ticket …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ticket {
    /// List the tickets by number
    List(Paging),
    /// Show a ticket with its comments, its history and the reasons
    Show {
        /// Its number
        number: i64,
    },
    /// Answer a ticket, note something on it, or only set its status
    #[command(group(ArgGroup::new("audience").requires("text")), group(ArgGroup::new("text").requires("audience")))]
    #[command(group(ArgGroup::new("change").args(["body", "body_file", "status"]).multiple(true).required(true)))]
    Reply {
        /// Its number
        number: i64,
        /// The agent who answers
        #[arg(long = "as", value_name = "EMAIL")]
        agent: String,
        /// The requester, CCs and followers get it by mail
        #[arg(long, group = "audience")]
        public: bool,
        /// An internal note, which only followers get by mail
        #[arg(long, group = "audience")]
        note: bool,
        /// The text
        #[arg(long, group = "text", value_name = "TEXT", allow_hyphen_values = true)]
        body: Option<String>,
        /// A file with the text; - reads standard input
        #[arg(long, group = "text", value_name = "FILE")]
        body_file: Option<PathBuf>,
        /// The status to set
        #[arg(long, value_enum)]
        status: Option<StatusWord>,
    },
}

/// A status an agent may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusWord {
    /// Somebody is working on it
    Open,
    /// We are waiting for the requester
    Pending,
    /// We are waiting for a third party
    Hold,
    /// Done
    Solved,
    /// Done for good
    Closed,
}
