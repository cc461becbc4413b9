//! Users: everyone an account knows, with what of their addresses is shown.

use std::collections::BTreeMap;

use desk::changes::NewPerson;
use desk::facts::Trouble;
use desk::id::{OrganizationId, UserId};
use desk::user::{Deliverable, Person, Role};
use mail::address::AddressKey;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{Row, list_of};
use crate::{AccountTx, Value, identity, membership, values};

/// The columns of a person: those of `users u` and of their primary address `identities p`.
const PERSON: &str =
    "u.id, u.name, u.role, u.is_suspended, u.is_verified, u.locale, u.organization_id, p.written,
    p.deliverable_state";

/// Inserts users, each with their first address.
///
/// # Errors
/// [`crate::StoreError::Conflict`] when an address is somebody's already.
pub fn insert_many(tx: &mut AccountTx<'_, '_>, people: &[NewPerson], change: i64) -> Result<()> {
    let rows: Vec<_> = people
        .iter()
        .map(|new| {
            let person = &new.person;
            values![
                person.id,
                &person.name,
                person.role.as_str(),
                person.is_suspended,
                person.is_verified,
                person.locale.as_deref(),
                person.organization_id,
                new.created_at,
                change
            ]
        })
        .collect();
    let sql = "INSERT INTO users (account_id, id, name, role, is_suspended, is_verified, locale, organization_id, created_at,
                   change)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.insert_rows(sql, &rows)?;
    membership::insert_default(tx, people)?;
    identity::insert_primary(tx, people)
}

/// A person found by an address of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The address asked for.
    pub key: AddressKey,
    /// Whose it is; their own `address` is the primary one.
    pub person: Person,
    /// What is wrong with the address asked for, if anything.
    pub trouble: Option<Trouble>,
}

/// People by addresses, in no order.
///
/// # Errors
/// As the database says.
pub fn find_many(tx: &mut AccountTx<'_, '_>, keys: &[&str]) -> Result<Vec<Found>> {
    let asked = ask_many(tx, keys)?;
    found(tx, asked)
}

/// Asks for people by addresses; [`found`] reads the answer.
pub(crate) fn ask_many(tx: &mut AccountTx<'_, '_>, keys: &[&str]) -> Result<Asked> {
    let sql = format!(
        "SELECT i.address, i.bounce_count, i.deliverable_state, {PERSON}
         FROM identities i
         JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
         JOIN identities p ON p.account_id = i.account_id AND p.user_id = i.user_id AND p.is_primary = 1
         WHERE i.account_id = $1 AND i.address IN ($2..)"
    );
    tx.ask_in(&sql, &[], &list_of(keys))
}

pub(crate) fn found(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<Found>> {
    tx.rows(asked)?
        .into_iter()
        .map(|mut row| {
            let key = crate::address::key(&row.text()?)?;
            let trouble = Trouble { bounces: row.int()?, deliverable: row.word()? };
            let is_well = trouble.bounces == 0 && trouble.deliverable == Deliverable::Deliverable;
            Ok(Found { key, person: read(row)?, trouble: (!is_well).then_some(trouble) })
        })
        .collect()
}

/// People by addresses, in no order, each with the address asked for.
///
/// # Errors
/// As the database says.
pub fn by_addresses(tx: &mut AccountTx<'_, '_>, keys: &[&str]) -> Result<Vec<(AddressKey, Person)>> {
    Ok(find_many(tx, keys)?.into_iter().map(|found| (found.key, found.person)).collect())
}

/// People by ids, in no order.
///
/// # Errors
/// As the database says.
pub fn by_ids(tx: &mut AccountTx<'_, '_>, ids: &[UserId]) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {PERSON} FROM users u
         JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
         WHERE u.account_id = $1 AND u.id IN ($2..)"
    );
    tx.query_in(&sql, &[], &list_of(ids))?.into_iter().map(read).collect()
}

/// People of an account, oldest first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>, limit: i64) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {PERSON} FROM users u
         JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
         WHERE u.account_id = $1 ORDER BY u.id LIMIT $2"
    );
    tx.query(&sql, &values![limit])?.into_iter().map(read).collect()
}

/// The columns of [`PERSON`], which are the last of their row.
fn read(mut row: Row) -> Result<Person> {
    Ok(Person {
        id: UserId(row.int()?),
        name: row.text()?,
        role: row.word()?,
        is_suspended: row.flag()?,
        is_verified: row.flag()?,
        locale: row.maybe_text()?,
        organization_id: row.maybe_int()?.map(OrganizationId),
        address: row.text()?,
        deliverable: row.word()?,
    })
}

/// Gives a known person another role and name. Someone an operator enters is verified.
///
/// # Errors
/// As the database says.
pub fn set_role(tx: &mut AccountTx<'_, '_>, id: UserId, role: Role, name: &str, change: i64) -> Result<()> {
    let sql = "UPDATE users SET role = $2, name = $3, is_verified = 1, change = $4 WHERE account_id = $1 AND id = $5";
    tx.execute(sql, &values![role.as_str(), name, change, id])?;
    Ok(())
}

/// How many admins an account has.
///
/// # Errors
/// As the database says.
pub fn admins(tx: &mut AccountTx<'_, '_>) -> Result<i64> {
    let row = tx.find("SELECT count(*) FROM users WHERE account_id = $1 AND role = 'admin'", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// Notes the languages of people who had none.
///
/// # Errors
/// As the database says.
pub(crate) fn set_locales(
    tx: &mut AccountTx<'_, '_>,
    locales: &BTreeMap<UserId, String>,
    change: i64,
) -> Result<()> {
    let rows: Vec<_> = locales.iter().map(|(id, locale)| values![locale, change, *id]).collect();
    let sql =
        "UPDATE users SET locale = $2, change = $3 WHERE account_id = $1 AND id = $4 AND locale IS NULL";
    tx.write_rows(sql, &rows)
}

/// Notes that something shown of the people of some addresses changed.
///
/// # Errors
/// As the database says.
pub(crate) fn touch(tx: &mut AccountTx<'_, '_>, addresses: &[String], change: i64) -> Result<()> {
    let sql = "UPDATE users SET change = $2 WHERE account_id = $1
                   AND id IN (SELECT user_id FROM identities WHERE account_id = $1 AND address IN ($3..))";
    tx.write_in(
        sql,
        &values![change],
        &addresses.iter().map(|address| Value::Text(address)).collect::<Vec<_>>(),
    )
}
