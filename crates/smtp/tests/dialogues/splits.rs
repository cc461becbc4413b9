//! Properties: how bytes are split makes no difference, and a message is what the plain reference says it is.

use proptest::prelude::*;
use proptest::sample::select;
use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step, Transaction};

use crate::dialogue::{Cut, play};
use crate::reference::{chunked_mail, first_mail};
use crate::scripts;

const ENVELOPE: &[u8] = b"EHLO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n";

/// Pushes bytes in pieces, accepts everything, and returns the messages and all replies.
fn run(config: &Config, bytes: &[u8], piece: usize) -> (Vec<Transaction>, Vec<u8>) {
    let mut session = Session::new(config.clone());
    let mut mails = Vec::new();
    let mut replies = Vec::new();
    for piece in bytes.chunks(piece) {
        session.push(piece);
        loop {
            match session.step() {
                Step::CheckRecipient(_) => session.recipient(RecipientAnswer::Accepted),
                Step::Mail(mail) => {
                    mails.push(mail);
                    session.accepted(&MailAnswer::Accepted { id: "1".into() });
                }
                Step::StartTls => session.tls_started(),
                Step::NeedInput | Step::Close => break,
            }
        }
        replies.extend(session.take_output());
    }
    (mails, replies)
}

/// Bytes with many line ends, dots and near misses of the end of data.
fn nasty_text() -> impl Strategy<Value = Vec<u8>> {
    static PIECES: [&str; 12] =
        ["\r\n", "\r", "\n", ".", "..", "a", "b c", "\0", "\r\n.\r\n", "\r\n.", "Received: x\r\n", "\n.\n"];
    proptest::collection::vec(select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Whole commands, good and bad, with the text of messages among them.
fn nasty_session() -> impl Strategy<Value = Vec<u8>> {
    static LINES: [&str; 15] = [
        "EHLO a\r\n",
        "MAIL FROM:<a@a.example>\r\n",
        "MAIL FROM:<>\r\n",
        "RCPT TO:<b@b.example>\r\n",
        "DATA\r\n",
        "RSET\r\n",
        "BDAT 7\r\nabc\r\nde",
        "BDAT 0 LAST\r\n",
        "BDAT 12 LAST\r\n",
        "NOOP\n",
        "x\r\n",
        ".\r\n",
        "\r\n.\r\n",
        "a\rb\nc",
        "STARTTLS x\r\n",
    ];
    proptest::collection::vec(select(&LINES[..]), 0..40).prop_map(|lines| lines.concat().into_bytes())
}

fn small_limits() -> Config {
    let mut config = Config::new("desk.example", Protocol::Smtp);
    config.max_mail_bytes = 60;
    config.limits.mail_line_bytes = 20;
    config.limits.header_bytes = 40;
    config.limits.received_fields = 1;
    config.limits.command_line_bytes = 40;
    config
}

proptest! {
    #[test]
    fn mail_after_data_is_what_the_reference_says(text in nasty_text(), piece in 1_usize..20) {
        let bytes = [ENVELOPE, b"DATA\r\n", &text, b"\r\n.\r\n"].concat();
        let start = ENVELOPE.len() + 6;
        let (want, used) = first_mail(&bytes[start..]).expect("an end of data");
        let (mails, _) = run(&Config::new("desk.example", Protocol::Smtp), &bytes[..start + used], piece);
        prop_assert_eq!(mails.len(), 1);
        prop_assert_eq!(&mails[0].raw, &want);
    }

    #[test]
    fn mail_does_not_end_one_byte_early(text in nasty_text()) {
        let bytes = [ENVELOPE, b"DATA\r\n", &text, b"\r\n.\r\n"].concat();
        let start = ENVELOPE.len() + 6;
        let (_, used) = first_mail(&bytes[start..]).expect("an end of data");
        let (mails, _) = run(&Config::new("desk.example", Protocol::Smtp), &bytes[..start + used - 1], 1_000);
        prop_assert!(mails.is_empty());
    }

    #[test]
    fn mail_in_chunks_is_what_the_reference_says(text in nasty_text(), size in 1_usize..20, piece in 1_usize..20) {
        let mut bytes = ENVELOPE.to_vec();
        for chunk in text.chunks(size) {
            bytes.extend(format!("BDAT {}\r\n", chunk.len()).into_bytes());
            bytes.extend(chunk);
        }
        bytes.extend(b"BDAT 0 LAST\r\n");
        let (mails, _) = run(&Config::new("desk.example", Protocol::Smtp), &bytes, piece);
        prop_assert_eq!(mails.len(), 1);
        prop_assert_eq!(&mails[0].raw, &chunked_mail(&text));
    }

    #[test]
    fn cuts_change_neither_mails_nor_replies(bytes in nasty_session(), piece in 1_usize..30, small: bool) {
        let mut config = Config::new("desk.example", Protocol::Smtp);
        if small {
            config = small_limits();
        }
        prop_assert_eq!(run(&config, &bytes, piece), run(&config, &bytes, usize::MAX));
    }

    #[test]
    fn cuts_do_not_change_which_limit_is_told(text in nasty_text(), piece in 1_usize..10) {
        let bytes = [ENVELOPE, b"DATA\r\n", &text, b"\r\n.\r\nQUIT\r\n"].concat();
        prop_assert_eq!(run(&small_limits(), &bytes, piece), run(&small_limits(), &bytes, usize::MAX));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn dialogues_read_the_same_however_they_are_cut(lengths in proptest::collection::vec(1_usize..40, 1..20)) {
        for (path, script) in scripts() {
            prop_assert_eq!(play(&script, &mut Cut::Lengths(lengths.clone())), script, "{}", path.display());
        }
    }
}
