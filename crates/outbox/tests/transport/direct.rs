//! Straight to mail exchangers, with names from a scripted name server.

use hickory_resolver::proto::op::ResponseCode;
use outbox::{
    attempt::{Attempt, AttemptResult},
    route::Route,
    transport::{Options, Transport},
};

use crate::{
    MAIL,
    dns::{Dns, Zone},
    envelope, send,
    server::{Certificate, DROP, Script, Server},
    verdict,
};

fn transport(dns: &Dns, port: u16, allow_loopback: bool) -> Transport {
    let route = Route::Direct { port, dns_servers: vec![dns.address], allow_loopback };
    Transport::new(route, Options::new("desk.example")).unwrap()
}

/// Two exchangers for example.com, the first preferred, on one port of two addresses.
async fn two_exchangers(first: Script, second: Script) -> (Server, Server, Transport, Dns) {
    let first = first.start().await;
    let address = std::net::SocketAddr::new("127.0.0.2".parse().unwrap(), first.address.port());
    let second = second.start_at(address).await;
    assert_ne!(first.ip(), second.ip());
    // In the wrong order, so that the preference has to be obeyed.
    let zone =
        Zone::default().mx("example.com", 20, "mx2.example.com").mx("example.com", 10, "mx1.example.com");
    let zone = zone.a("mx1.example.com", "127.0.0.1").a("mx2.example.com", "127.0.0.2");
    let dns = zone.start().await;
    let transport = transport(&dns, first.address.port(), true);
    (first, second, transport, dns)
}

/// Sends with names from `zone`, where nobody is expected to be reached.
async fn send_nowhere(zone: Zone, rcpt_to: &str, allow_loopback: bool) -> Attempt {
    let dns = zone.start().await;
    transport(&dns, 9, allow_loopback).send(envelope(rcpt_to), MAIL, &|| true).await.unwrap()
}

#[tokio::test]
async fn the_preferred_exchanger_takes_the_mail_and_its_connection_is_used_again() {
    let (first, second, transport, _dns) = two_exchangers(Script::default(), Script::default()).await;
    for _ in 0..2 {
        let attempt = send(&transport).await;
        assert_eq!((attempt.result, attempt.host.as_str()), (AttemptResult::Sent, "mx1.example.com"));
    }
    assert_eq!((first.heard().connections, second.heard().connections), (1, 0));
}

#[tokio::test]
async fn the_next_exchanger_is_tried_until_one_has_heard_the_envelope() {
    for (step, answer) in [
        ("greeting", "421 4.3.2 closing"),
        ("greeting", "450 busy"),
        ("greeting", "554 no service"),
        ("greeting", DROP),
        ("EHLO", "421 4.3.2 closing"),
        ("EHLO", DROP),
    ] {
        let (_first, second, transport, _dns) =
            two_exchangers(Script::default().always(step, answer), Script::default()).await;
        let attempt = send(&transport).await;
        assert_eq!(
            (attempt.result, attempt.host.as_str()),
            (AttemptResult::Sent, "mx2.example.com"),
            "{step}: {answer}"
        );
        assert_eq!(second.heard().mails, [MAIL]);
    }
    for (answer, want) in [
        ("450 4.2.0 greylisted", "deferred greylisted Recipient"),
        ("550 5.1.1 unknown", "bounced - Recipient"),
    ] {
        let (_first, second, transport, _dns) =
            two_exchangers(Script::default().always("RCPT", answer), Script::default()).await;
        assert_eq!(verdict(&send(&transport).await), want);
        assert_eq!(second.heard().connections, 0, "{answer}");
    }
}

#[tokio::test]
async fn a_bounce_at_the_greeting_needs_all_exchangers() {
    let no = || Script::default().always("greeting", "554 5.7.1 no");
    let busy = || Script::default().always("greeting", "450 busy");
    for (first, second, want) in [
        (no(), no(), "bounced - Recipient"),
        (no(), busy(), "deferred connection Host"),
        (busy(), no(), "deferred connection Host"),
    ] {
        let (_first, _second, transport, _dns) = two_exchangers(first, second).await;
        assert_eq!(verdict(&send(&transport).await), want);
    }
}

#[tokio::test]
async fn a_domain_without_mx_is_its_own_exchanger_and_a_literal_needs_no_dns() {
    let server = Script::default().start().await;
    let dns = Zone::default().a("example.com", "127.0.0.1").start().await;
    let transport = transport(&dns, server.address.port(), true);
    assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    let attempt = transport.send(envelope("alice@[127.0.0.1]"), MAIL, &|| true).await.unwrap();
    assert_eq!((attempt.result, attempt.host.as_str()), (AttemptResult::Sent, "[127.0.0.1]"));
}

#[tokio::test]
async fn names_that_lead_nowhere_bounce_and_doubtful_ones_wait() {
    struct Case {
        name: &'static str,
        zone: Zone,
        want: &'static str,
        enhanced: Option<&'static str>,
    }
    fn usual() -> Case {
        Case { name: "", zone: Zone::default(), want: "deferred connection Host", enhanced: None }
    }

    let mx = |host: &str| Zone::default().mx("example.com", 10, host);
    for Case { name, zone, want, enhanced } in [
        Case {
            name: "no such domain",
            zone: Zone::default(),
            want: "bounced - Recipient",
            enhanced: Some("5.1.2"),
        },
        Case { name: "no without authority", zone: Zone::default().without_soa(), ..usual() },
        Case {
            name: "server failure",
            zone: Zone::default().code("example.com", ResponseCode::ServFail),
            ..usual()
        },
        Case { name: "null MX", zone: mx("."), want: "bounced - Recipient", enhanced: Some("5.1.10") },
        Case {
            name: "no such exchanger",
            zone: mx("mx.example.com"),
            want: "bounced - Recipient",
            enhanced: Some("5.4.4"),
        },
        Case {
            name: "exchanger fails",
            zone: mx("mx.example.com").code("mx.example.com", ResponseCode::ServFail),
            ..usual()
        },
        Case {
            name: "nobody listens",
            zone: mx("mx.example.com").a("mx.example.com", "127.0.0.1"),
            ..usual()
        },
    ] {
        let attempt = send_nowhere(zone, "alice@example.com", true).await;
        assert_eq!(verdict(&attempt), want, "{name}: {}", attempt.answer);
        assert_eq!(attempt.enhanced.as_deref(), enhanced, "{name}: {}", attempt.answer);
    }
}

#[tokio::test]
async fn mail_is_never_sent_back_to_this_machine() {
    let mx = |host: &str| Zone::default().mx("example.com", 10, host);
    for (name, zone, rcpt_to) in [
        ("loopback", mx("mx.example.com").a("mx.example.com", "127.0.0.1"), "alice@example.com"),
        ("unspecified", mx("mx.example.com").a("mx.example.com", "0.0.0.0"), "alice@example.com"),
        ("our name", mx("DESK.example").a("desk.example", "192.0.2.1"), "alice@example.com"),
        ("worse than us", mx("desk.example").mx("example.com", 20, "mx.example.com"), "alice@example.com"),
        ("literal", Zone::default(), "alice@[127.0.0.1]"),
    ] {
        let attempt = send_nowhere(zone, rcpt_to, false).await;
        assert_eq!(verdict(&attempt), "bounced - Recipient", "{name}: {}", attempt.answer);
        assert_eq!(attempt.enhanced.as_deref(), Some("5.4.6"), "{name}: {}", attempt.answer);
    }
}

#[tokio::test]
async fn exchangers_get_tls_without_questions_and_plain_text_where_tls_fails() {
    let own = Certificate::for_name("another.example");
    let (first, _second, transport, _dns) =
        two_exchangers(Script::default().tls(&own, false), Script::default()).await;
    assert_eq!(send(&transport).await.result, AttemptResult::Sent);
    assert_eq!((first.heard().connections, first.heard().handshakes), (1, 1));

    for (script, connections) in [
        // Refuses what it offered: the conversation goes on.
        (Script::default().tls(&own, false).always("STARTTLS", "454 4.7.0 no certificate"), 1),
        // Hangs up in the handshake: a second connection does without.
        (Script::default().offer("STARTTLS"), 2),
    ] {
        let (first, _second, transport, _dns) = two_exchangers(script, Script::default()).await;
        let attempt = send(&transport).await;
        assert_eq!((attempt.result, attempt.host.as_str()), (AttemptResult::Sent, "mx1.example.com"));
        assert_eq!((first.heard().connections, first.heard().handshakes), (connections, 0));
    }
}

#[tokio::test]
async fn words_in_the_clear_after_starttls_never_pass_for_encrypted_ones() {
    let own = Certificate::for_name("mx1.example.com");
    let script = Script::default().tls(&own, false).always("STARTTLS", "220 go ahead\r\n250 injected");
    let (first, second, transport, _dns) = two_exchangers(script, Script::default()).await;
    assert_eq!(send(&transport).await.host, "mx2.example.com");
    assert_eq!((first.heard().mails.len(), second.heard().mails.len()), (0, 1));
}
