//! Memberships: which users belong to which organizations.

use desk::changes::NewPerson;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Makes new users members of their default organizations.
pub(crate) fn insert_default(tx: &mut AccountTx<'_, '_>, people: &[NewPerson]) -> Result<()> {
    let rows: Vec<_> = people
        .iter()
        .filter_map(|new| Some(values![new.person.id, new.person.organization_id?, 1]))
        .collect();
    let sql =
        "INSERT INTO memberships (account_id, user_id, organization_id, is_default) VALUES ($1, $2, $3, $4)";
    tx.insert_rows(sql, &rows)
}
