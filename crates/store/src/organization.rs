//! Organizations and the domains whose people belong to them.

use std::collections::{BTreeMap, BTreeSet};

use desk::clock::Millis;
use desk::id::OrganizationId;
use desk::organization::{Organization, OrganizationDomains};
use desk::sender_list::ascii_domain;
use mail::address::AddressKey;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::{AccountTx, Value, values};

/// Inserts an organization with its domains. People who wrote before stay as they are.
///
/// # Errors
/// As the database says.
pub fn insert(
    tx: &mut AccountTx<'_, '_>,
    organization: &Organization,
    now: Millis,
    change: i64,
) -> Result<()> {
    let sql =
        "INSERT INTO organizations (account_id, id, name, created_at, change) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, &values![organization.id, &organization.name, now, change])?;
    let domains: BTreeSet<String> =
        organization.domains.iter().map(|domain| ascii_domain(&domain.to_lowercase()).into_owned()).collect();
    let rows: Vec<_> = domains.iter().map(|domain| values![domain, organization.id]).collect();
    let sql = "INSERT INTO organization_domains (account_id, domain, organization_id) VALUES ($1, $2, $3)";
    let had_domains = has_domains(tx)?;
    tx.insert_rows(sql, &rows)?;
    // What is kept of an account in memory says whether to ask at all.
    if had_domains || rows.is_empty() { Ok(()) } else { crate::account_state::reconfigured(tx) }
}

/// Whether any organization of the account has a domain.
///
/// # Errors
/// As the database says.
pub(crate) fn has_domains(tx: &mut AccountTx<'_, '_>) -> Result<bool> {
    Ok(tx.find("SELECT domain FROM organization_domains WHERE account_id = $1 LIMIT 1", &[])?.is_some())
}

/// Asks which organizations have the domains of some addresses.
pub(crate) fn ask(tx: &mut AccountTx<'_, '_>, addresses: &BTreeSet<AddressKey>) -> Result<Asked> {
    let domains: BTreeSet<_> = addresses.iter().map(|address| ascii_domain(address.domain())).collect();
    let domains: Vec<Value<'_>> = domains.iter().map(|domain| Value::Text(domain)).collect();
    let sql = "SELECT o.id, o.name, d.domain FROM organization_domains d
               JOIN organizations o ON o.account_id = d.account_id AND o.id = d.organization_id
               WHERE d.account_id = $1 AND d.domain IN ($2..)";
    tx.ask_in(sql, &[], &domains)
}

/// The answers to [`ask`].
pub(crate) fn found(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<OrganizationDomains> {
    let claims = tx.rows(asked)?.into_iter().map(|mut row| {
        Ok(Organization { id: OrganizationId(row.int()?), name: row.text()?, domains: [row.text()?].into() })
    });
    Ok(OrganizationDomains::new(&claims.collect::<Result<Vec<_>>>()?))
}

/// All organizations of an account with their domains, by id.
///
/// # Errors
/// As the database says.
pub fn list(tx: &mut AccountTx<'_, '_>) -> Result<Vec<Organization>> {
    let sql = "SELECT id, name FROM organizations WHERE account_id = $1 ORDER BY id";
    let mut found: BTreeMap<i64, Organization> = BTreeMap::new();
    for mut row in tx.query(sql, &[])? {
        let id = row.int()?;
        let organization =
            Organization { id: OrganizationId(id), name: row.text()?, domains: Default::default() };
        found.insert(id, organization);
    }
    if found.is_empty() {
        return Ok(vec![]);
    }
    let sql = "SELECT organization_id, domain FROM organization_domains WHERE account_id = $1";
    for mut row in tx.query(sql, &[])? {
        let id = row.int()?;
        let domain = row.text()?;
        if let Some(organization) = found.get_mut(&id) {
            organization.domains.insert(domain);
        }
    }
    Ok(found.into_values().collect())
}
