//! Tombstones: what was deleted, for those who follow an account by its change number.

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// What a deleted suspended ticket is called.
pub(crate) const SUSPENDED_TICKET: &str = "suspended_ticket";

/// Notes that things of a kind were deleted by the transaction with this change number.
pub(crate) fn insert_many(tx: &mut AccountTx<'_, '_>, kind: &str, ids: &[i64], change: i64) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|id| values![change, kind, *id]).collect();
    tx.insert_rows("INSERT INTO tombstones (account_id, change, kind, id) VALUES ($1, $2, $3, $4)", &rows)
}
