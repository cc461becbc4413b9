//! Any values as a mail to be sent: nothing can add a header field, and what was written is read.

use mail::{Letter, Mailbox, MessageId, Outgoing, OutgoingPart, compose};

use crate::input::{pieces, text};

/// The fields that such a mail may have.
const FIELDS: [&str; 9] =
    ["From", "Reply-To", "To", "Subject", "Date", "Message-ID", "X-Value", "MIME-Version", "Content-Type"];

/// Composes a mail of name, address, subject, text, HTML, attachment and seed, and reads it.
pub fn hold(input: &[u8]) {
    let outgoing = outgoing(input);
    let raw = compose(&outgoing);
    assert!(raw.split(|&octet| octet == b'\n').all(|line| line.len() < 1_000));
    let letter = Letter::parse(&raw);
    assert!(letter.defects.is_empty(), "{:?}", letter.defects);
    assert_eq!((letter.from.len(), letter.attachments.len()), (1, 1));
    let read = letter.attachments.first().and_then(|attachment| Letter::attachment(&raw, attachment.part));
    assert_eq!(read.as_ref(), outgoing.attachments.first().map(|sent| &sent.bytes));
    hold_header(&String::from_utf8_lossy(raw.get(..letter.header_bytes).expect("a header")));
}

fn outgoing(input: &[u8]) -> Outgoing {
    let [name, address, subject, body, html, bytes, seed] = pieces::<7>(input);
    let hostile = Mailbox { name: text(name), address: text(address) };
    let html = (!html.is_empty()).then(|| text(html));
    let attachment = OutgoingPart {
        content_type: text(name),
        content_id: html.clone(),
        name: text(name),
        bytes: bytes.to_vec(),
    };
    Outgoing {
        from: Mailbox { name: String::new(), address: "help@desk.example".to_owned() },
        reply_to: Some(hostile.clone()),
        to: vec![hostile],
        cc: Vec::new(),
        subject: text(subject),
        message_id: MessageId::new("1@desk.example").expect("is one"),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: 0,
        auto_submitted: false,
        extra: vec![("X-Value".to_owned(), text(subject))],
        text: text(body),
        html,
        attachments: vec![attachment],
        boundary_seed: seed
            .iter()
            .fold(0, |sum: u64, octet| sum.wrapping_mul(256).wrapping_add((*octet).into())),
    }
}

fn hold_header(header: &str) {
    for line in header.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')) {
        let is_known = |name: &&str| line.strip_prefix(*name).is_some_and(|rest| rest.starts_with(':'));
        assert!(FIELDS.iter().any(is_known), "{line}");
    }
}
