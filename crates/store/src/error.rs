//! What can go wrong in the store, seen by its callers; and whose fault it is.

use std::fmt;

use desk::id::AccountId;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot take work now: disk full, gone, restarting, locked. Try again later; nothing was written.
    #[error("the database cannot take work now: {0}")]
    Unavailable(String),
    /// The work took longer than the database allows, or waited too long for a lock. Less at once may succeed.
    #[error("the database gave up on a transaction that took too long: {0}")]
    TimedOut(String),
    /// A unique key refused the row; nothing of the closure was written.
    #[error("already there: {0}")]
    Conflict(String),
    /// The database refuses a value for what it is: too long for an index, not of the encoding.
    #[error("the database refuses a value: {0}")]
    Refused(String),
    /// The lease was taken over by another node; the closure was rolled back.
    #[error("account {account_id} is worked by another node now")]
    Fenced {
        /// The account whose lease was lost.
        account_id: AccountId,
    },
    /// A row changed under the closure (a spool row that was decided by somebody else); it was rolled back.
    #[error("{0} changed meanwhile")]
    Changed(&'static str),
    /// A stored value is not of the form the code expects, as after damage, or when a newer version wrote it.
    #[error("column {column} of a row is not {wanted}")]
    Row {
        /// Column number in the SELECT list, from 1.
        column: usize,
        /// What was expected there.
        wanted: &'static str,
    },
    /// Stored bytes cannot be read: damaged, or of a format that this version does not know.
    #[error("{what} cannot be read: {reason}")]
    Damaged {
        /// Which bytes.
        what: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A statement failed for another reason: a defect of ours, or a right that is missing.
    #[error("statement failed: {0}")]
    Statement(String),
    /// More ids were used than were taken before the transaction; it was rolled back. Take more and run it again.
    #[error("more ids were used than were taken")]
    OutOfIds,
    /// The closure panicked; it was rolled back.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A blob could not be written or read.
    #[error("blob {name}: {reason}")]
    Blob {
        /// The blob's name below the store's root.
        name: String,
        /// What the object store said.
        reason: String,
    },
    /// A blob that a row names is not there.
    #[error("blob {name} is missing")]
    BlobMissing {
        /// The blob's name below the store's root.
        name: String,
    },
    /// The database or its settings cannot be used.
    #[error("{0}")]
    Setup(String),
}

/// Whose fault a failure is: what has to wait for it (docs/behaviour/intake.md §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This mail's alone: the others are decided without it.
    Mail,
    /// The account's: its work waits, that of others goes on.
    Account,
    /// The machine's, the database's or the object store's: no mail and no account is blamed.
    System,
    /// Nobody's: another node took over.
    Nobody,
}

impl StoreError {
    /// Whose fault it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            StoreError::Conflict(_)
            | StoreError::Refused(_)
            | StoreError::Damaged { .. }
            | StoreError::Panicked(_) => Owner::Mail,
            StoreError::Changed(_)
            | StoreError::Row { .. }
            | StoreError::Statement(_)
            | StoreError::BlobMissing { .. } => Owner::Account,
            StoreError::Unavailable(_)
            | StoreError::TimedOut(_)
            | StoreError::OutOfIds
            | StoreError::Blob { .. }
            | StoreError::Setup(_) => Owner::System,
            StoreError::Fenced { .. } => Owner::Nobody,
        }
    }

    /// Whether the same work may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unavailable(_) | StoreError::TimedOut(_) | StoreError::Blob { .. })
    }

    pub(crate) fn setup(what: impl fmt::Display) -> StoreError {
        StoreError::Setup(what.to_string())
    }
}

/// Result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}
