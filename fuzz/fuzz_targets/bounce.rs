//! Any text as the notice of a mail server: no panic, and the same for LF and CRLF.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::{Letter, Nature};

fuzz_target!(|text: &str| {
    let header = "From: MAILER-DAEMON@far.example\nTo: desk@help.example\nSubject: Undeliverable\n\n";
    let text: String = text.chars().filter(|c| *c != '\r').collect();
    let mail = format!("{header}{text}");
    let letter = Letter::parse(mail.as_bytes());
    assert_ne!(letter.nature, Nature::Human, "a mail server is no person");
    let with_crlf = Letter::parse(mail.replace('\n', "\r\n").as_bytes());
    assert_eq!((letter.nature, letter.report), (with_crlf.nature, with_crlf.report));
});
