//! Every statement in the store's sources is accepted by both databases.
//!
//! SQL is text: this test gives back what a query builder would check. It reads the sources, so a statement that is
//! added is checked without being listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use store::testing::Sql as _;
use store::{Store, Value};
use testkit::database::both;

use crate::support::open;

const VERBS: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];

/// A statement with the file it stands in, relative to `src`.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) sql: String,
}

/// What only SQLite is told, of tables of its own.
const OF_SQLITE_ALONE: &str = "sqlite/housekeeping.rs";

/// Every string literal of the sources, their own tests aside, that begins with a verb of SQL.
pub(crate) fn all() -> Vec<Found> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root) {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(&root).unwrap().display().to_string();
        if file == OF_SQLITE_ALONE {
            continue;
        }
        let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let columns = columns(product);
        let statements = literals(product).into_iter().filter(|literal| is_statement(literal));
        found.extend(statements.map(|sql| Found { file: file.clone(), sql: with_columns(sql, &columns) }));
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn is_statement(literal: &str) -> bool {
    VERBS.iter().any(|verb| {
        literal.trim_start().strip_prefix(verb).is_some_and(|rest| rest.starts_with(char::is_whitespace))
    })
}

/// The lists of columns that a source makes once, as `const NAME: &str = "…";`.
fn columns(source: &str) -> BTreeMap<String, String> {
    let named = source.split("const ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(": &str =")?;
        let text = rest.trim_start().strip_prefix('"')?;
        Some((name.to_owned(), text.split_once('"')?.0.to_owned()))
    });
    named.collect()
}

/// A statement with the lists of columns that `format!` puts into it.
fn with_columns(sql: String, columns: &BTreeMap<String, String>) -> String {
    columns.iter().fold(sql, |sql, (name, list)| sql.replace(&format!("{{{name}}}"), list))
}

/// The string literals of a Rust source: plain ones with their escapes undone, raw ones as they are; comments and
/// character literals passed over.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        rest = if rest.starts_with("//") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some(after) = raw_literal(rest, &mut found) {
            after
        } else if first == '"' {
            plain_literal(&rest[1..], &mut found)
        } else if first == '\'' {
            after_character(rest)
        } else {
            &rest[first.len_utf8()..]
        };
    }
    found
}

/// Reads `r"…"` and `r#"…"#`; none when no raw literal begins here.
fn raw_literal<'s>(rest: &'s str, found: &mut Vec<String>) -> Option<&'s str> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let (text, after) = body.split_once(&format!("\"{}", "#".repeat(hashes)))?;
    found.push(text.to_owned());
    Some(after)
}

/// Reads on after the opening quote and returns what follows the closing one.
fn plain_literal<'s>(body: &'s str, found: &mut Vec<String>) -> &'s str {
    let mut text = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                found.push(text);
                return &body[at + 1..];
            }
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                // A line that goes on: its break and the indentation after it are no part of the text.
                Some((_, '\n')) => text.push(' '),
                Some((_, other)) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    ""
}

/// Passes over `'x'` and `'\x'`; a lifetime has no closing quote there.
fn after_character(rest: &str) -> &str {
    let mut inside = rest[1..].char_indices();
    match (inside.next(), inside.next(), inside.next()) {
        (Some((_, '\\')), Some(_), Some((at, '\''))) => &rest[1 + at + 1..],
        (Some(_), Some((at, '\'')), _) => &rest[1 + at + 1..],
        _ => &rest[1..],
    }
}

fn accepts(store: &Store, sql: &str) -> Result<(), String> {
    let sql = sql.to_owned();
    store.write_blocking(move |tx| tx.prepare(&sql)).map_err(|error| error.to_string())
}

#[test]
fn both_databases_accept_every_statement() {
    let databases = both();
    let stores = [open(&databases[0]), open(&databases[1])];
    for store in &stores {
        store.migrate().unwrap();
    }
    let statements = all();
    assert!(
        statements.len() >= 75,
        "only {} statements found: does the reading of the sources still work?",
        statements.len()
    );
    let mut wrong = Vec::new();
    for statement in &statements {
        let answers = [accepts(&stores[0], &statement.sql), accepts(&stores[1], &statement.sql)];
        // What differs stands in dialect.rs, a text for each database.
        let fits = match statement.file.as_str() {
            "dialect.rs" => answers.iter().any(Result::is_ok),
            _ => answers.iter().all(Result::is_ok),
        };
        if !fits {
            wrong.push(format!(
                "{}: {}\n  sqlite: {:?}\n  postgres: {:?}",
                statement.file, statement.sql, answers[0], answers[1]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tables that grow with the mail of an account.
const BIG: [&str; 17] = [
    "users",
    "identities",
    "tickets",
    "ticket_ccs",
    "ticket_followers",
    "ticket_tags",
    "comments",
    "attachments",
    "audits",
    "message_ids",
    "raw_mails",
    "ledger",
    "suspended_tickets",
    "envelopes",
    "outgoing_mails",
    "outbox",
    "imported_mails",
];

/// Parts of the statements whose plan names the account alone.
const BY_ACCOUNT_ALONE: [&str; 6] = [
    // The first of an index in its order, or the first few.
    "ORDER BY due_at, id LIMIT 1",
    "ORDER BY solved_at, id LIMIT 1",
    // Passes over those that could not be worked, which are few or a person looks at them.
    "AND cause NOT IN (19, 24)\n             ORDER BY created_at, id LIMIT 1",
    // Asked when the place of the blobs is found empty, and by no account.
    "SELECT 1 FROM raw_mails WHERE blob IS NOT NULL LIMIT 1",
    // Asked for a digest of held mail, which is deleted after two weeks.
    "SELECT COUNT(*) FROM suspended_tickets WHERE account_id = $1",
    // An index of the few who are admins.
    "SELECT count(*) FROM users WHERE account_id = $1 AND role = 'admin'",
];

/// How SQLite runs a statement, with so many values in its list if it has one.
fn plan(store: &Store, sql: &str, length: usize) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let numbers =
        sql.split('$').skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let highest: usize = numbers.filter_map(|number| number.parse().ok()).max().unwrap_or(0);
    let has_list = sql.contains("..)");
    let rows = store.write_blocking(move |tx| {
        let fixed = vec![Value::Int(1); highest - usize::from(has_list)];
        if has_list {
            tx.query_in(&explain, &fixed, &vec![Value::Int(7); length])
        } else {
            tx.query(&explain, &fixed)
        }
    });
    let step = |mut row: store::Row| {
        (0..3).for_each(|_| assert!(row.int().is_ok()));
        row.text().unwrap()
    };
    rows.unwrap().into_iter().map(step).collect()
}

/// Whether a step of a plan goes through all rows that an account has in a big table.
fn is_through(step: &str) -> bool {
    let is_big = step.split(' ').nth(1).is_some_and(|table| BIG.contains(&table));
    is_big && (step.starts_with("SCAN") || step.ends_with("(account_id=?)"))
}

#[test]
fn sqlite_goes_through_no_accounts_rows_of_a_big_table() {
    let database = testkit::database::sqlite();
    let store = open(&database);
    store.migrate().unwrap();
    let (mut wrong, mut excepted) = (Vec::new(), BTreeSet::new());
    for found in
        all().into_iter().filter(|found| found.file != "dialect.rs" && !found.sql.starts_with("INSERT"))
    {
        // The length of the list weighs in the planner's choice.
        let plans = [1, 16, 256].map(|length| plan(&store, &found.sql, length));
        let Some(step) = plans.iter().flatten().find(|step| is_through(step)) else { continue };
        match BY_ACCOUNT_ALONE.iter().find(|part| found.sql.contains(**part)) {
            Some(part) => drop(excepted.insert(part)),
            None => wrong.push(format!("{}: {}\n  {step}", found.file, found.sql)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(excepted.len(), BY_ACCOUNT_ALONE.len(), "an exception is not in use any more: {excepted:?}");
}

#[test]
fn sqlite_finds_rows_of_the_outbox_by_their_state_among_the_undone() {
    let database = testkit::database::sqlite();
    let store = open(&database);
    store.migrate().unwrap();
    let by_state =
        |found: &Found| found.sql.contains("outbox") && found.sql.contains("'sending', 'deferred')");
    let statements: Vec<Found> = all().into_iter().filter(by_state).collect();
    assert!(statements.len() >= 6, "{statements:#?}");
    for found in statements.into_iter().filter(|found| !found.sql.contains("AND id ")) {
        let steps = plan(&store, &found.sql, 1);
        assert!(
            steps.iter().any(|step| step.contains("outbox_due (account_id=?")),
            "{}: {steps:?}",
            found.sql
        );
    }
}

#[test]
fn a_wrong_statement_is_found() {
    for database in both() {
        let store = open(&database);
        store.migrate().unwrap();
        for (sql, is_right) in [
            ("SELECT id FROM tickets WHERE account_id = $1", true),
            ("SELECT id FROM tickets WHERE account_id = $1 AND id IN ($2..)", true),
            ("SELECT nonsense FROM tickets WHERE account_id = $1", false),
            ("SELECT id FROM nowhere WHERE account_id = $1", false),
            ("UPDATE tickets SET stauts = $1", false),
            ("DELETE tickets", false),
            ("INSERT INTO spool (account_id, accepted_at, id) VALUES ($1, $2)", false),
        ] {
            assert_eq!(accepts(&store, sql).is_ok(), is_right, "{sql} on {}", database.engine);
        }
    }
}

#[test]
fn statements_are_found_in_every_way_a_literal_can_be_written() {
    let source = r####"
        // "SELECT in a comment"
        /* "SELECT in another" */
        fn a<'x>(b: &'x str, quote: char) -> bool { quote == '"' || quote == '\'' || b == "SELECTED" }
        let one = "SELECT \"a\" FROM b"; let two = r"UPDATE a"; let three = r#"DELETE FROM "a""#;
        let four = "INSERT INTO a
                    VALUES ($1)"; let five = "WITH a AS \
            (SELECT 1)"; // "
        let no = "nothing";
    "####;
    let found: Vec<String> = literals(source).into_iter().filter(|literal| is_statement(literal)).collect();
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(found[0], "SELECT \"a\" FROM b");
    assert_eq!(found[2], "DELETE FROM \"a\"");
    assert!(found[3].starts_with("INSERT INTO a\n"));
    assert!(found[4].starts_with("WITH a AS "));
}

#[test]
fn lists_of_columns_are_put_into_statements() {
    let source = r#"
        const COLUMNS: &str = "id, name";
        pub(crate) const OTHERS: &str =
            "size";
        let sql = format!("SELECT {COLUMNS}, {OTHERS} FROM a");
    "#;
    let sql = literals(source).into_iter().find(|literal| is_statement(literal)).unwrap();
    assert_eq!(with_columns(sql, &columns(source)), "SELECT id, name, size FROM a");
}
