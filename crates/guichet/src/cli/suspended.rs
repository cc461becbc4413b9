//! What `guichet suspended` takes.

use clap::Subcommand;

use super::Paging;

/// `suspended …`
#[derive(Debug, Subcommand)]
pub(crate) enum Suspended {
    /// List held mail, newest first
    List {
        /// Only mail held for this cause
        #[arg(long, value_name = "N")]
        cause: Option<i64>,
        /// How much of it
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one: its cause, every reason, its text, and when it will be deleted
    Show {
        /// Its id
        id: i64,
    },
    /// Let held mail through: each becomes what it would have been
    Recover {
        /// Their ids
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// Everything that is held
        #[arg(long)]
        all: bool,
        /// With --all: only mail held for this cause
        #[arg(long, value_name = "N", requires = "all")]
        cause: Option<i64>,
        /// Make it a comment on this ticket
        #[arg(long, value_name = "NUMBER", conflicts_with = "all")]
        into: Option<i64>,
        /// Make this agent the requester
        #[arg(long = "as", value_name = "AGENT", conflicts_with_all = ["all", "into"])]
        agent: Option<String>,
    },
    /// Delete held mail for good; its sender is not told
    Delete {
        /// Their ids
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// Everything that is held
        #[arg(long)]
        all: bool,
        /// With --all: only mail held for this cause
        #[arg(long, value_name = "N", requires = "all")]
        cause: Option<i64>,
    },
}
