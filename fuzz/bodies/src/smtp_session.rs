//! Whole sessions of random bytes, settings, cuts and answers.
//!
//! What must hold: no panic; the cuts change neither mails nor replies; memory stays within what was pushed at once, one
//! mail and one line; there are no more mails than ends of data; and a mail after DATA ends where, and holds what, the
//! plain reference says.

use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step, Transaction};

#[allow(clippy::indexing_slicing, reason = "test code of smtp, where it is allowed")]
#[path = "../../../crates/smtp/tests/dialogues/reference.rs"]
mod reference;

const ENVELOPE: &[u8] = b"EHLO a\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n";

/// The answers byte that accepts everything.
const ACCEPT: u8 = 0xFF;

/// Plays what an input says: an octet of settings, one of answers, one of the length of pieces, then what a client sends.
pub fn hold(input: &[u8]) {
    let [settings, answers, piece, bytes @ ..] = input else {
        return;
    };
    match settings >> 6 {
        0 => text_after_data(bytes, usize::from(*piece) + 1),
        1 => text_in_chunks(bytes, usize::from(*piece) + 1),
        2 => free_session(&config(*settings), &[ENVELOPE, bytes].concat(), *answers, *piece),
        _ => free_session(&config(*settings), bytes, *answers, *piece),
    }
}

fn config(settings: u8) -> Config {
    let is_set = |bit: u8| settings & (1 << bit) != 0;
    let protocol = if is_set(0) { Protocol::Lmtp } else { Protocol::Smtp };
    let mut config = Config::new("desk.example", protocol);
    config.starttls = is_set(1);
    if is_set(3) {
        config.max_mail_bytes = 64;
        config.limits.mail_line_bytes = 20;
        config.limits.header_bytes = 30;
        config.limits.received_fields = 1;
    }
    if is_set(4) {
        config.limits.recipients = 2;
        config.limits.errors = 5;
        config.limits.commands = 20;
        config.limits.transactions = 2;
        config.limits.command_line_bytes = 40;
    }
    config
}

/// Plays a session and returns its mails and all replies.
fn run(config: &Config, bytes: &[u8], answers: u8, piece: usize) -> (Vec<Transaction>, Vec<u8>) {
    let mut session = Session::new(config.clone());
    let mut mails = Vec::new();
    let mut replies = Vec::new();
    let mut asked = 0_u8;
    for pushed in bytes.chunks(piece) {
        session.push(pushed);
        loop {
            match session.step() {
                Step::CheckRecipient(_) => {
                    asked = asked.wrapping_add(1);
                    session.recipient(recipient_answer(answers, asked));
                }
                Step::Mail(mail) => {
                    mails.push(mail);
                    session.accepted_each(&mail_answers(answers));
                }
                // No handshake: what follows is thrown away however it is cut.
                Step::NeedInput | Step::StartTls | Step::Close => break,
            }
        }
        replies.extend(session.take_output());
        let bound =
            32 * 1024 + 8 * piece + 4 * usize::try_from(config.max_mail_bytes).unwrap_or(0).min(bytes.len());
        assert!(session.buffered_bytes() <= bound, "{} octets held", session.buffered_bytes());
    }
    (mails, replies)
}

/// The answer to the question with this number.
fn recipient_answer(answers: u8, asked: u8) -> RecipientAnswer {
    if answers == ACCEPT {
        return RecipientAnswer::Accepted;
    }
    match answers.wrapping_mul(asked) & 7 {
        0 => RecipientAnswer::Unknown,
        1 => RecipientAnswer::Temporary,
        _ => RecipientAnswer::Accepted,
    }
}

fn mail_answers(answers: u8) -> Vec<MailAnswer> {
    match answers >> 6 {
        0 => vec![MailAnswer::Temporary],
        1 => vec![MailAnswer::Accepted { id: "a".to_owned() }, MailAnswer::Temporary],
        2 => Vec::new(),
        _ => vec![MailAnswer::Accepted { id: "a".to_owned() }],
    }
}

/// Any bytes as commands: cuts change nothing, and every mail has an end of its own.
fn free_session(config: &Config, bytes: &[u8], answers: u8, piece: u8) {
    let whole = run(config, bytes, answers, bytes.len().max(1));
    let cut = run(config, bytes, answers, usize::from(piece) + 1);
    assert!(whole == cut, "cuts change the session");
    let is_word = |word: &[u8]| bytes.windows(word.len()).filter(|w| w.eq_ignore_ascii_case(word)).count();
    assert!(whole.0.len() <= is_word(b"\r\n.\r\n") + is_word(b"BDAT"), "more mails than ends");
    for mail in &whole.0 {
        assert!(!mail.recipients.is_empty() && mail.raw.len() as u64 <= config.max_mail_bytes);
    }
    for reply in whole.1.split_inclusive(|b| *b == b'\n') {
        assert!(reply.ends_with(b"\r\n") && reply.len() <= 512, "a reply is one line");
    }
}

/// The reference knows no limits.
fn without_text_limits() -> Config {
    let mut config = Config::new("desk.example", Protocol::Smtp);
    config.limits.received_fields = u32::MAX;
    config
}

/// Any bytes as the text of a mail, and then as the text of the next one, until no end of data is left.
fn text_after_data(bytes: &[u8], piece: usize) {
    let config = without_text_limits();
    let mut sent = Vec::new();
    let mut want = Vec::new();
    let mut rest = bytes;
    while let Some((mail, used)) = reference::first_mail(rest) {
        let (text, after) = rest.split_at(used);
        sent.extend([ENVELOPE, b"DATA\r\n", text].concat());
        want.push(mail);
        rest = after;
    }
    sent.extend([ENVELOPE, b"DATA\r\n", rest].concat());
    let (mails, _) = run(&config, &sent, ACCEPT, piece);
    let seen: Vec<_> = mails.into_iter().map(|mail| mail.raw).collect();
    assert!(seen == want, "mails are not what the reference says");
}

/// Any bytes as the text of one mail in chunks of one size.
fn text_in_chunks(bytes: &[u8], piece: usize) {
    let config = without_text_limits();
    let mut sent = ENVELOPE.to_vec();
    for chunk in bytes.chunks(piece) {
        sent.extend(format!("BDAT {}\r\n", chunk.len()).into_bytes());
        sent.extend(chunk);
    }
    sent.extend(b"BDAT 0 LAST\r\n");
    let (mails, _) = run(&config, &sent, ACCEPT, 7);
    let seen: Vec<_> = mails.into_iter().map(|mail| mail.raw).collect();
    assert!(seen == [reference::chunked_mail(bytes)], "mail is not what the reference says");
}
