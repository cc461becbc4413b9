//! The directory: which account a host, an address, a subdomain or a token belongs to.

use desk::id::AccountId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::version::{DIRECTORY, bump};
use crate::{AccountTx, Tx, values};

/// What a directory key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The brand of a host, the support address of an address.
    pub target_id: i64,
}

/// The directory key of a native host.
#[must_use]
pub fn host_key(host: &str) -> String {
    format!("host:{}", host.to_lowercase())
}

/// The directory key of a support address.
#[must_use]
pub fn address_key(address: &str) -> String {
    format!("address:{address}")
}

/// The directory key of an account's subdomain.
pub(crate) fn subdomain_key(subdomain: &str) -> String {
    format!("subdomain:{}", subdomain.to_lowercase())
}

/// The directory key of an API token, by the hash that is kept of it.
pub(crate) fn token_key(hash: &[u8; 32]) -> String {
    format!("token:{}", blake3::Hash::from_bytes(*hash).to_hex())
}

/// Looks a key up.
///
/// # Errors
/// As the database says.
pub fn listed(tx: &mut Tx<'_>, key: &str) -> Result<Option<Listed>> {
    let row = tx.find("SELECT account_id, target_id FROM directory WHERE key = $1", &values![key])?;
    row.map(|mut row| Ok(Listed { account_id: AccountId(row.int()?), target_id: row.int()? })).transpose()
}

/// Enters a key.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody has it already.
pub(crate) fn enter(tx: &mut AccountTx<'_, '_>, key: &str, target_id: i64) -> Result<()> {
    let sql = "INSERT INTO directory (account_id, key, target_id) VALUES ($1, $2, $3)";
    tx.execute(sql, &values![key, target_id])?;
    bump(tx.shared(), DIRECTORY)
}

/// Removes a key.
pub(crate) fn strike(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    tx.execute("DELETE FROM directory WHERE key = $1", &values![key])?;
    bump(tx, DIRECTORY)
}
