//! What is remembered of a Message-ID: an id met on a real mail stays as it was first met.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::{Changes, RememberedId};
use desk::facts::{IdKind, KnownId, Met};
use desk::id::{AccountId, MailId, OutgoingId, TicketId};
use desk::questions::Questions;
use store::Store;

use crate::support::{account, on_both, write};

fn met(kind: IdKind, mail_id: i64, message_id: &str) -> RememberedId {
    let fingerprint = (kind == IdKind::In).then_some([mail_id as u8; 16]);
    let met = match kind {
        IdKind::In => Met::In(MailId(mail_id)),
        IdKind::Out => Met::Out(OutgoingId(mail_id)),
        IdKind::Seen => Met::Seen(MailId(mail_id)),
    };
    RememberedId {
        message_id: message_id.to_owned(),
        met,
        ticket_id: Some(TicketId(mail_id * 10)),
        fingerprint,
    }
}

fn remember(store: &Store, ids: Vec<RememberedId>) {
    write(store, 1, Changes { message_ids: ids, ..Changes::default() }).unwrap();
}

fn known(store: &Store, account_id: i64, ids: BTreeSet<String>) -> BTreeMap<String, KnownId> {
    let questions = Questions { message_ids: ids, ..Questions::default() };
    store
        .read_blocking(move |tx| {
            let tx = &mut tx.account(AccountId(account_id));
            let (_, account) = store::account::load(tx)?.unwrap();
            store::facts::load(tx, &account, &questions)
        })
        .unwrap()
        .message_ids
}

fn one(store: &Store, id: &str) -> Option<KnownId> {
    known(store, 1, BTreeSet::from([id.to_owned()])).remove(id)
}

#[test]
fn a_real_mail_takes_the_place_of_one_only_heard_of() {
    struct Case {
        name: &'static str,
        first: IdKind,
        second: IdKind,
        stays: bool,
    }
    fn usual() -> Case {
        Case { name: "", first: Seen, second: Seen, stays: true }
    }

    use IdKind::{In, Out, Seen};
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        for Case { name, first, second, stays } in [
            Case { name: "seen then in", first: Seen, second: In, stays: false },
            Case { name: "seen then out", first: Seen, second: Out, stays: false },
            Case { name: "seen then seen", first: Seen, second: Seen, ..usual() },
            Case { name: "in then seen", first: In, second: Seen, ..usual() },
            Case { name: "in then in", first: In, second: In, ..usual() },
            Case { name: "in then out", first: In, second: Out, ..usual() },
            Case { name: "out then in", first: Out, second: In, ..usual() },
            Case { name: "out then seen", first: Out, second: Seen, ..usual() },
        ] {
            let id = format!("{}@customer.example", name.replace(' ', "-"));
            remember(store, vec![met(first, 1, &id)]);
            remember(store, vec![met(second, 2, &id)]);
            let want = if stays { met(first, 1, &id) } else { met(second, 2, &id) };
            let want = KnownId { met: want.met, ticket: want.ticket_id, fingerprint: want.fingerprint };
            assert_eq!(one(store, &id), Some(want), "{name}");
        }
    });
}

#[test]
fn an_id_met_twice_in_a_batch_is_the_real_mails() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let id = "a@customer.example";
        remember(
            store,
            vec![
                met(IdKind::Seen, 1, id),
                met(IdKind::In, 2, id),
                met(IdKind::Seen, 3, "b@customer.example"),
            ],
        );
        assert_eq!(one(store, id).map(|known| known.met), Some(Met::In(MailId(2))));
        assert_eq!(one(store, "b@customer.example").map(|known| known.met.kind()), Some(IdKind::Seen));
    });
}

#[test]
fn ids_keep_their_case_and_their_account() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        remember(store, vec![met(IdKind::In, 1, "Abc@customer.example")]);
        assert!(one(store, "Abc@customer.example").is_some());
        assert!(one(store, "abc@customer.example").is_none());
        assert!(known(store, 2, BTreeSet::from(["Abc@customer.example".to_owned()])).is_empty());
    });
}

#[test]
fn long_ids_and_long_lists_are_found() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let ids: BTreeSet<String> =
            (0..1_300).map(|n| format!("{n}-{}@customer.example", "x".repeat(n))).collect();
        remember(store, ids.iter().map(|id| met(IdKind::In, 1, id)).collect());
        assert_eq!(known(store, 1, ids.clone()).len(), ids.len());
    });
}
