//! Two nodes, each with a lane of its own, share what is due.

use std::collections::BTreeSet;
use std::time::Duration;

use desk::clock::Millis;
use desk::id::AccountId;
use store::Store;
use store::lane::Lane;
use store::testing::Sql as _;
use store::work::{self, Kind, Lease};
use testkit::database::both;

use crate::support::{account, mail, open, wait};

/// Longer than any test takes.
const LONG: i64 = 60_000;

/// The mail of accounts 1 to 6 as two nodes see it.
struct Nodes {
    one: Store,
    other: Store,
}

impl Nodes {
    fn lanes(&self, kind: Kind) -> (Lane, Lane) {
        (Lane::new(self.one.clone(), kind, "a", LONG), Lane::new(self.other.clone(), kind, "b", LONG))
    }

    fn announce(&self, kind: Kind, accounts: &[i64]) {
        let accounts: Vec<AccountId> = accounts.iter().copied().map(AccountId).collect();
        self.one.write_blocking(move |tx| work::announce(tx, kind, &accounts, Millis(0))).unwrap();
    }
}

/// Runs a case on two nodes of each database, with six accounts.
fn on_both_with_two(case: impl Fn(&Nodes)) {
    for database in both() {
        let one = open(&database);
        one.migrate().unwrap();
        (1..=6).for_each(|id| account(&one, id, &format!("a{id}")).unwrap());
        println!("on {}", database.engine);
        let nodes = Nodes { one, other: open(&database) };
        case(&nodes);
        nodes.one.close();
        nodes.other.close();
    }
}

fn accounts(leases: &[Lease]) -> Vec<i64> {
    leases.iter().map(|lease| lease.account_id.0).collect()
}

async fn claim(lane: &mut Lane, room: usize) -> Vec<i64> {
    accounts(&lane.claim(room).await.unwrap())
}

fn ids(accounts: &[i64]) -> Vec<AccountId> {
    accounts.iter().copied().map(AccountId).collect()
}

#[test]
fn two_nodes_share_what_is_due_and_neither_takes_more_than_it_has_room_for() {
    on_both_with_two(|nodes| {
        nodes.announce(Kind::Mail, &[1, 2, 3, 4, 5, 6]);
        let (mut a, mut b) = nodes.lanes(Kind::Mail);
        wait(async {
            assert!(a.is_empty());
            assert!(claim(&mut a, 0).await.is_empty());
            assert_eq!(claim(&mut a, 4).await, [1, 2, 3, 4]);
            assert_eq!(claim(&mut b, 9).await, [5, 6]);
            assert_eq!((claim(&mut a, 9).await, claim(&mut b, 9).await), (vec![], vec![]));
            assert_eq!((a.len(), b.accounts()), (4, ids(&[5, 6])));
            // What one gives back, with more to do, is the other's at once.
            a.give_back(&[AccountId(2)]).await.unwrap();
            assert_eq!(a.lease(AccountId(2)), None);
            assert_eq!(claim(&mut b, 9).await, [2]);
            a.release().await.unwrap();
            assert!(a.is_empty());
            assert_eq!(claim(&mut b, 9).await, [1, 3, 4]);
        });
    });
}

#[test]
fn two_nodes_that_look_at_once_never_hold_the_same_account() {
    on_both_with_two(|nodes| {
        let (mut a, mut b) = nodes.lanes(Kind::Mail);
        wait(async {
            for _ in 0..10 {
                let all = ids(&[1, 2, 3, 4, 5, 6]);
                nodes.one.write(move |tx| work::announce(tx, Kind::Mail, &all, Millis(0))).await.unwrap();
                let (first, second) = tokio::join!(a.claim(3), b.claim(3));
                let (first, second) = (accounts(&first.unwrap()), accounts(&second.unwrap()));
                let both: BTreeSet<i64> = first.iter().chain(&second).copied().collect();
                assert_eq!(both.len(), first.len() + second.len(), "{first:?} {second:?}");
                let (first, second) = tokio::join!(a.release(), b.release());
                first.and(second).unwrap();
            }
        });
    });
}

#[test]
fn an_account_on_which_a_node_fails_is_left_alone_by_it_and_free_for_the_other() {
    on_both_with_two(|nodes| {
        nodes.announce(Kind::Mail, &[1, 2]);
        let (mut a, mut b) = nodes.lanes(Kind::Mail);
        wait(async {
            assert_eq!(claim(&mut a, 9).await, [1, 2]);
            assert_eq!(a.failed(AccountId(1)).await, Duration::from_millis(500));
            // Once more and more, so that its wait is longer than this test takes.
            for _ in 0..9 {
                a.failed(AccountId(1)).await;
            }
            assert_eq!((a.accounts(), claim(&mut a, 9).await), (ids(&[2]), vec![]));
            assert_eq!(claim(&mut b, 9).await, [1], "free at once");
            b.failed(AccountId(1)).await;
            // It went well here at last: nothing is left alone any more.
            a.succeeded(AccountId(1));
            assert_eq!(claim(&mut a, 9).await, [1]);
            assert_eq!(a.failed(AccountId(1)).await, Duration::from_millis(500));
        });
    });
}

#[test]
fn a_lease_that_another_node_took_over_is_told_when_it_is_renewed() {
    on_both_with_two(|nodes| {
        nodes.announce(Kind::Mail, &[1, 2]);
        let (_, mut b) = nodes.lanes(Kind::Mail);
        // Leases of no length: they run out, and want to be renewed, as soon as they are given.
        let mut frozen = Lane::new(nodes.one.clone(), Kind::Mail, "a", 0);
        wait(async {
            assert_eq!(claim(&mut frozen, 9).await, [1, 2]);
            let epoch = frozen.lease(AccountId(1)).unwrap().epoch;
            assert!(frozen.ends(AccountId(1), epoch).is_some());
            assert!(frozen.ends(AccountId(1), epoch - 1).is_none(), "an older claim's");
            assert_eq!(claim(&mut b, 1).await, [1]);
            assert_eq!(frozen.renew().await.unwrap(), ids(&[1]));
            assert_eq!((frozen.accounts(), frozen.ends(AccountId(1), epoch)), (ids(&[2]), None));
            assert_eq!(frozen.renew().await.unwrap(), [], "told once");
            // The successor's is not old enough to be renewed, and was lost by nobody.
            assert_eq!((b.renew().await.unwrap(), b.accounts()), (vec![], ids(&[1])));
        });
    });
}

#[test]
fn what_has_nothing_to_do_is_given_back_and_what_is_due_is_kept() {
    on_both_with_two(|nodes| {
        wait(async {
            nodes.one.spool(vec![mail(1, 1, 1), mail(2, 2, 1)]).await.unwrap();
            let (mut a, mut b) = nodes.lanes(Kind::Mail);
            assert_eq!(claim(&mut a, 9).await, [1, 2]);
            nodes.one.write(|tx| tx.batch("DELETE FROM spool WHERE account_id = 2")).await.unwrap();
            assert_eq!(a.put_down(&ids(&[1, 2, 3])).await.unwrap(), ids(&[1]));
            assert_eq!(a.accounts(), ids(&[1]));
            assert!(claim(&mut b, 9).await.is_empty(), "nothing waits there");
            nodes.one.spool(vec![mail(2, 3, 2)]).await.unwrap();
            assert_eq!(claim(&mut b, 9).await, [2]);
        });
    });
}

#[test]
fn a_program_that_was_started_again_waits_for_the_one_before_only_where_that_may_still_send() {
    on_both_with_two(|nodes| {
        nodes.announce(Kind::Mail, &[1]);
        nodes.announce(Kind::Outbox, &[1]);
        wait(async {
            for kind in [Kind::Mail, Kind::Outbox] {
                let (mut before, _) = nodes.lanes(kind);
                let (mut after, _) = nodes.lanes(kind);
                assert_eq!(claim(&mut before, 9).await, [1]);
                let is_taken = kind == Kind::Mail || nodes.one.is_embedded();
                assert_eq!(claim(&mut after, 9).await.len(), usize::from(is_taken), "{kind:?}");
            }
        });
    });
}

#[test]
fn a_program_that_stopped_with_mail_in_hand_is_counted_and_one_that_only_lost_it_is_not() {
    on_both_with_two(|nodes| {
        wait(async {
            nodes.one.spool(vec![mail(1, 1, 1)]).await.unwrap();
            let (mut a, _) = nodes.lanes(Kind::Mail);
            let crashes = |leases: Vec<Lease>| leases.iter().map(|lease| lease.crashes).collect::<Vec<_>>();
            assert_eq!(crashes(a.claim(9).await.unwrap()), [0]);
            // Its own, forgotten: as when a commit's answer was lost.
            a.lose(AccountId(1));
            assert_eq!(crashes(a.claim(9).await.unwrap()), [0]);
            let (mut restarted, _) = nodes.lanes(Kind::Mail);
            assert_eq!(crashes(restarted.claim(9).await.unwrap()), [1]);
        });
    });
}
