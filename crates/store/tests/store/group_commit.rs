//! Closures that fail take nothing with them, however many are committed together.

use std::sync::Arc;

use desk::id::AccountId;
use store::testing::Sql as _;
use store::{Store, StoreError, values};
use testkit::database::both;

use crate::support::{on_both, open, wait};

fn put(tx: &mut store::Tx<'_>, number: i64) -> store::Result<u64> {
    let sql = "INSERT INTO versions (name, version) VALUES ($1, $2)";
    tx.execute(sql, &values![&format!("row {number}"), number])
}

fn insert(tx: &mut store::Tx<'_>, number: i64) -> store::Result<()> {
    let name = format!("row {number}");
    tx.insert_rows("INSERT INTO versions (name, version) VALUES ($1, $2)", &[values![&name, number]])
}

/// On PostgreSQL such a statement only travels with a later one: its error must show all the same, and first.
#[test]
fn a_statement_that_nobody_waits_for_fails_its_transaction() {
    on_both(|store| {
        let conflict = |outcome: store::Result<()>| {
            assert!(matches!(outcome, Err(StoreError::Conflict(_))), "{outcome:?}")
        };
        store.write_blocking(|tx| insert(tx, 1)).unwrap();
        // The last of its transaction; before a question; before another write.
        conflict(store.write_blocking(|tx| insert(tx, 2).and_then(|()| insert(tx, 1))));
        conflict(store.write_blocking(|tx| {
            insert(tx, 1)?;
            tx.query("SELECT version FROM versions", &[]).map(drop)
        }));
        conflict(store.write_blocking(|tx| insert(tx, 1).and_then(|()| insert(tx, 2))));
        // A closure that fails leaves nothing of what it wrote.
        let failed =
            store.write_blocking(|tx| insert(tx, 2).and(Err::<(), _>(StoreError::Changed("this one"))));
        assert!(matches!(failed, Err(StoreError::Changed("this one"))), "{failed:?}");
        assert_eq!(rows(store), [1]);
    });
}

#[test]
fn answers_come_in_any_order_and_tell_what_was_written_before_them() {
    on_both(|store| {
        let sql = "SELECT version FROM versions WHERE name = $1";
        let seen = store.write_blocking(move |tx| {
            let before = tx.ask(sql, &values!["row 1"])?;
            insert(tx, 1)?;
            let after = tx.ask_in(
                "SELECT version FROM versions WHERE name IN ($1..)",
                &[],
                &values!["row 1", "row 2"],
            )?;
            let raised = tx.ask_rows(
                "UPDATE versions SET version = $1 WHERE name = $2",
                &[values![5, "row 1"], values![5, "no"]],
            )?;
            let last = tx.find(sql, &values!["row 1"])?.map(|mut row| row.int()).transpose()?;
            Ok((last, tx.changed(raised)?, tx.rows(after)?.len(), tx.rows(before)?.len()))
        });
        assert_eq!(seen.unwrap(), (Some(5), 1, 1, 0));
        assert_eq!(rows(store), [5]);
    });
}

fn rows(store: &Store) -> Vec<i64> {
    let read = store.read_blocking(|tx| {
        let rows = tx.query("SELECT version FROM versions WHERE name LIKE 'row %' ORDER BY version", &[])?;
        rows.into_iter().map(|mut row| row.int()).collect()
    });
    read.unwrap()
}

#[test]
fn closures_that_fail_do_not_hurt_their_neighbours() {
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
                                    3 => tx.execute("SELECT no_function(1)", &[]),
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
                2 => {
                    matches!(outcome, Err(StoreError::Panicked(text)) if *text == format!("number {number}"))
                }
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

#[test]
fn values_are_bound_by_number_and_the_account_is_the_first() {
    let insert = "INSERT INTO ticket_ccs (user_id, account_id, ticket_id) VALUES ($3, $1, $2)";
    let select =
        "SELECT count(*) FROM ticket_ccs WHERE ticket_id IN ($3..) AND user_id >= $2 AND account_id = $1";
    let delete = "DELETE FROM ticket_ccs WHERE user_id = $3 AND ticket_id = $2 AND account_id = $1";
    on_both(|store| {
        let rows = [values![7, 70], values![8, 80], values![9, 90]];
        let count = |account_id| {
            store
                .read_blocking(move |tx| {
                    let mut tx = tx.account(AccountId(account_id));
                    tx.query_in(select, &values![80], &values![7, 8, 9])?.remove(0).int()
                })
                .unwrap()
        };
        for account_id in [1, 2] {
            store
                .write_blocking(move |tx| tx.account(AccountId(account_id)).insert_rows(insert, &rows))
                .unwrap();
        }
        assert_eq!([count(1), count(2)], [2, 2]);
        let gone = store
            .write_blocking(move |tx| tx.account(AccountId(1)).execute_rows(delete, &rows[1..]))
            .unwrap();
        assert_eq!((gone, count(1), count(2)), (2, 0, 2));
        let short = store.write_blocking(move |tx| tx.account(AccountId(1)).execute(delete, &values![7]));
        assert!(short.is_err(), "a value that is missing is an error");
    });
}
