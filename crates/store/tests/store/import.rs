//! An import takes each mail once, no matter who else imports it, and whatever was there before.

use desk::id::AccountId;
use store::import::Digest;
use store::spool::NewMail;

use crate::support::{account, mail, on_both, wait};

fn found(id: i64) -> (Digest, NewMail) {
    ([u8::try_from(id % 100).unwrap(); 16], mail(1, id, id))
}

#[test]
fn each_mail_is_spooled_once_within_a_run_and_over_runs() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        // 101 has the digest of 1.
        assert_eq!(
            wait(store.spool_imported(AccountId(1), vec![found(1), found(2), found(101)])).unwrap(),
            2
        );
        assert_eq!(wait(store.spool_imported(AccountId(1), vec![found(2), found(3)])).unwrap(), 1);
        assert_eq!(wait(store.spool_imported(AccountId(1), vec![found(1), found(3)])).unwrap(), 0);
        let ids: Vec<i64> = store
            .read_blocking(|tx| store::spool::page(&mut tx.account(AccountId(1)), None, 9))
            .unwrap()
            .into_iter()
            .map(|row| row.id.0)
            .collect();
        assert_eq!(ids, [1, 2, 3]);
        let known = store
            .read_blocking(|tx| {
                store::import::known(&mut tx.account(AccountId(1)), &[[1; 16], [3; 16], [9; 16]])
            })
            .unwrap();
        assert_eq!(known.into_iter().collect::<Vec<_>>(), [[1; 16], [3; 16]]);
        assert!(
            store
                .read_blocking(|tx| store::import::known(&mut tx.account(AccountId(2)), &[[1; 16]]))
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn imports_side_by_side_take_each_mail_once() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let taken: usize = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|run| {
                    let mails = (0..40)
                        .map(|place| ([place; 16], mail(1, 1_000 * (run + 1) + i64::from(place), 1)))
                        .collect();
                    scope.spawn(move || wait(store.spool_imported(AccountId(1), mails)).unwrap())
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(taken, 40);
        assert_eq!(store.read_blocking(|tx| store::spool::count(&mut tx.account(AccountId(1)))).unwrap(), 40);
    });
}

#[test]
fn the_oldest_is_told_only_where_more_wait() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let oldest = |count| {
            store
                .read_blocking(move |tx| {
                    store::spool::oldest_of_more_than(&mut tx.account(AccountId(1)), count)
                })
                .unwrap()
                .map(|id| id.0)
        };
        assert_eq!(oldest(0), None);
        wait(store.spool(vec![mail(1, 8, 2), mail(1, 9, 1)])).unwrap();
        assert_eq!((oldest(0), oldest(1), oldest(2)), (Some(9), Some(9), None));
    });
}
