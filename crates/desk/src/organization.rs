//! Organizations, and which one an address belongs to by its domain (docs/behaviour/people.md §2).

use std::collections::{BTreeMap, BTreeSet};

use mail::address::AddressKey;

use crate::id::OrganizationId;
use crate::sender_list::ascii_domain;

/// An organization: people who ask for the same company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, as written.
    pub name: String,
    /// The domains whose people belong to it, in either spelling; may be empty.
    pub domains: BTreeSet<String>,
}

/// Organizations by domain, as far as a decision asks: the domains of the addresses it meets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationDomains {
    by_domain: BTreeMap<String, OrganizationId>,
}

impl OrganizationDomains {
    /// Gives each domain to its organization. Of several that claim it, the first by name counts, upper and
    /// lower case alike, then the one with the lower id.
    #[must_use]
    pub fn new(organizations: &[Organization]) -> OrganizationDomains {
        let mut sorted: Vec<(String, &Organization)> = organizations
            .iter()
            .map(|organization| (organization.name.trim().to_lowercase(), organization))
            .collect();
        sorted.sort_by(|(name, one), (other, two)| (name, one.id).cmp(&(other, two.id)));
        let mut by_domain = BTreeMap::new();
        for (_, organization) in sorted {
            for domain in &organization.domains {
                by_domain.entry(ascii_domain(&domain.to_lowercase()).into_owned()).or_insert(organization.id);
            }
        }
        OrganizationDomains { by_domain }
    }

    /// The organization of an address.
    ///
    /// By its whole domain: a sub-domain belongs to it only if it is listed too, for organizations may show
    /// their people each other's tickets, and who runs `example.org` need not be who runs `club.example.org`.
    #[must_use]
    pub fn of(&self, address: &AddressKey) -> Option<OrganizationId> {
        self.by_domain.get(ascii_domain(address.domain()).as_ref()).copied()
    }

    /// The domain of an address, as A-labels, when an organization has it: senders there count as allow-listed.
    #[must_use]
    pub fn domain_of(&self, address: &AddressKey) -> Option<&str> {
        self.by_domain
            .get_key_value(ascii_domain(address.domain()).as_ref())
            .map(|(domain, _)| domain.as_str())
    }

    /// Adds what others found.
    pub fn extend(&mut self, others: OrganizationDomains) {
        self.by_domain.extend(others.by_domain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn organization(id: i64, name: &str, domains: &[&str]) -> Organization {
        Organization {
            id: OrganizationId(id),
            name: name.into(),
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        }
    }

    fn of(organizations: &[Organization], address: &str) -> Option<i64> {
        OrganizationDomains::new(organizations).of(&AddressKey::parse(address).unwrap()).map(|id| id.0)
    }

    #[test]
    fn an_address_belongs_to_the_organization_of_its_domain() {
        let all = [
            organization(1, "Zebra", &["example.org", "zebra.example"]),
            organization(2, "antelope", &["example.org"]),
            organization(3, "Bear", &["example.org"]),
            organization(5, "Same", &["same.example"]),
            organization(4, "SAME ", &["same.example"]),
            organization(6, "Books", &["bücher.example"]),
            organization(7, "None", &[]),
        ];
        for (name, address, want) in [
            ("first by name, whatever the case", "a@example.org", Some(2)),
            ("the only one", "A@Zebra.Example", Some(1)),
            ("equal names: the lower id", "a@same.example", Some(4)),
            ("either spelling of an international domain", "a@xn--bcher-kva.example", Some(6)),
            ("not a sub-domain", "a@club.example.org", None),
            ("not a longer name", "a@myexample.org", None),
            ("nobody's", "a@example.com", None),
        ] {
            assert_eq!(of(&all, address), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn the_order_they_are_loaded_in_does_not_matter(names in proptest::collection::vec("[a-cA-C]{1,2}", 1..6), turn in 0_usize..6) {
            let mut all: Vec<Organization> = (1..).zip(&names).map(|(id, name)| organization(id, name, &["example.org"])).collect();
            let first = of(&all, "a@example.org");
            let places = turn % all.len();
            all.rotate_left(places);
            prop_assert_eq!(of(&all, "a@example.org"), first);
        }
    }
}
