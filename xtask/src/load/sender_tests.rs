//! The sender against the sink, and against receivers that play a script.

use super::{Control, Fate, Target, quantile, send};
use crate::load::connection::Protocol;
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::sink::{Sink, SinkOptions};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

fn sample(count: usize) -> Sample {
    let supports = vec!["support@a.example".to_owned()];
    Sample::make(&Recipe { count, seed: 3, tag: 9, supports, mix: Mix::Desk })
}

fn target(protocol: Protocol, address: SocketAddr) -> Target {
    Target {
        protocol,
        addresses: vec![address],
        connections: 4,
        patience: Duration::from_secs(30),
        pace: Duration::ZERO,
    }
}

#[test]
fn every_mail_arrives_once_and_whole() {
    for protocol in [Protocol::Smtp, Protocol::Lmtp] {
        let sink = Sink::start(SinkOptions { keep_raw: true, ..SinkOptions::default() }).expect("a sink");
        let sample = sample(100);
        let sent = send(&sample.mails, &target(protocol, sink.address()), &Control::default());
        assert_eq!((sent.count(Fate::Accepted), sent.waits.len(), sent.lost), (100, 100, 0));
        let taken: BTreeMap<String, Vec<u8>> =
            sink.taken().into_iter().map(|mail| (mail.message_id, mail.raw.expect("kept"))).collect();
        assert_eq!(taken.len(), 100);
        for mail in &sample.mails {
            assert_eq!(taken[&mail.message_id], mail.raw().as_ref());
        }
        assert!((1..=4).contains(&sink.peak(0)));
    }
}

/// A receiver that plays `script` on every connection: each entry is said after something was read; the first is
/// the greeting. Then it hangs up.
fn scripted(script: &'static [&'static str], connections: usize) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.expect("a connection");
            let mut heard = vec![0_u8; 1 << 20];
            for (turn, line) in script.iter().enumerate() {
                if turn > 0 && stream.read(&mut heard).unwrap_or(0) == 0 {
                    break;
                }
                if stream.write_all(line.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn a_break_after_the_content_is_in_doubt_and_not_sent_again() {
    let address = scripted(&["220 a\r\n", "250 PIPELINING\r\n", "250 a\r\n250 b\r\n354 c\r\n", ""], 1);
    let mut mails = sample(20).mails;
    mails.retain(|mail| mail.wire().len() < 4_000);
    mails.truncate(1);
    let one = Target { connections: 1, ..target(Protocol::Smtp, address) };
    let sent = send(&mails, &one, &Control::default());
    assert_eq!((sent.fates, sent.lost), (vec![Fate::InDoubt], 1));
}

#[test]
fn a_refused_recipient_is_refused_and_a_deferred_one_tried_again() {
    let refused: &[&str] =
        &["220 a\r\n", "250 PIPELINING\r\n", "250 a\r\n550 5.1.1 who\r\n554 none\r\n", "250 reset\r\n"];
    let one = |address| Target { connections: 1, ..target(Protocol::Smtp, address) };
    let mails: Vec<_> = sample(1).mails;
    let sent = send(&mails, &one(scripted(refused, 1)), &Control::default());
    assert_eq!((sent.fates, sent.complaints), (vec![Fate::Refused], vec!["550 5.1.1 who".to_owned()]));

    let later: &[&str] = &[
        "220 a\r\n",
        "250 PIPELINING\r\n",
        "451 4.3.0 wait\r\n503 no\r\n503 no\r\n",
        "250 reset\r\n",
        "550 5.7.1 no more\r\n503 no\r\n503 no\r\n",
        "250 reset\r\n",
    ];
    let sent = send(&mails, &one(scripted(later, 1)), &Control::default());
    assert_eq!((sent.fates, sent.deferred), (vec![Fate::Refused], 1));
}

#[test]
fn quantiles_are_nearest_ranks() {
    let list: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
    for (part, want) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
        assert_eq!(quantile(&list, part), Duration::from_millis(want));
    }
    assert_eq!(quantile(&[], 0.5), Duration::ZERO);
}
