//! Phrases at the beginning of a text.

/// Whether a text begins with one of many phrases; comparing first octets rules most of them out.
pub(super) fn begins_with(text: &str, phrases: &[&str]) -> bool {
    let first = text.as_bytes().first();
    first.is_some()
        && phrases.iter().any(|phrase| phrase.as_bytes().first() == first && text.starts_with(phrase))
}
