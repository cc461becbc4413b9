//! Prepared statements that a connection keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::hooks::{AuthContext, Authorization};

use super::{Connection, READER_STATEMENTS, WRITER_STATEMENTS, open_reader, open_writer, query};
use crate::value::Bound;

/// Runs statements at a connection's limit and one beyond.
fn keeps(mut connection: Connection, most: usize) {
    let compiled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&compiled);
    // Asked for each statement that is compiled, and not for one that is kept.
    let count = move |_: AuthContext<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Authorization::Allow
    };
    connection.authorizer(Some(count)).unwrap();
    let is_compiled = |number: usize| {
        let before = compiled.load(Ordering::Relaxed);
        let bound = Bound { account: None, values: &[] };
        query(&connection, &format!("VALUES ({number})"), bound).unwrap();
        compiled.load(Ordering::Relaxed) > before
    };
    assert!((0..most).all(is_compiled));
    assert!(!(0..most).any(is_compiled), "all are kept at the limit");
    assert!(!is_compiled(0), "used again");
    assert!(is_compiled(most), "one beyond");
    assert!(!is_compiled(0));
    assert!(is_compiled(1), "not used the longest");
}

#[test]
fn a_connection_keeps_so_many_statements_and_forgets_the_one_not_used_the_longest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guichet.db");
    keeps(open_writer(&path).unwrap(), WRITER_STATEMENTS);
    keeps(open_reader(&path).unwrap(), READER_STATEMENTS);
}
