//! Every statement on tenant data stays within its account: on tables partitioned by account it touches one partition.
//!
//! That is the shape a database sharded by account has; here it is plain PostgreSQL with hash partitions.

use std::collections::BTreeSet;

use desk::id::AccountId;
use store::testing::Sql as _;
use store::{Store, Tx};
use testkit::database;

use crate::statements;
use crate::support::open;

/// Statements on tenant tables that ask for all accounts.
const OVER_ALL_ACCOUNTS: [&str; 5] = [
    "SELECT account_id, subdomain, name FROM accounts ORDER BY account_id",
    "SELECT account_id FROM accounts ORDER BY account_id",
    "SELECT account_id FROM accounts ORDER BY account_id LIMIT 1",
    "SELECT account_id FROM accounts ORDER BY account_id LIMIT 2",
    "SELECT 1 FROM raw_mails WHERE blob IS NOT NULL LIMIT 1",
];

/// The partitions that a statement's plan names, for an account 7, as `table_number`; none for a table that has none.
fn partitions(store: &Store, sql: &str) -> BTreeSet<String> {
    let (plan, tables) = (plan(store, sql), tables(store));
    // `Index Scan using INDEX on PARTITION ALIAS`: an alias may look like a partition, too.
    let words = plan.iter().filter_map(|line| line.split(" on ").nth(1)?.split_whitespace().next());
    let is_partition = |word: &&str| {
        let Some((table, number)) = word.rsplit_once('_') else { return false };
        number.len() == 1 && number.parse::<u8>().is_ok_and(|number| number < 4) && tables.contains(table)
    };
    words.filter(is_partition).map(str::to_owned).collect()
}

fn tables(store: &Store) -> BTreeSet<String> {
    let sql = "SELECT relname::text FROM pg_class WHERE relkind = 'p'";
    store
        .read_blocking(move |tx| tx.query(sql, &[])?.into_iter().map(|mut row| row.text()).collect())
        .unwrap()
}

fn plan(store: &Store, sql: &str) -> Vec<String> {
    // A list is two values long here.
    let text = match sql.split_once("..") {
        Some((head, tail)) => {
            let last: usize = head.rsplit('$').next().unwrap().parse().unwrap();
            format!("{head}, ${}{tail}", last + 1)
        }
        None => sql.to_owned(),
    };
    store.write_blocking(move |tx| explained(tx, &text)).unwrap()
}

fn explained(tx: &mut Tx<'_>, text: &str) -> store::Result<Vec<String>> {
    tx.batch("SET LOCAL plan_cache_mode = force_custom_plan")?;
    tx.batch(&format!("PREPARE examined AS {text}"))?;
    let kinds = "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'examined'";
    let values: Vec<&str> = tx
        .query(kinds, &[])?
        .into_iter()
        .map(|mut row| Ok(if row.text()?.contains("int") { "7" } else { "'7'" }))
        .collect::<store::Result<_>>()?;
    let arguments = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    let rows = tx.query(&format!("EXPLAIN (COSTS OFF) EXECUTE examined{arguments}"), &[])?;
    tx.batch("DEALLOCATE examined")?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// An `INSERT` of values goes where its account's row belongs; its plan names the table alone.
fn inserts_for_an_account(sql: &str) -> bool {
    sql.starts_with("INSERT") && sql.contains("(account_id")
}

#[test]
fn every_statement_on_tenant_data_touches_one_partition() {
    let database = database::postgres();
    let store = open(&database);
    assert_eq!(store.migrate_partitioned().unwrap().first(), Some(&1));
    let tenant = tables(&store);
    assert!(tenant.len() > 15, "{tenant:?}");
    let (mut examined, mut over_all, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for statement in statements::all().into_iter().filter(|statement| statement.file != "dialect.rs") {
        let sql = statement.sql.as_str();
        let names_tenant_data =
            sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| tenant.contains(word));
        if !names_tenant_data {
            continue;
        }
        examined += 1;
        let touched = partitions(&store, sql);
        // All tables are partitioned alike, so that the rows of one account lie in partitions of one number.
        let numbers: BTreeSet<&str> = touched.iter().filter_map(|name| name.rsplit('_').next()).collect();
        if OVER_ALL_ACCOUNTS.contains(&sql) {
            over_all.insert(sql.to_owned());
        } else if !(numbers.len() == 1 || inserts_for_an_account(sql) && touched.is_empty()) {
            wrong.push(format!("{}: {sql}\n  touches {touched:?}", statement.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(examined >= 55, "only {examined} statements examined");
    assert_eq!(over_all.len(), OVER_ALL_ACCOUNTS.len(), "an exception is not in use any more: {over_all:?}");
}

#[test]
fn a_statement_that_forgets_its_account_is_found() {
    let database = database::postgres();
    let store = open(&database);
    store.migrate_partitioned().unwrap();
    for (sql, want) in [
        ("SELECT id FROM tickets WHERE account_id = $1 AND id = $2", 1),
        ("SELECT id FROM tickets WHERE id = $1", 4),
        ("UPDATE tickets SET status = $1 WHERE id = $2", 4),
        ("DELETE FROM spool WHERE account_id = $1", 1),
        ("SELECT t.id FROM tickets t JOIN comments c ON c.ticket_id = t.id WHERE t.account_id = $1", 5),
        ("SELECT key FROM directory WHERE key = $1", 0),
    ] {
        assert_eq!(partitions(&store, sql).len(), want, "{sql}");
    }
}

#[test]
fn a_partitioned_database_takes_mail_and_changes_as_any_other() {
    let database = database::postgres();
    let store = open(&database);
    store.migrate_partitioned().unwrap();
    crate::support::account(&store, 1, "acme").unwrap();
    crate::support::wait(store.spool(vec![crate::support::mail(1, 1, 10), crate::support::mail(1, 2, 20)]))
        .unwrap();
    let ledger = vec![crate::support::decided(1, 10), crate::support::decided(2, 20)];
    let changes =
        desk::changes::Changes { ledger, ..crate::support::opening(vec![crate::support::ticket(900, 50)]) };
    crate::support::write(&store, 1, changes).unwrap();
    assert_eq!(
        store
            .read_blocking(|tx| store::ledger::page(&mut tx.account(AccountId(1)), store::Before::FIRST, 10))
            .unwrap()
            .len(),
        2
    );
    assert!(
        store
            .read_blocking(|tx| store::ticket::by_number(&mut tx.account(AccountId(1)), 1))
            .unwrap()
            .is_some()
    );
}
