//! What differs between the two databases; nothing outside this file and the two drivers knows which one it is.

use desk::clock::Millis;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::{Inner, Tx};
use crate::values;

/// Which database a transaction runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// How the tenant tables lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    Whole,
    /// Hash-partitioned by account, as a test wants them.
    #[cfg(feature = "testing")]
    Partitioned,
}

/// For what a migration is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) tables: Tables,
    /// Others work on the database, so an index is made alongside them and outside a transaction.
    pub(crate) is_in_use: bool,
}

/// How copies of the database follow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replication {
    /// What a commit of ours waits for: `on`, `remote_apply`, `remote_write`, `local` or `off`.
    pub synchronous_commit: String,
    /// The setting `synchronous_standby_names`; empty: every standby is asynchronous.
    pub synchronous_names: String,
    /// The standbys that are connected, by name.
    pub standbys: Vec<Standby>,
}

/// A connected standby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    /// Its `application_name`; empty when we may not see it.
    pub name: String,
    /// `sync`, `quorum`, `potential` or `async`; none when we may not see it.
    pub state: Option<String>,
}

impl Tx<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The database's own clock: what leases are measured by, so nodes need not agree on the time.
    ///
    /// # Errors
    /// As the database says.
    pub fn database_now(&mut self) -> Result<Millis> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Dialect::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        };
        if let Some(clock) = &self.clock {
            return Ok(clock.now());
        }
        self.find(sql, &[])?.map_or(Ok(Millis::default()), |mut row| row.time())
    }

    /// A time that the database told, or that of the clock which a test put in its place.
    pub(crate) fn clock_or(&self, told: Millis) -> Millis {
        self.clock.as_ref().map_or(told, |clock| clock.now())
    }

    /// Bytes the whole database takes on disk, for `doctor` and metrics.
    ///
    /// # Errors
    /// As the database says.
    pub fn database_bytes(&mut self) -> Result<i64> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Dialect::Postgres => "SELECT pg_database_size(current_database())",
        };
        self.find(sql, &[])?.map_or(Ok(0), |mut row| row.int())
    }

    /// How standbys follow; none where there can be none.
    ///
    /// # Errors
    /// As the database says.
    pub fn replication(&mut self) -> Result<Option<Replication>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let settings =
            "SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";
        let mut found = Replication::default();
        if let Some(mut row) = self.find(settings, &[])? {
            (found.synchronous_commit, found.synchronous_names) = (row.text()?, row.text()?);
        }
        // A backup that is being taken and a logical subscriber never take over.
        let standbys = "SELECT coalesce(r.application_name, ''), r.sync_state FROM pg_stat_replication r
                        WHERE coalesce(r.state, '') <> 'backup' AND NOT EXISTS
                            (SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
                        ORDER BY 1, 2";
        for mut row in self.query(standbys, &[])? {
            found.standbys.push(Standby { name: row.text()?, state: row.maybe_text()? });
        }
        Ok(Some(found))
    }

    /// Whether there is a table of this name.
    pub(crate) fn has_table(&mut self, name: &str) -> Result<bool> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
            Dialect::Postgres => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        };
        Ok(self.find(sql, &values![name])?.is_some())
    }
}

impl Dialect {
    /// Locks an account's row (`crate::account_state`). The clock is read in the statement that waits for the lock, so it
    /// costs no question of its own.
    pub(crate) fn lock_account(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT epoch, change, ticket_number, version, CAST(unixepoch('subsec') * 1000 AS INTEGER)
                 FROM account_state WHERE account_id = $1"
            }
            Dialect::Postgres => {
                "SELECT epoch, change, ticket_number, version, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
                 FROM account_state WHERE account_id = $1 FOR UPDATE"
            }
        }
    }

    /// Turns the words of a migration that only one database knows: `{{bytes}}`, `{{concurrently}}`, `{{rows}}`,
    /// `{{clustered}}`, the last two also for a table that is `{{shared …}}`, and the lines between
    /// `-- only sqlite|postgres` and `-- end`.
    pub(crate) fn translate(self, migration: &str, layout: Layout) -> String {
        let (bytes, rows, clustered, skip) = match self {
            Dialect::Sqlite => ("BLOB", "STRICT", "STRICT, WITHOUT ROWID", "-- only postgres"),
            #[cfg(feature = "testing")]
            Dialect::Postgres if layout.tables == Tables::Partitioned => (
                "BYTEA",
                "PARTITION BY HASH (account_id)",
                "PARTITION BY HASH (account_id)",
                "-- only sqlite",
            ),
            Dialect::Postgres => ("BYTEA", "", "", "-- only sqlite"),
        };
        let concurrently = match self {
            Dialect::Postgres if layout.is_in_use => "CONCURRENTLY",
            Dialect::Sqlite | Dialect::Postgres => "",
        };
        // Tables outside the account walls are never partitioned.
        let (shared_rows, shared_clustered) = match self {
            Dialect::Sqlite => (rows, clustered),
            Dialect::Postgres => ("", ""),
        };
        let mut kept = String::with_capacity(migration.len());
        let mut skipping = false;
        for line in migration.lines() {
            match line.trim() {
                "-- end" => skipping = false,
                marker if marker == skip => skipping = true,
                _ if skipping => {}
                _ => {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        }
        let translated = kept
            .replace("{{bytes}}", bytes)
            .replace("{{concurrently}}", concurrently)
            .replace("{{rows}}", rows)
            .replace("{{clustered}}", clustered)
            .replace("{{shared rows}}", shared_rows)
            .replace("{{shared clustered}}", shared_clustered);
        match self {
            // STRICT knows INTEGER, which holds 64 bits there.
            Dialect::Sqlite => translated.replace("BIGINT", "INTEGER"),
            Dialect::Postgres => translated,
        }
    }
}
