//! Any bytes as an mbox file and as a Maildir's file name: no panic, everything is read, nothing is made up.

// rustfmt looks for the tests of a file that is included by path in the wrong folder.
#[rustfmt::skip]
#[path = "../../../crates/intake/src/import"]
#[allow(dead_code, unreachable_pub, reason = "a file of intake, of which a part is called here")]
mod readers {
    #[path = "maildir.rs"]
    pub mod maildir;
    #[path = "mbox.rs"]
    pub mod mbox;
    #[path = "source.rs"]
    mod source;
}

use std::io::BufReader;

use readers::maildir::{Flags, delivered_at};
use readers::mbox::Mbox;

use crate::input::text;
use crate::raw_mail;

const LIMIT: u64 = 5_000;

/// Reads an input as a name of a file, as one mail and as an mbox file.
pub fn hold(input: &[u8]) {
    let name = text(input);
    let _ = Flags::of(&name);
    let _ = delivered_at(&name);
    let _ = raw_mail::return_path(input, None);

    let whole = read(BufReader::new(input));
    // Where the reads end changes nothing.
    assert_eq!(whole, read(BufReader::with_capacity(3, input)));
    let held: usize = whole.iter().map(Vec::len).sum();
    assert!(held <= input.len());
    for mail in whole {
        assert!(raw_mail::check(&mail, LIMIT).is_ok());
        assert!(raw_mail::wire_bytes(&mail) <= LIMIT);
    }
}

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
