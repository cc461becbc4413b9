//! Answers, connections and bytes, through a relay.

use std::sync::Arc;

use outbox::{
    attempt::AttemptResult,
    pool::Limits,
    route::{RelayUrl, Route},
    transport::{Envelope, Options, Transport},
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    MAIL, envelope, send,
    server::{DROP, Script, Server},
    verdict,
};

fn transport_with(server: &Server, login: &str, options: Options) -> Transport {
    let url = format!("smtp://{login}{}", server.address);
    Transport::new(Route::Relay(RelayUrl::parse(&url).unwrap()), options).unwrap()
}

fn transport(server: &Server) -> Transport {
    transport_with(server, "", Options::new("desk.example"))
}

#[tokio::test]
async fn a_mail_is_sent_in_the_expected_steps() {
    let server = Script::default().offer("SIZE 1000").start().await;
    let attempt = send(&transport(&server)).await;
    assert_eq!(attempt.result, AttemptResult::Sent);
    assert_eq!(attempt.answer, "250 2.0.0 taken");
    assert_eq!((attempt.code, attempt.enhanced.as_deref()), (Some(250), Some("2.0.0")));
    assert_eq!(attempt.host, "127.0.0.1");
    let want =
        ["EHLO desk.example", "MAIL FROM:<desk@example.org> SIZE=33", "RCPT TO:<alice@example.com>", "DATA"];
    assert_eq!(server.heard().lines, want);
    assert_eq!(server.heard().mails, [MAIL]);
}

#[tokio::test]
async fn every_answer_at_every_step_has_its_verdict() {
    for (step, answer, want) in [
        ("greeting", "421 4.3.2 closing", "deferred closing Host"),
        ("greeting", "450 busy", "deferred connection Host"),
        ("greeting", "554 5.7.1 go away", "deferred operator Host"),
        ("greeting", DROP, "deferred connection Host"),
        ("greeting", "who are you", "deferred connection Host"),
        ("EHLO", "421 4.3.2 closing", "deferred closing Host"),
        ("EHLO", "554 5.7.1 bad name", "deferred operator Host"),
        ("EHLO", DROP, "deferred connection Host"),
        ("MAIL", "421 4.3.2 closing", "deferred closing Connection"),
        ("MAIL", "451 4.3.1 full", "deferred temporary Host"),
        ("MAIL", "530 5.7.0 log in first", "deferred operator Host"),
        ("MAIL", "550 5.7.1 not your address", "deferred operator Recipient"),
        ("MAIL", DROP, "deferred connection Connection"),
        ("RCPT", "421 4.7.0 too many", "deferred closing Connection"),
        ("RCPT", "450 4.2.0 greylisted", "deferred greylisted Recipient"),
        ("RCPT", "452 4.2.2 mailbox full", "deferred temporary Recipient"),
        ("RCPT", "550 5.1.1 unknown", "bounced - Recipient"),
        ("RCPT", "354 what", "deferred connection Connection"),
        ("RCPT", DROP, "deferred connection Connection"),
        ("DATA", "451 4.3.0 later", "deferred temporary Recipient"),
        ("DATA", "554 5.5.1 no", "bounced - Recipient"),
        ("DATA", "250 what", "deferred connection Recipient"),
        ("DATA", DROP, "deferred connection Recipient"),
        (".", "421 4.3.0 closing", "deferred closing Recipient"),
        (".", "451 4.3.0 later", "deferred temporary Recipient"),
        (".", "552 5.3.4 too large", "bounced - Recipient"),
        (".", "550 5.7.1 caf\u{e9}", "bounced - Recipient"),
        (".", DROP, "deferred connection Recipient"),
    ] {
        let server = Script::default().always(step, answer).start().await;
        let attempt = send(&transport(&server)).await;
        assert_eq!(verdict(&attempt), want, "{step}: {answer}: {}", attempt.answer);
        if attempt.code.is_some() {
            assert_eq!(attempt.answer, answer, "{step}");
        } else {
            assert!(attempt.answer.starts_with("127.0.0.1 "), "{step}: {}", attempt.answer);
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_a_connection_failure_of_the_host() {
    let server = Script::default().start().await;
    let transport = transport(&server);
    drop(server);
    let attempt = send(&transport).await;
    assert_eq!(verdict(&attempt), "deferred connection Host");
    assert!(
        attempt.answer.starts_with("the connection to 127.0.0.1 failed while connecting: "),
        "{}",
        attempt.answer
    );
}

#[tokio::test]
async fn without_a_relay_mail_waits() {
    let attempt = send(&Transport::new(Route::None, Options::new("desk.example")).unwrap()).await;
    assert_eq!(verdict(&attempt), "deferred operator Host");
}

#[tokio::test]
async fn a_server_that_knows_only_helo_is_greeted_so() {
    let server = Script::default().always("EHLO", "502 5.5.1 unknown command").start().await;
    assert_eq!(send(&transport(&server)).await.result, AttemptResult::Sent);
    assert_eq!(server.heard().lines[1], "HELO desk.example");
}

#[tokio::test]
async fn connections_are_used_again_also_after_a_refusal() {
    let server =
        Script::default().once("RCPT", "550 5.1.1 unknown").once(".", "451 4.3.0 later").start().await;
    let transport = transport(&server);
    let mut results = Vec::new();
    for _ in 0..4 {
        results.push(send(&transport).await.result);
    }
    use AttemptResult::{Bounced, Deferred, Sent};
    assert_eq!(results, [Bounced, Deferred, Sent, Sent]);
    let heard = server.heard();
    assert_eq!(heard.connections, 1);
    assert_eq!(heard.lines.iter().filter(|line| *line == "RSET").count(), 2);
}

#[tokio::test]
async fn a_connection_that_does_not_take_rset_is_replaced() {
    for answer in ["554 5.5.1 no", "452 4.3.1 busy", "220 what", "421 4.3.2 closing", DROP] {
        let server = Script::default().once("RCPT", "550 5.1.1 unknown").once("RSET", answer).start().await;
        let transport = transport(&server);
        assert_eq!(send(&transport).await.result, AttemptResult::Bounced, "{answer}");
        assert_eq!(send(&transport).await.result, AttemptResult::Sent, "{answer}");
        assert_eq!(server.heard().connections, 2, "{answer}");
    }
}

#[tokio::test]
async fn connections_are_closed_politely_after_their_number_of_mails() {
    let server = Script::default().start().await;
    let mut options = Options::new("desk.example");
    options.limits.mails_per_connection = 2;
    let transport = transport_with(&server, "", options);
    for _ in 0..5 {
        assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    }
    let heard = server.heard();
    assert_eq!(heard.connections, 3);
    assert_eq!(heard.lines.iter().filter(|line| *line == "QUIT").count(), 2);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_without_a_word() {
    for last_word in [DROP, "421 4.4.2 idle for too long"] {
        let server = Script::default().once("MAIL", "250 fine").once("MAIL", last_word).start().await;
        let transport = transport(&server);
        assert_eq!(send(&transport).await.result, AttemptResult::Sent);
        assert_eq!(send(&transport).await.result, AttemptResult::Sent, "{last_word}");
        assert_eq!(server.heard().connections, 2);
        assert_eq!(server.heard().mails.len(), 2);
    }
}

#[tokio::test]
async fn a_mail_that_may_have_been_taken_is_not_sent_twice_in_one_attempt() {
    let server = Script::default().once(".", "250 fine").once(".", DROP).start().await;
    let transport = transport(&server);
    assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    assert_eq!(verdict(&send(&transport).await), "deferred connection Recipient");
    assert_eq!(server.heard().mails.len(), 2);
}

#[tokio::test]
async fn a_destination_gets_no_more_than_its_connections_and_the_others_wait() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Script::default().gate(&gate).start().await;
    let mut options = Options::new("desk.example");
    options.limits = Limits { to_relay: 3, ..Limits::default() };
    let transport = transport_with(&server, "", options);
    let mut sends = JoinSet::new();
    for _ in 0..10 {
        let transport = transport.clone();
        sends.spawn(async move { send(&transport).await.result });
    }
    // Three mails stand before the gate and nothing else can move.
    while server.heard().mails.len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.heard().connections, 3);
    gate.add_permits(10);
    let results = sends.join_all().await;
    assert_eq!(results, [AttemptResult::Sent; 10]);
    let heard = server.heard();
    assert_eq!((heard.connections, heard.mails.len()), (3, 10));
}

#[tokio::test]
async fn mails_arrive_byte_for_byte() {
    let long_line = "x".repeat(200_000);
    for mail in [
        ".\r\n".to_owned(),
        "..\r\n.x\r\n.\r\n\r\n.\r\n".to_owned(),
        format!("Subject: long\r\n\r\n{long_line}\r\n.{long_line}\r\n"),
        "Subject: blank lines at the end\r\n\r\n\r\n\r\n".to_owned(),
        // A dot at each place around a block's end.
        format!("{}\r\n.{}\r\n.\r\n", "y".repeat(64 * 1024 - 2), "z".repeat(64 * 1024 - 3)),
    ] {
        let server = Script::default().start().await;
        let attempt =
            transport(&server).send(envelope("alice@example.com"), mail.as_bytes(), &|| true).await.unwrap();
        assert_eq!(attempt.result, AttemptResult::Sent);
        assert_eq!(server.heard().mails, [mail.into_bytes()]);
    }
}

#[tokio::test]
async fn a_mail_that_may_no_longer_begin_is_not_begun_on_a_fresh_or_a_kept_connection() {
    let server = Script::default().start().await;
    let transport = transport(&server);
    for sent_before in [0, 1] {
        assert!(transport.send(envelope("alice@example.com"), MAIL, &|| false).await.is_none());
        assert_eq!(server.heard().mails.len(), sent_before);
        assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    }
    assert!(!server.heard().lines.iter().any(|line| line.starts_with("RSET")), "{:?}", server.heard().lines);
    assert_eq!(server.heard().connections, 1);
}

#[tokio::test]
async fn a_mail_without_final_line_end_gets_one() {
    let server = Script::default().start().await;
    transport(&server).send(envelope("alice@example.com"), b"Subject: x\r\n\r\nend", &|| true).await.unwrap();
    assert_eq!(server.heard().mails, [b"Subject: x\r\n\r\nend\r\n"]);
}

#[tokio::test]
async fn mails_that_cannot_go_are_bounced_before_the_envelope() {
    struct Case<'a> {
        offer: &'a str,
        rcpt_to: &'a str,
        mail: &'a [u8],
        enhanced: Option<&'a str>,
    }
    fn usual<'a>() -> Case<'a> {
        Case { offer: "", rcpt_to: "alice@example.com", mail: MAIL, enhanced: None }
    }

    let eight_bit = "Subject: caf\u{e9}\r\n\r\n".as_bytes();
    for Case { offer, rcpt_to, mail, enhanced } in [
        Case { offer: "SIZE 10", enhanced: Some("5.3.4"), ..usual() },
        Case { offer: "SIZE 33", ..usual() },
        Case { offer: "SIZE 32", enhanced: Some("5.3.4"), ..usual() },
        Case { offer: "SIZE 0", ..usual() },
        Case { offer: "SIZE", ..usual() },
        Case { offer: "HELP", mail: eight_bit, enhanced: Some("5.6.3"), ..usual() },
        Case { offer: "8BITMIME", mail: eight_bit, ..usual() },
        Case { offer: "8BITMIME", rcpt_to: "\u{e9}lise@example.com", enhanced: Some("5.6.7"), ..usual() },
        Case { offer: "SMTPUTF8", rcpt_to: "\u{e9}lise@example.com", ..usual() },
        Case { offer: "HELP", mail: b"smuggled\n.\nMAIL FROM:<>\r\n", enhanced: Some("5.6.0"), ..usual() },
        Case { offer: "HELP", rcpt_to: "alice\r\n@example.com", enhanced: Some("5.1.3"), ..usual() },
    ] {
        let server = Script::default().offer(offer).start().await;
        let attempt = transport(&server).send(envelope(rcpt_to), mail, &|| true).await.unwrap();
        let want = enhanced.map_or(AttemptResult::Sent, |_| AttemptResult::Bounced);
        assert_eq!(attempt.result, want, "{offer}: {}", attempt.answer);
        if enhanced.is_some() {
            assert_eq!(attempt.enhanced.as_deref(), enhanced, "{offer}");
            assert!(!server.heard().lines.iter().any(|line| line.starts_with("MAIL")), "{offer}");
        }
    }
}

#[tokio::test]
async fn extensions_are_used_where_they_are_offered() {
    let server = Script::default().offer("8BITMIME").offer("SMTPUTF8").start().await;
    let envelope = Envelope { mail_from: None, rcpt_to: "\u{e9}lise@m\u{fc}nchen.example".to_owned() };
    let attempt =
        transport(&server).send(envelope, "Subject: caf\u{e9}\r\n".as_bytes(), &|| true).await.unwrap();
    assert_eq!(attempt.result, AttemptResult::Sent);
    let heard = server.heard();
    assert_eq!(heard.lines[1], "MAIL FROM:<> BODY=8BITMIME SMTPUTF8");
    assert_eq!(heard.lines[2], "RCPT TO:<\u{e9}lise@xn--mnchen-3ya.example>");
}

#[tokio::test]
async fn logins_use_plain_or_login() {
    for (offer, want) in [
        ("AUTH LOGIN PLAIN", &["AUTH PLAIN AHVzZXIAcEBzcw=="][..]),
        ("AUTH=PLAIN", &["AUTH PLAIN AHVzZXIAcEBzcw=="]),
        ("AUTH LOGIN", &["AUTH LOGIN", "dXNlcg==", "cEBzcw=="]),
    ] {
        let mut script = Script::default().offer(offer);
        if want.len() > 1 {
            script = script
                .once("AUTH", "334 VXNlcm5hbWU6")
                .once("dXNlcg==", "334 UGFzc3dvcmQ6")
                .once("cEBzcw==", "235 welcome");
        }
        let server = script.start().await;
        let attempt = send(&transport_with(&server, "user:p%40ss@", Options::new("desk.example"))).await;
        assert_eq!(attempt.result, AttemptResult::Sent, "{offer}: {}", attempt.answer);
        assert_eq!(server.heard().lines[1..=want.len()], *want, "{offer}");
    }
}

#[tokio::test]
async fn a_refused_or_impossible_login_waits_for_the_operator() {
    for (offer, answer, want) in [
        ("AUTH PLAIN", "535 5.7.8 wrong password", "deferred operator Host"),
        ("AUTH LOGIN", "535 5.7.8 wrong password", "deferred operator Host"),
        ("AUTH PLAIN", "454 4.7.0 database is down", "deferred connection Host"),
        ("AUTH CRAM-MD5", "235 welcome", "deferred operator Host"),
    ] {
        let server = Script::default().offer(offer).always("AUTH", answer).start().await;
        let attempt = send(&transport_with(&server, "user:pass@", Options::new("desk.example"))).await;
        assert_eq!(verdict(&attempt), want, "{offer}: {answer}");
        assert!(!attempt.answer.contains("pass@"));
        assert_eq!(server.heard().mails.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_politely() {
    let server = Script::default().start().await;
    let transport = transport(&server);
    assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    let has_quit = || server.heard().lines.iter().any(|line| line == "QUIT");
    for _ in 0..10_000 {
        if has_quit() {
            break;
        }
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    assert!(has_quit(), "the connection is still open");
    assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    assert_eq!(server.heard().connections, 2);
}
