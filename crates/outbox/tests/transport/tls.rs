//! TLS with a relay. It is verified once an extra CA is given, so loopback can stand for the world.

use outbox::{
    attempt::{Attempt, AttemptResult},
    route::{RelayUrl, Route},
    transport::{Options, Transport, TransportError},
};

use crate::{
    send,
    server::{Certificate, Script, Server},
    verdict,
};

async fn send_to(server: &Server, scheme: &str, host: &str, extra_ca_pem: Option<Vec<u8>>) -> Attempt {
    let url = format!("{scheme}://{host}:{}", server.address.port());
    let options = Options { extra_ca_pem, ..Options::new("desk.example") };
    let transport = Transport::new(Route::Relay(RelayUrl::parse(&url).unwrap()), options).unwrap();
    send(&transport).await
}

#[tokio::test]
async fn a_relay_is_verified_against_the_extra_ca() {
    struct Case<'a> {
        name: &'a str,
        certificate: &'a Certificate,
        ca: Option<&'a Certificate>,
        want: &'a str,
    }

    let (own, other) = (Certificate::for_name("127.0.0.1"), Certificate::for_name("127.0.0.1"));
    let elsewhere = Certificate::for_name("mail.example");
    for (implicit, scheme) in [(false, "smtp"), (true, "smtps")] {
        let usual = || Case { name: "", certificate: &own, ca: None, want: "deferred operator Host" };
        for Case { name, certificate, ca, want } in [
            Case { name: "known", ca: Some(&own), want: "sent - Recipient", ..usual() },
            Case { name: "unknown", ca: Some(&other), ..usual() },
            Case { name: "wrong name", certificate: &elsewhere, ca: Some(&elsewhere), ..usual() },
            Case { name: "loopback without a CA", want: "sent - Recipient", ..usual() },
        ] {
            let server = Script::default().tls(certificate, implicit).start().await;
            let attempt = send_to(&server, scheme, "127.0.0.1", ca.map(Certificate::pem)).await;
            assert_eq!(verdict(&attempt), want, "{scheme}, {name}: {}", attempt.answer);
            let is_sent = attempt.result == AttemptResult::Sent;
            assert_eq!(
                (server.heard().handshakes, server.heard().mails.len()),
                (is_sent.into(), is_sent.into()),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn the_offers_before_tls_are_forgotten_and_logins_come_after_it() {
    let own = Certificate::for_name("127.0.0.1");
    let server = Script::default().tls(&own, false).offer("AUTH PLAIN").start().await;
    assert_eq!(send_to(&server, "smtp", "u:p@127.0.0.1", Some(own.pem())).await.result, AttemptResult::Sent);
    let lines = server.heard().lines;
    assert_eq!(lines[..4], ["EHLO desk.example", "STARTTLS", "EHLO desk.example", "AUTH PLAIN AHUAcA=="]);
}

#[tokio::test]
async fn a_relay_that_refuses_its_own_offer_or_goes_on_in_the_clear_gets_no_mail() {
    let own = Certificate::for_name("127.0.0.1");
    for (answer, want) in [
        ("454 4.7.0 no certificate", "deferred connection Host"),
        ("220 go ahead\r\n250-server.example\r\n250 AUTH PLAIN", "deferred connection Host"),
    ] {
        let server = Script::default().tls(&own, false).once("STARTTLS", answer).start().await;
        let attempt = send_to(&server, "smtp", "127.0.0.1", None).await;
        assert_eq!(verdict(&attempt), want, "{answer}: {}", attempt.answer);
        assert_eq!(server.heard().mails.len(), 0);
    }
}

#[tokio::test]
async fn a_ca_file_without_certificate_is_refused_at_the_start() {
    let options = Options { extra_ca_pem: Some(b"nothing".to_vec()), ..Options::new("desk.example") };
    assert!(matches!(Transport::new(Route::None, options), Err(TransportError::Tls(_))));
    for name in ["", "two words", "line\r\nend"] {
        assert!(
            matches!(Transport::new(Route::None, Options::new(name)), Err(TransportError::HelloName(_))),
            "{name:?}"
        );
    }
}
