//! Which language a person writes, among those the account speaks (docs/behaviour/people.md §3).

use mail::letter::Letter;

use crate::account::Settings;

/// The account's language a mail is written in, as its settings spell it. None when it is another one, or cannot be told.
#[must_use]
pub(crate) fn of(letter: &Letter, settings: &Settings) -> Option<String> {
    let found = mail::language::detect(&letter.text)?;
    // `pt` in a mail is the `pt-BR` of an account that speaks no other Portuguese.
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    settings.languages().find(|tag| primary(tag) == primary(found)).map(str::to_owned)
}
