//! What a server that is stopping must know: whether a message is on its way in.

use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step};

#[test]
fn a_mail_is_in_hand_from_its_first_recipient_to_its_answer() {
    let mut session = Session::new(Config::new("desk.example", Protocol::Smtp));
    let mut seen = Vec::new();
    for line in [
        "EHLO a\r\n",
        "MAIL FROM:<a@a.example>\r\n",
        "RCPT TO:<b@b.example>\r\n",
        "DATA\r\n",
        "hello\r\n",
        ".\r\n",
        "NOOP\r\n",
    ] {
        session.push(line.as_bytes());
        loop {
            match session.step() {
                Step::CheckRecipient(_) => session.recipient(RecipientAnswer::Accepted),
                Step::Mail(_) => {
                    assert!(session.has_mail_in_hand(), "until it is answered");
                    session.accepted(&MailAnswer::Temporary);
                }
                _ => break,
            }
        }
        seen.push(session.has_mail_in_hand());
    }
    assert_eq!(seen, [false, false, true, true, true, false, false]);
}
