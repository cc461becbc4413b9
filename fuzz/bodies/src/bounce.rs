//! Any text as the notice of a mail server: no panic, and the same for LF and CRLF.

use mail::{Letter, Nature};

use crate::input::text;

const HEADER: &str = "From: MAILER-DAEMON@far.example\nTo: desk@help.example\nSubject: Undeliverable\n\n";

/// Reads an input as the text of a bounce.
pub fn hold(input: &[u8]) {
    let text = text(input).replace('\r', "");
    let mail = format!("{HEADER}{text}");
    let letter = Letter::parse(mail.as_bytes());
    assert_ne!(letter.nature, Nature::Human, "a mail server is no person");
    let with_crlf = Letter::parse(mail.replace('\n', "\r\n").as_bytes());
    assert_eq!((letter.nature, letter.report), (with_crlf.nature, with_crlf.report));
}
