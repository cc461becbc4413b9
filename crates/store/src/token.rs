//! API tokens: shown once, kept as hashes.

use desk::clock::Millis;
use desk::id::{AccountId, TokenId, UserId};
use desk::user::Role;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, Tx, directory, values};

/// A token as it is listed; its secret is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// Whose rights it has.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Millis,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
}

/// Stores a token's hash.
///
/// # Errors
/// As the database says.
pub fn insert(
    tx: &mut AccountTx<'_, '_>,
    id: TokenId,
    name: &str,
    user_id: UserId,
    secret: &str,
    now: Millis,
) -> Result<()> {
    let hash = hash_of(secret);
    let sql = "INSERT INTO tokens (account_id, id, name, user_id, hash, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, NULL)";
    tx.execute(sql, &values![id, name, user_id, hash.as_slice(), now])?;
    directory::enter(tx, &directory::token_key(&hash), id.0)
}

/// Whose rights a token gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The token.
    pub token_id: TokenId,
    /// Whose rights it has.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
    /// Whether they are barred.
    pub is_suspended: bool,
    /// Every address of theirs, as keys, in no order.
    pub addresses: Vec<String>,
}

/// Who holds the token with this secret; none when there is no such token or it was revoked.
///
/// # Errors
/// As the database says.
pub fn holder(tx: &mut Tx<'_>, secret: &str) -> Result<Option<Holder>> {
    let Some(listed) = directory::listed(tx, &directory::token_key(&hash_of(secret)))? else {
        return Ok(None);
    };
    let mut tx = tx.account(listed.account_id);
    let sql = "SELECT t.user_id, u.role, u.is_suspended
               FROM tokens t JOIN users u ON u.account_id = t.account_id AND u.id = t.user_id
               WHERE t.account_id = $1 AND t.id = $2 AND t.revoked_at IS NULL";
    let Some(mut row) = tx.find(sql, &values![listed.target_id])? else { return Ok(None) };
    let user_id = UserId(row.int()?);
    let role = row.word()?;
    let is_suspended = row.flag()?;
    let sql = "SELECT address FROM identities WHERE account_id = $1 AND user_id = $2";
    let rows = tx.query(sql, &values![user_id])?;
    let addresses = rows.into_iter().map(|mut row| row.text()).collect::<Result<_>>()?;
    Ok(Some(Holder {
        account_id: listed.account_id,
        token_id: TokenId(listed.target_id),
        user_id,
        role,
        is_suspended,
        addresses,
    }))
}

/// All tokens of an account, oldest first.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>) -> Result<Vec<TokenRow>> {
    let sql =
        "SELECT id, name, user_id, created_at, revoked_at FROM tokens WHERE account_id = $1 ORDER BY id";
    let rows = tx.query(sql, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(TokenRow {
                id: TokenId(row.int()?),
                name: row.text()?,
                user_id: UserId(row.int()?),
                created_at: row.time()?,
                revoked_at: row.maybe_time()?,
            })
        })
        .collect()
}

/// Revokes a token; false when there is none of that id that is still good.
///
/// # Errors
/// As the database says.
pub fn revoke(tx: &mut AccountTx<'_, '_>, id: TokenId, now: Millis) -> Result<bool> {
    let sql = "UPDATE tokens SET revoked_at = $2 WHERE account_id = $1 AND id = $3 AND revoked_at IS NULL RETURNING hash";
    let Some(mut row) = tx.find(sql, &values![now, id])? else { return Ok(false) };
    if let Ok(hash) = <[u8; 32]>::try_from(row.maybe_bytes()?.unwrap_or_default()) {
        directory::strike(tx.shared(), &directory::token_key(&hash))?;
    }
    Ok(true)
}

/// What is kept of a secret of at least 128 random bits: no salt or slow hash is needed for those.
#[must_use]
pub fn hash_of(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}
