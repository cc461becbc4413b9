//! Support addresses.

use desk::address::SupportAddress;
use desk::address_check::NewAddress;
use desk::id::{BrandId, SupportAddressId};
use mail::address::AddressKey;

use crate::account::{address_key, changed, enter, strike};
use crate::error::{Result, StoreError};
use crate::value::Row;
use crate::{Tx, Value, values};

/// All support addresses of an account, ordered by id.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut Tx<'_>, account_id: i64) -> Result<Vec<SupportAddress>> {
    let sql = "SELECT id, brand_id, email, written, name, kind, is_default, is_system, forwarding_status, forwards_to,
                      probe_token, probe_sent_at, last_verified_at, created_at
               FROM support_addresses WHERE account_id = $1 ORDER BY id";
    tx.query(sql, &values![account_id])?.into_iter().map(read).collect()
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
        probe_sent_at: row.maybe_int()?,
        last_verified_at: row.maybe_int()?,
        created_at: row.int()?,
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
    tx: &mut Tx<'_>,
    account_id: i64,
    id: i64,
    new: &NewAddress,
    is_system: bool,
    now: i64,
) -> Result<()> {
    enter(tx, &address_key(new.email.as_str()), account_id, id)?;
    if new.is_default {
        clear_default(tx, account_id, new.brand_id)?;
    }
    let native = new.kind == desk::address::Kind::Native;
    let status = if native { "verified" } else { "unknown" };
    let sql = "INSERT INTO support_addresses (account_id, id, brand_id, email, written, name, kind, is_default, is_system,
                   forwarding_status, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let row = values![
        account_id,
        id,
        new.brand_id.0,
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
    changed(tx, account_id)
}

fn clear_default(tx: &mut Tx<'_>, account_id: i64, brand: BrandId) -> Result<()> {
    let sql = "UPDATE support_addresses SET is_default = 0 WHERE account_id = $1 AND brand_id = $2 AND is_default = 1";
    tx.execute(sql, &values![account_id, brand.0])?;
    Ok(())
}

/// Makes an address its brand's default in place of the former one.
///
/// # Errors
/// As the database says.
pub fn make_default(tx: &mut Tx<'_>, account_id: i64, address: &SupportAddress) -> Result<()> {
    clear_default(tx, account_id, address.brand_id)?;
    let sql = "UPDATE support_addresses SET is_default = 1 WHERE account_id = $1 AND id = $2";
    tx.execute(sql, &values![account_id, address.id.0])?;
    changed(tx, account_id)
}

/// Removes an address; tickets that were received at it keep its text.
///
/// # Errors
/// As the database says.
pub fn delete(tx: &mut Tx<'_>, account_id: i64, address: &SupportAddress) -> Result<()> {
    strike(tx, &address_key(address.email.as_str()))?;
    let sql = "DELETE FROM support_addresses WHERE account_id = $1 AND id = $2";
    tx.execute(sql, &values![account_id, address.id.0])?;
    changed(tx, account_id)
}

/// Notes that a probe was sent and with which secret.
///
/// # Errors
/// As the database says.
pub fn probe_sent(tx: &mut Tx<'_>, account_id: i64, id: i64, secret: &str, now: i64) -> Result<()> {
    let sql =
        "UPDATE support_addresses SET forwarding_status = 'waiting', probe_token = $1, probe_sent_at = $2
               WHERE account_id = $3 AND id = $4";
    tx.execute(sql, &values![secret, now, account_id, id])?;
    changed(tx, account_id)
}

/// Notes that a probe came back and where; the native address stands for the external one from now on.
///
/// # Errors
/// As the database says.
pub fn probe_returned(
    tx: &mut Tx<'_>,
    account_id: i64,
    id: i64,
    native: &AddressKey,
    now: i64,
) -> Result<()> {
    let sql = "UPDATE support_addresses
               SET forwarding_status = 'verified', forwards_to = $1, probe_token = NULL, last_verified_at = $2
               WHERE account_id = $3 AND id = $4";
    tx.execute(sql, &values![native.as_str(), now, account_id, id])?;
    changed(tx, account_id)
}

/// Refreshes when mail last came through addresses, at most once in `step` milliseconds each, so that busy addresses cost nothing.
///
/// # Errors
/// As the database says.
pub fn seen(tx: &mut Tx<'_>, account_id: i64, ids: &[i64], now: i64, step: i64) -> Result<()> {
    let list: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(*id)).collect();
    let sql = "UPDATE support_addresses SET last_verified_at = $1
               WHERE account_id = $2 AND (last_verified_at IS NULL OR last_verified_at < $3) AND id IN ($4..)";
    tx.write_in(sql, &values![now, account_id, now - step], &list)
}
