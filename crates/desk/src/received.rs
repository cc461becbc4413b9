//! Received at: which support address a message came to, why, and how far that is trusted
//! (docs/behaviour/received-at.md).

use std::collections::BTreeSet;

use mail::address::AddressKey;
use mail::letter::{Hop, Letter};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::address::{Kind, SupportAddress};
use crate::envelope::Envelope;
use crate::id::{BrandId, SupportAddressId};
use crate::token::ThreadToken;

/// How the address was found; the order is the order of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The envelope named it.
    Envelope,
    /// The envelope named the native address that a probe proved to be the target of its forward.
    Forward,
    /// A hop header of a relay that may be believed named it.
    HopHeader,
    /// The letter's To or Cc named it.
    Header,
    /// Nothing named a registered address: the brand's default.
    #[default]
    Default,
}

/// How sure we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The envelope or a proven forward.
    Proven,
    /// Written by a relay the operator listed.
    Relay,
    /// Written by the sender: could be anything.
    #[default]
    Sender,
}

/// Received at, as it is stored with the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// The support address, lower-cased: what the ticket shows and answers leave from.
    pub recipient: String,
    /// Every registered address of the message, and the native target of its forward: what `recipient`
    /// conditions match. Sorted.
    pub matches: Vec<String>,
    /// How it was found.
    pub source: Source,
    /// How far that is trusted.
    pub trust: Trust,
    /// The unregistered address that was written to, on a wildcard ticket.
    pub written_to: Option<String>,
}

/// What the envelope and the letter say about addresses of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Received at.
    pub received: Received,
    /// The brand of tickets this message opens.
    pub brand_id: BrandId,
    /// The support address, where one was found.
    pub address_id: Option<SupportAddressId>,
    /// The plus token in an address, of the envelope first.
    pub token: Option<ThreadToken>,
}

/// Finds received at by design rules 1 to 4; see docs/behaviour/received-at.md §1.
#[must_use]
pub fn resolve(account: &Account, envelope: &Envelope, letter: &Letter) -> Arrival {
    let recipients: Vec<AddressKey> =
        envelope.recipients.iter().filter_map(|text| AddressKey::parse(text).ok()).collect();
    let to: Vec<AddressKey> = letter.to.iter().filter_map(|mailbox| mailbox.key()).collect();
    let cc: Vec<AddressKey> = letter.cc.iter().filter_map(|mailbox| mailbox.key()).collect();

    let (chosen, source, trust) = choose(account, envelope, letter, &recipients, &to, &cc);
    let host_brand = recipients.iter().find_map(|key| account.brand_of_host(key.domain()));
    let address = chosen.or_else(|| {
        let brand = host_brand.or_else(|| account.default_brand())?;
        account.default_address(brand.id)
    });
    let brand_id = match (chosen, host_brand) {
        (Some(address), _) => address.brand_id,
        // A wildcard ticket has the brand of the host it was written to.
        (None, Some(brand)) => brand.id,
        (None, None) => address.map_or(BrandId(0), |address| address.brand_id),
    };
    let written_to = match chosen {
        Some(_) => None,
        None => recipients.first().map(ToString::to_string),
    };
    let mut matches = BTreeSet::new();
    for key in recipients.iter().chain(&to).chain(&cc) {
        if let Some(address) = account.owner_of(key) {
            matches.insert(address.email.to_string());
        }
    }
    matches.extend(address.map(|address| address.email.to_string()));
    let received = Received {
        recipient: address.map(|address| address.email.to_string()).unwrap_or_default(),
        matches: matches.into_iter().collect(),
        source,
        trust,
        written_to,
    };
    let native = |key: &&AddressKey| account.brand_of_host(key.domain()).is_some();
    let token = recipients.iter().chain(&to).chain(&cc).filter(native).find_map(ThreadToken::in_address);
    Arrival { received, brand_id, address_id: chosen.map(|address| address.id), token }
}

type Chosen<'a> = (Option<&'a SupportAddress>, Source, Trust);

fn choose<'a>(
    account: &'a Account,
    envelope: &Envelope,
    letter: &Letter,
    recipients: &[AddressKey],
    to: &[AddressKey],
    cc: &[AddressKey],
) -> Chosen<'a> {
    // Rule 1 and 2: registered envelope recipients; the target of a proven forward stands for the address
    // behind it.
    let owners = recipients.iter().filter_map(|key| account.owner_of(key));
    let named: Vec<Named<'_>> = owners.map(|own| Named::of(account, own)).collect();
    if let Some((address, source)) = first_in_header_order(&named, to, cc) {
        let unbound_native = source == Source::Envelope && address.kind == Kind::Native;
        // A relay we believe may say that a native address was only the target of an unproven forward.
        if unbound_native
            && envelope.trusted
            && let Some(external) = by_hop_headers(account, letter)
        {
            return (Some(external), Source::HopHeader, Trust::Relay);
        }
        return (Some(address), source, Trust::Proven);
    }
    // Rule 3: hop headers of a relay that may be believed, then what the sender wrote.
    if envelope.trusted
        && let Some(address) = of_the_relay(letter).find_map(|hop| account.owner_of(&hop.address))
    {
        return (Some(address), Source::HopHeader, Trust::Relay);
    }
    if let Some(address) = to.iter().chain(cc).find_map(|key| account.owner_of(key)) {
        return (Some(address), Source::Header, Trust::Sender);
    }
    (None, Source::Default, Trust::Proven)
}

fn by_hop_headers<'a>(account: &'a Account, letter: &Letter) -> Option<&'a SupportAddress> {
    let mut registered = of_the_relay(letter).filter_map(|hop| account.owner_of(&hop.address));
    registered.find(|address| address.kind == Kind::External)
}

/// The hop headers that the relay itself put above everything it was handed; those below its Received could
/// be anybody's.
fn of_the_relay(letter: &Letter) -> impl Iterator<Item = &Hop> {
    letter.hops.iter().filter(|hop| hop.above_received == 0)
}

/// A recipient of the envelope, and what it may stand for.
struct Named<'a> {
    /// What it is when the header does not choose.
    itself: (&'a SupportAddress, Source),
    /// The addresses that forward to it, where they are several: the header says which of them was written
    /// to.
    behind: Vec<(&'a SupportAddress, Source)>,
}

impl<'a> Named<'a> {
    fn of(account: &'a Account, own: &'a SupportAddress) -> Named<'a> {
        let behind: Vec<_> = if own.kind == Kind::Native {
            account.externals_behind(&own.email).map(|external| (external, Source::Forward)).collect()
        } else {
            vec![]
        };
        match behind.as_slice() {
            [only] => Named { itself: *only, behind: vec![] },
            _ => Named { itself: (own, Source::Envelope), behind },
        }
    }
}

/// Of several recipients in one transaction, or several addresses behind one: To order, then Cc order, then
/// envelope order.
fn first_in_header_order<'a>(
    named: &[Named<'a>],
    to: &[AddressKey],
    cc: &[AddressKey],
) -> Option<(&'a SupportAddress, Source)> {
    let candidates = || {
        named.iter().flat_map(|named| {
            if named.behind.is_empty() { std::slice::from_ref(&named.itself) } else { &named.behind }
        })
    };
    let by_header = to.iter().chain(cc).find_map(|key| {
        candidates().find(|(address, _)| address.email == *key || address.email == key.base())
    });
    by_header.copied().or_else(|| named.first().map(|named| named.itself))
}
