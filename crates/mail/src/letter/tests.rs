//! Tests of whole letters at their limits; the fixtures cover the usual ones.

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
    let twice = letter(&format!(
        "{HEAD}Subject: one\nSubject: two\nFrom: b@x.example\nDate: x\nMessage-ID: <2@x.example>\n\nhi"
    ));
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
    let joined =
        letter(&format!("{HEAD}{}{}{}\nhi", field("To", MAX_ADDRESSES - 1), field("To", 1), field("Cc", 2)));
    assert_eq!((joined.to.len(), joined.cc.len(), joined.defects.as_slice()), (MAX_ADDRESSES, 2, &[][..]));
    let over = letter(&format!("{HEAD}{}{}\nhi", field("To", MAX_ADDRESSES), field("To", 1)));
    assert_eq!((over.to.len(), over.defects.as_slice()), (MAX_ADDRESSES, &[Defect::TooManyAddresses][..]));
    let many = letter(&format!("{HEAD}{}\nhi", field("To", 50_000)));
    assert_eq!((many.to.len(), many.text.as_str()), (MAX_ADDRESSES, "hi"));
}

#[test]
fn limits_of_subject_references_and_hops_hold_at_n_and_break_at_n_plus_one() {
    let subject =
        |count: usize| letter(&format!("{HEAD}Subject: {}\n\n", "é".repeat(count))).subject.chars().count();
    assert_eq!(
        (subject(SUBJECT_CHARACTERS), subject(SUBJECT_CHARACTERS + 1)),
        (SUBJECT_CHARACTERS, SUBJECT_CHARACTERS)
    );
    let references = |count: usize| {
        let ids: String = (0..count).map(|n| format!(" <{n}@x.example>\n")).collect();
        letter(&format!("{HEAD}References:{ids}\n"))
    };
    let all = references(MAX_REFERENCES);
    assert_eq!((all.references.len(), all.defects.as_slice()), (MAX_REFERENCES, &[][..]));
    let cut = references(MAX_REFERENCES + 1);
    assert_eq!(
        (cut.references.len(), cut.defects.as_slice()),
        (MAX_REFERENCES, &[Defect::TooManyReferences][..])
    );
    assert_eq!(
        (cut.references.first(), cut.references.get(1)),
        (MessageId::new("0@x.example").as_ref(), MessageId::new("2@x.example").as_ref())
    );
    let hops = |count: usize| letter(&format!("{}{HEAD}\n", "Delivered-To: b@x.example\n".repeat(count)));
    assert_eq!((hops(MAX_HOPS).hops.len(), hops(MAX_HOPS).defects.len()), (MAX_HOPS, 0));
    assert_eq!(
        (hops(MAX_HOPS + 1).hops.len(), hops(MAX_HOPS + 1).defects),
        (MAX_HOPS, vec![Defect::TooManyHops])
    );
}

#[test]
fn hops_know_where_they_stand() {
    let raw = format!(
        "Delivered-To: Box@Desk.example\nReceived: by a\nX-Original-To: <team@x.example>\nReceived: by b\nX-Forwarded-For: help@x.example box@desk.example\n{HEAD}Resent-To: Team <team2@x.example>\nX-Forwarded-To: nobody\n\n"
    );
    let hops: Vec<String> = letter(&raw)
        .hops
        .iter()
        .map(|h| format!("{:?} {} {} {}", h.header, h.address, h.index, h.above_received))
        .collect();
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
    struct Case {
        title: &'static str,
        disposition: String,
        kind: &'static str,
        want: String,
    }
    fn usual() -> Case {
        Case { title: "", disposition: String::new(), kind: "a/b", want: String::new() }
    }

    let name = |disposition: &str, kind: &str| {
        let raw = format!(
            "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: {kind}\n{disposition}\n\nSubject: Re: a/b\n\nx\n--b--\n"
        );
        letter(&raw).attachments.first().map(|attachment| attachment.name.clone()).unwrap()
    };
    let given = |name: &str| format!("Content-Disposition: attachment; filename=\"{name}\"");
    for Case { title, disposition, kind, want } in [
        Case {
            title: "folders",
            disposition: given("../../etc/passwd"),
            want: "passwd".to_owned(),
            ..usual()
        },
        Case {
            title: "Windows folders",
            disposition: given(r"C:\tmp\a.pdf"),
            want: "a.pdf".to_owned(),
            ..usual()
        },
        Case {
            title: "dots",
            disposition: given(".."),
            kind: "application/pdf",
            want: "part-1.pdf".to_owned(),
        },
        Case {
            title: "control characters",
            disposition: given("a\u{1}b.pdf"),
            want: "a b.pdf".to_owned(),
            ..usual()
        },
        Case {
            title: "none",
            disposition: String::from("X-A: b"),
            kind: "image/png",
            want: "part-1.png".to_owned(),
        },
        Case {
            title: "attached mail",
            disposition: String::from("X-A: b"),
            kind: "message/rfc822",
            want: "Re: a-b.eml".to_owned(),
        },
        Case {
            title: "longest",
            disposition: given(&"n".repeat(FILE_NAME_OCTETS)),
            want: "n".repeat(FILE_NAME_OCTETS),
            ..usual()
        },
        Case {
            title: "too long",
            disposition: given(&"n".repeat(FILE_NAME_OCTETS + 1)),
            want: "n".repeat(FILE_NAME_OCTETS),
            ..usual()
        },
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
    assert_eq!(
        (read.subject.as_str(), read.text.as_str(), read.defects.as_slice()),
        ("ab", "onetwo", &[Defect::Nul][..])
    );
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

#[test]
fn mail_with_bare_carriage_returns_in_its_header_is_read() {
    let read = letter(&format!("{}\rone\r\ntwo\n", HEAD.replace('\n', "\r")));
    assert_eq!((read.from.len(), read.text.as_str()), (1, "one\ntwo"));
    let within = letter(&format!("Subject: a\rb\r\n{HEAD}\r\none\r\n"));
    assert_eq!((within.subject.as_str(), within.from.len(), within.text.as_str()), ("ab", 1, "one"));
}

#[test]
fn flowed_text_is_joined() {
    let flowed = |more: &str, text: &str| {
        letter(&format!("{HEAD}Content-Type: text/plain; format=Flowed{more}\n\n{text}")).text
    };
    assert_eq!(flowed("", "one \ntwo\n> three \n> four\n"), "one two\n> three four");
    assert_eq!(flowed("; DelSp=Yes", "on \ne\n"), "one");
    assert_eq!(letter(&format!("{HEAD}\none \ntwo\n")).text, "one \ntwo");
}

#[test]
fn html_says_its_charset_where_the_mail_does_not() {
    let html = |kind: &str| {
        let mut raw = format!("{HEAD}Content-Type: {kind}\n\n<meta charset=\"iso-8859-2\"><p>").into_bytes();
        raw.extend(b"\xb1\xe6</p>");
        Letter::parse(&raw).text
    };
    assert_eq!(html("text/html"), "ąć");
    assert_eq!(html("text/html; charset=iso-8859-1"), "±æ");
}

#[test]
fn html_body_is_given_as_it_is() {
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let raw = format!(
        "{HEAD}{mixed}--b\nContent-Type: text/html\n\n<p>\r\none\n--b\nContent-Type: text/html; name=a.html\n\n<p>two\n--b--\n"
    );
    assert_eq!(Letter::html(raw.as_bytes()).as_deref(), Some("<p>\none"));
    assert_eq!(Letter::html(format!("{HEAD}\nhi").as_bytes()), None);
}

#[test]
fn text_that_only_its_type_names_is_the_text() {
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let read = |first: &str| {
        letter(&format!(
            "{HEAD}{mixed}--b\n{first}\n\none\n--b\nContent-Type: text/plain; name=b.txt\n\ntwo\n--b--\n"
        ))
    };
    let named = read("Content-Type: text/plain; name=a.txt");
    assert_eq!((named.text.as_str(), named.attachments.len()), ("one", 1));
    let shown = read("Content-Type: text/plain; name=a.txt\nContent-Disposition: inline; filename=a.txt");
    assert_eq!((shown.text.as_str(), shown.attachments.len()), ("one", 1));
    let file = read("Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt");
    assert_eq!((file.text.as_str(), file.attachments.len()), ("", 2));
}

#[test]
fn named_inline_text_is_a_file_beside_other_text() {
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let inline = "Content-Type: text/plain\nContent-Disposition: inline; filename=a.txt";
    let read = letter(&format!("{HEAD}{mixed}--b\n{inline}\n\none\n--b\n\ntwo\n--b--\n"));
    assert_eq!((read.text.as_str(), read.attachments.len()), ("two", 1));
}

#[test]
fn nothing_of_a_report_is_hidden() {
    let text = "This report relates to a message you sent:\n\nDate: Mon, 1 Jun 2026 10:00:00 +0000\nFrom: desk@help.example\nTo: ada@shop.example\nSubject: offer\n\nYour message cannot be delivered to ada@shop.example: user unknown\n";
    let of = |from: &str| letter(&format!("From: {from}\nSubject: Delivery failed\n\n{text}"));
    assert!(of("mailer-daemon@x.example").reply.hidden.is_empty());
    assert!(!of("ann@x.example").reply.hidden.is_empty());
}

#[test]
fn boundary_below_a_line_of_blanks_begins_the_first_part() {
    let mixed = "Content-Type: multipart/mixed; boundary=b\n \n";
    let read = letter(&format!(
        "{HEAD}{mixed}--b\nContent-Type: text/html\n\n<p>one</p>\n--b\nContent-Type: image/png\n\nx\n--b--\n"
    ));
    assert_eq!((read.text.as_str(), read.attachments.len()), ("one", 1));
}

#[test]
fn address_in_an_encoded_word_is_read_where_there_is_no_other() {
    let read = letter("From: =?utf-8?Q?J=C3=B6rg_<j@x.example>?=\n\nhi");
    assert_eq!(read.from, [Mailbox { name: "Jörg".to_owned(), address: "j@x.example".to_owned() }]);
    let read = letter("From: =?utf-8?Q?<boss@y.example>?= <j@x.example>\n\nhi");
    assert_eq!(read.from[0].address, "j@x.example");
}

/// A `winmail.dat` in base64: a file, and a text if there is one.
fn winmail(text: &str) -> String {
    let mut attributes = vec![
        (2, 0x0006_9002, vec![0; 14]),
        (2, 0x0001_8010, b"dir/a.pdf\0".to_vec()),
        (2, 0x0006_800f, b"%PDF".to_vec()),
    ];
    if !text.is_empty() {
        attributes.insert(0, (1, 0x0002_800c, text.as_bytes().to_vec()));
    }
    crate::transfer::encode_base64(&crate::tnef::tests::stream(&attributes))
}

#[test]
fn winmail_dat_is_what_it_holds() {
    let mixed = |text: &str, packed: &str| {
        format!(
            "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\nContent-Type: image/png\n\npng\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n{packed}\n--b--\n"
        )
    };
    let raw = mixed("seen", &winmail("packed"));
    let read = letter(&raw);
    let names: Vec<(u32, &str, &str)> = read
        .attachments
        .iter()
        .map(|part| (part.part, part.name.as_str(), part.content_type.as_str()))
        .collect();
    assert_eq!(names, [(2, "part-2.png", "image/png"), (4, "a.pdf", "application/pdf")]);
    assert_eq!(Letter::attachment(raw.as_bytes(), 4).as_deref(), Some(&b"%PDF"[..]));
    assert_eq!((Letter::attachment(raw.as_bytes(), 5), read.text.as_str()), (None, "seen"));
    assert_eq!(letter(&mixed("", &winmail("packed"))).text, "packed");
    let answer = letter(&mixed(
        "",
        &winmail("Thanks!\r\n\r\nOn 2 Nov 2026 at 10:00, Bob <bob@x.example> wrote:\r\n> It is dark.\r\n"),
    ));
    assert_eq!(answer.reply.visible(&answer.text, false), "Thanks!");
    let damaged = letter(&mixed("seen", "eJ8+"));
    assert_eq!(damaged.attachments.last().map(|part| part.name.as_str()), Some("winmail.dat"));
}

#[test]
fn text_signed_inline_is_the_text() {
    let signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n- -- \nAda\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n";
    for kind in ["text/plain", "text/plain; format=flowed"] {
        assert_eq!(
            letter(&format!("{HEAD}Content-Type: {kind}\n\n{signed}")).text,
            "Hello\n-- \nAda",
            "{kind}"
        );
    }
    let encrypted =
        letter(&format!("{HEAD}\n-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n"));
    assert_eq!(
        (encrypted.text.starts_with("-----BEGIN"), encrypted.defects.contains(&Defect::Encrypted)),
        (true, true)
    );
}

/// Pieces of messages, so that random ones reach deep.
const PIECES: &str = "(From: a@x\n|Subject: =\\?utf-8\\?q\\?|Content-Type: multipart/(mixed|related|report|alternative); boundary=[bc]\n|Content-Type: (text/html|message/rfc822|message/delivery-status|image/png; name=x)\n|Content-Transfer-Encoding: (base64|quoted-printable)\n|Content-ID: <x>\n|Final-Recipient: x; y\n|\r?\n|--[bc]\n|--[bc]--\n|=|=\n|aGk=|<p>|&amp;|é|\0|\r| ){0,40}";

proptest! {
    #[test]
    fn any_octets_are_a_letter(raw: Vec<u8>) {
        let letter = Letter::parse(&raw);
        prop_assert!(letter.header_bytes <= raw.len());
        prop_assert!(!letter.text.contains(['\0', '\r']));
    }

    #[test]
    fn line_ends_make_no_difference(raw in PIECES) {
        let raw = raw.replace('\r', "");
        let lf = Letter::parse(raw.as_bytes());
        let crlf = Letter::parse(raw.replace('\n', "\r\n").as_bytes());
        prop_assert_eq!((&lf.text, &lf.subject, &lf.from, lf.digest), (&crlf.text, &crlf.subject, &crlf.from, crlf.digest));
        prop_assert_eq!(&lf.defects, &crlf.defects);
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

#[test]
fn what_was_newly_written_is_known_for_text_and_for_html() {
    let shown = |raw: &str| {
        let letter = Letter::parse(raw.as_bytes());
        letter.reply.visible(&letter.text, false)
    };
    let header = "From: Ann Other <ann@example.net>\nSubject: Re: Boat\n";
    let html = "Content-Type: text/html\n\n<p>Blue.</p><p>Thanks,<br>Ann</p><div class=gmail_quote>xyz<blockquote>Which?</blockquote></div>";
    assert_eq!(shown(&format!("{header}{html}")), "Blue.");
    assert_eq!(shown(&format!("{header}\nBlue.\n\n> Which?\n")), "Blue.");
    let forward = "Subject: Fwd: Boat\n\nSee.\n\nFrom: Bob <bob@example.org>\nSent: today\nTo: Ann\nSubject: Boat\n\nIt sank.\n";
    assert!(shown(forward).ends_with("It sank."));
}
