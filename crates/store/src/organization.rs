//! Organizations and the domains whose people belong to them.

use std::collections::BTreeMap;

use desk::id::OrganizationId;
use desk::organization::Organization;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{AccountTx, values};

/// Makes an organization with its domains. Who wrote before stays as they are.
///
/// # Errors
/// As the database says.
pub fn insert(tx: &mut AccountTx<'_, '_>, organization: &Organization, now: i64, change: i64) -> Result<()> {
    let sql =
        "INSERT INTO organizations (account_id, id, name, created_at, change) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, &values![organization.id, &organization.name, now, change])?;
    let rows: Vec<_> = organization.domains.iter().map(|domain| values![domain, organization.id]).collect();
    let sql = "INSERT INTO organization_domains (account_id, domain, organization_id) VALUES ($1, $2, $3)";
    tx.insert_rows(sql, &rows)?;
    crate::account_state::reconfigured(tx)
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
