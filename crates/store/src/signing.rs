//! The desk's signing keys, versioned.

use desk::clock::Millis;
use desk::signed::SigningKeys;
use rand::Rng as _;

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{Tx, values};

/// The keys, newest first; the first one is made when there is none yet.
///
/// # Errors
/// As the database says.
pub fn load_or_make(tx: &mut Tx<'_>, now: Millis) -> Result<SigningKeys> {
    let keys = load(tx)?;
    if let Some(keys) = SigningKeys::new(keys) {
        return Ok(keys);
    }
    let mut fresh = [0_u8; 32];
    rand::rng().fill_bytes(&mut fresh);
    // Two nodes that start together: the first one's key stands.
    let sql = "INSERT INTO signing_keys (version, key, created_at) VALUES (1, $1, $2) ON CONFLICT (version) DO NOTHING";
    tx.execute(sql, &values![fresh.as_slice(), now])?;
    SigningKeys::new(load(tx)?).ok_or_else(|| StoreError::setup("no signing key could be stored"))
}

fn load(tx: &mut Tx<'_>) -> Result<Vec<[u8; 32]>> {
    let mut keys = Vec::new();
    for mut row in tx.query("SELECT key FROM signing_keys ORDER BY version DESC", &[])? {
        let bytes = row.maybe_bytes()?.unwrap_or_default();
        keys.extend(<[u8; 32]>::try_from(bytes.as_slice()).ok());
    }
    Ok(keys)
}
