//! When the database may not grow any more, mail is refused, what was there stays, and all goes on once there is room.
//!
//! SQLite says "full" here because of a page limit; it is the same error as on a full disk, which the end-to-end tests
//! have for real.

use desk::id::AccountId;
use store::StoreError;
use store::raw::Packed;
use store::spool::NewMail;
use store::testing::Sql as _;
use testkit::database;

use crate::support::{account, mail, open, wait};

#[test]
fn a_full_database_refuses_mail_and_recovers() {
    let database = database::sqlite();
    let store = open(&database);
    store.migrate().unwrap();
    account(&store, 1, "acme").unwrap();
    wait(store.spool(vec![mail(1, 1, 1)])).unwrap();
    let limit = |pages: &'static str| store.write_blocking(move |tx| tx.query(pages, &[])).unwrap();
    // No smaller than it is: SQLite raises the limit to the present size.
    limit("PRAGMA max_page_count = 1");

    let large = |id| NewMail {
        packed: Packed { size_bytes: 9, body: Some(vec![7; 200_000]), blob: None },
        ..mail(1, id, id)
    };
    let refused = wait(store.spool(vec![large(2)]));
    assert!(
        matches!(&refused, Err(error @ StoreError::Unavailable(_)) if error.is_transient()),
        "{refused:?}"
    );
    let waiting =
        || store.read_blocking(|tx| store::spool::page(&mut tx.account(AccountId(1)), None, 10)).unwrap();
    assert_eq!(waiting().iter().map(|row| row.id.0).collect::<Vec<_>>(), [1]);

    limit("PRAGMA max_page_count = 1000000");
    wait(store.spool(vec![large(2)])).unwrap();
    assert_eq!(waiting().iter().map(|row| row.id.0).collect::<Vec<_>>(), [1, 2]);
}
