//! A closure that refuses: nothing of it is written, and its error arrives as it was.

use desk::clock::Millis;
use store::account::NewAccount;
use store::{Store, StoreError, Tx};

use crate::support::{on_both, wait};

#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("account {0} is one too many")]
    TooMany(i64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn insert(tx: &mut Tx<'_>, id: i64, subdomain: &str) -> Result<(), MakeError> {
    let (subdomain, name) = (subdomain.to_owned(), String::new());
    let account = NewAccount { id: desk::id::AccountId(id), subdomain, name, created_at: Millis(1) };
    Ok(store::account::insert(tx, &account)?)
}

fn accounts(store: &Store) -> Vec<i64> {
    let accounts = store.read_blocking(store::account::list).unwrap();
    accounts.iter().map(|account| account.id.0).collect()
}

#[test]
fn a_refusal_rolls_back_what_was_written_before_it() {
    on_both(|store| {
        wait(store.write_or(|tx| insert(tx, 1, "acme"))).unwrap();
        let refused = wait(store.write_or(|tx| {
            insert(tx, 2, "other")?;
            Err::<(), _>(MakeError::TooMany(2))
        }));
        assert!(matches!(refused, Err(MakeError::TooMany(2))), "{refused:?}");
        assert_eq!(accounts(store), [1]);
        // The connection is as good as before.
        assert_eq!(wait(store.write_or(|tx| insert(tx, 3, "third").map(|()| "made"))).unwrap(), "made");
        assert_eq!(accounts(store), [1, 3]);
    });
}

#[test]
fn an_error_of_the_store_stays_one() {
    on_both(|store| {
        wait(store.write_or(|tx| insert(tx, 1, "acme"))).unwrap();
        let conflict = wait(store.write_or(|tx| {
            insert(tx, 2, "other")?;
            insert(tx, 3, "acme")
        }));
        assert!(matches!(conflict, Err(MakeError::Store(StoreError::Conflict(_)))), "{conflict:?}");
        assert_eq!(accounts(store), [1]);
        store.close();
        let closed = wait(store.write_or(|tx| insert(tx, 2, "other")));
        assert!(matches!(closed, Err(MakeError::Store(StoreError::Unavailable(_)))), "{closed:?}");
    });
}

#[test]
fn a_disk_that_is_full_is_noted_whoever_meets_it() {
    on_both(|store| {
        assert!(wait(store.check()).is_ok());
        let full = wait(store.write_or(|_| Err::<(), _>(StoreError::Unavailable("disk is full".into()))));
        assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
        let seen = wait(store.check()).unwrap_err().to_string();
        assert!(seen.contains("disk is full"), "{seen}");
    });
}

#[test]
fn a_reader_may_refuse_too() {
    on_both(|store| {
        let refused = wait(store.read_or(|tx| match store::account::list(tx)?.len() {
            0 => Err(MakeError::TooMany(0)),
            count => Ok(count),
        }));
        assert!(matches!(refused, Err(MakeError::TooMany(0))), "{refused:?}");
        wait(store.write_or(|tx| insert(tx, 1, "acme"))).unwrap();
        assert_eq!(wait(store.read_or(|tx| Ok::<_, MakeError>(store::account::list(tx)?.len()))).unwrap(), 1);
    });
}
