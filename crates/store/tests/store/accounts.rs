//! Accounts are walls: what is unique is unique, what is an account's own is not seen by another.

use desk::address::{Forwarding, Kind};
use desk::changes::NewPerson;
use desk::clock::Millis;
use desk::id::{AccountId, SupportAddressId, TokenId, UserId};
use desk::setting::Settings;
use desk::user::Role;
use store::testing::Sql as _;
use store::{Store, StoreError};

use crate::support::{account, address, brand, key, on_both, person};

fn is_conflict<T: std::fmt::Debug>(name: &str, got: store::Result<T>) {
    assert!(matches!(got, Err(StoreError::Conflict(_))), "{name}: {got:?}");
}

fn add_address(store: &Store, account_id: i64, id: i64, email: &'static str) -> store::Result<()> {
    let kind = if email.ends_with("desk.example") { Kind::Native } else { Kind::External };
    store.write_blocking(move |tx| {
        store::address::insert(
            &mut tx.account(AccountId(account_id)),
            SupportAddressId(id),
            &address(email, account_id * 10, kind, false),
            false,
            Millis(1),
        )
    })
}

fn add_person(store: &Store, account_id: i64, id: i64, email: &'static str) -> store::Result<()> {
    store.write_blocking(move |tx| {
        store::user::insert_many(
            &mut tx.account(AccountId(account_id)),
            &[NewPerson {
                person: person(id, email, Role::EndUser),
                address: key(email),
                created_at: Millis(1),
            }],
            1,
        )
    })
}

#[test]
fn names_hosts_and_addresses_belong_to_one_account() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        is_conflict("subdomain", account(store, 3, "acme"));
        let host = store.write_blocking(|tx| {
            store::brand::insert(
                &mut tx.account(AccountId(2)),
                &desk::account::Brand { native_host: "acme.desk.example".into(), ..brand(21, "x", false) },
                Millis(1),
            )
        });
        is_conflict("host", host);
        add_address(store, 1, 101, "help@acme.example").unwrap();
        is_conflict("address of another account", add_address(store, 2, 201, "help@acme.example"));
        is_conflict("address of the same account", add_address(store, 1, 102, "HELP@acme.example"));
        // What was refused left nothing behind.
        let accounts = store.read_blocking(store::account::list).unwrap();
        assert_eq!(accounts.iter().map(|account| account.id.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(
            store.read_blocking(|tx| store::address::list(&mut tx.account(AccountId(2)))).unwrap().len(),
            1
        );
        assert_eq!(
            store.read_blocking(|tx| store::account::by_subdomain(tx, "ACME")).unwrap(),
            Some(AccountId(1))
        );
    });
}

#[test]
fn a_persons_address_is_theirs_alone_within_an_account() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        add_person(store, 1, 50, "ada@customer.example").unwrap();
        is_conflict("same account", add_person(store, 1, 51, "Ada@Customer.example"));
        add_person(store, 2, 52, "ada@customer.example").unwrap();
        let of = |account_id| {
            let found = store.read_blocking(move |tx| {
                store::user::by_addresses(&mut tx.account(AccountId(account_id)), &["ada@customer.example"])
            });
            found.unwrap().into_iter().map(|(_, person)| person.id.0).collect::<Vec<_>>()
        };
        assert_eq!((of(1), of(2)), (vec![50], vec![52]));
        assert_eq!(
            store.read_blocking(|tx| store::user::list(&mut tx.account(AccountId(1)), 10)).unwrap().len(),
            1
        );
    });
}

#[test]
fn one_address_of_a_brand_is_its_default() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        store
            .write_blocking(|tx| {
                store::brand::insert(&mut tx.account(AccountId(1)), &brand(11, "shop", false), Millis(1))?;
                store::address::insert(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(102),
                    &address("support@shop.desk.example", 11, Kind::Native, true),
                    true,
                    Millis(1),
                )?;
                store::address::insert(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(101),
                    &address("help@acme.desk.example", 10, Kind::Native, true),
                    false,
                    Millis(1),
                )
            })
            .unwrap();
        let defaults = || {
            let all = store.read_blocking(|tx| store::address::list(&mut tx.account(AccountId(1)))).unwrap();
            all.into_iter()
                .filter(|address| address.is_default)
                .map(|address| address.id.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(defaults(), [101, 102]);
        store
            .write_blocking(|tx| {
                let all = store::address::list(&mut tx.account(AccountId(1)))?;
                store::address::make_default(
                    &mut tx.account(AccountId(1)),
                    all.iter().find(|address| address.id.0 == 100).unwrap(),
                )
            })
            .unwrap();
        assert_eq!(defaults(), [100, 102]);
    });
}

#[test]
fn every_change_of_configuration_counts_the_version_up() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        let version = |id| {
            store
                .read_blocking(move |tx| store::account_state::version(&mut tx.account(AccountId(id))))
                .unwrap()
        };
        let other = version(2);
        let mut last = version(1);
        let mut counted = |name: &str| {
            let now = version(1);
            assert!(now > last, "{name}");
            last = now;
        };
        add_address(store, 1, 101, "help@acme.example").unwrap();
        counted("address added");
        store
            .write_blocking(|tx| {
                store::address::probe_sent(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(101),
                    "secret",
                    Millis(5),
                )
            })
            .unwrap();
        counted("probe sent");
        store
            .write_blocking(|tx| {
                store::address::probe_returned(
                    &mut tx.account(AccountId(1)),
                    SupportAddressId(101),
                    &key("support@acme.desk.example"),
                    Millis(9),
                )
            })
            .unwrap();
        counted("probe returned");
        store
            .write_blocking(|tx| {
                store::account::set_settings(
                    &mut tx.account(AccountId(1)),
                    &Settings { acknowledge: false, ..Settings::default() },
                )
            })
            .unwrap();
        counted("settings");
        assert_eq!(version(2), other, "another account's version stays");

        let (loaded, account) =
            store.read_blocking(|tx| store::account::load(&mut tx.account(AccountId(1)))).unwrap().unwrap();
        assert_eq!(loaded, last);
        assert!(!account.settings.acknowledge);
        let help = account.address(&key("help@acme.example")).unwrap();
        assert_eq!(help.forwarding, Forwarding::Verified);
        assert_eq!(help.forwards_to, Some(key("support@acme.desk.example")));
        assert_eq!((help.probe_token.as_deref(), help.last_verified_at), (None, Some(Millis(9))));
        assert!(
            store.read_blocking(|tx| store::account::load(&mut tx.account(AccountId(3)))).unwrap().is_none()
        );
    });
}

#[test]
fn last_seen_is_written_once_in_a_while() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let see = |now| {
            store
                .write_blocking(move |tx| {
                    store::address::seen(&mut tx.account(AccountId(1)), &[SupportAddressId(100)], now, 60)
                })
                .unwrap()
        };
        let seen = || {
            store.read_blocking(|tx| store::address::list(&mut tx.account(AccountId(1)))).unwrap()[0]
                .last_verified_at
        };
        for (now, want) in [(1_000, 1_000), (1_060, 1_000), (1_061, 1_061)] {
            see(Millis(now));
            assert_eq!(seen(), Some(Millis(want)), "at {now}");
        }
    });
}

#[test]
fn tokens_are_kept_as_hashes_and_revoked_once() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        store
            .write_blocking(|tx| {
                store::token::insert(
                    &mut tx.account(AccountId(1)),
                    TokenId(5),
                    "for the shop",
                    UserId(50),
                    "secret",
                    Millis(9),
                )
            })
            .unwrap();
        let found = store.read_blocking(|tx| {
            let hash = store::token::hash_of("secret");
            tx.query(
                "SELECT id FROM tokens WHERE account_id = 1 AND hash = $1",
                &store::values![hash.as_slice()],
            )
        });
        assert_eq!(found.unwrap().len(), 1);
        let revoke = |account_id, id| {
            store
                .write_blocking(move |tx| {
                    store::token::revoke(&mut tx.account(AccountId(account_id)), id, Millis(20))
                })
                .unwrap()
        };
        assert!(!revoke(2, TokenId(5)), "another account's");
        assert!(revoke(1, TokenId(5)));
        assert!(!revoke(1, TokenId(5)));
        let listed = store.read_blocking(|tx| store::token::list(&mut tx.account(AccountId(1)))).unwrap();
        assert_eq!(listed[0].revoked_at, Some(Millis(20)));
    });
}

#[test]
fn a_token_tells_whose_it_is_until_it_is_revoked() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        let bob = person(50, "Bob@acme.example", Role::Agent);
        store
            .write_blocking(move |tx| {
                store::user::insert_many(
                    &mut tx.account(AccountId(2)),
                    &[NewPerson {
                        person: bob.clone(),
                        address: key("bob@acme.example"),
                        created_at: Millis(1),
                    }],
                    1,
                )
            })
            .unwrap();
        store
            .write_blocking(|tx| {
                store::token::insert(
                    &mut tx.account(AccountId(2)),
                    TokenId(5),
                    "hooks",
                    UserId(50),
                    "s3cret",
                    Millis(9),
                )
            })
            .unwrap();
        let holder =
            |secret: &'static str| store.read_blocking(move |tx| store::token::holder(tx, secret)).unwrap();
        let found = holder("s3cret").unwrap();
        assert_eq!(
            (found.account_id, found.token_id, found.user_id, found.role),
            (AccountId(2), TokenId(5), UserId(50), Role::Agent)
        );
        assert_eq!((found.is_suspended, found.addresses), (false, vec!["bob@acme.example".to_owned()]));
        assert_eq!(holder("S3cret"), None);
        store
            .write_blocking(|tx| store::token::revoke(&mut tx.account(AccountId(2)), TokenId(5), Millis(20)))
            .unwrap();
        assert_eq!(holder("s3cret"), None);
    });
}

#[test]
fn nodes_that_start_together_sign_with_one_key() {
    on_both(|store| {
        let first = store.write_blocking(|tx| store::signing::load_or_make(tx, Millis(1))).unwrap();
        let second = store.write_blocking(|tx| store::signing::load_or_make(tx, Millis(2))).unwrap();
        assert!(first == second);
    });
}
