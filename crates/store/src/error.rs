//! What can go wrong in the store, seen by its callers.

use std::fmt;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot take work now: disk full, gone, restarting, locked. Try again later; nothing was written.
    #[error("the database cannot take work now: {0}")]
    Unavailable(String),
    /// A unique key refused the row; nothing of the closure was written.
    #[error("already there: {0}")]
    Conflict(String),
    /// The lease was taken over by another node; the closure was rolled back.
    #[error("lease of account {account_id} is held by another node now")]
    Fenced {
        /// The account whose lease was lost.
        account_id: i64,
    },
    /// A row changed under the closure (a spool row that was decided by somebody else); it was rolled back.
    #[error("{0} changed meanwhile")]
    Changed(&'static str),
    /// A stored value is not of the form the code expects.
    #[error("column {column} of a row is not {wanted}")]
    Row {
        /// Column number in the SELECT list, from 1.
        column: usize,
        /// What was expected there.
        wanted: &'static str,
    },
    /// A statement failed for another reason: a defect of ours, or a value the database refuses.
    #[error("statement failed: {0}")]
    Statement(String),
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
    /// The database or its settings cannot be used.
    #[error("{0}")]
    Setup(String),
}

impl StoreError {
    /// Whether the same work may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unavailable(_) | StoreError::Blob { .. })
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
