//! Identities: the addresses by which users are known, and whether mail reaches them.

use std::collections::BTreeSet;

use desk::changes::{Bounced, NewPerson};
use desk::delivery::DeliveryResult;
use desk::id::UserId;
use desk::user::SOFT_BOUNCES_MAX;
use mail::address::AddressKey;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::{AccountTx, values};

/// Inserts the primary addresses of new users.
pub(crate) fn insert_primary(tx: &mut AccountTx<'_, '_>, people: &[NewPerson]) -> Result<()> {
    let identities: Vec<_> = people
        .iter()
        .map(|NewPerson { person, address, .. }| {
            values![address.as_str(), person.id, &person.address, 1, person.deliverable.as_str(), 0]
        })
        .collect();
    let sql = "INSERT INTO identities (account_id, address, user_id, written, is_primary, deliverable_state, bounce_count)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.insert_rows(sql, &identities)
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

/// Writes what mail and reports told of addresses: `well` are those from which mail came. Returns the addresses.
///
/// # Errors
/// As the database says.
pub(crate) fn write_bounced(
    tx: &mut AccountTx<'_, '_>,
    well: &BTreeSet<AddressKey>,
    bounced: &[Bounced],
) -> Result<Vec<String>> {
    // Before the bounces of this batch: a mail that came with them does not undo them.
    let recovering: Vec<&str> = well.iter().map(AddressKey::as_str).collect();
    recovered(tx, &recovering)?;
    let addresses = |wanted: DeliveryResult| -> Vec<String> {
        let told = bounced.iter().filter(|bounce| bounce.result == wanted);
        told.filter_map(|bounce| AddressKey::parse(&bounce.delivery.recipient).ok())
            .map(|key| key.as_str().to_owned())
            .collect()
    };
    let (hard, soft) = (addresses(DeliveryResult::Hard), addresses(DeliveryResult::Soft));
    count_bounces(tx, &hard, 1)?;
    count_bounces(tx, &soft, SOFT_BOUNCES_MAX)?;
    Ok(recovering.into_iter().map(str::to_owned).chain(hard).chain(soft).collect())
}

/// Counts bounces against addresses; after `most` of them no more mail goes there.
///
/// # Errors
/// As the database says.
fn count_bounces(tx: &mut AccountTx<'_, '_>, addresses: &[String], most: i64) -> Result<()> {
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
fn recovered(tx: &mut AccountTx<'_, '_>, addresses: &[&str]) -> Result<()> {
    let sql = "UPDATE identities SET bounce_count = 0, deliverable_state = 'deliverable'
               WHERE account_id = $1 AND address IN ($2..)";
    tx.write_in(sql, &[], &list_of(addresses))
}
