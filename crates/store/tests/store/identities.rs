//! People who are known by several addresses.

use desk::changes::Changes;
use desk::id::{AccountId, TicketId, UserId};
use desk::user::Deliverable;
use store::testing::Sql as _;
use store::{Store, values};

use crate::support::{account, key, new_person, on_both, opening, ticket, write};

const ADA: &str = "ada@customer.example";

/// Gives a person a second address.
fn add(store: &Store, account_id: i64, user_id: i64, written: &'static str, state: &'static str) {
    let insert = move |tx: &mut store::Tx<'_>| {
        let sql = "INSERT INTO identities (account_id, address, user_id, written, is_primary, deliverable_state, bounce_count)
                   VALUES ($1, $2, $3, $4, 0, $5, 0)";
        tx.execute(sql, &values![account_id, key(written).as_str(), user_id, written, state])
    };
    assert_eq!(store.write_blocking(insert).unwrap(), 1);
}

fn silence(store: &Store, address: &'static str) {
    let sql =
        "UPDATE identities SET deliverable_state = 'undeliverable' WHERE account_id = 1 AND address = $1";
    store.write_blocking(move |tx| tx.execute(sql, &values![address])).unwrap();
}

/// Ada and Dora, and an Ada of another account.
fn people(store: &Store) {
    for (id, name) in [(1, "acme"), (2, "other")] {
        account(store, id, name).unwrap();
    }
    let ada_and_dora = vec![new_person(50, ADA), new_person(51, "dora@customer.example")];
    write(store, 1, Changes { people: ada_and_dora, ..Changes::default() }).unwrap();
    write(store, 2, Changes { people: vec![new_person(60, ADA)], ..Changes::default() }).unwrap();
}

#[test]
fn a_person_is_found_by_any_address_and_named_by_the_primary_one() {
    on_both(|store| {
        people(store);
        add(store, 1, 50, "Ada@Home.example", "deliverable");
        let found = |account_id, address: &'static str| {
            let found = store
                .read_blocking(move |tx| {
                    store::user::by_addresses(&mut tx.account(AccountId(account_id)), &[address])
                })
                .unwrap();
            found
                .into_iter()
                .map(|(key, person)| (key.to_string(), person.id.0, person.address))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(1, "ada@home.example"), [("ada@home.example".to_owned(), 50, ADA.to_owned())]);
        assert_eq!(found(2, "ada@home.example"), [], "another account knows nobody by it");
        let both = store
            .read_blocking(|tx| {
                store::user::find_many(&mut tx.account(AccountId(1)), &[ADA, "ada@home.example"])
            })
            .unwrap();
        assert_eq!(both.iter().map(|found| found.person.id).collect::<Vec<_>>(), [UserId(50), UserId(50)]);
    });
}

#[test]
fn whose_primary_address_takes_no_mail_is_reached_at_another() {
    on_both(|store| {
        people(store);
        let reached = || {
            let ids = [TicketId(900)].into();
            let facts = store
                .read_blocking(move |tx| store::facts::of_tickets(&mut tx.account(AccountId(1)), &ids))
                .unwrap();
            let ada = facts.person(UserId(50)).unwrap().clone();
            (ada.address, ada.deliverable)
        };
        write(store, 1, opening(vec![ticket(900, 50)])).unwrap();
        add(store, 1, 50, "Zoo@Home.example", "deliverable");
        add(store, 1, 50, "Ada@Home.example", "deliverable");
        add(store, 1, 50, "aaa@home.example", "undeliverable");
        assert_eq!(reached(), (ADA.to_owned(), Deliverable::Deliverable), "the primary one takes mail");
        silence(store, ADA);
        assert_eq!(
            reached(),
            ("Ada@Home.example".to_owned(), Deliverable::Deliverable),
            "the first that takes mail"
        );
        silence(store, "ada@home.example");
        assert_eq!(reached(), ("Zoo@Home.example".to_owned(), Deliverable::Deliverable));
        silence(store, "zoo@home.example");
        assert_eq!(reached(), (ADA.to_owned(), Deliverable::Undeliverable), "none is left");
        let others = store
            .read_blocking(|tx| {
                store::identity::other_addresses(&mut tx.account(AccountId(2)), &[UserId(50), UserId(60)])
            })
            .unwrap();
        assert_eq!(others, [(UserId(60), ADA.to_owned())], "another account's people are not asked");
    });
}
