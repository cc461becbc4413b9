//! Any text as one that forwards a mail: no panic, and what is found lies in the text and is bounded by it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::forward::original;
use mail::letter::{Letter, MAX_ADDRESSES};

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (text, outer, raw) = input;
    if let Some(found) = original(text, outer) {
        assert!(text.is_char_boundary(found.at));
        assert!(found.message.len() <= text.len() && found.body.len() <= text.len());
        assert!(found.to.len() <= MAX_ADDRESSES && found.cc.len() <= MAX_ADDRESSES);
        for line in [&found.from_line, &found.to_line, &found.cc_line, &found.date_line] {
            assert!(!line.contains('\n') && line.len() <= text.len() * 2);
        }
    }
    let letter = Letter::parse(raw);
    if let Some(found) = &letter.forwarded {
        assert!(found.at <= letter.text.len());
    }
});
