//! Who an envelope recipient belongs to.

use desk::address::Kind;
use desk::clock::Millis;
use desk::id::{AccountId, SupportAddressId};
use desk::setting::Settings;

use crate::support::{account, address, key, on_both};

#[test]
fn recipients_are_known_by_the_rules_of_support_addresses() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "open").unwrap();
        store
            .write_blocking(|tx| {
                store::address::insert(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(101),
                    &address("help@acme.example", 10, Kind::External, false),
                    false,
                    Millis(1),
                )?;
                store::account::set_settings(
                    &mut tx.account(AccountId(2)),
                    &Settings { wildcard: true, ..Settings::default() },
                )
            })
            .unwrap();
        for (name, recipient, want) in [
            ("native", "support@acme.desk.example", Some(1)),
            ("in another case", "SUPPORT@Acme.Desk.Example", Some(1)),
            ("plus variant", "support+anything@acme.desk.example", Some(1)),
            ("plus token", "support+idabcdef-ghij@acme.desk.example", Some(1)),
            ("wildcard off", "nobody@acme.desk.example", None),
            ("wildcard off, plus variant", "nobody+support@acme.desk.example", None),
            ("return path", "bounce+7-abc@acme.desk.example", Some(1)),
            ("noreply", "noreply@acme.desk.example", Some(1)),
            ("no-reply", "no-reply@acme.desk.example", Some(1)),
            ("postmaster", "Postmaster@acme.desk.example", Some(1)),
            ("abuse", "abuse@acme.desk.example", Some(1)),
            ("external", "help@acme.example", Some(1)),
            ("external plus variant", "help+shop@acme.example", Some(1)),
            ("unregistered at an external domain", "sales@acme.example", None),
            ("postmaster at an external domain", "postmaster@acme.example", None),
            ("wildcard on", "whatever@open.desk.example", Some(2)),
            ("subdomain of a native host", "support@x.acme.desk.example", None),
            ("parent of a native host", "support@desk.example", None),
            ("nobody's host", "support@elsewhere.example", None),
        ] {
            let got =
                store.read_blocking(move |tx| store::recipient::account_of(tx, &key(recipient))).unwrap();
            assert_eq!(got.map(|id| id.0), want, "{name}: {recipient}");
        }
    });
}

#[test]
fn a_removed_address_is_unknown_at_once_and_may_be_added_elsewhere() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        let help = || address("help@acme.example", 10, Kind::External, false);
        let version =
            || store.read_blocking(|tx| store::version::find(tx, store::version::DIRECTORY)).unwrap();
        let owner =
            || store.read_blocking(|tx| store::recipient::account_of(tx, &key("help@acme.example"))).unwrap();
        store
            .write_blocking(move |tx| {
                store::address::insert(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(101),
                    &help(),
                    false,
                    Millis(1),
                )
            })
            .unwrap();
        let before = version();
        assert_eq!(owner(), Some(AccountId(1)));
        store
            .write_blocking(|tx| {
                let all = store::address::list(&mut tx.account(AccountId(1)))?;
                store::address::delete(
                    &mut tx.account(AccountId(1)),
                    all.iter().find(|address| address.id.0 == 101).unwrap(),
                )
            })
            .unwrap();
        assert_eq!(owner(), None);
        assert!(version() > before, "the doors notice by the version");
        store
            .write_blocking(move |tx| {
                store::address::insert(
                    &mut tx.account(AccountId(2)),
                    SupportAddressId(201),
                    &help(),
                    false,
                    Millis(1),
                )
            })
            .unwrap();
        assert_eq!(owner(), Some(AccountId(2)));
    });
}

#[test]
fn postmaster_without_a_domain_is_the_only_account_there_is() {
    on_both(|store| {
        let only = || store.read_blocking(store::account::only).unwrap();
        assert_eq!(only(), None);
        account(store, 7, "acme").unwrap();
        assert_eq!(only(), Some(AccountId(7)));
        account(store, 8, "other").unwrap();
        assert_eq!(only(), None);
    });
}
