//! Which language a person writes, among those the account speaks (docs/behaviour/people.md §3).

use mail::letter::Letter;

use crate::setting::Settings;

/// The account's language a message is written in, as its settings spell it; where that is another one or
/// cannot be told, the one that its sender's program asks for most.
#[must_use]
pub(crate) fn of(letter: &Letter, settings: &Settings) -> Option<String> {
    let written = mail::language::detect(&letter.text).and_then(|found| spoken(found, settings));
    written.or_else(|| letter.languages.iter().find_map(|tag| spoken(tag, settings)))
}

/// A language as the account has it: spelt alike, else the same language of whatever region. So `pt` in a
/// message is the `pt-BR` of an account that speaks no other Portuguese.
fn spoken(tag: &str, settings: &Settings) -> Option<String> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let same = settings.languages().find(|own| own.eq_ignore_ascii_case(tag));
    same.or_else(|| settings.languages().find(|own| primary(own) == primary(tag))).map(str::to_owned)
}
