//! Whether an admin may add or remove a support address (docs/behaviour/support-addresses.md).

use mail::address::AddressKey;

use crate::account::Account;
use crate::address::{Kind, RESERVED_LOCAL_PARTS, SupportAddress};
use crate::id::BrandId;

/// Why an address may not be added, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// Not an address at all.
    #[error("{0:?} is not an e-mail address; write it as name@example.com")]
    Malformed(String),
    /// The entitlement is used up.
    #[error(
        "this account may have {0} support addresses and has them all; remove one first, or raise addresses_max"
    )]
    TooMany(u32),
    /// Registered already.
    #[error("{0} is a support address already")]
    Taken(String),
    /// Some person's address: mail would go round in circles.
    #[error("{0} belongs to a person of this desk; a support address may not be anybody's own")]
    Person(String),
    /// `+` at a native host is the thread token's.
    #[error("{0}: a plus sign is reserved at native hosts; mail to name+anything reaches name already")]
    Plus(String),
    /// The mail system's own local part.
    #[error("{0}: this local part is the mail system's own at a native host")]
    Reserved(String),
    /// The host is native to another brand than the one named.
    #[error("{email} is at the native host of brand {brand:?}; leave the brand out or name that one")]
    WrongBrand {
        /// The address asked for.
        email: String,
        /// The brand its host belongs to.
        brand: String,
    },
    /// No such brand.
    #[error("there is no brand {0:?}; see `guichet brand list`")]
    NoBrand(String),
    /// No such address.
    #[error("{0} is no support address of this account; see `guichet address list`")]
    Unknown(String),
    /// The system address stays.
    #[error("{0} was made with its brand and cannot be removed")]
    System(String),
    /// A default must be replaced first.
    #[error("{0} is its brand's default; make another address the default first")]
    Default(String),
    /// Only a verified address may become default.
    #[error(
        "{0} is not verified yet; run `guichet address check` and make it the default once the probe came back"
    )]
    Unverified(String),
}

/// A support address about to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// Normalised.
    pub email: AddressKey,
    /// As written.
    pub written: String,
    /// Friendly name, may be empty.
    pub name: String,
    /// The brand it will belong to.
    pub brand_id: BrandId,
    /// Found from the host.
    pub kind: Kind,
    /// Becomes its brand's default.
    pub is_default: bool,
}

/// Checks an address an admin wants to add (rules V1 to V6 of docs/behaviour/support-addresses.md).
///
/// # Errors
/// The first rule that refuses it. Uniqueness against people and other accounts is the store's to check.
pub fn check_new(
    account: &Account,
    written: &str,
    name: &str,
    brand: Option<&str>,
    is_default: bool,
) -> Result<NewAddress, AddressRefusal> {
    let email =
        AddressKey::parse(written.trim()).map_err(|_| AddressRefusal::Malformed(written.to_owned()))?;
    if account.address_count() >= account.settings.addresses_max as usize {
        return Err(AddressRefusal::TooMany(account.settings.addresses_max));
    }
    if account.address(&email).is_some() {
        return Err(AddressRefusal::Taken(email.to_string()));
    }
    let named = match brand {
        Some(word) => Some(find_brand(account, word)?),
        None => None,
    };
    let host_brand = account.brand_of_host(email.domain());
    let (kind, brand_id) = match (host_brand, named) {
        (Some(host), Some(named)) if host.id != named => {
            return Err(AddressRefusal::WrongBrand {
                email: email.to_string(),
                brand: host.subdomain.clone(),
            });
        }
        (Some(host), _) => (Kind::Native, host.id),
        (None, Some(named)) => (Kind::External, named),
        (None, None) => (Kind::External, default_brand(account)?),
    };
    if kind == Kind::Native {
        check_native_local_part(&email)?;
    }
    if is_default && kind == Kind::External {
        return Err(AddressRefusal::Unverified(email.to_string()));
    }
    Ok(NewAddress {
        email,
        written: written.trim().to_owned(),
        name: name.trim().to_owned(),
        brand_id,
        kind,
        is_default,
    })
}

fn default_brand(account: &Account) -> Result<BrandId, AddressRefusal> {
    account.default_brand().map(|brand| brand.id).ok_or_else(|| AddressRefusal::NoBrand("default".into()))
}

fn find_brand(account: &Account, word: &str) -> Result<BrandId, AddressRefusal> {
    let found =
        account.brands.iter().find(|brand| brand.subdomain.eq_ignore_ascii_case(word) || brand.name == word);
    found.map(|brand| brand.id).ok_or_else(|| AddressRefusal::NoBrand(word.to_owned()))
}

fn check_native_local_part(email: &AddressKey) -> Result<(), AddressRefusal> {
    if email.local().contains('+') {
        return Err(AddressRefusal::Plus(email.to_string()));
    }
    if RESERVED_LOCAL_PARTS.contains(&email.local()) {
        return Err(AddressRefusal::Reserved(email.to_string()));
    }
    Ok(())
}

/// Finds the address an admin wants to remove and checks that it may go.
///
/// # Errors
/// Unknown, the system address, or a default.
pub fn check_removal<'a>(account: &'a Account, written: &str) -> Result<&'a SupportAddress, AddressRefusal> {
    let key = AddressKey::parse(written.trim()).map_err(|_| AddressRefusal::Malformed(written.to_owned()))?;
    let address = account.address(&key).ok_or_else(|| AddressRefusal::Unknown(key.to_string()))?;
    if address.is_system {
        return Err(AddressRefusal::System(key.to_string()));
    }
    if address.is_default {
        return Err(AddressRefusal::Default(key.to_string()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Brand;
    use crate::address::Forwarding;
    use crate::clock::Millis;
    use crate::id::{AccountId, SupportAddressId};
    use crate::setting::Settings;

    pub(crate) fn account(max: u32) -> Account {
        let brand = |id, host: &str, is_default| Brand {
            id: BrandId(id),
            name: host.to_uppercase(),
            subdomain: host.split('.').next().unwrap_or_default().to_owned(),
            native_host: host.to_owned(),
            is_default,
        };
        let address = |id, brand, email: &str, is_default, is_system| SupportAddress {
            id: SupportAddressId(id),
            brand_id: BrandId(brand),
            email: AddressKey::parse(email).unwrap(),
            written: email.to_owned(),
            name: String::new(),
            kind: Kind::Native,
            is_default,
            is_system,
            forwarding: Forwarding::Verified,
            forwards_to: None,
            probe_token: None,
            probe_sent_at: None,
            last_verified_at: None,
            created_at: Millis(0),
        };
        Account::new(
            AccountId(1),
            "acme".into(),
            "Acme".into(),
            Settings { addresses_max: max, ..Settings::default() },
            vec![brand(1, "acme.desk.example", true), brand(2, "shop.desk.example", false)],
            vec![
                address(1, 1, "support@acme.desk.example", false, true),
                address(2, 1, "help@acme.desk.example", true, false),
                address(3, 2, "support@shop.desk.example", true, true),
                address(4, 2, "sales@shop.desk.example", false, false),
            ],
        )
    }

    #[test]
    fn additions_are_checked_rule_by_rule() {
        struct Case {
            written: &'static str,
            brand: Option<&'static str>,
            default: bool,
            want: Result<(Kind, i64), R>,
        }
        fn usual() -> Case {
            Case { written: "", brand: None, default: false, want: Ok((Kind::Native, 1)) }
        }

        use AddressRefusal as R;
        let cases = &[
            Case { written: "billing@acme.desk.example", want: Ok((Kind::Native, 1)), ..usual() },
            Case {
                written: "Billing@SHOP.desk.example",
                default: true,
                want: Ok((Kind::Native, 2)),
                ..usual()
            },
            Case { written: "help@acme.com", want: Ok((Kind::External, 1)), ..usual() },
            Case { written: "help@acme.com", brand: Some("shop"), want: Ok((Kind::External, 2)), ..usual() },
            Case {
                written: "help@acme.com",
                brand: Some("nope"),
                want: Err(R::NoBrand("nope".into())),
                ..usual()
            },
            Case {
                written: "help@acme.com",
                default: true,
                want: Err(R::Unverified("help@acme.com".into())),
                ..usual()
            },
            Case { written: "help", want: Err(R::Malformed("help".into())), ..usual() },
            Case {
                written: "HELP@acme.desk.example",
                want: Err(R::Taken("help@acme.desk.example".into())),
                ..usual()
            },
            Case {
                written: "a+b@acme.desk.example",
                want: Err(R::Plus("a+b@acme.desk.example".into())),
                ..usual()
            },
            Case {
                written: "bounce@acme.desk.example",
                want: Err(R::Reserved("bounce@acme.desk.example".into())),
                ..usual()
            },
            Case {
                written: "x@acme.desk.example",
                brand: Some("shop"),
                want: Err(R::WrongBrand { email: "x@acme.desk.example".into(), brand: "acme".into() }),
                ..usual()
            },
        ];
        for Case { written, brand, default, want } in cases {
            let got =
                check_new(&account(10), written, "", *brand, *default).map(|new| (new.kind, new.brand_id.0));
            assert_eq!(&got, want, "{written}");
        }
    }

    #[test]
    fn the_entitlement_holds_at_its_limit() {
        assert!(check_new(&account(5), "a@b.example", "", None, false).is_ok());
        assert_eq!(check_new(&account(4), "a@b.example", "", None, false), Err(AddressRefusal::TooMany(4)));
    }

    #[test]
    fn system_and_default_addresses_stay() {
        let account = account(10);
        for (written, want) in [
            ("support@acme.desk.example", Some(AddressRefusal::System("support@acme.desk.example".into()))),
            ("help@acme.desk.example", Some(AddressRefusal::Default("help@acme.desk.example".into()))),
            ("sales@shop.desk.example", None),
            ("nobody@shop.desk.example", Some(AddressRefusal::Unknown("nobody@shop.desk.example".into()))),
        ] {
            assert_eq!(check_removal(&account, written).err(), want, "{written}");
        }
    }
}
