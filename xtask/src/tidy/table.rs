//! One table, one file: which file inserts into, updates or deletes from a table.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::token::Token;

/// The room of all SQL.
const STORE: &str = "store";

/// A table that several files write.
pub(crate) struct Exception {
    /// The table.
    pub(crate) table: &'static str,
    /// All files that write it, below `crates/store/src`.
    pub(crate) files: &'static [&'static str],
    /// Why.
    pub(crate) reason: &'static str,
}

/// The tables that migrations create.
pub(crate) fn tables(migrations: &str) -> BTreeSet<String> {
    let words: Vec<&str> = words(migrations).collect();
    let created = words.windows(3).filter_map(|words| match words {
        ["CREATE", "TABLE", name] if *name != "IF" => Some((*name).to_owned()),
        _ => None,
    });
    created.collect()
}

/// Tables that rooms other than `store` write, tables that several files write without an exception, and exceptions
/// that allow more than is needed.
pub(crate) fn faults(sources: &[Source], tables: &BTreeSet<String>, exceptions: &[Exception]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut writers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        let written = written(source, tables);
        match source.room() {
            Some(STORE) => {
                let file = source.shown.strip_prefix("crates/store/src/").unwrap_or(&source.shown);
                for table in written {
                    writers.entry(table).or_default().insert(file);
                }
            }
            // Chores fill tables with millions of rows and count what is left.
            Some("xtask") | None => {}
            Some(_) => faults
                .extend(written.iter().map(|table| format!("{}: writes the table {table}", source.shown))),
        }
    }
    for (table, files) in &writers {
        let allowed =
            exceptions.iter().find(|exception| exception.table == *table).map(|exception| exception.files);
        let is_allowed =
            files.len() == 1 || files.iter().all(|file| allowed.is_some_and(|all| all.contains(file)));
        if !is_allowed {
            let files: Vec<&str> = files.iter().copied().collect();
            faults.push(format!("store: the table {table} is written by {}", files.join(", ")));
        }
    }
    for exception in exceptions {
        let files = writers.get(exception.table).cloned().unwrap_or_default();
        if files.len() < 2 || exception.files.iter().any(|file| !files.contains(file)) {
            faults.push(format!(
                "store: {} is written by fewer files than the list in xtask/src/tidy.rs says (\"{}\")",
                exception.table, exception.reason
            ));
        }
    }
    faults
}

/// The tables that a file's statements write.
fn written<'t>(source: &Source, tables: &'t BTreeSet<String>) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    for token in &source.tokens {
        let Token::Literal(text) = token else {
            continue;
        };
        let words: Vec<&str> = words(text).collect();
        for words in words.windows(3) {
            let name = match words {
                ["INSERT", "INTO", name] | ["DELETE", "FROM", name] | ["UPDATE", name, _] => name,
                _ => continue,
            };
            found.extend(tables.get(*name).map(String::as_str));
        }
    }
    found
}

/// The words of a statement.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::source::Source;
    use super::{Exception, faults, tables};

    fn known() -> BTreeSet<String> {
        tables(
            "CREATE TABLE tickets (\n  id BIGINT\n);\nCREATE TABLE users (id BIGINT);\nCREATE INDEX i ON users (id);",
        )
    }

    #[test]
    fn tables_come_from_the_migrations() {
        assert_eq!(known(), BTreeSet::from(["tickets".to_owned(), "users".to_owned()]));
    }

    #[test]
    fn a_table_is_written_by_one_file() -> anyhow::Result<()> {
        let insert = r#"const A: &str = "INSERT INTO tickets (id) VALUES ($1)";"#;
        let update = r#"fn f() { tx.write("UPDATE tickets
                         SET id = $1", a) }"#;
        let delete = r#"const A: &str = "DELETE FROM tickets WHERE id = $1";"#;
        let read = r#"const A: &str = "SELECT id FROM tickets FOR UPDATE SKIP LOCKED";"#;
        let both = "store: the table tickets is written by a.rs, b.rs";
        for (one, other, want) in [
            (insert, read, None),
            (insert, "// UPDATE tickets SET\nconst A: &str = \"UPDATE users SET id = $1\";", None),
            (insert, "#[cfg(test)]\nmod tests { const A: &str = \"DELETE FROM tickets WHERE\"; }", None),
            (insert, update, Some(both)),
            (update, delete, Some(both)),
        ] {
            let sources =
                [Source::new("crates/store/src/a.rs", one)?, Source::new("crates/store/src/b.rs", other)?];
            let want: Vec<&str> = want.into_iter().collect();
            assert_eq!(faults(&sources, &known(), &[]), want, "{one} {other}");
        }
        let outside = [Source::new("crates/engine/src/a.rs", insert)?];
        assert_eq!(faults(&outside, &known(), &[]), ["crates/engine/src/a.rs: writes the table tickets"]);
        assert_eq!(faults(&[Source::new("xtask/src/a.rs", insert)?], &known(), &[]), [""; 0]);
        Ok(())
    }

    #[test]
    fn exceptions_say_no_more_than_there_is() -> anyhow::Result<()> {
        let text = r#"const A: &str = "INSERT INTO tickets (id) VALUES ($1)";"#;
        let sources =
            [Source::new("crates/store/src/a.rs", text)?, Source::new("crates/store/src/b.rs", text)?];
        let exception = |files| [Exception { table: "tickets", files, reason: "two halves" }];
        for (files, want) in [(&["a.rs", "b.rs"][..], 0), (&["a.rs"], 1), (&["a.rs", "b.rs", "c.rs"], 1)] {
            assert_eq!(faults(&sources, &known(), &exception(files)).len(), want, "{files:?}");
        }
        Ok(())
    }
}
