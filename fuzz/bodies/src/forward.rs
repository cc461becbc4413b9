//! Any text as one that forwards a mail: no panic, and what is found lies in the text and is bounded by it.

use mail::forward::original;
use mail::letter::{Letter, MAX_ADDRESSES};

use crate::input::{pieces, text};

/// Looks for an original in a text below an outer subject, and in a whole mail.
pub fn hold(input: &[u8]) {
    let [body, outer, raw] = pieces::<3>(input);
    let body = text(body);
    if let Some(found) = original(&body, &text(outer)) {
        assert!(body.is_char_boundary(found.at));
        assert!(found.message.len() <= body.len() && found.body.len() <= body.len());
        assert!(found.to.len() <= MAX_ADDRESSES && found.cc.len() <= MAX_ADDRESSES);
        for line in [&found.from_line, &found.to_line, &found.cc_line, &found.date_line] {
            assert!(!line.contains('\n') && line.len() <= body.len() * 2);
        }
    }
    let letter = Letter::parse(raw);
    if let Some(found) = &letter.forwarded {
        assert!(found.at <= letter.text.len());
    }
}
