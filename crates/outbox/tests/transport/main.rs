//! The transport and the worker against a scripted SMTP server and a scripted name server, both in this process on
//! loopback.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; the configuration allows it only inside test functions"
)]

mod direct;
mod dns;
mod relay;
mod server;
mod tls;
mod worker;

use outbox::{
    attempt::Attempt,
    transport::{Envelope, Transport},
};

/// A small mail with CRLF line ends.
const MAIL: &[u8] = b"Subject: hello\r\n\r\nGood morning.\r\n";

/// Sends a small mail from `desk@example.org` to `alice@example.com`.
async fn send(transport: &Transport) -> Attempt {
    transport.send(envelope("alice@example.com"), MAIL, &|| true).await.unwrap()
}

fn envelope(rcpt_to: &str) -> Envelope {
    Envelope { mail_from: Some("desk@example.org".to_owned()), rcpt_to: rcpt_to.to_owned() }
}

/// Describes an attempt in a few words: result, class, scope.
fn verdict(attempt: &Attempt) -> String {
    let class = attempt.class.map_or("-", |class| class.as_str());
    format!("{} {class} {:?}", attempt.result.as_str(), attempt.scope)
}
