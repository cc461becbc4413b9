//! API tokens: shown once, kept as hashes.

use crate::error::Result;
use crate::{Tx, values};

/// A token as it is listed; its secret is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Whose rights it has.
    pub user_id: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// Stores a token's hash.
///
/// # Errors
/// As the database says.
pub fn insert(tx: &mut Tx<'_>, account_id: i64, id: i64, name: &str, user_id: i64, secret: &str, now: i64) -> Result<()> {
    let hash = hash_of(secret);
    let sql =
        "INSERT INTO tokens (account_id, id, name, user_id, hash, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, NULL)";
    tx.execute(sql, &values![account_id, id, name, user_id, hash.as_slice(), now])?;
    Ok(())
}

/// All tokens of an account, oldest first.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut Tx<'_>, account_id: i64) -> Result<Vec<TokenRow>> {
    let sql = "SELECT id, name, user_id, created_at, revoked_at FROM tokens WHERE account_id = $1 ORDER BY id";
    let rows = tx.query(sql, &values![account_id])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(TokenRow {
                id: row.int()?,
                name: row.text()?,
                user_id: row.int()?,
                created_at: row.int()?,
                revoked_at: row.maybe_int()?,
            })
        })
        .collect()
}

/// Revokes a token; false when there is none of that id that is still good.
///
/// # Errors
/// As the database says.
pub fn revoke(tx: &mut Tx<'_>, account_id: i64, id: i64, now: i64) -> Result<bool> {
    let sql = "UPDATE tokens SET revoked_at = $1 WHERE account_id = $2 AND id = $3 AND revoked_at IS NULL";
    Ok(tx.execute(sql, &values![now, account_id, id])? == 1)
}

/// What is kept of a secret of at least 128 random bits: no salt or slow hash is needed for those.
#[must_use]
pub fn hash_of(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}
