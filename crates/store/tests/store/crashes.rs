//! Programs that stop with an account in hand are counted when its lease is claimed again.

use std::collections::BTreeMap;

use desk::id::{AccountId, MailId};
use store::testing::Sql as _;
use store::work::{self, Kind, Lease};
use store::{Store, StoreError, crash};

use crate::support::{account, mail, on_both, wait};

/// Claims account 1 as one holder, with the epochs that this program was given before.
fn claim(store: &Store, given: &[i64]) -> Lease {
    let given: BTreeMap<AccountId, i64> = given.iter().map(|epoch| (AccountId(1), *epoch)).collect();
    let claimed = store.write_blocking(move |tx| {
        let leases = work::claim(tx, Kind::Mail, &[AccountId(1)], "a", true, 60_000)?;
        crash::count(tx, leases, &given)
    });
    claimed.unwrap().remove(0)
}

fn release(store: &Store, lease: Lease) {
    store.write_blocking(move |tx| work::release(tx, std::slice::from_ref(&lease))).unwrap();
}

fn try_alone(store: &Store, lease: &Lease, id: i64) -> store::Result<i64> {
    let lease = lease.clone();
    store.write_blocking(move |tx| crash::try_alone(tx, &lease, MailId(id)))
}

/// Takes a mail off the spool, as its decision does.
fn close(store: &Store, id: i64) {
    let sql = "DELETE FROM spool WHERE account_id = 1 AND id = $1";
    assert_eq!(store.write_blocking(move |tx| tx.execute(sql, &[store::Value::Int(id)])).unwrap(), 1);
}

#[test]
fn a_lease_that_was_not_given_back_tells_of_a_crash() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 1), mail(1, 2, 2)])).unwrap();
        let first = claim(store, &[]);
        assert_eq!((first.was_left, first.crashes), (false, 0), "nobody held it");
        let again = claim(store, &[first.epoch]);
        assert_eq!((again.was_left, again.crashes), (true, 0), "it is this program's own");
        release(store, again);
        assert_eq!(claim(store, &[]).crashes, 0, "it was given back");
        assert_eq!(
            [claim(store, &[]), claim(store, &[])].map(|lease| lease.crashes),
            [1, 2],
            "nothing was decided in between"
        );
        close(store, 1);
        assert_eq!(claim(store, &[]).crashes, 1, "a batch was closed in between");
        let last = claim(store, &[]);
        assert_eq!((last.crashes, claim(store, &[last.epoch]).crashes), (2, 2), "what was counted stays");
    });
}

#[test]
fn a_mail_that_is_worked_alone_has_its_own_count() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        wait(store.spool(vec![mail(1, 1, 1), mail(1, 2, 2)])).unwrap();
        let stuck = [claim(store, &[]), claim(store, &[]), claim(store, &[])].map(|lease| lease.crashes);
        assert_eq!(stuck, [0, 1, 2]);
        let lease = claim(store, &[]);
        assert_eq!(
            (lease.crashes, try_alone(store, &lease, 1).unwrap()),
            (3, 0),
            "no crash is this mail's fault yet"
        );
        assert_eq!(
            try_alone(store, &lease, 1).unwrap(),
            0,
            "a try that failed without a crash does not count"
        );
        close(store, 1);
        assert_eq!(try_alone(store, &lease, 2).unwrap(), 0);
        let lease = claim(store, &[]);
        assert!(lease.crashes >= crash::CAREFUL_FROM);
        assert_eq!(try_alone(store, &lease, 2).unwrap(), 1);
        let next = claim(store, &[]);
        assert_eq!(try_alone(store, &next, 2).unwrap(), 2);
        assert!(
            matches!(try_alone(store, &lease, 2), Err(StoreError::Fenced { account_id: AccountId(1) })),
            "a frozen node counts nothing"
        );
        let held = next.clone();
        store.write_blocking(move |tx| crash::put_down(tx, &held)).unwrap();
        assert_eq!(try_alone(store, &next, 2).unwrap(), 0, "it failed, and so did not stop the program");
        let held = next.clone();
        store.write_blocking(move |tx| crash::forget(tx, &held)).unwrap();
        assert_eq!(claim(store, &[next.epoch]).crashes, 0);
    });
}
