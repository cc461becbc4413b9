//! The steps of a migration's text: a line that is one of the marks begins the next one.

use crate::error::{Result, StoreError};

/// How a step is run on a database that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-- step`, and what stands before the first mark: all of it in one transaction.
    Whole,
    /// `-- outside a transaction`: each statement by itself, all of them again when that was interrupted.
    Outside,
    /// `-- in pieces`: one statement, a transaction each time, until it changes no row.
    Pieces,
}

/// A part of a migration that is done as a whole or, if interrupted, again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Step {
    /// Its statements. They are told apart by semicolons, so none may stand inside a literal of such a step.
    pub(super) fn statements(&self) -> Vec<String> {
        let without_comments: Vec<&str> =
            self.text.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
        let code = without_comments.join("\n");
        code.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
    }

    /// The statement of a step that has one.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when it has none or several.
    pub(super) fn only_statement(&self) -> Result<String> {
        match <[String; 1]>::try_from(self.statements()) {
            Ok([statement]) => Ok(statement),
            Err(others) => Err(StoreError::setup(format!(
                "a step in pieces must be one statement and has {}",
                others.len()
            ))),
        }
    }

    fn is_empty(&self) -> bool {
        self.statements().is_empty()
    }
}

/// The steps of a text, in order; those without any statement are left out.
pub(super) fn parse(text: &str) -> Vec<Step> {
    let mut steps = vec![Step { kind: Kind::Whole, text: String::new() }];
    for line in text.lines() {
        if let Some(kind) = mark(line) {
            steps.push(Step { kind, text: String::new() });
        } else if let Some(last) = steps.last_mut() {
            last.text.push_str(line);
            last.text.push('\n');
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

fn mark(line: &str) -> Option<Kind> {
    match line.trim_end() {
        "-- step" => Some(Kind::Whole),
        "-- outside a transaction" => Some(Kind::Outside),
        "-- in pieces" => Some(Kind::Pieces),
        _ => None,
    }
}

/// From which migration on a program may run alongside this one: the line `-- compatible from N`; 0 where there is none,
/// which changes nothing.
pub(super) fn compatible_from(text: &str) -> i64 {
    let number = text.lines().find_map(|line| line.strip_prefix("-- compatible from "));
    number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- Adds a colour.
-- compatible from 7
ALTER TABLE tickets ADD COLUMN colour TEXT; -- nullable
-- step
-- in pieces
UPDATE tickets SET colour = 'red' WHERE colour IS NULL;
-- outside a transaction
DROP INDEX IF EXISTS tickets_colour;
CREATE INDEX tickets_colour ON tickets (account_id, colour);
";

    #[test]
    fn a_mark_begins_a_step_and_an_empty_one_is_left_out() {
        let steps = parse(TEXT);
        let kinds: Vec<Kind> = steps.iter().map(|step| step.kind).collect();
        assert_eq!(kinds, [Kind::Whole, Kind::Pieces, Kind::Outside]);
        assert_eq!(steps[0].statements(), ["ALTER TABLE tickets ADD COLUMN colour TEXT"]);
        assert!(steps[1].only_statement().unwrap().ends_with("WHERE colour IS NULL"));
        assert_eq!(steps[2].statements().len(), 2);
        assert!(steps[2].only_statement().is_err());
    }

    #[test]
    fn a_text_says_who_may_run_beside_it() {
        assert_eq!(compatible_from(TEXT), 7);
        assert_eq!(compatible_from("CREATE TABLE t (a TEXT)"), 0);
    }
}
