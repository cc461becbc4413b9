//! What a company, a brand and their hosts may be called.

use desk::account::Brand;
use desk::address::Kind;
use desk::address_check::NewAddress;
use mail::address::{AddressKey, domain_key};

/// Characters of the name of a company or brand.
const NAME_MAX: usize = 255;

/// Why something cannot be called so.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// A subdomain must be a host label.
    #[error("{0:?} cannot be a subdomain; use 1 to 63 letters, digits and hyphens, such as acme")]
    Subdomain(String),
    /// Too long for a column and a From field, or with line ends in it.
    #[error(
        "the name has {characters} characters or holds a line end; use one line of at most {NAME_MAX} characters"
    )]
    Name {
        /// How many it has.
        characters: usize,
    },
    /// Not a host.
    #[error("{0:?} is not a host name; write it as support.example.com")]
    Host(String),
}

/// A native host with `support@` there.
pub(super) struct Host {
    pub(super) domain: String,
    pub(super) support: AddressKey,
}

impl Host {
    pub(super) fn parse(text: &str) -> Result<Host, NameError> {
        let wrong = || NameError::Host(text.to_owned());
        let domain = domain_key(text).ok_or_else(wrong)?;
        let support = AddressKey::parse(&format!("support@{domain}")).map_err(|_| wrong())?;
        Ok(Host { domain, support })
    }

    /// The address that comes with a brand.
    pub(super) fn system_address(&self, brand: &Brand) -> NewAddress {
        NewAddress {
            email: self.support.clone(),
            written: format!("support@{}", self.domain),
            name: brand.name.clone(),
            brand_id: brand.id,
            kind: Kind::Native,
            is_default: true,
        }
    }
}

pub(super) fn check_subdomain(text: &str) -> Result<String, NameError> {
    let lower = text.trim().to_lowercase();
    let plain = lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let framed = !lower.starts_with('-') && !lower.ends_with('-');
    let fits = (1..=63).contains(&lower.len()) && plain && framed;
    if fits { Ok(lower) } else { Err(NameError::Subdomain(text.to_owned())) }
}

/// The name of a company or brand; `fallback` when none is written.
pub(super) fn check_name(text: &str, fallback: &str) -> Result<String, NameError> {
    let name = text.trim();
    let characters = name.chars().count();
    if characters > NAME_MAX || name.contains(char::is_control) {
        return Err(NameError::Name { characters });
    }
    Ok(if name.is_empty() { fallback.to_owned() } else { name.to_owned() })
}
