//! What `guichet outbox` takes.

use clap::Subcommand;

use super::Paging;

/// `outbox …`
#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List outgoing mail, one row for each recipient
    List(Paging),
    /// Try deferred mail now: all of it, or one row, which may also have expired
    Retry {
        /// The row
        id: Option<i64>,
    },
}
