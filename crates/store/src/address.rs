//! Support addresses.

use desk::address::{PROBE_WINDOW, SupportAddress};
use desk::address_check::NewAddress;
use desk::clock::Millis;
use desk::id::{BrandId, SupportAddressId};
use mail::address::AddressKey;

use crate::account_state::reconfigured;
use crate::directory::{address_key, enter, strike};
use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::timer;
use crate::value::{Row, list_of};
use crate::work::Kind;
use crate::{AccountTx, values};

/// All support addresses of an account, ordered by id.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>) -> Result<Vec<SupportAddress>> {
    let sql = "SELECT id, brand_id, email, written, name, kind, is_default, is_system, forwarding_status, forwards_to,
                      probe_token, probe_sent_at, last_verified_at, created_at
               FROM support_addresses WHERE account_id = $1 ORDER BY id";
    tx.query(sql, &[])?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<SupportAddress> {
    let id = SupportAddressId(row.int()?);
    let brand_id = BrandId(row.int()?);
    let email = key(&row.text()?)?;
    Ok(SupportAddress {
        id,
        brand_id,
        email,
        written: row.text()?,
        name: row.text()?,
        kind: row.word()?,
        is_default: row.flag()?,
        is_system: row.flag()?,
        forwarding: row.word()?,
        forwards_to: row.maybe_text()?.as_deref().map(key).transpose()?,
        probe_token: row.maybe_text()?,
        probe_sent_at: row.maybe_time()?,
        last_verified_at: row.maybe_time()?,
        created_at: row.time()?,
    })
}

pub(crate) fn key(text: &str) -> Result<AddressKey> {
    AddressKey::parse(text)
        .map_err(|_| StoreError::Statement(format!("stored address {text:?} cannot be read")))
}

/// Adds a support address and enters it in the directory. It is known at RCPT once this is committed.
///
/// # Errors
/// [`StoreError::Conflict`] when any account has it already.
pub fn insert(
    tx: &mut AccountTx<'_, '_>,
    id: SupportAddressId,
    new: &NewAddress,
    is_system: bool,
    now: Millis,
) -> Result<()> {
    enter(tx, &address_key(new.email.as_str()), id.0)?;
    if new.is_default {
        clear_default(tx, new.brand_id)?;
    }
    let native = new.kind == desk::address::Kind::Native;
    let status = if native { "verified" } else { "unknown" };
    let sql = "INSERT INTO support_addresses (account_id, id, brand_id, email, written, name, kind, is_default, is_system,
                   forwarding_status, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let row = values![
        id,
        new.brand_id,
        new.email.as_str(),
        &new.written,
        &new.name,
        new.kind.as_str(),
        new.is_default,
        is_system,
        status,
        now,
        now
    ];
    tx.execute(sql, &row)?;
    reconfigured(tx)
}

fn clear_default(tx: &mut AccountTx<'_, '_>, brand: BrandId) -> Result<()> {
    let sql = "UPDATE support_addresses SET is_default = 0 WHERE account_id = $1 AND brand_id = $2 AND is_default = 1";
    tx.execute(sql, &values![brand])?;
    Ok(())
}

/// Makes an address its brand's default in place of the former one.
///
/// # Errors
/// As the database says.
pub fn make_default(tx: &mut AccountTx<'_, '_>, address: &SupportAddress) -> Result<()> {
    clear_default(tx, address.brand_id)?;
    let sql = "UPDATE support_addresses SET is_default = 1 WHERE account_id = $1 AND id = $2";
    tx.execute(sql, &values![address.id])?;
    reconfigured(tx)
}

/// Removes an address; tickets that were received at it keep its text.
///
/// # Errors
/// As the database says.
pub fn delete(tx: &mut AccountTx<'_, '_>, address: &SupportAddress) -> Result<()> {
    strike(tx.shared(), &address_key(address.email.as_str()))?;
    let sql = "DELETE FROM support_addresses WHERE account_id = $1 AND id = $2";
    tx.execute(sql, &values![address.id])?;
    reconfigured(tx)
}

/// Notes that a probe was sent and with which secret.
///
/// # Errors
/// As the database says.
pub fn probe_sent(tx: &mut AccountTx<'_, '_>, id: SupportAddressId, secret: &str, now: Millis) -> Result<()> {
    let sql =
        "UPDATE support_addresses SET forwarding_status = 'waiting', probe_token = $2, probe_sent_at = $3
               WHERE account_id = $1 AND id = $4";
    tx.execute(sql, &values![secret, now, id])?;
    timer::set(tx, Kind::Probe, now + PROBE_WINDOW, id.0)?;
    reconfigured(tx)
}

/// Notes that a probe did not come back in time; one that did, or that has been sent again, is left alone. Returns how many
/// addresses were changed.
///
/// # Errors
/// As the database says.
pub fn probe_failed(tx: &mut AccountTx<'_, '_>, id: SupportAddressId, now: Millis) -> Result<u64> {
    let sql = "UPDATE support_addresses SET forwarding_status = 'failed', probe_token = NULL
               WHERE account_id = $1 AND id = $2 AND forwarding_status = 'waiting' AND probe_sent_at <= $3";
    let failed = tx.execute(sql, &values![id, now - PROBE_WINDOW])?;
    if failed > 0 {
        reconfigured(tx)?;
    }
    Ok(failed)
}

/// Notes that a probe came back and where; from now on the native address stands for the external one.
///
/// # Errors
/// As the database says.
pub fn probe_returned(
    tx: &mut AccountTx<'_, '_>,
    id: SupportAddressId,
    native: &AddressKey,
    now: Millis,
) -> Result<()> {
    let sql = "UPDATE support_addresses
               SET forwarding_status = 'verified', forwards_to = $2, probe_token = NULL, last_verified_at = $3
               WHERE account_id = $1 AND id = $4";
    tx.execute(sql, &values![native.as_str(), now, id])?;
    reconfigured(tx)
}

/// Records when mail last came through addresses, at most once every `step` milliseconds each, so busy addresses cost nothing.
///
/// # Errors
/// As the database says.
pub fn seen(tx: &mut AccountTx<'_, '_>, ids: &[SupportAddressId], now: Millis, step: i64) -> Result<()> {
    let sql = "UPDATE support_addresses SET last_verified_at = $2
               WHERE account_id = $1 AND (last_verified_at IS NULL OR last_verified_at < $3) AND id IN ($4..)";
    tx.write_in(sql, &values![now, now - step], &list_of(ids))
}
