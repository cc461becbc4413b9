//! What people read when a command fails: what happened, why, what to do next.

use std::fmt::Display;

use serde_json::json;

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What happened, lower case, no full stop.
    pub(crate) what: String,
    /// Why; may be empty.
    pub(crate) why: String,
    /// What to do next; may be empty.
    pub(crate) next: String,
    /// The program's exit code, 1 unless a code is asked for.
    pub(crate) code: u8,
}

/// Result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with all its parts.
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Failure {
        Failure { what: what.into(), why: why.into(), next: next.into(), code: 1 }
    }

    /// A failure from an error of a room, whose text may say after a semicolon what to do.
    pub(crate) fn of(what: impl Into<String>, error: &impl Display) -> Failure {
        let text = error.to_string();
        let (why, next) = text.split_once("; ").unwrap_or((&text, ""));
        Failure::new(what, why, next)
    }

    /// The same, with what to do next if the error did not say so.
    #[must_use]
    pub(crate) fn or_next(mut self, next: &str) -> Failure {
        if self.next.is_empty() {
            next.clone_into(&mut self.next);
        }
        self
    }

    /// The same, ending the program with another code.
    #[must_use]
    pub(crate) fn with_code(mut self, code: u8) -> Failure {
        self.code = code;
        self
    }

    /// As it is printed to standard error: lines for people, or one JSON object.
    #[must_use]
    pub(crate) fn text(&self, as_json: bool) -> String {
        if as_json {
            return json!({"error": {"what": self.what, "why": self.why, "next": self.next}}).to_string();
        }
        let mut lines = vec![format!("error: {}", self.what)];
        lines.extend(
            [&self.why, &self.next]
                .into_iter()
                .filter(|line| !line.is_empty())
                .map(|line| format!("  {line}")),
        );
        lines.join("\n")
    }
}

/// Names the operation that an error ended.
pub(crate) trait Doing<T> {
    /// Turns an error into a [`Failure`] of this operation.
    ///
    /// # Errors
    /// The same, in words.
    fn doing(self, what: &str) -> Result<T>;
}

impl<T, E: Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| Failure::of(what, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_and_what_next() {
        let failure = Failure::of("the address was not added", &"it is taken; choose another");
        assert_eq!(failure.text(false), "error: the address was not added\n  it is taken\n  choose another");
        assert_eq!(
            failure.text(true),
            r#"{"error":{"next":"choose another","what":"the address was not added","why":"it is taken"}}"#
        );
        assert_eq!(Failure::of("it failed", &"no room").text(false), "error: it failed\n  no room");
    }
}
