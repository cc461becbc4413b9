//! `guichet parse`: what the parser sees in a mail. Needs no desk, and writes nothing.

use mail::letter::Letter;

use super::read_file;
use crate::cli::{self, Common};
use crate::failure::Result;
use crate::letter_view;
use crate::output::{Output, tame};

/// Runs `parse`.
pub(super) fn run(common: &Common, command: &cli::Parse) -> Result<()> {
    let raw = read_file(&command.mail)?;
    let letter = Letter::parse(&raw);
    Output::standard(common.json)
        .answer(&letter_view::as_json(&letter, &raw), &tame(&letter_view::lines(&letter, &raw).join("\n")))
}
