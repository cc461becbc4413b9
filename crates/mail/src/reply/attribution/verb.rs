//! The words of an attribution: verbs for writing, and who is writing.

use crate::quoting::words::{self, WROTE_ANYWHERE};

/// Verbs in addition to those of the shared table, sorted.
const MORE_VERBS: &[&str] = &[
    "ecrit",
    "escribía",
    "escrita",
    "escrito",
    "geschrieben",
    "menulisi",
    "napisano",
    "napsáno",
    "napísali",
    "schreibt",
    "schrieben",
    "scripsit",
    "scrisese",
    "scrive",
    "scriveva",
    "skreiv",
    "skribis",
    "skriver",
    "yazdi",
    "écrivit",
    "έγραφε",
    "написали",
    "писал",
    "писала",
    "писали",
    "пишуть",
];

/// Verbs that people use above a list or a quotation of their own.
pub(super) const WEAK_VERBS: &[&str] = &[
    "sent",
    "said",
    "writes",
    "pisze",
    "schreibt",
    "scrive",
    "skriver",
    "пишет",
    "пише",
    "писал",
    "писала",
    "писали",
    "viết",
    "เขียน",
];

/// The writer is talking about something they wrote themselves.
pub(super) const FIRST_PERSON: &[&str] = &[
    "i", "we", "ich", "wir", "je", "j", "ai", "nous", "yo", "io", "ho", "eu", "jeg", "jag", "ik", "я", "мы",
];

/// What some programs begin with when they name no date.
pub(super) const QUOTING: &[&str] = &[
    "quoting ",
    "zitat von ",
    "citando ",
    "citation de ",
    "citaat van ",
    "cytowanie ",
    "citát ",
    "citerar ",
    "цитирую ",
    "quotando ",
];

/// Whether a lower-case word is a verb for writing.
pub(super) fn is_verb(word: &str) -> bool {
    words::is_verb(word) || MORE_VERBS.binary_search(&word).is_ok()
}

/// Whether the last word of a text is such a verb; the only word in scripts without spaces.
pub(super) fn last_word_is_verb(said: &str) -> bool {
    let said = said.trim_end_matches([':', '：', ' ', '-']);
    let word = said.rsplit(|c: char| !c.is_alphabetic()).find(|word| word.len() > 1).unwrap_or_default();
    word.len() <= 40 && is_verb(word.to_lowercase().as_str())
        || !word.is_ascii() && WROTE_ANYWHERE.iter().any(|verb| word.ends_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_found() {
        assert!(MORE_VERBS.is_sorted() && MORE_VERBS.iter().all(|verb| is_verb(verb)));
    }
}
