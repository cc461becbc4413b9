//! Brands and their native hosts.

use desk::account::Brand;
use desk::clock::Millis;
use desk::id::BrandId;

use crate::account_state::reconfigured;
use crate::directory::{enter, host_key};
use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Inserts a brand and enters its native host.
///
/// # Errors
/// [`crate::StoreError::Conflict`] when the host is taken.
pub fn insert(tx: &mut AccountTx<'_, '_>, brand: &Brand, now: Millis) -> Result<()> {
    enter(tx, &host_key(&brand.native_host), brand.id.0)?;
    let sql = "INSERT INTO brands (account_id, id, name, subdomain, native_host, is_default, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let row = values![brand.id, &brand.name, &brand.subdomain, &brand.native_host, brand.is_default, now];
    tx.execute(sql, &row)?;
    reconfigured(tx)
}

/// All brands of an account, ordered by id.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>) -> Result<Vec<Brand>> {
    let sql =
        "SELECT id, name, subdomain, native_host, is_default FROM brands WHERE account_id = $1 ORDER BY id";
    let rows = tx.query(sql, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Brand {
                id: BrandId(row.int()?),
                name: row.text()?,
                subdomain: row.text()?,
                native_host: row.text()?,
                is_default: row.flag()?,
            })
        })
        .collect()
}
