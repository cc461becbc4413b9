//! Accounts, brands, addresses, people and tokens: what is created, and which rule refuses what.

use desk::address_check::AddressRefusal;
use desk::setting::{SettingRefusal, Settings};
use desk::user::Role;
use engine::admin::{AccountRequest, AddressError, CreateAccountError, SettingError, TokenError, UserError};
use testkit::database::both;

use testdesk::{key, on_both, quick, raw, set};

use crate::support::bare;

fn request(subdomain: &str, admin: &str, host: &str) -> AccountRequest {
    AccountRequest {
        subdomain: subdomain.into(),
        name: String::new(),
        admin_email: admin.into(),
        native_host: host.into(),
    }
}

fn named(name: &str) -> AccountRequest {
    AccountRequest { name: name.into(), ..request("named", "x@shop.example", "named.desk.example") }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_with_brand_support_address_admin_and_token() {
    on_both(quick(), async |desk| {
        let made = desk
            .engine
            .create_account(request("Shop-1", " Carol@shop.example ", "Help.Shop.example"))
            .await
            .unwrap();
        assert_eq!((made.subdomain.as_str(), made.native_host.as_str()), ("shop-1", "help.shop.example"));
        let account = desk.engine.account(made.id).await.unwrap();
        let support = account.address(&key("support@help.shop.example")).unwrap();
        assert!(support.is_default && support.is_system);
        assert_eq!((account.name.as_str(), account.brands.len()), ("shop-1", 1));
        let id = made.id;
        let (people, tokens) = desk
            .read(move |tx| {
                Ok((store::user::list(&mut tx.account(id), 9)?, store::token::list(&mut tx.account(id))?))
            })
            .await;
        assert_eq!(
            (people.len(), people[0].role, people[0].address.as_str()),
            (1, Role::Admin, "Carol@shop.example")
        );
        assert_eq!((tokens.len(), tokens[0].user_id, made.api_token.len()), (1, people[0].id, 48));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_account_leaves_nothing_behind() {
    on_both(quick(), async |desk| {
        for (name, request) in [
            ("subdomain taken", request("ACME", "x@shop.example", "x.desk.example")),
            ("host taken", request("other", "x@shop.example", "ACME.desk.example")),
            ("subdomain empty", request(" ", "x@shop.example", "x.desk.example")),
            ("subdomain with a dot", request("a.b", "x@shop.example", "x.desk.example")),
            ("subdomain with a hyphen at its end", request("a-", "x@shop.example", "x.desk.example")),
            ("subdomain too long", request(&"a".repeat(64), "x@shop.example", "x.desk.example")),
            ("admin", request("other", "x", "x.desk.example")),
            ("host", request("other", "x@shop.example", "not a host")),
            ("admin at the support address", request("other", "Support@x.desk.example", "x.desk.example")),
            ("name too long", named(&"é".repeat(256))),
            ("name of two lines", named("Shop\r\nBcc: x@y.example")),
        ] {
            let refused = desk.engine.create_account(request).await;
            assert!(refused.is_err(), "{name}: {refused:?}");
            assert!(!matches!(refused, Err(CreateAccountError::Store(_))), "{name}: {refused:?}");
        }
        let late =
            desk.engine.create_first_account(request("other", "x@shop.example", "x.desk.example")).await;
        assert!(matches!(late, Err(CreateAccountError::NotFirst)), "{late:?}");
        let accounts = desk.read(store::account::list).await;
        assert_eq!(accounts.len(), 1);
        desk.engine
            .create_account(request(&"a".repeat(63), "x@shop.example", "x.desk.example"))
            .await
            .unwrap();
        desk.engine.create_account(named(&"é".repeat(255))).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_first_accounts_one_is_created() {
    for database in both() {
        println!("on {}", database.engine);
        let (one, other) = (bare(&database).await, bare(&database).await);
        let (first, second) = tokio::join!(
            one.create_first_account(request("one", "x@shop.example", "one.desk.example")),
            other.create_first_account(request("other", "x@shop.example", "other.desk.example")),
        );
        let refused = match (first, second) {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("not one and one: {both:?}"),
        };
        assert!(matches!(refused, CreateAccountError::NotFirst), "{refused:?}");
        assert_eq!(one.store().read_now(store::account::list).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_a_persons_or_the_desks_and_never_both() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        desk.accept(
            testdesk::envelope(Some("ada@customer.example"), &["support@acme.desk.example"]),
            &raw("Subject: x\n\nhi"),
        )
        .await;
        desk.work().await;
        for person in ["ada@customer.example", "ADA@customer.example", "bob@acme.example"] {
            let refused = engine.add_address(account, person, "", None, false).await;
            assert!(
                matches!(refused, Err(AddressError::Refused(AddressRefusal::Person(_)))),
                "{person}: {refused:?}"
            );
        }
        engine.add_address(account, "help@acme.example", "", None, false).await.unwrap();
        for address in ["help@acme.example", "Help+me@acme.example", "support@acme.desk.example"] {
            let refused = engine.add_user(account, address, "", Role::Agent).await;
            assert!(matches!(refused, Err(UserError::IsSupportAddress(_))), "{address}: {refused:?}");
        }
        // Once it is nobody's, it may be the other.
        engine.remove_address(account, "help@acme.example").await.unwrap();
        engine.add_user(account, "help@acme.example", "", Role::Agent).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_follow_their_rules() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        engine.add_brand(account, "Shop", "shop", "shop.desk.example").await.unwrap();
        let add = async |email: &str, brand: Option<&str>, default| {
            engine.add_address(account, email, "", brand, default).await.map(|made| made.email.to_string())
        };
        assert_eq!(add("Sales@Shop.desk.example", None, true).await.unwrap(), "sales@shop.desk.example");
        let other = engine
            .create_account(request("other", "x@other.example", "other.desk.example"))
            .await
            .unwrap()
            .id;
        engine.add_address(other, "info@shared.example", "", None, false).await.unwrap();
        let refusals = [
            ("another account's", add("info@shared.example", None, false).await),
            ("taken", add("support@acme.desk.example", None, false).await),
            ("a plus variant at a native host", add("a+b@acme.desk.example", None, false).await),
            ("reserved", add("bounce@acme.desk.example", None, false).await),
            ("an unverified default", add("x@acme.example", None, true).await),
            ("an unknown brand", add("x@acme.example", Some("nope"), false).await),
            ("another brand's host", add("x@acme.desk.example", Some("shop"), false).await),
            ("no address", add("x", None, false).await),
        ];
        for (name, refused) in refusals {
            assert!(
                matches!(refused, Err(AddressError::Refused(_) | AddressError::Taken(_))),
                "{name}: {refused:?}"
            );
        }
        for (name, email) in [
            ("system", "support@acme.desk.example"),
            ("default", "sales@shop.desk.example"),
            ("unknown", "y@z.example"),
        ] {
            let refused = engine.remove_address(account, email).await;
            assert!(matches!(refused, Err(AddressError::Refused(_))), "{name}: {refused:?}");
        }
        let count = engine.account(account).await.unwrap().address_count();
        assert_eq!(count, 3, "refusals added and removed nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_changed_at_once_all_hold() {
    on_both(quick(), async |desk| {
        let other = desk.node(engine::EngineOptions { holder: "cli".into(), ..quick() }).await;
        for round in 1..=5 {
            tokio::join!(
                set(&desk.engine, desk.account, move |settings| settings.addresses_max = round),
                set(&other, desk.account, move |settings| settings.sender_per_hour = round),
                set(&desk.engine, desk.account, |settings| settings.acknowledge = !settings.acknowledge),
            );
            let settings = desk.engine.account(desk.account).await.unwrap().settings.clone();
            assert_eq!(
                (settings.addresses_max, settings.sender_per_hour, settings.acknowledge),
                (round, round, round % 2 == 0)
            );
        }
        let refused = desk.engine.change_settings(desk.account, |_| Err::<Settings, _>("no")).await;
        assert!(matches!(refused, Err(SettingError::Change("no"))), "{refused:?}");
        let refused = desk.engine.change_settings(desk.account, |settings| {
            Ok::<_, ()>(Settings { delimiter: "short".into(), ..settings.clone() })
        });
        let refused = refused.await;
        assert!(matches!(refused, Err(SettingError::Value(SettingRefusal::Delimiter(5)))), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entitlement_is_checked_at_its_limit() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        desk.set(|settings| settings.addresses_max = 2).await;
        engine.add_address(account, "a@acme.example", "", None, false).await.unwrap();
        let refused = engine.add_address(account, "b@acme.example", "", None, false).await;
        assert!(matches!(refused, Err(AddressError::Refused(AddressRefusal::TooMany(2)))), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_person_gets_a_role_and_keeps_their_name() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        desk.receive(&["From: Ada Amsel <ada@customer.example>\n\nhi"]).await;
        desk.work().await;
        let added = engine.add_user(account, "Ada@customer.example", "", Role::Agent).await.unwrap();
        let (ada, was) = (added.person, added.was);
        assert_eq!(was, Some(Role::EndUser));
        assert_eq!((ada.name.as_str(), ada.role), ("Ada Amsel", Role::Agent));
        assert_eq!(ada.id, desk.ticket(1).await.requester_id);
        let named =
            engine.add_user(account, "ada@customer.example", "Ada A.", Role::Admin).await.unwrap().person;
        assert_eq!((named.name.as_str(), named.id), ("Ada A.", ada.id));
        let kept = desk.read(move |tx| store::user::list(&mut tx.account(account), 100)).await;
        assert!(
            kept.iter().all(|person| person.is_verified),
            "someone an operator enters is verified: {kept:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_role_a_known_person_keeps_theirs() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        let new = engine.add_user(account, "eve@customer.example", "", None).await.unwrap();
        assert_eq!((new.person.role, new.was), (Role::EndUser, None));
        engine.add_user(account, "eve@customer.example", "", Role::Agent).await.unwrap();
        let named = engine.add_user(account, "eve@customer.example", "Eve E.", None).await.unwrap();
        assert_eq!((named.person.role, named.was), (Role::Agent, Some(Role::Agent)));
        assert_eq!(named.person.name, "Eve E.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays_one() {
    on_both(quick(), async |desk| {
        let engine = &desk.engine;
        let account =
            engine.create_account(request("solo", "ann@solo.example", "solo.desk.example")).await.unwrap().id;
        for role in [Role::Agent, Role::EndUser] {
            let refused = engine.add_user(account, "Ann@solo.example", "", role).await;
            assert!(matches!(refused, Err(UserError::LastAdmin(_))), "{role}: {refused:?}");
        }
        engine.add_user(account, "ann@solo.example", "Ann", Role::Admin).await.unwrap();
        engine.add_user(account, "ben@solo.example", "", Role::Admin).await.unwrap();
        let demoted = engine.add_user(account, "ann@solo.example", "", Role::Agent).await.unwrap();
        assert_eq!((demoted.person.role, demoted.was), (Role::Agent, Some(Role::Admin)));
        let refused = engine.add_user(account, "ben@solo.example", "", Role::Agent).await;
        assert!(matches!(refused, Err(UserError::LastAdmin(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_created_for_people_and_revoked_once() {
    on_both(quick(), async |desk| {
        let (engine, account) = (&desk.engine, desk.account);
        let refused = engine.create_token(account, "nobody@else.example", "x").await;
        assert!(matches!(refused, Err(TokenError::NoUser(_))), "{refused:?}");
        let (id, secret) = engine.create_token(account, "bob@acme.example", "shop").await.unwrap();
        let (_, another) = engine.create_token(account, "bob@acme.example", "shop").await.unwrap();
        assert_ne!(secret, another);
        engine.revoke_token(account, id).await.unwrap();
        assert!(matches!(engine.revoke_token(account, id).await, Err(TokenError::NoToken(_))));
    })
    .await;
}
