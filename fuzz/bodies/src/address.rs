//! Any text as an address: no panic, and what is taken is normal.

use mail::address::{ADDRESS_OCTETS, AddressKey, DOMAIN_OCTETS, domain_key};

use crate::input::text;

/// Reads an input as a domain and as an address.
pub fn hold(input: &[u8]) {
    let text = text(input);
    if let Some(domain) = domain_key(&text) {
        assert!(domain.len() <= DOMAIN_OCTETS);
        assert_eq!(domain_key(&domain), Some(domain.clone()), "normalising twice changes nothing");
    }
    if let Ok(key) = AddressKey::parse(&text) {
        hold_key(&key);
    }
}

fn hold_key(key: &AddressKey) {
    assert!(key.as_str().len() <= ADDRESS_OCTETS);
    assert!(!key.as_str().chars().any(char::is_control));
    assert!(!key.domain().contains(['@', ' ', '<', '>', '"']));
    assert_eq!(format!("{}@{}", key.local(), key.domain()), key.as_str());
    assert_eq!(AddressKey::parse(key.as_str()), Ok(key.clone()), "a key is its own key");
    let base = key.base();
    assert_eq!(base.detail(), None);
    assert_eq!(AddressKey::parse(base.as_str()), Ok(base));
}
