//! What dialogues cannot show: memory use, and a shell that answers at the wrong time.

use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step};

const ENVELOPE: &[u8] = b"EHLO a\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n";

fn session(max_mail_bytes: u64) -> Session {
    let mut config = Config::new("desk.example", Protocol::Smtp);
    config.max_mail_bytes = max_mail_bytes;
    Session::new(config)
}

/// Works up to the next question about a message, or to the need for more input.
fn work(session: &mut Session) -> Step {
    loop {
        match session.step() {
            Step::CheckRecipient(_) => session.recipient(RecipientAnswer::Accepted),
            other => return other,
        }
    }
}

fn replies(session: &mut Session) -> String {
    String::from_utf8(session.take_output()).expect("replies are text")
}

fn accepted() -> MailAnswer {
    MailAnswer::Accepted { id: "1".into() }
}

#[test]
fn mail_beyond_the_limit_is_read_without_being_kept() {
    for start in [&b"DATA\r\n"[..], b"BDAT 10000000 LAST\r\n"] {
        let mut session = session(1_000);
        session.push(&[ENVELOPE, start].concat());
        let mut most = 0;
        for _ in 0..1_000 {
            assert_eq!(work(&mut session), Step::NeedInput);
            session.push(&[b'x'; 10_000]);
            most = most.max(session.buffered_bytes());
        }
        session.push(b"\r\n.\r\n");
        assert_eq!(work(&mut session), Step::NeedInput);
        assert!(replies(&mut session).contains("552 5.3.4"));
        assert!(most < 50_000, "{most} octets were held");
    }
}

#[test]
fn memory_is_given_back_at_the_end() {
    let mut session = session(1_000_000);
    session.push(&[ENVELOPE, b"DATA\r\n\r\n", &[b'x'; 500_000], b"\r\n.\r\n"].concat());
    assert!(matches!(work(&mut session), Step::Mail(mail) if mail.raw.len() == 500_004));
    session.accepted(&accepted());
    session.push(b"NOOP\r\n");
    assert_eq!(work(&mut session), Step::NeedInput);
    let _ = session.take_output();
    session.push(b"QUIT\r\n");
    assert_eq!(work(&mut session), Step::Close);
    let _ = session.take_output();
    assert_eq!(session.buffered_bytes(), 0);
}

#[test]
fn answers_that_nobody_asked_for_change_nothing() {
    let mut session = session(1_000);
    let greeting = replies(&mut session);
    assert_eq!(greeting, "220 desk.example ESMTP Guichet\r\n");
    session.recipient(RecipientAnswer::Accepted);
    session.accepted(&accepted());
    session.tls_started();
    assert_eq!(session.step(), Step::NeedInput);
    assert_eq!(replies(&mut session), "");
    session.push(b"DATA\r\n");
    assert_eq!(session.step(), Step::NeedInput);
    assert_eq!(replies(&mut session), "503 5.5.1 please send MAIL first\r\n");
}

#[test]
fn nothing_is_read_while_an_answer_is_owed() {
    let mut session = session(1_000);
    session.push(&[ENVELOPE, b"DATA\r\nHello\r\n.\r\nQUIT\r\n"].concat());
    assert!(matches!(session.step(), Step::CheckRecipient(_)));
    assert_eq!(session.step(), Step::NeedInput);
    session.recipient(RecipientAnswer::Accepted);
    assert!(matches!(session.step(), Step::Mail(_)));
    assert_eq!(session.step(), Step::NeedInput);
    assert!(replies(&mut session).ends_with("on a line\r\n"), "nothing is said before the answer");
    session.accepted(&accepted());
    assert_eq!(session.step(), Step::Close);
    assert_eq!(replies(&mut session), "250 2.0.0 1 accepted\r\n221 2.0.0 goodbye\r\n");
}

#[test]
fn mail_without_any_answer_is_not_accepted() {
    let mut session = session(1_000);
    session.push(&[ENVELOPE, b"DATA\r\nHello\r\n.\r\n"].concat());
    assert!(matches!(work(&mut session), Step::Mail(_)));
    let _ = session.take_output();
    session.accepted_each(&[]);
    assert!(replies(&mut session).starts_with("451 4.3.0"));
}

#[test]
fn time_out_waits_for_the_mail_in_hand() {
    let mut session = session(1_000);
    session.push(&[ENVELOPE, b"DATA\r\nHello\r\n.\r\n"].concat());
    assert!(matches!(work(&mut session), Step::Mail(_)));
    let _ = session.take_output();
    session.timed_out();
    assert_eq!(replies(&mut session), "");
    session.accepted(&accepted());
    assert!(replies(&mut session).starts_with("250 2.0.0 1 accepted\r\n421 4.4.2"));
    assert_eq!(session.step(), Step::Close);
    session.shutdown();
    assert_eq!(replies(&mut session), "", "a closed session says nothing");
}
