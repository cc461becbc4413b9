//! What people write, in few words: addresses, mails with their envelopes, answers.

use desk::envelope::{Door, Envelope};
use desk::update::{NewComment, Update};
use mail::address::AddressKey;

/// An address as a key.
///
/// # Panics
/// When it is not an address.
#[must_use]
pub fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

/// A mail made of a few header lines, an empty line, and text; without From it is from Ada.
#[must_use]
pub fn raw(text: &str) -> Vec<u8> {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let from = if lines.iter().any(|line| line.starts_with("From:")) {
        ""
    } else {
        "From: Ada <ada@customer.example>\r\n"
    };
    format!("{from}{}\r\n", lines.join("\r\n")).into_bytes()
}

/// An envelope as a customer's server hands it over.
#[must_use]
pub fn envelope(mail_from: Option<&str>, recipients: &[&str]) -> Envelope {
    Envelope {
        door: Door::Smtp,
        client: "192.0.2.1".into(),
        helo: "mx.customer.example".into(),
        mail_from: mail_from.map(str::to_owned),
        recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
        trusted: false,
        tls: true,
    }
}

/// A comment on a ticket and no other change.
#[must_use]
pub fn answer(body: &str, is_public: bool) -> Update {
    Update { comment: Some(NewComment { body: body.into(), is_public }), ..Update::default() }
}
