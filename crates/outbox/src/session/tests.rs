//! Conversations over a pipe, where time is turned by hand.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use super::*;
use crate::{reply::LINE_LIMIT_BYTES, tls::TlsConfigs};

const MAIL: &[u8] = b"Subject: hello\r\n\r\nGood morning.\r\n";

fn opening(tls: TlsUse) -> Opening<'static> {
    let timeouts = Timeouts::default();
    Opening { host: "mx.example", hello_name: "desk.example", tls, credentials: None, timeouts }
}

/// Answers line by line until the words run out, then keeps silent with the connection open.
async fn answer(stream: DuplexStream, answers: &[&str]) {
    let mut stream = BufReader::new(stream);
    for (index, answer) in answers.iter().enumerate() {
        // The greeting comes unasked.
        if index > 0 {
            stream.read_line(&mut String::new()).await.unwrap();
        }
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
    std::future::pending::<()>().await;
}

/// Opens a conversation and sends `bytes`; returns the step and the trouble where it ended.
async fn fail(answers: &[&str], tls: TlsUse, bytes: &[u8]) -> (Step, String) {
    let (near, far) = duplex(1024);
    let recipient = Mailbox::parse("alice@example.com").unwrap();
    let conversation = async {
        let mut session = Session::open(Box::new(near), &opening(tls)).await?;
        session.deliver(&Delivery { mail_from: None, rcpt_to: &recipient, bytes }).await
    };
    let failure = tokio::select! {
        result = conversation => result.unwrap_err(),
        () = answer(far, answers) => unreachable!("the server never ends"),
    };
    (failure.step, format!("{:?}", failure.trouble))
}

#[tokio::test(start_paused = true)]
async fn silence_at_any_step_times_out_there() {
    let words = ["220 hello", "250 mx.example", "250 fine", "250 fine", "354 go ahead"];
    let steps = [Step::Greeting, Step::Hello, Step::MailFrom, Step::RcptTo, Step::Data, Step::Message];
    for (said, step) in steps.into_iter().enumerate() {
        assert_eq!(fail(&words[..said], TlsUse::Never, MAIL).await, (step, "TimedOut".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_more_bytes_times_out() {
    let words = ["220 hello", "250 mx.example", "250 fine", "250 fine", "354 go ahead"];
    let large = [b"x".repeat(100_000), b"\r\n".to_vec()].concat();
    assert_eq!(fail(&words, TlsUse::Never, &large).await, (Step::Message, "TimedOut".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn silence_in_the_handshake_times_out() {
    let tls = TlsConfigs::new(None).unwrap();
    let (step, trouble) = fail(&[], TlsUse::Implicit(Arc::clone(&tls.verified)), MAIL).await;
    assert_eq!((step, trouble.as_str()), (Step::Tls, "Tls(\"no answer in time\")"));
    let words = ["220 hello", "250-mx.example\r\n250 STARTTLS", "220 go ahead"];
    let (step, trouble) = fail(&words, TlsUse::Offered(tls.verified), MAIL).await;
    assert_eq!((step, trouble.as_str()), (Step::StartTls, "Tls(\"no answer in time\")"));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_not_sent_where_starttls_is_missing() {
    let tls = TlsConfigs::new(None).unwrap();
    let (step, trouble) = fail(&["220 hello", "250 mx.example"], TlsUse::Required(tls.verified), MAIL).await;
    assert_eq!(step, Step::StartTls);
    assert!(trouble.starts_with("Unsafe(\"the relay mx.example does not offer STARTTLS"), "{trouble}");
}

#[tokio::test(start_paused = true)]
async fn words_out_of_turn_are_never_the_next_answer() {
    for (greeting, want) in [
        ("220 hello\r\n250 I am early", "Protocol(\"it spoke out of turn\")"),
        ("220 hello\r\n250-I am half", "Protocol(\"it spoke out of turn\")"),
        (
            "220 hello\r\n421 4.3.2 changed my mind",
            "Reply(Reply { code: 421, lines: [\"4.3.2 changed my mind\"] })",
        ),
    ] {
        assert_eq!(fail(&[greeting], TlsUse::Never, MAIL).await, (Step::Hello, want.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn not_even_half_a_line_survives_from_before_tls() {
    let tls = TlsConfigs::new(None).unwrap();
    for injected in ["220 go ahead\r\n250 whole", "220 go ahead\r\n250-half"] {
        let words = ["220 hello", "250-mx.example\r\n250 STARTTLS", injected];
        let failure = fail(&words, TlsUse::Offered(Arc::clone(&tls.verified)), MAIL).await;
        let want = "Protocol(\"it went on in the clear\")".to_owned();
        assert_eq!(failure, (Step::StartTls, want));
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_without_end_is_not_read_for_ever() {
    let endless = format!("220 {}", "x".repeat(2 * LINE_LIMIT_BYTES));
    let (step, trouble) = fail(&[&endless], TlsUse::Never, MAIL).await;
    assert_eq!(step, Step::Greeting);
    assert!(trouble.starts_with("Protocol"), "{trouble}");
}

#[test]
fn dots_are_doubled_at_line_starts_however_the_mail_is_cut() {
    for (mail, want) in [
        ("", ""),
        (".", ".."),
        ("a.b\r\n", "a.b\r\n"),
        (".a\r\n..\r\n", "..a\r\n...\r\n"),
        ("\r\n.\r\n", "\r\n..\r\n"),
    ] {
        for cut in 0..=mail.len() {
            let (mut at_line_start, mut out) = (true, Vec::new());
            let (head, tail) = mail.as_bytes().split_at(cut);
            stuff_dots(head, &mut at_line_start, &mut out);
            stuff_dots(tail, &mut at_line_start, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{mail:?} cut at {cut}");
        }
    }
}
