//! Which account an envelope recipient belongs to: what the doors ask at RCPT.

use desk::address::RESERVED_LOCAL_PARTS;
use desk::id::AccountId;
use mail::address::AddressKey;

use crate::directory::{address_key, host_key, listed};
use crate::error::Result;
use crate::{AccountTx, Tx, account};

/// The account a recipient belongs to, or none: 550 5.1.1.
///
/// Known are registered addresses (native, external, and their plus variants), any local part of a native host while the
/// account's wildcard is on, and at native hosts always `postmaster`, `abuse`, `noreply` and the return paths `bounce+…`
/// (RFC 5321 §4.5.1, RFC 2142 §4, docs/behaviour/support-addresses.md §4).
///
/// # Errors
/// As the database says.
pub fn account_of(tx: &mut Tx<'_>, key: &AddressKey) -> Result<Option<AccountId>> {
    if let Some(found) = listed(tx, &address_key(key.as_str()))? {
        return Ok(Some(found.account_id));
    }
    let base = key.base();
    if base != *key
        && let Some(found) = listed(tx, &address_key(base.as_str()))?
    {
        return Ok(Some(found.account_id));
    }
    let Some(host) = listed(tx, &host_key(key.domain()))? else { return Ok(None) };
    if RESERVED_LOCAL_PARTS.contains(&base.local()) || has_wildcard(&mut tx.account(host.account_id))? {
        return Ok(Some(host.account_id));
    }
    Ok(None)
}

fn has_wildcard(tx: &mut AccountTx<'_, '_>) -> Result<bool> {
    Ok(account::settings(tx)?.is_some_and(|settings| settings.wildcard))
}
