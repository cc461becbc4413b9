//! Folding of outgoing header lines, and encoded words (RFC 2047) that fit between the folds.

use crate::transfer;

/// The column at which lines are folded (RFC 5322 §2.1.1, RFC 2047 §2).
pub(crate) const FOLD_COLUMN: usize = 76;

/// Encodes a text as words that end between characters; the first one leaves room for the `column` octets
/// before it.
pub(crate) fn encoded_words(line: &str, column: usize) -> Vec<String> {
    const FRAME: usize = "=?UTF-8?B??=".len();
    let room = |column: usize| FOLD_COLUMN.saturating_sub(column).saturating_sub(FRAME) / 4 * 3;
    let mut words = Vec::new();
    let mut rest = line;
    let mut octets = room(column).max(4);
    while !rest.is_empty() {
        let end = rest.floor_char_boundary(octets);
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        words.push(format!("=?UTF-8?B?{}?=", transfer::encode_base64(piece.as_bytes())));
        rest = after;
        octets = room(1);
    }
    words
}
