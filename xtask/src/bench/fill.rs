//! Fills a desk for the flat cases: a few rows that the product itself wrote are copied many times within the database.
//!
//! No process of the desk runs meanwhile. A copy has ids, addresses, tokens and Message-IDs of its own, so that keys and
//! indexes are as large and as scattered as if each row had come by mail. The database itself
//! names the tables and columns, so that a later schema is filled by the same text.

use anyhow::Result;

use super::bulk::{Bulk, Column};

/// Tables whose rows say what is to be done: a copy would announce work that does not exist.
const WORK: [&str; 3] = ["work", "leases", "spool"];

/// Rows of one table, and how each of its columns is copied; `t` is the row, `c.k` counts the copies from 1.
struct Copy<'a> {
    /// Which rows: a condition on the columns.
    rows: String,
    /// Ids from here on get `k` times the stride added; smaller ones are shared by all copies.
    first_id: i64,
    /// Larger than the range of ids in the copied rows.
    stride: i64,
    /// Copies of each row.
    count: usize,
    /// What becomes of a column that is neither an id nor the same in every copy.
    special: &'a dyn Fn(&Column) -> Option<String>,
}

/// Copies the registered address `support@host` as `address1@host`, `address2@host` … `address{count}@host`.
///
/// # Errors
/// As the database says.
pub(crate) fn addresses(bulk: &Bulk, host: &str, count: usize) -> Result<()> {
    let special = |column: &Column| match column.name.as_str() {
        name @ ("email" | "written" | "key") => {
            Some(format!("replace(t.{name}, 'support@', 'address' || c.k || '@')"))
        }
        name @ ("account_id" | "brand_id") => Some(format!("t.{name}")),
        "is_default" => Some("0".to_owned()),
        _ => None,
    };
    let stride = last_id(bulk)?;
    for (table, rows) in [
        ("support_addresses", format!("email = 'support@{host}'")),
        ("directory", format!("key = 'address:support@{host}'")),
    ] {
        copy(bulk, table, &Copy { rows, first_id: 0, stride, count, special: &special })?;
    }
    raise_ids(bulk, stride, count)
}

/// Copies the only account, `name`, with everything it has, as `other1`, `other2` … `other{count}`.
///
/// # Errors
/// As the database says.
pub(crate) fn accounts(bulk: &Bulk, name: &str, count: usize) -> Result<()> {
    let special = |column: &Column| {
        let column_name = &column.name;
        column.is_text.then(|| format!("replace(t.{column_name}, '{name}', 'other' || c.k)"))
    };
    let stride = last_id(bulk)?;
    for table in bulk.tables()? {
        // Tokens are in the directory by their hashes, which no two accounts share.
        let rows = if table == "directory" { "key NOT LIKE 'token:%'" } else { "1 = 1" };
        copy(bulk, &table, &Copy { rows: rows.to_owned(), first_id: 0, stride, count, special: &special })?;
    }
    raise_ids(bulk, stride, count)
}

/// The newest id given so far; what comes later has a larger one.
///
/// # Errors
/// As the database says.
pub(crate) fn last_id(bulk: &Bulk) -> Result<i64> {
    bulk.number("SELECT max(next_id) FROM id_blocks")
}

/// Copies everything that has come by mail since `before` was the newest id: `count` copies of each ticket with its
/// people, comments, audits, raw mails, ledger rows and notices.
///
/// # Errors
/// As the database says.
pub(crate) fn tickets(bulk: &Bulk, before: i64, count: usize) -> Result<()> {
    let numbers = bulk.number("SELECT max(number) FROM tickets")?;
    let special = |column: &Column| match column.name.as_str() {
        name @ ("number" | "ticket_number") => Some(format!("t.{name} + c.k * {numbers}")),
        // Halved, so that no sum exceeds 64 bits.
        name @ ("hash" | "message_hash") if column.is_integer => Some(format!("t.{name} / 2 + c.k * 7919")),
        "token" => Some("t.token || c.k".to_owned()),
        name @ ("message_id" | "last_message_id" | "address") => Some(format!("c.k || '.' || t.{name}")),
        _ => None,
    };
    let indexes = bulk.indexes()?;
    // Built once over all rows, an index costs a fraction of what it costs row by row.
    indexes.iter().try_for_each(|(name, _)| bulk.run(&format!("DROP INDEX {name}")))?;
    let stride = last_id(bulk)?.saturating_sub(before);
    for table in bulk.tables()?.iter().filter(|table| !WORK.contains(&table.as_str())) {
        let columns = bulk.columns(table)?;
        let ids: Vec<String> = columns
            .iter()
            .filter(|column| is_id(column) && column.name != "account_id")
            .map(|column| format!("{} > {before}", column.name))
            .collect();
        if !ids.is_empty() {
            let first_id = before.saturating_add(1);
            copy(bulk, table, &Copy { rows: ids.join(" OR "), first_id, stride, count, special: &special })?;
        }
    }
    let copies = count.saturating_add(1);
    raise_numbers(bulk, copies)?;
    raise_ids(bulk, stride, count)?;
    indexes.iter().try_for_each(|(_, create)| bulk.run(create))
}

/// Moves the last ticket number given past those of the copies. Where it is kept differs between schemas, and an older
/// program may be measured alongside this one.
fn raise_numbers(bulk: &Bulk, copies: usize) -> Result<()> {
    if bulk.tables()?.iter().any(|table| table == "account_state") {
        bulk.run(&format!("UPDATE account_state SET ticket_number = ticket_number * {copies}"))
    } else {
        bulk.run(&format!("UPDATE counters SET value = value * {copies} WHERE name = 'ticket'"))
    }
}

fn copy(bulk: &Bulk, table: &str, copy: &Copy<'_>) -> Result<()> {
    let columns = bulk.columns(table)?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> = columns.iter().map(|column| value(column, copy)).collect();
    let names = names.join(", ");
    let values = values.join(", ");
    let rows = &copy.rows;
    let count = copy.count;
    // The outer loop counts the copies: ids then come in ascending order, page after page. CROSS JOIN keeps it so on SQLite.
    bulk.run(&format!(
        "CREATE TEMP TABLE template AS SELECT * FROM {table} WHERE {rows};
         CREATE TEMP TABLE copies AS
             WITH RECURSIVE series (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM series WHERE k < {count})
             SELECT CAST(k AS BIGINT) AS k FROM series;
         INSERT INTO {table} ({names}) SELECT {values} FROM copies c CROSS JOIN template t;
         DROP TABLE template;
         DROP TABLE copies"
    ))
}

fn value(column: &Column, copy: &Copy<'_>) -> String {
    let name = &column.name;
    let first = copy.first_id;
    let stride = copy.stride;
    match (copy.special)(column) {
        Some(special) => special,
        None if is_id(column) => {
            format!("CASE WHEN t.{name} >= {first} THEN t.{name} + c.k * {stride} ELSE t.{name} END")
        }
        None => format!("t.{name}"),
    }
}

fn is_id(column: &Column) -> bool {
    column.is_integer && (column.name == "id" || column.name.ends_with("_id"))
}

/// Moves the next id past those of the copies.
fn raise_ids(bulk: &Bulk, stride: i64, count: usize) -> Result<()> {
    bulk.run(&format!("UPDATE id_blocks SET next_id = next_id + {stride} * {count}"))
}
