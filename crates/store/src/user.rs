//! People and the addresses they are known by.

use desk::facts::Trouble;
use desk::id::{OrganizationId, UserId};
use desk::user::{Deliverable, Person, Role};
use mail::address::AddressKey;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::{Row, list_of};
use crate::{AccountTx, values};

/// Makes people with their first address.
///
/// # Errors
/// [`crate::StoreError::Conflict`] when an address is somebody's already.
pub fn insert_many(
    tx: &mut AccountTx<'_, '_>,
    people: &[(Person, AddressKey, i64)],
    change: i64,
) -> Result<()> {
    let users: Vec<_> = people
        .iter()
        .map(|(person, _, at)| {
            values![
                person.id,
                &person.name,
                person.role.as_str(),
                person.is_suspended,
                *at,
                person.locale.as_deref(),
                person.organization_id,
                person.is_verified,
                change
            ]
        })
        .collect();
    let sql = "INSERT INTO users (account_id, id, name, role, is_suspended, created_at, locale, organization_id, is_verified,
                   change)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.insert_rows(sql, &users)?;
    let memberships: Vec<_> = people
        .iter()
        .filter_map(|(person, ..)| person.organization_id.map(|organization| (person.id, organization)))
        .map(|(user, organization)| values![user, organization, 1])
        .collect();
    let sql =
        "INSERT INTO memberships (account_id, user_id, organization_id, is_default) VALUES ($1, $2, $3, $4)";
    tx.insert_rows(sql, &memberships)?;
    let identities: Vec<_> = people
        .iter()
        .map(|(person, key, _)| {
            values![key.as_str(), person.id, &person.address, 1, person.deliverable.as_str(), 0]
        })
        .collect();
    let sql = "INSERT INTO identities (account_id, address, user_id, written, is_primary, deliverable_state, bounce_count)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.insert_rows(sql, &identities)
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
    let sql = "SELECT i.address, i.bounce_count, i.deliverable_state, u.id, u.name, u.role, u.is_suspended, p.written,
                      p.deliverable_state, u.is_verified, u.locale, u.organization_id
               FROM identities i
               JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
               JOIN identities p ON p.account_id = i.account_id AND p.user_id = i.user_id AND p.is_primary = 1
               WHERE i.account_id = $1 AND i.address IN ($2..)";
    tx.ask_in(sql, &[], &list_of(keys))
}

pub(crate) fn found(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<Vec<Found>> {
    tx.rows(asked)?
        .into_iter()
        .map(|mut row| {
            let key = crate::address::key(&row.text()?)?;
            let trouble = Trouble { bounces: row.int()?, deliverable: row.word()? };
            let is_well = trouble.bounces == 0 && trouble.deliverable == Deliverable::Deliverable;
            Ok(Found { key, person: person(&mut row)?, trouble: (!is_well).then_some(trouble) })
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

/// For people whose primary address takes no mail: the first of their others that does, as written.
///
/// # Errors
/// As the database says.
pub fn other_addresses(tx: &mut AccountTx<'_, '_>, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
    // The addresses come out of the index by people alone, their rows by the primary key: asked for the rows at once, SQLite,
    // which has no statistics, would read every address of the account.
    let sql = "SELECT i.address, i.user_id, i.written
               FROM identities o
               JOIN identities i ON i.account_id = o.account_id AND i.address = o.address
                   AND i.deliverable_state = 'deliverable'
               WHERE o.account_id = $1 AND o.user_id IN ($2..)";
    let rows = tx.query_in(sql, &[], &list_of(ids))?;
    let found = rows.into_iter().map(|mut row| Ok((row.text()?, UserId(row.int()?), row.text()?)));
    let mut found = found.collect::<Result<Vec<(String, UserId, String)>>>()?;
    found.sort_unstable_by(|one, other| other.0.cmp(&one.0));
    Ok(found.into_iter().map(|(_, id, written)| (id, written)).collect())
}

/// People by ids, in no order.
///
/// # Errors
/// As the database says.
pub fn by_ids(tx: &mut AccountTx<'_, '_>, ids: &[UserId]) -> Result<Vec<Person>> {
    let sql = "SELECT u.id, u.name, u.role, u.is_suspended, p.written, p.deliverable_state, u.is_verified, u.locale,
                      u.organization_id
               FROM users u
               JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
               WHERE u.account_id = $1 AND u.id IN ($2..)";
    let rows = tx.query_in(sql, &[], &list_of(ids))?;
    rows.into_iter().map(|mut row| person(&mut row)).collect()
}

/// People of an account, oldest first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>, limit: i64) -> Result<Vec<Person>> {
    let sql = "SELECT u.id, u.name, u.role, u.is_suspended, p.written, p.deliverable_state, u.is_verified, u.locale,
                      u.organization_id
               FROM users u
               JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
               WHERE u.account_id = $1 ORDER BY u.id LIMIT $2";
    let rows = tx.query(sql, &values![limit])?;
    rows.into_iter().map(|mut row| person(&mut row)).collect()
}

fn person(row: &mut Row) -> Result<Person> {
    Ok(Person {
        id: UserId(row.int()?),
        name: row.text()?,
        role: row.word()?,
        is_suspended: row.flag()?,
        address: row.text()?,
        deliverable: row.word()?,
        is_verified: row.flag()?,
        locale: row.maybe_text()?,
        organization_id: row.maybe_int()?.map(OrganizationId),
    })
}

/// Gives a known person another role and name. Whom an operator enters is verified.
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

/// Counts bounces against addresses; from `most` on no more mail goes there.
///
/// # Errors
/// As the database says.
pub(crate) fn bounced(tx: &mut AccountTx<'_, '_>, addresses: &[String], most: i64) -> Result<()> {
    let rows: Vec<_> = addresses.iter().map(|address| values![most, address]).collect();
    let sql = "UPDATE identities SET bounce_count = bounce_count + 1,
                   deliverable_state = CASE WHEN bounce_count + 1 >= $2 THEN 'undeliverable' ELSE deliverable_state END
               WHERE account_id = $1 AND address = $3";
    tx.write_rows(sql, &rows)
}

/// Forgets the bounces of addresses: a mail came from there.
///
/// # Errors
/// As the database says.
pub(crate) fn recovered(tx: &mut AccountTx<'_, '_>, addresses: &[&str]) -> Result<()> {
    let sql = "UPDATE identities SET bounce_count = 0, deliverable_state = 'deliverable'
               WHERE account_id = $1 AND address IN ($2..)";
    tx.write_in(sql, &[], &list_of(addresses))
}

/// Notes the languages of people who had none.
///
/// # Errors
/// As the database says.
pub(crate) fn set_locales(tx: &mut AccountTx<'_, '_>, locales: &[(UserId, &str)], change: i64) -> Result<()> {
    let rows: Vec<_> = locales.iter().map(|(id, locale)| values![*locale, change, *id]).collect();
    let sql =
        "UPDATE users SET locale = $2, change = $3 WHERE account_id = $1 AND id = $4 AND locale IS NULL";
    tx.write_rows(sql, &rows)
}
