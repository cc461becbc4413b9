//! A database opened without the product, to be filled in bulk: plain SQL, the same on both engines.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// Quick and forgetful: a fill that is interrupted starts over with a new database. The log stays off until the product opens the file.
const SQLITE_SESSION: &str =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;
                              PRAGMA temp_store = MEMORY;";
/// No statement of a fill may hang: each ends after five minutes.
const POSTGRES_SESSION: &str =
    "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB';
                                SET statement_timeout = '300s'; SET max_parallel_maintenance_workers = 2";

/// The number of changed rows from which autovacuum analyzes a table (`autovacuum_analyze_threshold`).
const AUTOVACUUM_FROM: i64 = 50;

/// One session on the database of a desk of which no process runs.
pub(crate) enum Bulk {
    /// The embedded file.
    Sqlite(Connection),
    /// A server's database.
    Postgres(Runtime, Client),
}

/// A column, as far as copying rows needs to know it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) is_text: bool,
    pub(crate) is_integer: bool,
}

impl Bulk {
    /// Opens a SQLite file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn sqlite(path: &Path) -> Result<Self> {
        let connection = Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
        connection.execute_batch(SQLITE_SESSION)?;
        Ok(Self::Sqlite(connection))
    }

    /// Opens a database of a PostgreSQL server.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn postgres(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.context("connecting to fill a database")?;
            tokio::spawn(connection);
            client.batch_execute(POSTGRES_SESSION).await?;
            anyhow::Ok(client)
        })?;
        Ok(Self::Postgres(runtime, client))
    }

    /// Runs statements that have no values and give no rows.
    ///
    /// # Errors
    /// As the database says, with the statement.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        let done = match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).map_err(anyhow::Error::from),
            Self::Postgres(runtime, client) => {
                runtime.block_on(client.batch_execute(sql)).map_err(anyhow::Error::from)
            }
        };
        done.with_context(|| format!("running {sql}"))
    }

    /// Asks for one integer; NULL is 0.
    ///
    /// # Errors
    /// As the database says, with the statement.
    pub(crate) fn number(&self, sql: &str) -> Result<i64> {
        let found = match self {
            Self::Sqlite(connection) => {
                connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map_err(anyhow::Error::from)
            }
            Self::Postgres(runtime, client) => runtime
                .block_on(client.query_one(sql, &[]))
                .and_then(|row| row.try_get::<_, Option<i64>>(0))
                .map_err(anyhow::Error::from),
        };
        Ok(found.with_context(|| format!("asking {sql}"))?.unwrap_or_default())
    }

    /// The tables that have a column `account_id`, in order of their names.
    ///
    /// # Errors
    /// As the database says.
    pub(crate) fn tables(&self) -> Result<Vec<String>> {
        let sql = match self {
            Self::Sqlite(_) => {
                "SELECT m.name, '' FROM sqlite_master m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.name = 'account_id' ORDER BY m.name"
            }
            Self::Postgres(..) => {
                "SELECT c.table_name::text, '' FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
                 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = 'account_id' ORDER BY 1"
            }
        };
        Ok(self.pairs(sql)?.into_iter().map(|(name, _)| name).collect())
    }

    /// A table's columns in their order.
    ///
    /// # Errors
    /// As the database says.
    pub(crate) fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let sql = match self {
            Self::Sqlite(_) => {
                format!("SELECT name, lower(type) FROM pragma_table_info('{table}') ORDER BY cid")
            }
            Self::Postgres(..) => format!(
                "SELECT column_name::text, data_type::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        Ok(self
            .pairs(&sql)?
            .into_iter()
            .map(|(name, kind)| Column {
                name,
                is_text: kind == "text",
                is_integer: kind.ends_with("int") || kind == "integer",
            })
            .collect())
    }

    /// Name and `CREATE INDEX` text of every index that is not a table's key.
    ///
    /// # Errors
    /// As the database says.
    pub(crate) fn indexes(&self) -> Result<Vec<(String, String)>> {
        self.pairs(match self {
            Self::Sqlite(_) => "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            Self::Postgres(..) => {
                "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
                 AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            }
        })
    }

    /// Leaves the database as a server that has run for a long time would have it: PostgreSQL gathers its planner's
    /// statistics by itself, while the product never asks SQLite to.
    ///
    /// # Errors
    /// As the database says.
    pub(crate) fn finish(self) -> Result<()> {
        match &self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(..) => {
                for (table, _) in
                    self.pairs("SELECT relname::text, '' FROM pg_stat_user_tables ORDER BY 1")?
                {
                    self.vacuum(&table)?;
                }
                self.run("CHECKPOINT")
            }
        }
    }

    /// Vacuums and analyzes a table, unless autovacuum would not: statistics of one row mislead when there are
    /// thousands. Also writes what the first reader of each page would otherwise have to write.
    fn vacuum(&self, table: &str) -> Result<()> {
        let count = self.number(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {AUTOVACUUM_FROM}) AS few"
        ))?;
        if count < AUTOVACUUM_FROM { Ok(()) } else { self.run(&format!("VACUUM (ANALYZE) {table}")) }
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Self::Postgres(runtime, client) => {
                let rows = runtime.block_on(client.query(sql, &[]))?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            }
        }
    }
}
