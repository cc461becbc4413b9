//! What a database file needs now and then: free pages given back to the file system, and statistics for the planner.
//!
//! Both are counted by commits, so that a file at rest costs nothing and no timer is needed.

use rusqlite::Connection;

/// Commits between two looks at the free pages.
const EVERY: u64 = 64;
/// Free pages that stay, for mail to come: 8 MiB.
const FREE_KEPT: i64 = 1024;
/// Pages given back at a time, so that no commit waits for long: 2 MiB.
const GIVEN_BACK: i64 = 256;
/// Commits between two looks at the statistics, which keep the writer for some milliseconds.
const STATISTICS_EVERY: u64 = 4_096;

/// Rows that an account has in a table on average, from which on its statistics are kept.
const ROWS_OF_AN_ACCOUNT: i64 = 1_000;

/// How far a writer has come.
#[derive(Debug)]
pub(super) struct Housekeeping {
    commits: u64,
}

impl Housekeeping {
    pub(super) fn new() -> Housekeeping {
        Housekeeping { commits: 0 }
    }

    /// Counts a commit, and does what is due. What fails now is done another time.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        self.commits += 1;
        if self.commits.is_multiple_of(EVERY)
            && let Err(error) = give_back(connection)
        {
            tracing::debug!(%error, "Free pages of the database were not given back");
        }
        if self.commits.is_multiple_of(STATISTICS_EVERY)
            && let Err(error) = renew_statistics(connection)
        {
            tracing::debug!(%error, "The statistics of the database were not renewed");
        }
    }
}

/// Shortens the file by some of the free pages, down to those that stay.
fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    let pages = (free - FREE_KEPT).min(GIVEN_BACK);
    if pages <= 0 {
        return Ok(());
    }
    run(connection, &format!("PRAGMA incremental_vacuum({pages})"))
}

/// Renews the planner's statistics, and drops those that say an account has few rows in a table. They hold on average, and until
/// the table grows: with them a batch would go through all rows of a large account instead of looking each one up.
fn renew_statistics(connection: &Connection) -> rusqlite::Result<()> {
    // Rows of an index that are looked at: more than would be kept as too few.
    run(connection, &format!("PRAGMA analysis_limit = {}", 2 * ROWS_OF_AN_ACCOUNT))?;
    run(connection, "PRAGMA optimize = 0x10002")?;
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1')";
    if !connection.query_row(is_there, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    // `stat` is how many rows there are, then how many of them have the same first column, the account.
    connection.execute(
        "DELETE FROM sqlite_stat1 WHERE idx IS NULL OR CAST(substr(stat, instr(stat, ' ') + 1) AS INTEGER) < ?1",
        [ROWS_OF_AN_ACCOUNT],
    )?;
    run(connection, "ANALYZE sqlite_schema")
}

/// Runs a statement to its end. Each step of `incremental_vacuum` gives back one page alone.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
