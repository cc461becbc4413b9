//! Separators in all their forms, quoting, limits; what is written is read again.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::*;

/// The mails of a text, each with its sender; in place of what is no mail, the reason.
fn read(text: &[u8], limit: u64) -> Vec<String> {
    // A small buffer, so that lines cross its boundaries.
    let mbox = Mbox::open(BufReader::with_capacity(7, text), None, limit).unwrap();
    let told = mbox.map(|found| match found.mail {
        Ok(mail) => format!("{}|{}", mail.from_line.unwrap_or_default(), String::from_utf8_lossy(&mail.raw)),
        Err(skip) => skip.to_string(),
    });
    told.collect()
}

#[test]
fn mails_begin_at_separators_and_nowhere_else() {
    for (name, text, want) in [
        (
            "two mails",
            "From a@x.example Mon Nov  2 10:00:00 2026\nA: 1\n\nhi\n\nFrom b@x.example Mon Nov  2 10:00:00 2026\nB: 2\n\n",
            vec!["a@x.example|A: 1\n\nhi\n", "b@x.example|B: 2\n"],
        ),
        (
            "CRLF",
            "From a Mon Nov 2 10:00:00 2026\r\nA: 1\r\n\r\nhi\r\n\r\nFrom b Mon Nov 2 10:00:00 2026\r\nB: 2\r\n",
            vec!["a|A: 1\r\n\r\nhi\r\n", "b|B: 2\r\n"],
        ),
        (
            "no empty line before, a field after",
            "From a Mon Nov 2 10:00:00 2026\nA: 1\n\nhi\nFrom b Mon Nov 2 10:00:00 2026\nB: 2\n",
            vec!["a|A: 1\n\nhi\n", "b|B: 2\n"],
        ),
        (
            "a dash, a bare word, a zone, ISO",
            "From - Mon Nov 2 10:00:00 2026\nA: 1\n\nFrom \nB: 2\n\nFrom c@x 2 Nov 2026 9:00 +0100\nC: 3\n\nFrom d 2026-11-02T10:00:00Z\nD: 4\n",
            vec!["-|A: 1\n", "|B: 2\n", "c@x|C: 3\n", "d|D: 4\n"],
        ),
        (
            "prose that begins so",
            "From a Mon Nov 2 10:00:00 2026\nA: 1\n\nhi\n\nFrom here on: nothing.\nx: y\n\nFrom 10:00 on I am away in 2026\nsee you\nFrom me\n",
            vec!["a|A: 1\n\nhi\n\nFrom here on: nothing.\nx: y\n", "10:00|see you\nFrom me\n"],
        ),
        (
            "quoted lines lose one sign",
            "From a Mon Nov 2 10:00:00 2026\nA: 1\n\n>From me\n>>From you\n> From him\n>Frombork\n>\n",
            vec!["a|A: 1\n\nFrom me\n>From you\n> From him\n>Frombork\n>\n"],
        ),
        (
            "a length that lies",
            "From a Mon Nov 2 10:00:00 2026\nContent-Length: 9999\n\nhi\n\nFrom b Mon Nov 2 10:00:00 2026\nB: 2\n",
            vec!["a|Content-Length: 9999\n\nhi\n", "b|B: 2\n"],
        ),
        ("no last line end", "From a Mon Nov 2 10:00:00 2026\nA: 1\n\nhi", vec!["a|A: 1\n\nhi"]),
        ("blank lines first", "\n\nFrom a Mon Nov 2 10:00:00 2026\nA: 1\n", vec!["a|A: 1\n"]),
        ("nothing", "", vec![]),
    ] {
        let want: Vec<&str> = if name == "prose that begins so" {
            // A line with a time and a year after an empty line is taken for what it looks like; what follows is no
            // mail.
            vec![want[0], "it has no header: this is no mail"]
        } else {
            want
        };
        assert_eq!(read(text.as_bytes(), 1_000), want, "{name}");
    }
}

#[test]
fn what_is_no_mbox_is_refused() {
    assert!(matches!(Mbox::open(&b"Subject: x\n\nhi"[..], None, 9), Err(MboxError::NotMbox)));
    assert!(matches!(Mbox::open(&b"\xff\xfe"[..], None, 9), Err(MboxError::NotMbox)));
}

#[test]
fn bad_mails_are_reported_and_the_next_one_is_read() {
    let text = b"From a Mon Nov 2 10:00:00 2026\n\nFrom b Mon Nov 2 10:00:00 2026\nA: 1234567890123\n\n\
                 From c Mon Nov 2 10:00:00 2026\njust prose\n\nFrom d Mon Nov 2 10:00:00 2026\nA: 1\n";
    let told = read(text, 15);
    let want = [
        "it is empty",
        "17 bytes are more than the limit of 15",
        "it has no header: this is no mail",
        "d|A: 1\n",
    ];
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!([&told[0], &told[2], &told[3]], [want[0], want[2], want[3]]);
    assert!(told[1].ends_with("are more than the limit of 15"), "{}", told[1]);
}

/// A line without an end, far longer than what is allowed of a mail.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.0).unwrap());
        buffer[..count].fill(b'x');
        self.0 -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_line_of_any_length_takes_no_more_memory_than_a_mail() {
    let head = b"From a Mon Nov 2 10:00:00 2026\nA: ";
    let input = BufReader::new(head.as_slice().chain(Endless(200_000_000)));
    let mut mbox = Mbox::open(input, None, 100_000).unwrap();
    let found = mbox.next().unwrap();
    assert!(
        matches!(found.mail, Err(Skip::Unfit(Unfit::TooLarge { size_bytes: 200_000_003, .. }))),
        "{found:?}"
    );
    assert!(mbox.piece.capacity() <= 2 * PIECE_MAX);
    assert!(mbox.next().is_none());
}

/// The way mboxrd writers do.
fn written(mails: &[String], line_end: &str) -> Vec<u8> {
    let mut text = String::new();
    for mail in mails {
        text += &format!("From someone@x.example Mon Nov  2 10:00:00 2026{line_end}");
        for line in mail.split_inclusive('\n') {
            let quoted = line.trim_start_matches('>').starts_with("From ");
            text += if quoted { ">" } else { "" };
            text += line;
        }
        text += line_end;
    }
    text.into_bytes()
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        bodies in prop::collection::vec(prop::collection::vec("(From |>From |>>From |>|)[ -~é]{0,12}", 0..6), 0..6),
        is_dos in any::<bool>(),
    ) {
        let line_end = if is_dos { "\r\n" } else { "\n" };
        let mails: Vec<String> = bodies
            .iter()
            .map(|lines| format!("Subject: x{line_end}{line_end}{}", lines.iter().map(|line| format!("{line}{line_end}")).collect::<String>()))
            .collect();
        let text = written(&mails, line_end);
        let mbox = Mbox::open(BufReader::with_capacity(11, text.as_slice()), Some(text.len() as u64), 10_000).unwrap();
        let mut position = 0;
        let mut read = Vec::new();
        for found in mbox {
            position = found.position;
            read.push(String::from_utf8(found.mail.unwrap().raw).unwrap());
        }
        prop_assert_eq!(&read, &mails);
        prop_assert!(mails.is_empty() || position == text.len() as u64);
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400), limit in 0_u64..300) {
        let mut text = b"From a\n".to_vec();
        text.extend(bytes);
        let mbox = Mbox::open(BufReader::with_capacity(5, text.as_slice()), None, limit).unwrap();
        let last = mbox.last().unwrap();
        prop_assert_eq!(last.position, text.len() as u64);
    }
}
