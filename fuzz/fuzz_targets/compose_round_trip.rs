//! Any values as a mail to be sent: nothing can add a header field, and what was written is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::{Letter, Mailbox, MessageId, Outgoing, OutgoingPart, compose};

fuzz_target!(|values: (String, String, String, String, Option<String>, Vec<u8>, u64)| {
    let (name, address, subject, text, html, bytes, boundary_seed) = values;
    let hostile = Mailbox { name: name.clone(), address };
    let outgoing = Outgoing {
        from: Mailbox { name: String::new(), address: "help@desk.example".to_owned() },
        reply_to: Some(hostile.clone()),
        to: vec![hostile],
        cc: Vec::new(),
        subject: subject.clone(),
        message_id: MessageId::new("1@desk.example").expect("is one"),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: 0,
        auto_submitted: false,
        extra: vec![("X-Value".to_owned(), subject)],
        text,
        html: html.clone(),
        attachments: vec![OutgoingPart { content_type: name.clone(), content_id: html, name, bytes }],
        boundary_seed,
    };
    let raw = compose(&outgoing);
    assert!(raw.split(|&octet| octet == b'\n').all(|line| line.len() < 1_000));
    let letter = Letter::parse(&raw);
    assert!(letter.defects.is_empty(), "{:?}", letter.defects);
    assert_eq!((letter.from.len(), letter.attachments.len()), (1, 1));
    let attachment = letter.attachments.first().expect("is there");
    assert_eq!(Letter::attachment(&raw, attachment.part).as_ref(), Some(&outgoing.attachments[0].bytes));
    let known = [
        "From",
        "Reply-To",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "X-Value",
        "MIME-Version",
        "Content-Type",
    ];
    let header = raw.get(..letter.header_bytes).expect("a header");
    for line in
        String::from_utf8_lossy(header).lines().filter(|line| !line.is_empty() && !line.starts_with(' '))
    {
        assert!(
            known.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))),
            "{line}"
        );
    }
});
