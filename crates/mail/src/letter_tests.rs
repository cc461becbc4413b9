//! Tests of whole letters at their limits; the fixtures show the usual ones.

use super::*;
use proptest::prelude::*;

const HEAD: &str = "From: a@x.example\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <1@x.example>\n";

fn letter(raw: &str) -> Letter {
    Letter::parse(raw.as_bytes())
}

#[test]
fn empty_mails_are_letters() {
    use Defect::*;
    let empty = letter("");
    assert_eq!(empty.defects, [NoHeader, MissingFrom, MissingDate, MissingMessageId]);
    assert_eq!((empty.text.as_str(), empty.attachments.len(), empty.header_bytes), ("", 0, 0));
    let header_only = letter(HEAD);
    assert_eq!((header_only.text.as_str(), header_only.defects.as_slice()), ("", &[][..]));
    assert_eq!(header_only.header_bytes, HEAD.len());
    assert_eq!(letter(&format!("{HEAD}\n \n\r\n\n")).text, "");
}

#[test]
fn first_of_repeated_fields_counts() {
    use Defect::*;
    let twice = letter(&format!("{HEAD}Subject: one\nSubject: two\nFrom: b@x.example\nDate: x\nMessage-ID: <2@x.example>\n\nhi"));
    assert_eq!(twice.subject, "one");
    assert_eq!(twice.from.first().map(|from| from.address.as_str()), Some("a@x.example"));
    assert_eq!(twice.message_id.as_ref().map(MessageId::as_str), Some("1@x.example"));
    assert_eq!(twice.date, Some(880_127_706_000));
    assert_eq!(twice.defects, [RepeatedFrom, RepeatedDate, RepeatedMessageId, RepeatedSubject]);
    let unreadable = letter("From: nobody\nDate: soon\nMessage-ID: <a b\n\nhi");
    assert_eq!(unreadable.message_id.as_ref().map(MessageId::as_str), Some("ab"));
    assert_eq!(unreadable.defects, [MissingFrom, BadDate]);
    assert_eq!(letter("From: a@x.example\nDate:\nMessage-ID: <>\n\n").defects, [BadDate, BadMessageId]);
}

#[test]
fn recipients_of_all_fields_are_joined_up_to_the_limit() {
    let field = |name: &str, count: usize| format!("{name}: {}\n", vec!["b@x.example"; count].join(",\n "));
    let joined = letter(&format!("{HEAD}{}{}{}\nhi", field("To", MAX_ADDRESSES - 1), field("To", 1), field("Cc", 2)));
    assert_eq!((joined.to.len(), joined.cc.len(), joined.defects.as_slice()), (MAX_ADDRESSES, 2, &[][..]));
    let over = letter(&format!("{HEAD}{}{}\nhi", field("To", MAX_ADDRESSES), field("To", 1)));
    assert_eq!((over.to.len(), over.defects.as_slice()), (MAX_ADDRESSES, &[Defect::TooManyAddresses][..]));
    let many = letter(&format!("{HEAD}{}\nhi", field("To", 50_000)));
    assert_eq!((many.to.len(), many.text.as_str()), (MAX_ADDRESSES, "hi"));
}

#[test]
fn limits_of_subject_references_and_hops_hold_at_n_and_break_at_n_plus_one() {
    let subject = |count: usize| letter(&format!("{HEAD}Subject: {}\n\n", "é".repeat(count))).subject.chars().count();
    assert_eq!((subject(SUBJECT_CHARACTERS), subject(SUBJECT_CHARACTERS + 1)), (SUBJECT_CHARACTERS, SUBJECT_CHARACTERS));
    let references = |count: usize| {
        let ids: String = (0..count).map(|n| format!(" <{n}@x.example>\n")).collect();
        letter(&format!("{HEAD}References:{ids}\n"))
    };
    let all = references(MAX_REFERENCES);
    assert_eq!((all.references.len(), all.defects.as_slice()), (MAX_REFERENCES, &[][..]));
    let cut = references(MAX_REFERENCES + 1);
    assert_eq!((cut.references.len(), cut.defects.as_slice()), (MAX_REFERENCES, &[Defect::TooManyReferences][..]));
    assert_eq!(
        (cut.references.first(), cut.references.get(1)),
        (MessageId::new("0@x.example").as_ref(), MessageId::new("2@x.example").as_ref())
    );
    let hops = |count: usize| letter(&format!("{}{HEAD}\n", "Delivered-To: b@x.example\n".repeat(count)));
    assert_eq!((hops(MAX_HOPS).hops.len(), hops(MAX_HOPS).defects.len()), (MAX_HOPS, 0));
    assert_eq!((hops(MAX_HOPS + 1).hops.len(), hops(MAX_HOPS + 1).defects), (MAX_HOPS, vec![Defect::TooManyHops]));
}

#[test]
fn hops_know_where_they_stand() {
    let raw = format!(
        "Delivered-To: Box@Desk.example\nReceived: by a\nX-Original-To: <team@x.example>\nReceived: by b\nX-Forwarded-For: help@x.example box@desk.example\n{HEAD}Resent-To: Team <team2@x.example>\nX-Forwarded-To: nobody\n\n"
    );
    let hops: Vec<String> =
        letter(&raw).hops.iter().map(|h| format!("{:?} {} {} {}", h.header, h.address, h.index, h.above_received)).collect();
    assert_eq!(
        hops,
        [
            "DeliveredTo box@desk.example 0 0",
            "XOriginalTo team@x.example 2 1",
            "XForwardedFor help@x.example 4 2",
            "XForwardedFor box@desk.example 4 2",
            "ResentTo team2@x.example 8 2",
        ]
    );
}

#[test]
fn own_fields_are_read_once_each() {
    let own = letter(&format!("{HEAD}x-guichet-MAIL: 1.abc\nX-Guichet-Mail: 2.def\nX-Guichet-Probe: t\n\n"));
    assert_eq!((own.own_mark.as_deref(), own.probe.as_deref()), (Some("1.abc"), Some("t")));
    assert_eq!((letter(HEAD).own_mark, letter(HEAD).probe), (None, None));
}

#[test]
fn digest_follows_what_is_said_and_not_how_it_travelled() {
    let attached = |head: &str, text: &str, data: &str| {
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\nContent-Type: text/csv\n\n{data}\n--b--\n"
        )
    };
    let base = letter(&attached(HEAD, "hi", "1;2\n3;4"));
    assert_ne!(base.digest, [0; 16]);
    assert_eq!(letter(&attached("Received: x\n", "hi", "1;2\n3;4")).digest, base.digest);
    assert_eq!(letter(&attached(HEAD, "hi", "1;2\n3;4").replace('\n', "\r\n")).digest, base.digest);
    assert_ne!(letter(&attached(HEAD, "hi", "1;2\n3;5")).digest, base.digest);
    assert_ne!(letter(&attached(HEAD, "ho", "1;2\n3;4")).digest, base.digest);
    let quoted = format!("{HEAD}Content-Transfer-Encoding: quoted-printable\n\nh=69\n");
    assert_eq!(letter(&quoted).digest, letter(&format!("{HEAD}\nhi")).digest);
}

#[test]
fn file_names_are_clean_and_never_empty() {
    let name = |disposition: &str, kind: &str| {
        let raw = format!(
            "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: {kind}\n{disposition}\n\nSubject: Re: a/b\n\nx\n--b--\n"
        );
        letter(&raw).attachments.first().map(|attachment| attachment.name.clone()).unwrap()
    };
    let given = |name: &str| format!("Content-Disposition: attachment; filename=\"{name}\"");
    for (title, disposition, kind, want) in [
        ("folders", given("../../etc/passwd"), "a/b", "passwd".to_owned()),
        ("Windows folders", given(r"C:\tmp\a.pdf"), "a/b", "a.pdf".to_owned()),
        ("dots", given(".."), "application/pdf", "part-1.pdf".to_owned()),
        ("control characters", given("a\u{1}b.pdf"), "a/b", "a b.pdf".to_owned()),
        ("none", String::from("X-A: b"), "image/png", "part-1.png".to_owned()),
        ("attached mail", String::from("X-A: b"), "message/rfc822", "Re: a-b.eml".to_owned()),
        ("longest", given(&"n".repeat(FILE_NAME_OCTETS)), "a/b", "n".repeat(FILE_NAME_OCTETS)),
        ("too long", given(&"n".repeat(FILE_NAME_OCTETS + 1)), "a/b", "n".repeat(FILE_NAME_OCTETS)),
    ] {
        assert_eq!(name(&disposition, kind), want, "{title}");
    }
}

#[test]
fn mail_with_bare_carriage_returns_is_read() {
    let raw = format!("{HEAD}Subject: hi\n\none\ntwo\n").replace('\n', "\r");
    let read = letter(&raw);
    assert_eq!((read.subject.as_str(), read.text.as_str()), ("hi", "one\ntwo"));
    assert_eq!(read.defects, [Defect::BareCarriageReturns]);
}

#[test]
fn nul_octets_go() {
    let read = letter(&format!("{HEAD}Subject: a\0b\n\none\0two\n"));
    assert_eq!((read.subject.as_str(), read.text.as_str(), read.defects.as_slice()), ("ab", "onetwo", &[Defect::Nul][..]));
}

#[test]
fn hostile_mails_end() {
    let attached_mails = format!("{HEAD}{}", "Content-Type: message/rfc822\n\n".repeat(100_000));
    assert_eq!(letter(&attached_mails).attachments.len(), 1);
    let boundaries = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n".repeat(20_000)
    );
    assert!(letter(&boundaries).attachments.len() <= MAX_PARTS);
    let words = format!("{HEAD}Subject: {}\n\n", "=?utf-8?q?".repeat(100_000));
    assert_eq!(letter(&words).subject.chars().count(), SUBJECT_CHARACTERS);
    let colons = format!("{HEAD}To: a@{}\n\n", ":".repeat(500_000));
    assert_eq!(letter(&colons).to.len(), 1);
    let header = format!("{HEAD}X-Long: {}\n\nhi", "x \n ".repeat(500_000));
    assert_eq!(letter(&header).text, "hi");
    let breaks = format!("{HEAD}Content-Transfer-Encoding: quoted-printable\n\n{}", "= ".repeat(200_000));
    assert!(!letter(&breaks).text.is_empty());
}

#[test]
fn attachment_of_no_part_is_none() {
    let raw = format!("{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b--\n");
    assert_eq!(Letter::attachment(raw.as_bytes(), 0), None);
    assert_eq!(Letter::attachment(raw.as_bytes(), 1).as_deref(), Some(&b"hi"[..]));
    assert_eq!(Letter::attachment(raw.as_bytes(), 2), None);
}

/// Pieces of mails, so that random ones reach deep.
const PIECES: &str = "(From: a@x\n|Subject: =\\?utf-8\\?q\\?|Content-Type: multipart/(mixed|related|report|alternative); boundary=[bc]\n|Content-Type: (text/html|message/rfc822|message/delivery-status|image/png; name=x)\n|Content-Transfer-Encoding: (base64|quoted-printable)\n|Content-ID: <x>\n|Final-Recipient: x; y\n|\r?\n|--[bc]\n|--[bc]--\n|=|=\n|aGk=|<p>|&amp;|é|\0|\r| ){0,40}";

proptest! {
    #[test]
    fn any_octets_are_a_letter(raw: Vec<u8>) {
        let letter = Letter::parse(&raw);
        prop_assert!(letter.header_bytes <= raw.len());
        prop_assert!(!letter.text.contains(['\0', '\r']));
    }

    #[test]
    fn any_pieces_are_a_letter_whose_attachments_can_be_fetched(raw in PIECES) {
        let letter = Letter::parse(raw.as_bytes());
        prop_assert!(!letter.text.contains(['\0', '\r']));
        for attachment in &letter.attachments {
            let octets = Letter::attachment(raw.as_bytes(), attachment.part).map(|octets| octets.len() as u64);
            prop_assert_eq!(octets, Some(attachment.size_bytes));
            prop_assert!(!attachment.name.is_empty());
        }
    }
}
