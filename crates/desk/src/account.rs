//! Accounts, brands and settings: what the doors and the verdict must know of an account, as one value.

use std::collections::{BTreeMap, BTreeSet};

use mail::address::AddressKey;
use serde::{Deserialize, Serialize};

use crate::address::{Kind, SupportAddress};
use crate::attachment_rule::{AttachmentRule, AttachmentRuleError};
use crate::authentication::{AgentMail, AuthenticationMode};
use crate::clock::{DAY, HOUR, Millis};
use crate::comment::DELIMITER;
use crate::id::{AccountId, BrandId, OrganizationId};
use crate::organization::{Organization, OrganizationDomains};
use crate::sender_list::{SenderList, SenderListError};

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
///
/// What each does stands in docs/behaviour/intake.md §10.
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
    /// Take mail at all; off suspends all of it (cause 15).
    pub email_channel: bool,
    /// Anybody may write; off suspends who is neither known nor on the allow list (cause 1).
    pub anyone_can_submit: bool,
    /// Unknown senders are held (cause 12) and told to sign up, unverified ones are held (cause 2).
    pub sign_up_required: bool,
    /// Senders who may always write: blank separated addresses and hosts, at most 10,000 characters.
    pub allowlist: String,
    /// Senders who may not: as the allow list, with `*`, `suspend:` and `reject:`.
    pub blocklist: String,
    /// Whose mail must not fail SPF, DKIM and DMARC (cause 26): `minimal`, `native`, `native_and_forwarded`.
    pub sender_authentication: AuthenticationMode,
    /// What proves that an agent wrote a mail: `authenticated` or `any`.
    pub agent_mail: AgentMail,
    /// Mails of one sender in an hour before they are held; 0 takes the installation's `limits.sender_per_hour`.
    pub sender_per_hour: u32,
    /// Agents' comments by mail are public unless they say otherwise.
    pub comments_public_by_default: bool,
    /// Agents' forwarded mail becomes a ticket of the person who wrote the original.
    pub agent_forwarding: bool,
    /// Addresses in To and Cc become CCs of the ticket.
    pub email_ccs: bool,
    /// End users may add CCs by mail.
    pub end_users_add_ccs: bool,
    /// A CC's answer that left out the requester is public all the same; not recommended.
    pub cc_comments_public: bool,
    /// Addresses and hosts that never become CCs or followers, blank separated.
    pub ccs_blocklist: String,
    /// Drop everything at and under our delimiter line from a comment.
    pub reply_delimiter: bool,
    /// The delimiter line, 20 to 65 characters; empty or `{{txt.email.delimiter}}` for the built-in one.
    pub delimiter: String,
    /// End users may attach files by mail.
    pub email_attachments: bool,
    /// Which kinds of files are taken: `any`, `recommended`, or blank separated extensions.
    pub attachment_types: String,
    /// A mail to several support addresses opens a ticket for each.
    pub ticket_per_address: bool,
    /// Languages the account speaks, blank separated, its default first.
    pub languages: String,
    /// A follow-up keeps the assignee of the closed ticket.
    pub follow_up_keeps_assignee: bool,
    /// How often to tell of suspended tickets: `never`, `hourly`, `daily`, `weekly`.
    pub suspended_notification: SuspendedNotification,
    /// Who is told of suspended tickets; empty for nobody.
    pub suspended_notification_address: String,
}

/// What stands for the built-in delimiter in the settings of other help desks.
const BUILT_IN_DELIMITER: &str = "{{txt.email.delimiter}}";

/// How often somebody is told of suspended tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendedNotification {
    /// Not at all.
    #[default]
    Never,
    /// Every hour in which something new was held.
    Hourly,
    /// Every day in which something new was held.
    Daily,
    /// Every week in which something new was held.
    Weekly,
}

impl SuspendedNotification {
    /// The interval in milliseconds; none for never.
    #[must_use]
    pub fn every_ms(self) -> Option<Millis> {
        match self {
            SuspendedNotification::Never => None,
            SuspendedNotification::Hourly => Some(HOUR),
            SuspendedNotification::Daily => Some(DAY),
            SuspendedNotification::Weekly => Some(7 * DAY),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            wildcard: false,
            acknowledge: true,
            personalized_replies: false,
            addresses_max: 3_000,
            assign_tickets_upon_solve: true,
            email_channel: true,
            anyone_can_submit: true,
            sign_up_required: false,
            allowlist: String::new(),
            blocklist: String::new(),
            sender_authentication: AuthenticationMode::Minimal,
            agent_mail: AgentMail::Authenticated,
            sender_per_hour: 0,
            comments_public_by_default: true,
            agent_forwarding: true,
            email_ccs: true,
            end_users_add_ccs: true,
            cc_comments_public: false,
            ccs_blocklist: String::new(),
            reply_delimiter: false,
            delimiter: String::new(),
            email_attachments: true,
            attachment_types: "recommended".into(),
            ticket_per_address: false,
            languages: "en".into(),
            follow_up_keeps_assignee: false,
            suspended_notification: SuspendedNotification::Never,
            suspended_notification_address: String::new(),
        }
    }
}

/// A setting that cannot be what it was set to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingRefusal {
    /// A list of senders that cannot be read.
    #[error("{key}: {why}")]
    List {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        why: SenderListError,
    },
    /// A list of kinds of files that cannot be read.
    #[error("attachment_types: {0}")]
    Attachments(#[from] AttachmentRuleError),
    /// A delimiter on more than one line.
    #[error("delimiter must stand on one line")]
    DelimiterLines,
    /// A delimiter of the wrong length.
    #[error("delimiter must have 20 to 65 characters and has {0}; leave it empty for the built-in one")]
    Delimiter(usize),
    /// No language, or one that is no tag.
    #[error("languages must name at least one language tag, such as en or pt-BR; {0:?} is none")]
    Language(String),
    /// A notice without an address to send it to.
    #[error("{0:?} is no e-mail address; set suspended_notification_address to one, or to nothing")]
    Address(String),
}

impl Settings {
    /// Checks what is text in the settings.
    ///
    /// # Errors
    /// The first setting that cannot be used, and why.
    pub fn check(&self) -> Result<(), SettingRefusal> {
        let list = |key, why| SettingRefusal::List { key, why };
        SenderList::parse_allow(&self.allowlist).map_err(|why| list("allowlist", why))?;
        SenderList::parse(&self.blocklist).map_err(|why| list("blocklist", why))?;
        SenderList::parse(&self.ccs_blocklist).map_err(|why| list("ccs_blocklist", why))?;
        AttachmentRule::parse(&self.attachment_types)?;
        if self.delimiter.contains(['\r', '\n']) {
            return Err(SettingRefusal::DelimiterLines);
        }
        let delimiter = self.delimiter.trim().chars().count();
        if delimiter != 0 && !(20..=65).contains(&delimiter) {
            return Err(SettingRefusal::Delimiter(delimiter));
        }
        let is_tag = |tag: &&str| {
            (2..=35).contains(&tag.len())
                && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if self.languages().next().is_none() || !self.languages().all(|tag| is_tag(&tag)) {
            return Err(SettingRefusal::Language(self.languages.clone()));
        }
        let address = self.suspended_notification_address.trim();
        if !address.is_empty() && AddressKey::parse(address).is_err() {
            return Err(SettingRefusal::Address(address.to_owned()));
        }
        Ok(())
    }

    /// The delimiter line, where the account wants one: above it people write, what stands at and under it is dropped.
    #[must_use]
    pub fn delimiter_line(&self) -> Option<&str> {
        let own = self.delimiter.trim();
        let line = if own.is_empty() || own == BUILT_IN_DELIMITER { DELIMITER } else { own };
        self.reply_delimiter.then_some(line)
    }

    /// The account's languages, its default first.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.split_whitespace()
    }
}

/// What is made of the settings' texts once, when an account is loaded. A text that cannot be read, as after a downgrade,
/// lists nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Senders who may always write.
    pub allow: SenderList,
    /// Senders who may not.
    pub block: SenderList,
    /// Who never becomes a CC or follower.
    pub ccs_block: SenderList,
    /// Domains of organizations, lower-case.
    pub organization_domains: BTreeSet<String>,
    /// Which files are taken.
    pub attachments: AttachmentRule,
}

impl Lists {
    fn of(settings: &Settings) -> Lists {
        Lists {
            allow: SenderList::parse_allow(&settings.allowlist).unwrap_or_default(),
            block: SenderList::parse(&settings.blocklist).unwrap_or_default(),
            ccs_block: SenderList::parse(&settings.ccs_blocklist).unwrap_or_default(),
            organization_domains: BTreeSet::new(),
            attachments: AttachmentRule::parse(&settings.attachment_types).unwrap_or_default(),
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
    /// Who may write, who may be a CC, which files are taken: the settings' lists, read once.
    pub lists: Lists,
    organizations: OrganizationDomains,
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
        let lists = Lists::of(&settings);
        Account {
            id,
            subdomain,
            name,
            settings,
            brands,
            lists,
            organizations: OrganizationDomains::default(),
            addresses,
        }
    }

    /// The account with its organizations, whose domains count as allow-listed.
    #[must_use]
    pub fn with_organizations(mut self, organizations: &[Organization]) -> Account {
        self.organizations = OrganizationDomains::new(organizations);
        self.lists.organization_domains = self.organizations.domains().map(str::to_owned).collect();
        self
    }

    /// The organization whose domain an address is at.
    #[must_use]
    pub fn organization_of(&self, key: &AddressKey) -> Option<OrganizationId> {
        self.organizations.of(key)
    }

    /// Whether mail to an address comes back to this desk: a support address, or any address at a native host.
    #[must_use]
    pub fn is_own(&self, key: &AddressKey) -> bool {
        self.owner_of(key).is_some() || self.brand_of_host(key.domain()).is_some()
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
        let of =
            |id: BrandId| self.addresses().find(move |address| address.brand_id == id && address.is_default);
        of(brand).or_else(|| self.default_brand().and_then(|default| of(default.id)))
    }

    /// The address answers of a ticket leave from: the one it was received at while it is still registered, else its brand's default.
    #[must_use]
    pub fn sender_for(&self, recipient: &str, brand: BrandId) -> Option<&SupportAddress> {
        let kept = AddressKey::parse(recipient).ok().and_then(|key| self.addresses.get(&key));
        kept.or_else(|| self.default_address(brand))
    }

    /// The external addresses whose forwards come to this native address, as their probes proved.
    pub fn externals_behind<'a>(
        &'a self,
        native: &'a AddressKey,
    ) -> impl Iterator<Item = &'a SupportAddress> {
        self.addresses().filter(move |address| {
            address.kind == Kind::External && address.forwards_to.as_ref() == Some(native)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_line_of_20_to_65_characters() {
        for (name, delimiter, is_good) in [
            ("none", String::new(), true),
            ("19", "é".repeat(19), false),
            ("20", "é".repeat(20), true),
            ("65", "é".repeat(65), true),
            ("66", "é".repeat(66), false),
            ("the placeholder", BUILT_IN_DELIMITER.to_owned(), true),
            ("two lines", format!("{0}\n{0}", "=".repeat(20)), false),
        ] {
            let settings = Settings { delimiter, ..Settings::default() };
            assert_eq!(settings.check().is_ok(), is_good, "{name}: {:?}", settings.check());
        }
    }

    #[test]
    fn the_delimiter_line_is_the_accounts_or_the_built_in_one() {
        let own = "== Please answer above ==";
        for (reply_delimiter, delimiter, want) in [
            (true, "", Some(DELIMITER)),
            (true, BUILT_IN_DELIMITER, Some(DELIMITER)),
            (true, own, Some(own)),
            (false, own, None),
        ] {
            let settings = Settings { reply_delimiter, delimiter: delimiter.into(), ..Settings::default() };
            assert_eq!(settings.delimiter_line(), want, "{delimiter:?}");
        }
    }
}
