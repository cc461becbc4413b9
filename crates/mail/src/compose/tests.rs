//! Tests of composing, most of them through the parser.

use super::*;
use crate::Letter;
use crate::defect::{Defect, Defects};
use crate::field::header_of_mail;
use proptest::prelude::*;

fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox { name: name.to_owned(), address: address.to_owned() }
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn outgoing() -> Outgoing {
    Outgoing {
        from: mailbox("Help, Desk", "help@desk.example"),
        reply_to: None,
        to: vec![mailbox("", "alice@x.example")],
        cc: vec![],
        subject: "Re: Order 1042".to_owned(),
        message_id: id("m1@desk.example"),
        in_reply_to: vec![],
        references: vec![],
        date: 880_127_706_000,
        auto_submitted: false,
        extra: vec![],
        text: "Hello\n\nGoodbye\n".to_owned(),
        html: None,
        attachments: vec![],
        boundary_seed: 7,
    }
}

fn composed(outgoing: &Outgoing) -> String {
    String::from_utf8(compose(outgoing)).unwrap()
}

#[test]
fn plain_mail_is_plain() {
    let want = "From: \"Help, Desk\" <help@desk.example>\r\n\
        To: alice@x.example\r\n\
        Subject: Re: Order 1042\r\n\
        Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n\
        Message-ID: <m1@desk.example>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\n\
        Hello\r\n\r\nGoodbye\r\n";
    assert_eq!(composed(&outgoing()), want);
}

#[test]
fn full_mail_has_every_field() {
    let full = Outgoing {
        reply_to: Some(mailbox("Jörg", "help+id1@desk.example")),
        to: vec![mailbox("Alice", "alice@x.example"), mailbox("", "bob@y.example")],
        cc: vec![mailbox("C. D.", "c@x.example")],
        subject: "Ça va".to_owned(),
        in_reply_to: vec![id("q@x.example")],
        references: vec![id("p@x.example"), id("q@x.example")],
        auto_submitted: true,
        extra: vec![("X-Guichet-Mail".to_owned(), "42.abc".to_owned())],
        html: Some("<p>Hello</p>\n".to_owned()),
        ..outgoing()
    };
    let want = "From: \"Help, Desk\" <help@desk.example>\r\n\
        Reply-To: =?UTF-8?B?SsO2cmc=?= <help+id1@desk.example>\r\n\
        To: Alice <alice@x.example>, bob@y.example\r\n\
        Cc: \"C. D.\" <c@x.example>\r\n\
        Subject: =?UTF-8?B?w4dhIHZh?=\r\n\
        Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n\
        Message-ID: <m1@desk.example>\r\n\
        In-Reply-To: <q@x.example>\r\n\
        References: <p@x.example> <q@x.example>\r\n\
        Auto-Submitted: auto-generated\r\n\
        X-Auto-Response-Suppress: All\r\n\
        X-Guichet-Mail: 42.abc\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=\"=_guichet_0000000000000007\"\r\n\r\n\
        --=_guichet_0000000000000007\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\n\
        Hello\r\n\r\nGoodbye\r\n\
        --=_guichet_0000000000000007\r\n\
        Content-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\n\
        <p>Hello</p>\r\n\
        --=_guichet_0000000000000007--\r\n";
    assert_eq!(composed(&full), want);
    let letter = Letter::parse(want.as_bytes());
    assert_eq!(
        (letter.own_mark.as_deref(), letter.has_html, letter.defects.as_slice()),
        (Some("42.abc"), true, &[][..])
    );
}

#[test]
fn bodies_are_encoded_as_they_need() {
    for (name, text, want) in [
        ("ASCII", "a\tb\n".to_owned(), "7bit"),
        ("line of 78", "x".repeat(78), "7bit"),
        ("line of 79", "x".repeat(79), "quoted-printable"),
        ("French", "Ça va bien, merci pour tout".to_owned(), "quoted-printable"),
        ("Japanese", "こんにちは".to_owned(), "base64"),
        ("From line", "a\nFrom here".to_owned(), "quoted-printable"),
        ("leading dot", ".".to_owned(), "quoted-printable"),
        ("blank at a line end", "a \nb".to_owned(), "quoted-printable"),
        ("control character", "a\u{7}bcd".to_owned(), "quoted-printable"),
        ("a boundary", "--=_guichet_0000000000000007--".to_owned(), "quoted-printable"),
    ] {
        let mail = composed(&Outgoing { text, ..outgoing() });
        assert!(mail.contains(&format!("Content-Transfer-Encoding: {want}\r\n")), "{name}: {mail}");
    }
}

#[test]
fn references_are_the_first_and_the_last_ones() {
    let written = |count: usize| {
        let references = (0..count).map(|n| id(&format!("r{n}@x.example"))).collect();
        let letter = Letter::parse(&compose(&Outgoing { references, ..outgoing() }));
        letter
            .references
            .iter()
            .map(|id| id.as_str().split('@').next().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(written(11), "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10");
    assert_eq!(written(12), "r0 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11");
}

#[test]
fn ids_that_no_line_can_hold_are_left_out() {
    let ids =
        vec![id(&"i".repeat(WRITTEN_ID_OCTETS)), id(&"j".repeat(WRITTEN_ID_OCTETS + 1)), id("é@x.example")];
    let letter = Letter::parse(&compose(&Outgoing { in_reply_to: ids.clone(), ..outgoing() }));
    assert_eq!(letter.in_reply_to, ids.get(..1).unwrap());
}

#[test]
fn extra_fields_need_a_name_of_their_own() {
    let longest = format!("X-{}", "a".repeat(EXTRA_NAME_OCTETS - 2));
    for (name, want) in [
        ("X-Guichet-Probe", true),
        ("x-a", true),
        (longest.as_str(), true),
        (&format!("{longest}a"), false),
        ("X-", false),
        ("Bcc", false),
        ("X-A: b\r\nBcc", false),
        ("X-Ä", false),
        ("", false),
    ] {
        let mail = composed(&Outgoing { extra: vec![(name.to_owned(), "value".to_owned())], ..outgoing() });
        assert_eq!(mail.contains(": value\r\n"), want, "{name}");
    }
}

#[test]
fn mailboxes_without_address_are_left_out() {
    let to = vec![mailbox("A", "no address"), mailbox("B", "b@x.example\r\nBcc: c@x.example")];
    let mail = composed(&Outgoing { to, ..outgoing() });
    assert!(mail.contains("\r\nTo: undisclosed-recipients:;\r\n"), "{mail}");
}

#[test]
fn addresses_beyond_ascii_are_written_as_utf8() {
    let mail = composed(&Outgoing { to: vec![mailbox("", "jörg@bücher.example")], ..outgoing() });
    assert!(mail.contains("\r\nTo: jörg@bücher.example\r\n"), "{mail}");
}

fn part(name: &str, content_type: &str, content_id: Option<&str>, bytes: &[u8]) -> OutgoingPart {
    let content_id = content_id.map(str::to_owned);
    OutgoingPart {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        content_id,
        bytes: bytes.to_vec(),
    }
}

#[test]
fn images_stand_beside_the_html_and_files_behind_both() {
    let full = Outgoing {
        html: Some("<img src=\"cid:i1@desk.example\">".to_owned()),
        attachments: vec![
            part("été.pdf", "application/pdf", None, b"%PDF"),
            part("logo.png", "image/png", Some("i1@desk.example"), b"png"),
        ],
        ..outgoing()
    };
    let body = composed(&full).split_once("MIME-Version: 1.0\r\n").unwrap().1.to_owned();
    let want = "Content-Type: multipart/mixed; boundary=\"=_guichetm_0000000000000007\"\r\n\r\n\
        --=_guichetm_0000000000000007\r\n\
        Content-Type: multipart/alternative; boundary=\"=_guichet_0000000000000007\"\r\n\r\n\
        --=_guichet_0000000000000007\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHello\r\n\r\nGoodbye\r\n\
        --=_guichet_0000000000000007\r\n\
        Content-Type: multipart/related; boundary=\"=_guichetr_0000000000000007\"; type=\"text/html\"\r\n\r\n\
        --=_guichetr_0000000000000007\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<img src=\"cid:i1@desk.example\">\r\n\
        --=_guichetr_0000000000000007\r\n\
        Content-Type: image/png;\r\n name=\"logo.png\"\r\nContent-Transfer-Encoding: base64\r\n\
        Content-ID: <i1@desk.example>\r\nContent-Disposition: inline;\r\n filename=\"logo.png\"\r\n\r\ncG5n\r\n\
        --=_guichetr_0000000000000007--\r\n\
        --=_guichet_0000000000000007--\r\n\
        --=_guichetm_0000000000000007\r\n\
        Content-Type: application/pdf;\r\n name=\"=?UTF-8?B?w6l0w6kucGRm?=\"\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment;\r\n filename*0*=UTF-8''%C3%A9t%C3%A9.pdf\r\n\r\nJVBERg==\r\n\
        --=_guichetm_0000000000000007--\r\n";
    assert_eq!(body, want);
}

#[test]
fn parts_are_written_as_what_they_may_be() {
    struct Case<'a> {
        name: &'a str,
        content_type: &'a str,
        bytes: &'a [u8],
        want: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case {
            name: "",
            content_type: "message/rfc822",
            bytes: b"x",
            want: "Content-Type: application/octet-stream\r\n",
        }
    }

    let mail = b"Subject: x\r\n\r\nhi\r\n";
    for Case { name, content_type, bytes, want } in [
        Case { name: "a type", content_type: "Image/PNG", want: "Content-Type: Image/PNG\r\n", ..usual() },
        Case { name: "no type", content_type: "", ..usual() },
        Case { name: "more than a type", content_type: "a/b; c=d\r\nBcc: x", ..usual() },
        Case { name: "multipart", content_type: "multipart/mixed", ..usual() },
        Case {
            name: "mail",
            bytes: mail,
            want: "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n",
            ..usual()
        },
        Case { name: "mail with LF", bytes: b"a: b\n\nc", ..usual() },
        Case { name: "mail with 8 bits", bytes: b"a: \xe9\r\n", ..usual() },
        Case { name: "mail with a boundary", bytes: b"--=_x\r\n", ..usual() },
    ] {
        let outgoing =
            Outgoing { attachments: vec![part("", content_type, Some("i\r\nBcc: x"), bytes)], ..outgoing() };
        let mail = composed(&outgoing);
        assert!(
            mail.contains(want) && !mail.contains("Bcc") && !mail.contains("Content-ID"),
            "{name}: {mail}"
        );
        let letter = Letter::parse(mail.as_bytes());
        let number = letter.attachments.first().unwrap().part;
        assert_eq!(Letter::attachment(mail.as_bytes(), number).as_deref(), Some(bytes), "{name}");
    }
}

/// What the parser makes of a text: uniform line ends, no NUL, no byte order mark, no blank lines around it.
fn seen(body: &str) -> String {
    let lines = text::lines(body).0.into_owned();
    text::trim_blank_lines(lines.strip_prefix('\u{feff}').unwrap_or(&lines)).to_owned()
}

fn any_mailbox() -> impl Strategy<Value = Mailbox> {
    let local = r#"[a-z0-9.+_-]{1,12}|"[a-z @<>,;\\"]{1,8}""#;
    ("\\PC{0,30}|.{0,30}", local, "[a-z]{1,10}\\.example").prop_map(|(name, local, domain)| {
        // The parser strips apostrophes from a name that is an address.
        mailbox(name.trim_matches('\''), &format!("{local}@{domain}"))
    })
}

fn any_part() -> impl Strategy<Value = OutgoingPart> {
    let name = "[a-zA-Z0-9 ._é€\"%'=?;-]{1,60}\\.pdf|[a-zé日]{80}|";
    let content_id = proptest::option::of("[a-z0-9]{1,20}@desk\\.example");
    (name, "(image|application)/[a-z]{1,10}", content_id, any::<Vec<u8>>()).prop_map(
        |(name, content_type, content_id, bytes)| OutgoingPart { name, content_type, content_id, bytes },
    )
}

proptest! {
    #[test]
    fn composed_mail_comes_back(
        from in any_mailbox(),
        to in proptest::collection::vec(any_mailbox(), 0..6),
        subject in ".{0,120}|[ -~]{0,300}|(é|=\\?utf-8\\?q\\?a\\?=|  ){0,40}",
        body in "([ -~]{0,120}\n|[^\\x00]{0,40}|\\.\n|From x\n|[ \t]{1,3}\n|😀 é\r\n){0,8}",
        html in proptest::option::of("<p>[a-zé ]{0,200}</p>"),
        attachments in proptest::collection::vec(any_part(), 0..4),
        seed: u64,
    ) {
        let outgoing = Outgoing { from, to, subject, text: body, html, attachments, boundary_seed: seed, ..outgoing() };
        let raw = compose(&outgoing);
        let letter = Letter::parse(&raw);
        prop_assert_eq!(&letter.subject, &text::one_line(&outgoing.subject, usize::MAX));
        let text = seen(&outgoing.text);
        if !text.is_empty() || outgoing.html.is_none() {
            prop_assert_eq!(&letter.text, &text);
        }
        prop_assert_eq!(letter.date, Some(outgoing.date));
        prop_assert_eq!(letter.message_id.as_ref(), Some(&outgoing.message_id));
        let written = |list: &[Mailbox]| -> Vec<Mailbox> {
            list.iter().filter(|m| m.key().is_some()).map(|m| Mailbox { name: text::one_line(&m.name, 255), address: m.address.clone() }).collect()
        };
        prop_assert_eq!(&letter.from, &written(std::slice::from_ref(&outgoing.from)));
        prop_assert_eq!(&letter.to, &written(&outgoing.to));
        prop_assert_eq!(Letter::html(&raw), outgoing.html.clone());
        prop_assert_eq!(letter.attachments.len(), outgoing.attachments.len());
        for part in &outgoing.attachments {
            let content_id = part.content_id.clone();
            let found = letter.attachments.iter().find(|found| {
                (part.name.trim().is_empty() || found.name == text::one_line(&part.name, usize::MAX))
                    && found.content_type == part.content_type && found.content_id == content_id
                    && found.inline == (content_id.is_some() && outgoing.html.is_some())
                    && Letter::attachment(&raw, found.part).as_ref() == Some(&part.bytes)
            });
            prop_assert!(found.is_some(), "{part:?} among {:?}", letter.attachments);
        }
        let lacks_from = outgoing.from.key().is_none();
        prop_assert_eq!(letter.defects.as_slice(), if lacks_from { &[Defect::MissingFrom][..] } else { &[] });
    }

    #[test]
    fn no_value_can_add_a_header_field(
        name in any::<String>(),
        address in "(a@x\\.example|\r\n|\n|Bcc: b@x\\.example|<|>|,|\"|\\PC){0,4}",
        subject in "(\r\n\r\n|\n|\r|Bcc: b@x\\.example|\u{2028}|\\PC){0,6}",
        value in any::<String>(),
        body in any::<String>(),
    ) {
        let hostile = mailbox(&name, &address);
        let outgoing = Outgoing {
            from: hostile.clone(),
            reply_to: Some(hostile.clone()),
            to: vec![hostile.clone(), mailbox(&value, "alice@x.example")],
            cc: vec![hostile],
            subject,
            extra: vec![(name, value.clone()), ("X-Fine".to_owned(), value.clone())],
            html: Some(body.clone()),
            attachments: vec![part(&value, &value, Some(&value), body.as_bytes()), part(&address, &body, None, value.as_bytes())],
            text: body,
            ..outgoing()
        };
        let raw = compose(&outgoing);
        for line in raw.split(|&octet| octet == b'\n') {
            prop_assert!(line.len() < 1_000);
            prop_assert!(line.is_empty() || line.ends_with(b"\r"), "bare LF");
            prop_assert!(!line.get(..line.len().saturating_sub(1)).unwrap_or_default().contains(&b'\r'), "bare CR");
        }
        let mut defects = Defects::default();
        let header = header_of_mail(&raw, &mut defects);
        let names: Vec<String> = header.fields.iter().map(|f| String::from_utf8_lossy(f.name).into_owned()).collect();
        let known = ["From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "X-Fine", "MIME-Version", "Content-Type"];
        prop_assert!(names.iter().all(|name| known.contains(&name.as_str()) || is_extra_name(name)), "{names:?}");
        prop_assert_eq!(names.last().map(String::as_str), Some("Content-Type"));
        prop_assert_eq!(defects.into_sorted(), vec![]);
    }
}
