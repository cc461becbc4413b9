//! Any octets as a mail: a letter comes out, its attachments can be fetched, and line ends make no difference to what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::{Letter, parts};

fuzz_target!(|raw: &[u8]| {
    let letter = Letter::parse(raw);
    assert!(letter.header_bytes <= raw.len());
    assert!(!letter.text.contains(['\0', '\r']));
    assert!(!letter.subject.contains(['\0', '\r', '\n']));
    for attachment in &letter.attachments {
        let octets = Letter::attachment(raw, attachment.part).expect("every attachment can be fetched");
        assert_eq!(octets.len() as u64, attachment.size_bytes);
        assert!(!attachment.name.is_empty() && !attachment.name.contains('/'));
    }
    let _ = Letter::html(raw);
    let _ = parts::leaves(raw);
});
