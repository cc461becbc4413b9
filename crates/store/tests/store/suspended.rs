//! Suspended tickets: which expire, what is left of those that were deleted, and who is told.

use desk::changes::{Changes, LedgerRow, Suspended};
use desk::clock::Millis;
use desk::id::{AccountId, MailId};
use desk::ledger::Outcome;
use desk::suspension::{Cause, HELD_FOR};
use store::testing::Sql as _;
use store::work::{self, Kind};
use store::{Store, account_state, timer, values};

use crate::support::{Conditions, USUAL, account, decided, mail, on_both, wait, write_as};

/// Mail 1, held at 100 because it could not be processed; mail 2 at 200 and mail 3 at 300 for another cause.
fn held(store: &Store, conditions: Conditions) {
    account(store, 1, "acme").unwrap();
    wait(store.spool((1..=3).map(|id| mail(1, id, id)).collect())).unwrap();
    let suspended = |id: i64, cause| Suspended {
        id: MailId(id),
        cause,
        sender: "ada@customer.example".into(),
        subject: format!("Mail {id}"),
        recipient: "support@acme.desk.example".into(),
        detail: String::new(),
        created_at: Millis(id * 100),
    };
    let changes = Changes {
        ledger: (1..=3).map(|id| LedgerRow { outcome: Outcome::Suspended, ..decided(id, id) }).collect(),
        suspended: vec![
            suspended(1, Cause::UnprocessableEmail),
            suspended(2, Cause::AutoMailer),
            suspended(3, Cause::AutoMailer),
        ],
        ..Changes::default()
    };
    write_as(store, AccountId(1), conditions, changes).unwrap();
}

fn expired(store: &Store, at: i64) -> Vec<i64> {
    let found = store
        .read_blocking(move |tx| store::suspended::expired(&mut tx.account(AccountId(1)), Millis(at), 10))
        .unwrap();
    found.into_iter().map(|id| id.0).collect()
}

#[test]
fn what_could_not_be_processed_never_expires() {
    on_both(|store| {
        held(store, USUAL);
        assert!(expired(store, 199).is_empty());
        assert_eq!(expired(store, 200), [2]);
        assert_eq!(expired(store, i64::MAX), [2, 3]);
        let next = store.read_blocking(|tx| work::next_due(tx, Kind::Purge, &[AccountId(1)])).unwrap();
        assert_eq!(next, [(AccountId(1), Millis(200 + HELD_FOR))].into());
    });
}

#[test]
fn what_is_deleted_leaves_a_tombstone_with_the_change_number() {
    on_both(|store| {
        held(store, USUAL);
        let (change, deleted) = store
            .write_blocking(|tx| {
                let tx = &mut tx.account(AccountId(1));
                let mut state = account_state::lock(tx)?;
                let change = state.next_change();
                // 9 is not held: there is nothing to tell of it.
                let ids = [3, 2, 9].map(MailId);
                let (deleted, _) = store::suspended::delete(tx, &ids, "expired", Millis(5_000), change)?;
                account_state::save(tx, &state)?;
                Ok((change, deleted))
            })
            .unwrap();
        assert_eq!((change, deleted), (2, 2));
        let sql = "SELECT change, kind, id FROM tombstones WHERE account_id = 1 ORDER BY change, kind, id";
        let rows = store.read_blocking(move |tx| tx.query(sql, &[])).unwrap();
        let stones: Vec<_> = rows
            .into_iter()
            .map(|mut row| (row.int().unwrap(), row.text().unwrap(), row.int().unwrap()))
            .collect();
        assert_eq!(stones, [2, 3].map(|id| (2, "suspended_ticket".to_owned(), id)));
        assert!(expired(store, i64::MAX).is_empty());
        let left = "SELECT id FROM suspended_tickets WHERE account_id = 1 ORDER BY id";
        let left = store.read_blocking(move |tx| tx.query(left, &[])).unwrap();
        assert_eq!(left.len(), 1, "the one that nobody asked to delete");
    });
}

#[test]
fn who_wants_to_hear_of_held_mail_is_told_at_the_next_full_step() {
    on_both(|store| {
        held(store, Conditions { digest_every: Some(1_000), ..USUAL });
        let due = |now| {
            store
                .read_blocking(move |tx| timer::due(&mut tx.account(AccountId(1)), Kind::Digest, now))
                .unwrap()
        };
        assert_eq!((due(Millis(999)), due(Millis(1_000))), (vec![], vec![0]));
        let sql = "SELECT due_at FROM work WHERE account_id = $1 AND kind = $2";
        let told = store.read_blocking(move |tx| tx.find(sql, &values![1, "digest"])).unwrap();
        assert_eq!(told.unwrap().int().unwrap(), 1_000);
        store
            .write_blocking(|tx| {
                timer::remove_until(&mut tx.account(AccountId(1)), Kind::Digest, Millis(1_000))
            })
            .unwrap();
        let next = store.read_blocking(|tx| work::next_due(tx, Kind::Digest, &[AccountId(1)])).unwrap();
        assert_eq!(next, [].into());
    });
}
