//! Accounts, brands, settings, the directory of who an address or host belongs to, versions, the event log.

use desk::account::{Account, Brand};
use desk::id::{AccountId, BrandId};
use desk::logged_action::LoggedAction;
use desk::setting::Settings;

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{AccountTx, Tx, account_state, address, organization, values};

/// The version that the doors' memory of the directory is checked against.
pub const DIRECTORY: &str = "directory";

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

fn subdomain_key(subdomain: &str) -> String {
    format!("subdomain:{}", subdomain.to_lowercase())
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

pub(crate) fn strike(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    tx.execute("DELETE FROM directory WHERE key = $1", &values![key])?;
    bump(tx, DIRECTORY)
}

/// The directory key of an API token, by the hash that is kept of it.
pub(crate) fn token_key(hash: &[u8; 32]) -> String {
    format!("token:{}", blake3::Hash::from_bytes(*hash).to_hex())
}

/// A version by its name, 0 before the first change.
///
/// # Errors
/// As the database says.
pub fn version_of(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    let row = tx.find("SELECT version FROM versions WHERE name = $1", &values![name])?;
    row.map_or(Ok(0), |mut row| row.int())
}

fn bump(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    let sql = "INSERT INTO versions (name, version) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET version = versions.version + 1";
    tx.execute(sql, &values![name])?;
    Ok(())
}

/// An account about to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// Lower-case.
    pub subdomain: String,
    /// The company's name.
    pub name: String,
    /// When.
    pub created_at: i64,
}

/// Makes an account with the row that is locked by its writers; its brand comes by [`insert_brand`].
///
/// # Errors
/// [`StoreError::Conflict`] when the subdomain is taken.
pub fn insert(tx: &mut Tx<'_>, account: &NewAccount) -> Result<()> {
    let tx = &mut tx.account(account.id);
    enter(tx, &subdomain_key(&account.subdomain), 0)?;
    let sql = "INSERT INTO accounts (account_id, subdomain, name, settings, created_at) VALUES ($1, $2, $3, '{}', $4)";
    tx.execute(sql, &values![&account.subdomain, &account.name, account.created_at])?;
    account_state::insert(tx)
}

/// Makes a brand and enters its native host.
///
/// # Errors
/// [`StoreError::Conflict`] when the host is taken.
pub fn insert_brand(tx: &mut AccountTx<'_, '_>, brand: &Brand, now: i64) -> Result<()> {
    enter(tx, &host_key(&brand.native_host), brand.id.0)?;
    let sql = "INSERT INTO brands (account_id, id, name, subdomain, native_host, is_default, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let row = values![brand.id, &brand.name, &brand.subdomain, &brand.native_host, brand.is_default, now];
    tx.execute(sql, &row)?;
    account_state::reconfigured(tx)
}

/// An account as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Lower-case.
    pub subdomain: String,
    /// The company's name.
    pub name: String,
}

/// Every account, ordered by id.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<AccountRow>> {
    let rows = tx.query("SELECT account_id, subdomain, name FROM accounts ORDER BY account_id", &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(AccountRow { id: AccountId(row.int()?), subdomain: row.text()?, name: row.text()? })
        })
        .collect()
}

/// The ids of all accounts, in their order.
///
/// # Errors
/// As the database says.
pub fn ids(tx: &mut Tx<'_>) -> Result<Vec<AccountId>> {
    let rows = tx.query("SELECT account_id FROM accounts ORDER BY account_id", &[])?;
    rows.into_iter().map(|mut row| Ok(AccountId(row.int()?))).collect()
}

/// Whether there is an account.
///
/// # Errors
/// As the database says.
pub fn has_any(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.find("SELECT account_id FROM accounts ORDER BY account_id LIMIT 1", &[])?.is_some())
}

/// Whether there is no account; until this transaction ends nobody else makes one.
///
/// # Errors
/// As the database says.
pub fn hold_empty(tx: &mut Tx<'_>) -> Result<bool> {
    // Every account's making counts this version up: whoever holds its row goes first, and the others see what it made.
    bump(tx, DIRECTORY)?;
    Ok(!has_any(tx)?)
}

/// An account's id by its subdomain.
///
/// # Errors
/// As the database says.
pub fn by_subdomain(tx: &mut Tx<'_>, subdomain: &str) -> Result<Option<AccountId>> {
    Ok(listed(tx, &subdomain_key(subdomain))?.map(|found| found.account_id))
}

/// An account with its settings, brands and support addresses, and the version they are of.
///
/// # Errors
/// As the database says.
pub fn load(tx: &mut AccountTx<'_, '_>) -> Result<Option<(i64, Account)>> {
    let account_id = tx.account_id();
    let version = account_state::version(tx)?;
    let sql = "SELECT subdomain, name, settings FROM accounts WHERE account_id = $1";
    let Some(mut row) = tx.find(sql, &[])? else { return Ok(None) };
    let (subdomain, name) = (row.text()?, row.text()?);
    let settings = Settings::from_stored(row.json()?);
    let brands = brands(tx)?;
    let addresses = address::list(tx)?;
    let mut account = Account::new(account_id, subdomain, name, settings, brands, addresses);
    account.has_organization_domains = organization::has_domains(tx)?;
    Ok(Some((version, account)))
}

fn brands(tx: &mut AccountTx<'_, '_>) -> Result<Vec<Brand>> {
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

/// Stores an account's settings.
///
/// # Errors
/// As the database says.
pub fn set_settings(tx: &mut AccountTx<'_, '_>, settings: &Settings) -> Result<()> {
    let text = settings.to_stored().and_then(|stored| serde_json::to_string(&stored));
    let text = text.map_err(|error| StoreError::Statement(error.to_string()))?;
    let before = tx.find("SELECT settings FROM accounts WHERE account_id = $1", &[])?;
    let before = before.map(|mut row| row.json()).transpose()?.map(Settings::from_stored).unwrap_or_default();
    tx.execute("UPDATE accounts SET settings = $2 WHERE account_id = $1", &values![&text])?;
    // All that the doors ask of an account's settings.
    if before.wildcard != settings.wildcard {
        bump(tx.shared(), DIRECTORY)?;
    }
    account_state::reconfigured(tx)
}

/// Writes a line of the event log: who changed what of the configuration.
///
/// # Errors
/// As the database says.
pub fn log_event(
    tx: &mut AccountTx<'_, '_>,
    id: i64,
    actor: &str,
    action: &LoggedAction,
    detail: &str,
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO events (account_id, id, actor, action, detail, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, &values![id, actor, action.as_str(), detail, now])?;
    Ok(())
}
