//! Any bytes as an mbox file and as a Maildir's file name: no panic, everything is read, nothing is made up.
#![no_main]

#[path = "../../crates/intake/src/raw_mail.rs"]
#[allow(dead_code, reason = "the target calls a part of it")]
mod raw_mail;
#[path = "../../crates/intake/src/import"]
#[allow(dead_code, reason = "the target calls a part of it")]
mod import {
    #[path = "maildir.rs"]
    pub mod maildir;
    #[path = "mbox.rs"]
    pub mod mbox;
    #[path = "source.rs"]
    mod source;
}

use std::io::BufReader;

use import::maildir::{Flags, delivered_at};
use import::mbox::Mbox;
use libfuzzer_sys::fuzz_target;

const LIMIT: u64 = 5_000;

fuzz_target!(|bytes: &[u8]| {
    let name = String::from_utf8_lossy(bytes);
    let _ = (Flags::of(&name), delivered_at(&name));
    let _ = raw_mail::return_path(bytes, None);

    let whole = read(BufReader::new(bytes));
    // Where the reads end changes nothing.
    assert_eq!(whole, read(BufReader::with_capacity(3, bytes)));
    let held: usize = whole.iter().map(Vec::len).sum();
    assert!(held <= bytes.len());
    for mail in whole {
        assert!(raw_mail::check(&mail, LIMIT).is_ok());
        assert!(raw_mail::wire_bytes(&mail) <= LIMIT);
    }
});

fn read(input: BufReader<&[u8]>) -> Vec<Vec<u8>> {
    let length = input.get_ref().len() as u64;
    let Ok(mbox) = Mbox::open(input, Some(length), LIMIT) else {
        return Vec::new();
    };
    let mut position = 0;
    let mut mails = Vec::new();
    for found in mbox {
        assert!(found.position >= position && found.position <= length);
        position = found.position;
        mails.extend(found.mail.ok().map(|mail| mail.raw));
    }
    mails
}
