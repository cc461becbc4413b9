//! Accounts with their settings.

use desk::account::Account;
use desk::clock::Millis;
use desk::id::AccountId;
use desk::setting::Settings;

use crate::directory::{enter, listed, subdomain_key};
use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::{AccountTx, Tx, account_state, address, brand, organization, values, version};

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
    pub created_at: Millis,
}

/// Inserts an account with the row that its writers lock; its brand follows by [`brand::insert`].
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
    // Making an account counts this version up: the process that holds its row goes first, and the others see what it made.
    version::bump(tx, version::DIRECTORY)?;
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
    let brands = brand::list(tx)?;
    let addresses = address::list(tx)?;
    let mut account = Account::new(account_id, subdomain, name, settings, brands, addresses);
    account.has_organization_domains = organization::has_domains(tx)?;
    Ok(Some((version, account)))
}

/// The only account there is; none when there are several or none.
///
/// # Errors
/// As the database says.
pub fn only(tx: &mut Tx<'_>) -> Result<Option<AccountId>> {
    let rows = tx.query("SELECT account_id FROM accounts ORDER BY account_id LIMIT 2", &[])?;
    let mut ids = rows.into_iter().map(|mut row| row.int().map(AccountId)).collect::<Result<Vec<_>>>()?;
    Ok(if ids.len() == 1 { ids.pop() } else { None })
}

/// An account's settings.
///
/// # Errors
/// As the database says.
pub fn settings(tx: &mut AccountTx<'_, '_>) -> Result<Option<Settings>> {
    let row = tx.find("SELECT settings FROM accounts WHERE account_id = $1", &[])?;
    row.map(|mut row| Ok(Settings::from_stored(row.json()?))).transpose()
}

/// Stores an account's settings.
///
/// # Errors
/// As the database says.
pub fn set_settings(tx: &mut AccountTx<'_, '_>, settings: &Settings) -> Result<()> {
    let text = settings.to_stored().and_then(|stored| serde_json::to_string(&stored));
    let text = text.map_err(|error| StoreError::Statement(error.to_string()))?;
    let before = self::settings(tx)?.unwrap_or_default();
    tx.execute("UPDATE accounts SET settings = $2 WHERE account_id = $1", &values![&text])?;
    // All that the doors ask of an account's settings.
    if before.wildcard != settings.wildcard {
        version::bump(tx.shared(), version::DIRECTORY)?;
    }
    account_state::reconfigured(tx)
}
