//! Support addresses and the state of their forwards (docs/behaviour/support-addresses.md).

use mail::address::AddressKey;

use crate::clock::{MINUTE, Millis};
use crate::id::{BrandId, SupportAddressId};
use crate::str_enum::str_enum;

/// How long a forwarding probe may take to come back.
pub const PROBE_WINDOW: i64 = 60 * MINUTE;

/// Local parts at native hosts that are the mail system's own.
pub const RESERVED_LOCAL_PARTS: &[&str] =
    &["bounce", "noreply", "no-reply", "mailer-daemon", "postmaster", "abuse"];

str_enum! {
    /// Where the address lives.
    pub enum Kind {
        /// At a native host of a brand: works at once.
        Native = "native",
        /// At a domain of the customer's own, which forwards or routes to us.
        External = "external",
    }
}

str_enum! {
    /// What is known of the forward behind an external address.
    pub enum Forwarding {
        /// Never looked at.
        Unknown = "unknown",
        /// A probe is on its way.
        Waiting = "waiting",
        /// A probe came back, or the address is native.
        Verified = "verified",
        /// The probe did not come back in time.
        Failed = "failed",
    }
}

/// A support address. The e-mail never changes; name, default and (external only) brand may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportAddress {
    /// Its id.
    pub id: SupportAddressId,
    /// The brand of tickets received at it.
    pub brand_id: BrandId,
    /// The address, normalised; unique in the account, and over accounts too, as the envelope recipient alone
    /// decides the account.
    pub email: AddressKey,
    /// As the admin wrote it.
    pub written: String,
    /// The friendly name in From; may be empty.
    pub name: String,
    /// Native or external.
    pub kind: Kind,
    /// Whether it is its brand's default.
    pub is_default: bool,
    /// Whether it is the address made with its brand; such a one is never deleted.
    pub is_system: bool,
    /// Forwarding state as stored; see [`SupportAddress::forwarding_at`].
    pub forwarding: Forwarding,
    /// The native address the probe came back at.
    pub forwards_to: Option<AddressKey>,
    /// The secret of the probe that is on its way.
    pub probe_token: Option<String>,
    /// When that probe was sent.
    pub probe_sent_at: Option<Millis>,
    /// When mail last came through it.
    pub last_verified_at: Option<Millis>,
    /// When it was added.
    pub created_at: Millis,
}

impl SupportAddress {
    /// The forwarding state at a time: a probe that did not come back within [`PROBE_WINDOW`] has failed.
    #[must_use]
    pub fn forwarding_at(&self, now: Millis) -> Forwarding {
        match (self.forwarding, self.probe_sent_at) {
            (Forwarding::Waiting, Some(sent)) if now >= sent + PROBE_WINDOW => Forwarding::Failed,
            (state, _) => state,
        }
    }

    /// From shown to customers: the name, or nothing for a bare address.
    #[must_use]
    pub fn mailbox(&self) -> mail::address::Mailbox {
        mail::address::Mailbox { name: self.name.clone(), address: self.written.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_does_not_come_back_in_time_has_failed() {
        let address = SupportAddress {
            id: SupportAddressId(1),
            brand_id: BrandId(1),
            email: AddressKey::parse("help@acme.example").unwrap(),
            written: "help@acme.example".into(),
            name: String::new(),
            kind: Kind::External,
            is_default: false,
            is_system: false,
            forwarding: Forwarding::Waiting,
            forwards_to: None,
            probe_token: None,
            probe_sent_at: Some(Millis(1_000)),
            last_verified_at: None,
            created_at: Millis(0),
        };
        assert_eq!(address.forwarding_at(Millis(1_000 + PROBE_WINDOW - 1)), Forwarding::Waiting);
        assert_eq!(address.forwarding_at(Millis(1_000 + PROBE_WINDOW)), Forwarding::Failed);
    }
}
