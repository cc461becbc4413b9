//! What every file has: a name that says what is inside, and a first sentence.

use super::source::Source;

/// File names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "manager", "util", "utils"];

/// What is wrong with a file's name or head.
pub(crate) fn fault(source: &Source) -> Option<String> {
    let name = source.shown.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    if EMPTY_NAMES.contains(&stem) {
        return Some(format!("{}: the name {stem} says nothing about what is inside", source.shown));
    }
    let mut lines = source.text.lines().skip_while(|line| line.starts_with("#!") || line.trim().is_empty());
    let head = lines.next().unwrap_or_default();
    (!head.starts_with("//! ")).then(|| format!("{}: does not start with a `//!` sentence", source.shown))
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::fault;

    #[test]
    fn files_say_what_they_are() -> anyhow::Result<()> {
        for (name, text, is_fine) in [
            ("ticket.rs", "//! Tickets.\n", true),
            ("fuzz.rs", "#![no_main]\n//! Fuzzes.\n", true),
            ("ticket.rs", "use std::fs;\n", false),
            ("ticket.rs", "", false),
            ("utils.rs", "//! Tickets.\n", false),
        ] {
            let source = Source::new(format!("crates/desk/src/{name}"), text)?;
            assert_eq!(fault(&source).is_none(), is_fine, "{name}: {text}");
        }
        Ok(())
    }
}
