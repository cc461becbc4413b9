//! Mails are kept in order and closed once.

use desk::changes::Changes;
use desk::clock::Millis;
use desk::envelope::Door;
use desk::id::{AccountId, MailId};
use store::StoreError;
use store::spool::SpoolKey;
use store::work::{self, Kind};

use crate::support::{account, decided, key, mail, new_person, on_both, wait, write};

#[test]
fn mails_are_paged_in_the_order_of_acceptance_then_id() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        wait(store.spool(vec![mail(1, 9, 100), mail(1, 3, 200), mail(2, 4, 1)])).unwrap();
        wait(store.spool(vec![mail(1, 5, 100)])).unwrap();
        let ids = |account_id, limit| {
            store
                .read_blocking(move |tx| {
                    store::spool::page(&mut tx.account(AccountId(account_id)), None, limit)
                })
                .unwrap()
                .into_iter()
                .map(|row| (row.accepted_at.0, row.id.0))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(1, 9), [(100, 5), (100, 9), (200, 3)]);
        assert_eq!(ids(1, 2), [(100, 5), (100, 9)]);
        assert_eq!(ids(2, 9), [(1, 4)]);
        assert_eq!(store.read_blocking(|tx| store::spool::count(&mut tx.account(AccountId(1)))).unwrap(), 3);
    });
}

#[test]
fn the_envelope_comes_back_as_it_was_given() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let strange = desk::envelope::Envelope {
            door: Door::Lmtp,
            client: "2001:db8::1".into(),
            helo: "höst \u{0} \"x\"".into(),
            mail_from: None,
            recipients: vec!["Support+ID@acme.desk.example".into(), "日本@acme.desk.example".into()],
            trusted: true,
            tls: true,
        };
        let new =
            store::spool::NewMail { envelope: serde_json::to_string(&strange).unwrap(), ..mail(1, 1, 1) };
        wait(store.spool(vec![new])).unwrap();
        let rows =
            store.read_blocking(|tx| store::spool::page(&mut tx.account(AccountId(1)), None, 1)).unwrap();
        assert_eq!(rows[0].envelope, strange);
    });
}

#[test]
fn spooled_mail_is_announced_once_per_account_and_rings() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        wait(async {
            store.spool(vec![mail(1, 1, 1), mail(2, 2, 1), mail(1, 3, 1)]).await.unwrap();
            let bell = store.bell(Kind::Mail);
            let rung = tokio::time::timeout(std::time::Duration::from_secs(10), bell.heard()).await;
            assert!(rung.is_ok(), "the bell keeps its ring for a sorter that was busy");
            assert_eq!(bell.take(), [AccountId(1), AccountId(2)].into());
        });
        let due =
            store.read_blocking(|tx| work::due(tx, Kind::Mail, work::Due::FIRST, "a", false, 100)).unwrap();
        assert_eq!(due, [1, 2].map(|account| work::Due { at: Millis(0), account_id: AccountId(account) }));
    });
}

#[test]
fn a_mail_that_is_there_already_is_not_accepted_again() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 1)])).unwrap();
        let again = wait(store.spool(vec![mail(1, 2, 2), mail(1, 1, 1)]));
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        assert_eq!(store.read_blocking(|tx| store::spool::count(&mut tx.account(AccountId(1)))).unwrap(), 1);
        assert!(
            store
                .read_blocking(|tx| store::raw::find(&mut tx.account(AccountId(1)), MailId(2)))
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn a_commit_whose_answer_was_lost_is_no_refusal() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let mails = || vec![mail(1, 1, 1), mail(1, 2, 2)];
        wait(store.spool(mails())).unwrap();
        wait(store.spool(mails())).unwrap();
        assert_eq!(store.read_blocking(|tx| store::spool::count(&mut tx.account(AccountId(1)))).unwrap(), 2);
        let mut other = mail(1, 1, 1);
        other.packed.size_bytes += 1;
        assert!(matches!(wait(store.spool(vec![other])), Err(StoreError::Conflict(_))));
    });
}

#[test]
fn a_mail_is_decided_once_and_the_second_batch_writes_nothing() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 10), mail(1, 2, 20)])).unwrap();
        write(store, 1, Changes { ledger: vec![decided(1, 10)], ..Changes::default() }).unwrap();
        let second = Changes {
            people: vec![new_person(50, "ada@customer.example")],
            ledger: vec![decided(2, 20), decided(1, 10)],
            ..Changes::default()
        };
        // The ledger's own key refuses first; without it the spool row is missed.
        let refused = write(store, 1, second);
        assert!(matches!(refused, Err(StoreError::Conflict(_) | StoreError::Changed(_))), "{refused:?}");
        let unknown = Changes {
            people: vec![new_person(50, "ada@customer.example")],
            ledger: vec![decided(2, 20), decided(3, 30)],
            ..Changes::default()
        };
        let refused = write(store, 1, unknown);
        assert!(matches!(refused, Err(StoreError::Changed("a spool row"))), "{refused:?}");

        let people = store.read_blocking(|tx| {
            store::user::by_addresses(&mut tx.account(AccountId(1)), &[key("ada@customer.example").as_str()])
        });
        assert_eq!(people.unwrap(), []);
        let rows = store
            .read_blocking(|tx| {
                store::ledger::decided(&mut tx.account(AccountId(1)), store::Before::FIRST, 10)
            })
            .unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [1]);
        assert_eq!(store.read_blocking(|tx| store::spool::count(&mut tx.account(AccountId(1)))).unwrap(), 1);
    });
}

#[test]
fn the_ledger_tells_of_waiting_and_decided_mails() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 10), mail(1, 2, 20)])).unwrap();
        write(store, 1, Changes { ledger: vec![decided(1, 10)], ..Changes::default() }).unwrap();
        let (all, found, raw) = store
            .read_blocking(|tx| {
                let all = store::ledger::page(&mut tx.account(AccountId(1)), store::Before::FIRST, 10)?;
                let found =
                    store::ledger::by_message_id(&mut tx.account(AccountId(1)), "m1@customer.example")?;
                Ok((all, found, store::raw::find(&mut tx.account(AccountId(1)), MailId(1))?))
            })
            .unwrap();
        let all: Vec<_> = all.into_iter().map(|row| (row.id, row.outcome)).collect();
        assert_eq!(all, [(2, None), (1, Some("discarded".to_owned()))]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].outcome.as_deref(), Some("discarded"));
        assert_eq!(found[0].reasons, ["seen", "kept"]);
        // Deciding moves no bytes: the raw mail stays.
        let raw = wait(raw.unwrap().unpack(store)).unwrap();
        assert_eq!(raw, b"Subject: 1\r\n\r\nmail 1\r\n");
    });
}

#[test]
fn since_when_a_mail_keeps_its_account_from_going_on_is_noted_once() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 10), mail(1, 2, 20)])).unwrap();
        let noted = |accepted_at, id, now| {
            let key = SpoolKey { accepted_at: Millis(accepted_at), id: MailId(id) };
            store.write_blocking(move |tx| {
                store::spool::note_trouble(&mut tx.account(AccountId(1)), key, Millis(now))
            })
        };
        assert_eq!(noted(10, 1, 500).unwrap(), Millis(500));
        assert_eq!(noted(10, 1, 900).unwrap(), Millis(500), "the first time counts");
        assert_eq!(noted(20, 2, 900).unwrap(), Millis(900), "each mail has its own");
        write(store, 1, Changes { ledger: vec![decided(1, 10)], ..Changes::default() }).unwrap();
        let late = noted(10, 1, 950);
        assert!(matches!(late, Err(StoreError::Changed("a spool row"))), "{late:?}");
    });
}
