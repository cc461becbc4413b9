//! A server without memory for a message says so at its end and carries on.

use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step};

/// Pushes bytes and answers what comes; returns the reply codes.
fn say(session: &mut Session, bytes: &str) -> String {
    session.push(bytes.as_bytes());
    loop {
        match session.step() {
            Step::CheckRecipient(_) => session.recipient(RecipientAnswer::Accepted),
            Step::Mail(_) => session.accepted(&MailAnswer::Accepted { id: "1".into() }),
            _ => break,
        }
    }
    let said = String::from_utf8(session.take_output()).unwrap();
    let codes: Vec<&str> = said.lines().map(|line| line.get(..9).unwrap_or(line)).collect();
    codes.join(",")
}

fn begun(protocol: Protocol) -> Session {
    let mut session = Session::new(Config { max_mail_bytes: 1_000, ..Config::new("desk.example", protocol) });
    let hello = if protocol == Protocol::Lmtp { "LHLO" } else { "EHLO" };
    say(&mut session, &format!("{hello} client.example\r\n"));
    session
}

const BEGIN: &str = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\n";

#[test]
fn a_mail_without_room_is_refused_for_now_and_the_session_goes_on() {
    struct Case {
        name: &'static str,
        protocol: Protocol,
        begin: &'static str,
        rest: &'static str,
        want: &'static str,
    }
    fn usual() -> Case {
        Case { name: "", protocol: Protocol::Smtp, begin: "", rest: "", want: "452 4.3.1" }
    }

    for Case { name, protocol, begin, rest, want } in [
        Case { name: "DATA", begin: "DATA\r\nSubject: x\r\n", rest: "\r\nhi\r\n.\r\n", ..usual() },
        Case {
            name: "LMTP",
            protocol: Protocol::Lmtp,
            begin: "DATA\r\nSubject: x\r\n",
            rest: "\r\nhi\r\n.\r\n",
            want: "452 4.3.1,452 4.3.1",
        },
        Case { name: "a chunk", begin: "BDAT 10\r\nSubje", rest: "ct: x", ..usual() },
        Case { name: "the last chunk", begin: "BDAT 10 LAST\r\nSubje", rest: "ct: x", ..usual() },
        Case {
            name: "between chunks",
            begin: "BDAT 10\r\nSubject: x",
            rest: "BDAT 2 LAST\r\n\r\n",
            ..usual()
        },
    ] {
        let mut session = begun(protocol);
        say(&mut session, BEGIN);
        say(&mut session, begin);
        session.out_of_room();
        assert_eq!(say(&mut session, rest), want, "{name}");
        say(&mut session, "RSET\r\n");
        let again = say(&mut session, &format!("{BEGIN}DATA\r\n"));
        assert!(again.ends_with("354 send "), "{name}: {again}");
        assert!(say(&mut session, "Subject: y\r\n\r\nhi\r\n.\r\n").starts_with("250 2.0.0"), "{name}");
    }
}

#[test]
fn what_was_thrown_away_is_counted_and_holds_no_memory() {
    let mut session = begun(Protocol::Smtp);
    say(&mut session, &format!("{BEGIN}DATA\r\n"));
    let before = session.buffered_bytes();
    session.out_of_room();
    let line = format!("{}\r\n", "x".repeat(98));
    assert_eq!(say(&mut session, &line.repeat(11)), "");
    assert!(session.buffered_bytes() <= before, "{} and {before}", session.buffered_bytes());
    assert_eq!(say(&mut session, ".\r\n"), "552 5.3.4", "a mail that is too large need not come again");
}

#[test]
fn nothing_happens_when_no_mail_is_coming_in() {
    let mut session = begun(Protocol::Smtp);
    session.out_of_room();
    say(&mut session, BEGIN);
    session.out_of_room();
    say(&mut session, "DATA\r\n");
    assert!(say(&mut session, "\r\nhi\r\n.\r\n").starts_with("250 2.0.0"));
}

#[test]
fn want_of_room_is_no_error_of_the_client() {
    let mut session = begun(Protocol::Smtp);
    for round in 0..200 {
        say(&mut session, &format!("{BEGIN}DATA\r\n"));
        session.out_of_room();
        assert_eq!(say(&mut session, "\r\nhi\r\n.\r\n"), "452 4.3.1", "{round}");
    }
}
