//! Ids are never given twice, no matter who asks.

use std::collections::BTreeSet;
use std::thread;

use testkit::database::both;

use crate::support::{on_both, open};

#[test]
fn ids_are_unique_over_threads_and_nodes() {
    const THREADS: usize = 6;
    const RUNS: usize = 25;
    const RUN: usize = 1_000;
    for database in both() {
        let nodes = [open(&database), open(&database)];
        nodes[0].migrate().unwrap();
        let mut seen = BTreeSet::new();
        thread::scope(|scope| {
            let takers: Vec<_> = (0..THREADS)
                .map(|number| {
                    let node = &nodes[number % nodes.len()];
                    scope.spawn(move || {
                        let mut taken = Vec::new();
                        for _ in 0..RUNS {
                            let mut ids = node.ids_blocking(RUN).unwrap();
                            taken.extend((0..RUN).map(|_| ids.next().unwrap()));
                            assert!(ids.next().is_err(), "a run ends where it was asked to");
                        }
                        taken
                    })
                })
                .collect();
            for taker in takers {
                seen.extend(taker.join().unwrap());
            }
        });
        assert_eq!(seen.len(), THREADS * RUNS * RUN, "on {}", database.engine);
        assert!(seen.first() > Some(&0), "ids are positive");
        // Small enough to be exact in JavaScript, whatever happens to the blocks.
        assert!(seen.last() < Some(&(1 << 40)));
    }
}

#[test]
fn more_ids_than_a_block_holds_are_given_in_one_run() {
    on_both(|store| {
        let mut first = store.ids_blocking(3).unwrap();
        let first = [first.next().unwrap(), first.next().unwrap(), first.next().unwrap()];
        let mut many = store.ids_blocking(70_000).unwrap();
        let many: BTreeSet<i64> = (0..70_000).map(|_| many.next().unwrap()).collect();
        assert_eq!(many.len(), 70_000);
        assert!(first.iter().all(|id| !many.contains(id)));
        let after = store.ids_blocking(1).unwrap().next().unwrap();
        assert!(!many.contains(&after) && !first.contains(&after));
    });
}

#[test]
fn a_closure_that_runs_again_has_the_same_ids_and_learns_when_they_are_too_few() {
    on_both(|store| {
        let reserved = store.ids_blocking(10).unwrap();
        assert!(reserved.has(10) && !reserved.has(11));
        let same = [reserved.again().next().unwrap(), reserved.again().next().unwrap()];
        assert_eq!(same[0], same[1]);
        assert!(store.ids_blocking(1).unwrap().next().unwrap() > same[0] + 9);
    });
}

#[test]
fn what_was_not_used_is_given_out_again() {
    on_both(|store| {
        let mut reserved = store.ids_blocking(60_000).unwrap();
        let used = reserved.next().unwrap();
        store.give_back(reserved);
        let mut again = store.ids_blocking(59_999).unwrap();
        assert_eq!(again.next().unwrap(), used + 1);
        let mut rest: Vec<i64> = (0..100).map(|_| store.ids_blocking(50).unwrap().next().unwrap()).collect();
        rest.sort_unstable();
        assert!(rest.windows(2).all(|pair| pair[1] - pair[0] == 50), "one run after the other");
        assert!(rest[0] > used + 59_999);
    });
}
