//! Lists in the order of time, page by page.

use desk::changes::{Changes, Outgoing, Suspended};
use desk::clock::Millis;
use desk::id::{AccountId, MailId, OutboxId, OutgoingId};
use desk::suspension::Cause;
use serde_json::json;
use store::{Before, Store};

use crate::support::{account, decided, mail, on_both, wait, write};

fn outgoing(id: i64, created_at: i64) -> Outgoing {
    let content = json!({
        "kind": "probe", "from": {"address": "support@acme.desk.example"}, "reply_to": {"address": "support@acme.desk.example"},
        "to": [], "cc": [], "subject": "Probe", "token": "", "host": "acme.desk.example",
    });
    Outgoing {
        id: OutgoingId(id),
        ticket_id: None,
        comment_id: None,
        message_id: format!("o{id}@acme.desk.example"),
        content: serde_json::from_value(content).unwrap(),
        recipients: vec![(OutboxId(id + 1_000), "ada@customer.example".into())],
        created_at: Millis(created_at),
    }
}

/// The ids of the ledger, read in pages of so many.
fn ledger(store: &Store, limit: i64) -> Vec<i64> {
    let (mut ids, mut before) = (Vec::new(), Before::FIRST);
    loop {
        let rows = store
            .read_blocking(move |tx| store::ledger::page(&mut tx.account(AccountId(1)), before, limit))
            .unwrap();
        let Some(last) = rows.last() else { return ids };
        before = Before { at: last.at, id: last.id };
        ids.extend(rows.iter().map(|row| row.id));
    }
}

#[test]
fn the_ledger_goes_back_in_time_over_mail_in_and_out() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "zoo").unwrap();
        // Ids and times disagree: nodes take ids in blocks.
        let mut theirs = mail(2, 99, 35);
        theirs.account_id = AccountId(2);
        wait(store.spool(vec![
            mail(1, 9, 10),
            mail(1, 2, 20),
            mail(1, 3, 40),
            mail(1, 4, 40),
            mail(1, 1, 60),
            theirs,
        ]))
        .unwrap();
        let ledger_rows = vec![decided(9, 10), decided(2, 20), decided(4, 40)];
        let changes = Changes {
            ledger: ledger_rows,
            outgoing: vec![outgoing(5, 30), outgoing(7, 5)],
            ..Changes::default()
        };
        write(store, 1, changes).unwrap();
        for limit in [1, 2, 3, 6, 7, 100] {
            assert_eq!(ledger(store, limit), [1, 4, 3, 5, 2, 9, 7], "pages of {limit}");
        }
    });
}

#[test]
fn a_message_id_finds_mail_in_and_out() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 10), mail(1, 2, 20)])).unwrap();
        let same =
            |id, at| desk::changes::LedgerRow { message_id: "m1@customer.example".into(), ..decided(id, at) };
        let remembered = desk::changes::RememberedId {
            message_id: "o5@acme.desk.example".into(),
            met: desk::facts::Met::Out(OutgoingId(5)),
            ticket_id: None,
            fingerprint: None,
        };
        let changes = Changes {
            ledger: vec![same(1, 10), same(2, 20)],
            outgoing: vec![outgoing(5, 30)],
            message_ids: vec![remembered],
            ..Changes::default()
        };
        write(store, 1, changes).unwrap();
        for (message_id, want) in [
            ("m1@customer.example", &[(2, "in"), (1, "in")][..]),
            ("o5@acme.desk.example", &[(5, "out")]),
            ("no@x.example", &[]),
        ] {
            let rows = store
                .read_blocking(move |tx| {
                    store::ledger::by_message_id(&mut tx.account(AccountId(1)), message_id)
                })
                .unwrap();
            let found: Vec<_> = rows.iter().map(|row| (row.id, row.direction)).collect();
            assert_eq!(found, want, "{message_id}");
        }
    });
}

fn held(id: i64, cause: Cause, created_at: i64) -> Suspended {
    Suspended {
        id: MailId(id),
        cause,
        sender: "ada@customer.example".into(),
        subject: format!("Mail {id}"),
        recipient: "support@acme.desk.example".into(),
        detail: String::new(),
        created_at: Millis(created_at),
    }
}

#[test]
fn held_mail_is_listed_by_cause_and_page_the_newest_first() {
    struct Case {
        cause: Option<i64>,
        before: Before,
        limit: i64,
        want: &'static [i64],
    }
    fn usual() -> Case {
        Case { cause: None, before: Before::FIRST, limit: 1, want: &[] }
    }

    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let suspended = vec![
            held(5, Cause::AutoVacation, 10),
            held(1, Cause::AutoMailer, 20),
            held(2, Cause::AutoMailer, 20),
            held(3, Cause::AutoVacation, 30),
        ];
        write(store, 1, Changes { suspended, ..Changes::default() }).unwrap();
        let bulk = Some(Cause::AutoMailer.number());
        let after_first = Before { at: Millis(30), id: 3 };
        for Case { cause, before, limit, want } in [
            Case { limit: 100, want: &[3, 2, 1, 5], ..usual() },
            Case { limit: 1, want: &[3], ..usual() },
            Case { before: after_first, limit: 2, want: &[2, 1], ..usual() },
            Case { cause: bulk, limit: 1, want: &[2], ..usual() },
            Case { cause: bulk, before: Before { at: Millis(20), id: 2 }, limit: 9, want: &[1] },
            Case { cause: Some(-1), limit: 9, want: &[], ..usual() },
        ] {
            let rows = store
                .read_blocking(move |tx| {
                    store::suspended::page(&mut tx.account(AccountId(1)), cause, before, limit)
                })
                .unwrap();
            assert_eq!(
                rows.iter().map(|row| row.id.0).collect::<Vec<_>>(),
                want,
                "{cause:?} {before:?} {limit}"
            );
        }
        let known = store
            .read_blocking(|tx| {
                store::suspended::held(&mut tx.account(AccountId(1)), &[MailId(7), MailId(5), MailId(2)])
            })
            .unwrap();
        assert_eq!(Vec::from_iter(known), [MailId(2), MailId(5)]);
        assert_eq!(
            store
                .read_blocking(|tx| store::suspended::page(
                    &mut tx.account(AccountId(2)),
                    None,
                    Before::FIRST,
                    9
                ))
                .unwrap(),
            []
        );
    });
}
