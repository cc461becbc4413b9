//! Accounts, brands and settings: what the doors and the verdict must know of an account, as one value.

use std::collections::BTreeMap;

use mail::address::AddressKey;
use serde::{Deserialize, Serialize};

use crate::address::{Kind, SupportAddress};
use crate::id::{AccountId, BrandId};

/// A brand: a face the account shows to its customers, with a native host of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Its id.
    pub id: BrandId,
    /// The name customers see.
    pub name: String,
    /// Its subdomain, lower-case, unique over the whole installation.
    pub subdomain: String,
    /// The host its native addresses are at, lower-case.
    pub native_host: String,
    /// Whether it is the account's default brand; exactly one is.
    pub is_default: bool,
}

/// Settings of an account; the defaults are what a new account has. Stored as JSON of what was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Accept mail to any local part of a native host.
    pub wildcard: bool,
    /// Acknowledge a new ticket to its requester.
    pub acknowledge: bool,
    /// Show the agent's name in the From of answers.
    pub personalized_replies: bool,
    /// Most support addresses the account may have.
    pub addresses_max: u32,
    /// Whoever solves a ticket without assignee becomes its assignee.
    pub assign_tickets_upon_solve: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            wildcard: false,
            acknowledge: true,
            personalized_replies: false,
            addresses_max: 3_000,
            assign_tickets_upon_solve: true,
        }
    }
}

/// An account as the rooms keep it in memory between changes of its configuration.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its subdomain, lower-case.
    pub subdomain: String,
    /// The company's name, shown in notices.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// Its brands, the default one first.
    pub brands: Vec<Brand>,
    addresses: BTreeMap<AddressKey, SupportAddress>,
}

impl Account {
    /// Puts an account together. Shape: `brands` has the default brand; every address belongs to one of them.
    #[must_use]
    pub fn new(
        id: AccountId,
        subdomain: String,
        name: String,
        settings: Settings,
        mut brands: Vec<Brand>,
        addresses: Vec<SupportAddress>,
    ) -> Account {
        brands.sort_by_key(|brand| (!brand.is_default, brand.id));
        let addresses = addresses.into_iter().map(|address| (address.email.clone(), address)).collect();
        Account { id, subdomain, name, settings, brands, addresses }
    }

    /// A registered support address, by its exact key.
    #[must_use]
    pub fn address(&self, key: &AddressKey) -> Option<&SupportAddress> {
        self.addresses.get(key)
    }

    /// The support address mail to `key` belongs to: the exact one, else the one it is a plus variant of.
    #[must_use]
    pub fn owner_of(&self, key: &AddressKey) -> Option<&SupportAddress> {
        self.address(key).or_else(|| key.detail().and_then(|_| self.address(&key.base())))
    }

    /// All support addresses, in the order of their keys.
    pub fn addresses(&self) -> impl Iterator<Item = &SupportAddress> {
        self.addresses.values()
    }

    /// How many support addresses the account has.
    #[must_use]
    pub fn address_count(&self) -> usize {
        self.addresses.len()
    }

    /// A brand by its id.
    #[must_use]
    pub fn brand(&self, id: BrandId) -> Option<&Brand> {
        self.brands.iter().find(|brand| brand.id == id)
    }

    /// The default brand.
    #[must_use]
    pub fn default_brand(&self) -> Option<&Brand> {
        self.brands.first()
    }

    /// The brand whose native host this is.
    #[must_use]
    pub fn brand_of_host(&self, host: &str) -> Option<&Brand> {
        self.brands.iter().find(|brand| brand.native_host.eq_ignore_ascii_case(host))
    }

    /// The default address of a brand; the default brand's when that brand has none.
    #[must_use]
    pub fn default_address(&self, brand: BrandId) -> Option<&SupportAddress> {
        let of = |id: BrandId| self.addresses().find(move |address| address.brand_id == id && address.is_default);
        of(brand).or_else(|| self.default_brand().and_then(|default| of(default.id)))
    }

    /// The address answers of a ticket leave from: the one it was received at while it is still registered, else its brand's default.
    #[must_use]
    pub fn sender_for(&self, recipient: &str, brand: BrandId) -> Option<&SupportAddress> {
        let kept = AddressKey::parse(recipient).ok().and_then(|key| self.addresses.get(&key));
        kept.or_else(|| self.default_address(brand))
    }

    /// The external address whose forwards come to this native address, as its probe proved.
    #[must_use]
    pub fn external_behind(&self, native: &AddressKey) -> Option<&SupportAddress> {
        self.addresses().find(|address| address.kind == Kind::External && address.forwards_to.as_ref() == Some(native))
    }
}
