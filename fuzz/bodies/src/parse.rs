//! Any octets as a mail: a letter comes out, its attachments can be fetched, and line ends make no difference.

use mail::{Letter, parts};

/// Reads an input as a mail, with all its parts.
pub fn hold(input: &[u8]) {
    let letter = Letter::parse(input);
    assert!(letter.header_bytes <= input.len());
    assert!(!letter.text.contains(['\0', '\r']));
    assert!(!letter.subject.contains(['\0', '\r', '\n']));
    for attachment in &letter.attachments {
        let octets = Letter::attachment(input, attachment.part).expect("every attachment can be fetched");
        assert_eq!(octets.len() as u64, attachment.size_bytes);
        assert!(!attachment.name.is_empty() && !attachment.name.contains('/'));
    }
    let _ = Letter::html(input);
    let _ = parts::leaves(input);
}
