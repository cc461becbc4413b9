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
/// Commits after which statistics are first looked at, how much longer each time until then, and the longest time: tables grow
/// fastest at first.
const FIRST_STATISTICS: u64 = 64;
const LONGER: u64 = 4;
const STATISTICS_AT_LATEST: u64 = 16_384;

/// How far a writer has come.
#[derive(Debug)]
pub(super) struct Housekeeping {
    commits: u64,
    statistics_at: u64,
}

impl Housekeeping {
    pub(super) fn new() -> Housekeeping {
        Housekeeping { commits: 0, statistics_at: FIRST_STATISTICS }
    }

    /// Counts a commit, and does what is due. What fails now is done another time.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        self.commits += 1;
        if self.commits.is_multiple_of(EVERY)
            && let Err(error) = give_back(connection)
        {
            tracing::debug!(%error, "Free pages of the database were not given back");
        }
        if self.commits >= self.statistics_at {
            self.statistics_at += (self.statistics_at * (LONGER - 1)).min(STATISTICS_AT_LATEST);
            if let Err(error) = run(connection, "PRAGMA optimize = 0x10002") {
                tracing::debug!(%error, "The statistics of the database were not renewed");
            }
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

/// Runs a statement to its end. Each step of `incremental_vacuum` gives back one page alone.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
