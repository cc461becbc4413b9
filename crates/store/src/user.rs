//! People and the addresses they are known by.

use desk::id::UserId;
use desk::user::{Person, Role};
use mail::address::AddressKey;

use crate::error::Result;
use crate::value::Row;
use crate::{Tx, Value, values};

/// Makes people with their first address.
///
/// # Errors
/// [`crate::StoreError::Conflict`] when an address is somebody's already.
pub fn insert_many(tx: &mut Tx<'_>, account_id: i64, people: &[(Person, AddressKey, i64)]) -> Result<()> {
    let users: Vec<_> = people
        .iter()
        .map(|(person, _, at)| values![account_id, person.id.0, &person.name, person.role.as_str(), person.is_suspended, *at])
        .collect();
    let sql = "INSERT INTO users (account_id, id, name, role, is_suspended, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.insert_rows(sql, &users)?;
    let identities: Vec<_> = people
        .iter()
        .map(|(person, key, _)| {
            values![account_id, key.as_str(), person.id.0, &person.address, 1, person.deliverable.as_str(), 0]
        })
        .collect();
    let sql = "INSERT INTO identities (account_id, address, user_id, written, is_primary, deliverable_state, bounce_count)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.insert_rows(sql, &identities)?;
    Ok(())
}

/// People by addresses, in no order, each with the address asked for. Their own `address` is the primary one.
///
/// # Errors
/// As the database says.
pub fn by_addresses(tx: &mut Tx<'_>, account_id: i64, keys: &[&str]) -> Result<Vec<(AddressKey, Person)>> {
    let list: Vec<Value<'_>> = keys.iter().map(|key| Value::Text(key)).collect();
    let sql = "SELECT i.address, u.id, u.name, u.role, u.is_suspended, p.written, p.deliverable_state
               FROM identities i
               JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
               JOIN identities p ON p.account_id = i.account_id AND p.user_id = i.user_id AND p.is_primary = 1
               WHERE i.account_id = $1 AND i.address IN ($2..)";
    let rows = tx.query_in(sql, &values![account_id], &list)?;
    rows.into_iter().map(|mut row| Ok((crate::address::key(&row.text()?)?, person(&mut row)?))).collect()
}

/// People by ids, in no order.
///
/// # Errors
/// As the database says.
pub fn by_ids(tx: &mut Tx<'_>, account_id: i64, ids: &[i64]) -> Result<Vec<Person>> {
    let list: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(*id)).collect();
    let sql = "SELECT u.id, u.name, u.role, u.is_suspended, p.written, p.deliverable_state
               FROM users u
               JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
               WHERE u.account_id = $1 AND u.id IN ($2..)";
    let rows = tx.query_in(sql, &values![account_id], &list)?;
    rows.into_iter().map(|mut row| person(&mut row)).collect()
}

/// People of an account, oldest first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut Tx<'_>, account_id: i64, limit: i64) -> Result<Vec<Person>> {
    let sql = "SELECT u.id, u.name, u.role, u.is_suspended, p.written, p.deliverable_state
               FROM users u
               JOIN identities p ON p.account_id = u.account_id AND p.user_id = u.id AND p.is_primary = 1
               WHERE u.account_id = $1 ORDER BY u.id LIMIT $2";
    let rows = tx.query(sql, &values![account_id, limit])?;
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
    })
}

/// Gives a known person another role and name.
///
/// # Errors
/// As the database says.
pub fn set_role(tx: &mut Tx<'_>, account_id: i64, id: UserId, role: Role, name: &str) -> Result<()> {
    let sql = "UPDATE users SET role = $1, name = $2 WHERE account_id = $3 AND id = $4";
    tx.execute(sql, &values![role.as_str(), name, account_id, id.0])?;
    Ok(())
}

/// How many admins an account has.
///
/// # Errors
/// As the database says.
pub fn admins(tx: &mut Tx<'_>, account_id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM users WHERE account_id = $1 AND role = $2";
    let row = tx.find(sql, &values![account_id, Role::Admin.as_str()])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// Counts a hard bounce against an address: no more mail goes there.
///
/// # Errors
/// As the database says.
pub(crate) fn bounced(tx: &mut Tx<'_>, account_id: i64, addresses: &[String]) -> Result<()> {
    let rows: Vec<_> = addresses.iter().map(|address| values![account_id, address]).collect();
    let sql = "UPDATE identities SET bounce_count = bounce_count + 1, deliverable_state = 'undeliverable'
               WHERE account_id = $1 AND address = $2";
    tx.execute_rows(sql, &rows)?;
    Ok(())
}
