//! What is wrong with a configuration: key, value, reason, example.

use std::fmt;

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it was set: a file, the environment, a flag.
    pub(crate) origin: String,
    /// The key, `section.key`; empty for a file that cannot be read at all.
    pub(crate) key: String,
    /// The value as written, secrets hidden; empty where there is none.
    pub(crate) value: String,
    /// Why it cannot be used.
    pub(crate) reason: String,
    /// What would be right; empty where nothing can be said.
    pub(crate) example: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.is_empty(), self.value.is_empty()) {
            (true, _) => write!(f, "{}: {}", self.origin, self.reason)?,
            (false, true) => write!(f, "{} ({}): {}", self.key, self.origin, self.reason)?,
            (false, false) => write!(f, "{} = {} ({}): {}", self.key, self.value, self.origin, self.reason)?,
        }
        if self.example.is_empty() { Ok(()) } else { write!(f, "; example: {}", self.example) }
    }
}

/// Everything that is wrong with a configuration, in the order it was found; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n  "))
    }
}

impl std::error::Error for Problems {}
