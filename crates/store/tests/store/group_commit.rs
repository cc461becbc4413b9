//! Closures that fail take nothing with them, however many are committed together.

use std::sync::Arc;

use store::{Store, StoreError, values};
use testkit::database::both;

use crate::support::{on_both, open, wait};

fn put(tx: &mut store::Tx<'_>, number: i64) -> store::Result<u64> {
    let sql = "INSERT INTO versions (name, version) VALUES ($1, $2)";
    tx.execute(sql, &values![&format!("row {number}"), number])
}

fn rows(store: &Store) -> Vec<i64> {
    let read = store.read_blocking(|tx| {
        let rows = tx.query("SELECT version FROM versions WHERE name LIKE 'row %' ORDER BY version", &[])?;
        rows.into_iter().map(|mut row| row.int()).collect()
    });
    read.unwrap()
}

#[test]
fn closures_that_fail_do_not_hurt_those_beside_them() {
    on_both(|store| {
        let outcomes = wait(async {
            let tasks: Vec<_> = (0..100)
                .map(|number| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        store
                            .write(move |tx| {
                                put(tx, number)?;
                                match number % 5 {
                                    1 => Err(StoreError::Changed("this one")),
                                    2 => panic!("number {number}"),
                                    3 => tx.execute("INSERT INTO nowhere (a) VALUES (1)", &[]),
                                    _ => Ok(0),
                                }
                            })
                            .await
                    })
                })
                .collect();
            let mut outcomes = Vec::new();
            for task in tasks {
                outcomes.push(task.await.unwrap());
            }
            outcomes
        });
        for (number, outcome) in outcomes.iter().enumerate() {
            let fits = match number % 5 {
                1 => matches!(outcome, Err(StoreError::Changed("this one"))),
                2 => matches!(outcome, Err(StoreError::Panicked(text)) if *text == format!("number {number}")),
                3 => matches!(outcome, Err(StoreError::Statement(_))),
                _ => outcome.is_ok(),
            };
            assert!(fits, "{number}: {outcome:?}");
        }
        let want: Vec<i64> = (0..100).filter(|number| matches!(number % 5, 0 | 4)).collect();
        assert_eq!(rows(store), want);
    });
}

#[test]
fn what_a_failed_closure_wrote_is_not_seen_by_the_next() {
    on_both(|store| {
        let failed = store.write_blocking(|tx| {
            put(tx, 1)?;
            Err::<(), _>(StoreError::Changed("something"))
        });
        assert!(failed.is_err());
        assert_eq!(store.write_blocking(|tx| put(tx, 1)).unwrap(), 1);
        assert_eq!(rows(store), [1]);
    });
}

#[test]
fn a_closure_that_goes_on_after_a_failed_statement_is_never_told_that_it_was_written_when_it_was_not() {
    on_both(|store| {
        let outcome = store.write_blocking(|tx| {
            put(tx, 1)?;
            // The second one is refused, and the closure does not care.
            let _ = put(tx, 1);
            Ok(())
        });
        assert_eq!(rows(store), if outcome.is_ok() { vec![1] } else { vec![] }, "{outcome:?}");
    });
}

#[test]
fn a_closed_store_says_so() {
    for database in both() {
        let store = open(&database);
        store.migrate().unwrap();
        store.close();
        let refused = store.write_blocking(|tx| put(tx, 1));
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
}

#[test]
fn what_was_queued_before_closing_is_written() {
    for database in both() {
        let store = Arc::new(open(&database));
        store.migrate().unwrap();
        wait(async {
            let writes: Vec<_> = (0..20)
                .map(|number| {
                    let store = Arc::clone(&store);
                    async move { store.write(move |tx| put(tx, number)).await }
                })
                .collect();
            // Polled once in order, so that all are queued before the store closes.
            let joined = futures_util::future::join_all(writes);
            let closing = Arc::clone(&store);
            let mut joined = std::pin::pin!(joined);
            let first = futures_util::poll!(joined.as_mut());
            tokio::task::spawn_blocking(move || closing.close()).await.unwrap();
            let done = match first {
                std::task::Poll::Ready(done) => done,
                std::task::Poll::Pending => joined.await,
            };
            assert!(done.iter().all(Result::is_ok), "{done:?}");
        });
        assert_eq!(rows(&open(&database)).len(), 20, "on {}", database.engine);
    }
}

#[test]
fn text_is_stored_without_the_one_character_that_not_every_database_keeps() {
    on_both(|store| {
        let written = store.write_blocking(|tx| {
            let sql = "INSERT INTO directory (key, account_id, target_id) VALUES ($1, $2, $3)";
            tx.execute(sql, &values!["a\0b", 1, 0])?;
            tx.insert_rows(sql, &[values!["\0", 2, 0], values!["c\0\0d\u{1}", 3, 0]])?;
            // What is looked for is written the same way.
            let found = tx.query(
                "SELECT key FROM directory WHERE key IN ($1, $2, $3) ORDER BY account_id",
                &values!["ab\0", "", "cd\u{1}"],
            )?;
            found.into_iter().map(|mut row| row.text()).collect::<store::Result<Vec<String>>>()
        });
        assert_eq!(written.unwrap(), ["ab", "", "cd\u{1}"]);
    });
}

#[test]
fn readers_write_nothing() {
    on_both(|store| {
        assert!(store.read_blocking(|tx| put(tx, 1)).is_err());
        assert_eq!(rows(store), Vec::<i64>::new());
    });
}
