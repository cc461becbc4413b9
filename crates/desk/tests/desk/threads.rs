//! Which ticket a message joins, and what becomes of it there.

use desk::facts::{IdKind, Met};
use desk::id::MailId;
use desk::inbound::Inbound;
use desk::inbound::fingerprint;

use crate::scene::{NOW, account, check, decided, decided_in, envelope, facts, letter, shown};

const NATIVE: &str = "support@acme.desk.example";

#[test]
fn a_mail_joins_the_ticket_it_names() {
    check(&[
        ("nothing names one", "Subject: Lamp\n\nIt is dark.", "new ticket by ada@customer.example"),
        (
            "the subject names nothing",
            "Subject: Re: Ticket 1 [#1]\n\nIt is dark.",
            "new ticket by ada@customer.example",
        ),
        (
            "In-Reply-To",
            "In-Reply-To: <first@customer.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "References",
            "References: <x@y.example> <first@customer.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "a mail of ours",
            "In-Reply-To: <out@acme.desk.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "a root of ours",
            "References: <AAAAAA-AAAA@acme.desk.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "any id of ours",
            "References: <CCCCCC-CCCC.9@shop.desk.example>\n\nhi",
            "comment on 300 by ada@customer.example",
        ),
        (
            "a root at a foreign host",
            "References: <AAAAAA-AAAA@evil.example>\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("token in the text", "Subject: x\n\n> [AAAAAA-AAAA]", "comment on 100 by ada@customer.example"),
        ("token of no ticket", "Subject: x\n\n[ZZZZZZ-ZZZZ]", "new ticket by ada@customer.example"),
        (
            "token in To",
            "To: support+idAAAAAA-AAAA@acme.desk.example\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "token in To at a foreign host",
            "To: support+idAAAAAA-AAAA@evil.example\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("an unknown id", "In-Reply-To: <never@seen.example>\n\nhi", "new ticket by ada@customer.example"),
        (
            "an id that was waited for",
            "Message-ID: <awaited@customer.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "a CC of the ticket",
            "From: carl@customer.example\nTo: ada@customer.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "comment on 100 by carl@customer.example",
        ),
    ]);
}

#[test]
fn a_token_anywhere_in_the_body_counts() {
    let hidden = "<p>hi</p><span style=\"color:#ffffff\" aria-hidden=\"true\">[AAAAAA-AAAA]</span>";
    let alternative = format!(
        "Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: text/html\n\n{hidden}\n--b--"
    );
    let html = format!("Subject: x\nContent-Type: text/html\n\n{hidden}");
    let invisible = html.replace("color:#ffffff", "display:none");
    let behind = |count: usize| {
        let others: String = (0..count).map(|number| format!("[NUMBER-000{number}] ")).collect();
        format!("Subject: x\n\n{others}[AAAAAA-AAAA]")
    };
    check(&[
        ("HTML beside a text", &alternative, "comment on 100 by ada@customer.example"),
        ("HTML alone", &html, "comment on 100 by ada@customer.example"),
        ("HTML that is not shown", &invisible, "comment on 100 by ada@customer.example"),
        (
            "behind another word in brackets",
            "Subject: x\n\n[PROD12-2024]\n> [AAAAAA-AAAA]",
            "comment on 100 by ada@customer.example",
        ),
        ("behind seven others", &behind(7), "comment on 100 by ada@customer.example"),
        ("behind eight others", &behind(8), "new ticket by ada@customer.example"),
    ]);
}

#[test]
fn a_token_in_an_envelope_recipient_counts_in_any_case() {
    for (recipient, want) in [
        ("support+idAAAAAA-AAAA@acme.desk.example", "comment on 100 by ada@customer.example"),
        ("SUPPORT+IDaaaaaa-aaaa@ACME.desk.example", "comment on 100 by ada@customer.example"),
        ("anything+idaaaaaa-aaaa@shop.desk.example", "comment on 100 by ada@customer.example"),
        ("support+ideas@acme.desk.example", "new ticket by ada@customer.example"),
        ("support+idaaaaaa-aaa@acme.desk.example", "new ticket by ada@customer.example"),
        ("help+idaaaaaa-aaaa@acme.example", "new ticket by ada@customer.example"),
    ] {
        assert_eq!(
            shown(&decided(&envelope(&[recipient]), &letter("Subject: x\n\nhi"))),
            want,
            "{recipient}"
        );
    }
}

#[test]
fn where_a_mail_names_several_tickets_address_beats_header_beats_text() {
    struct Case<'a> {
        name: &'a str,
        recipient: &'a str,
        mail: &'a str,
        want: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", recipient: NATIVE, mail: "In-Reply-To: <third@customer.example>\n\nhi", want: "" }
    }

    let address = "support+idAAAAAA-AAAA@acme.desk.example";
    for Case { name, recipient, mail, want } in [
        Case { name: "address and header", recipient: address, want: "comment on 100", ..usual() },
        Case {
            name: "address and text",
            recipient: address,
            mail: "Subject: x\n\n[CCCCCC-CCCC]",
            want: "comment on 100",
        },
        Case {
            name: "header and text",
            mail: "In-Reply-To: <third@customer.example>\n\n[AAAAAA-AAAA]",
            want: "comment on 300",
            ..usual()
        },
        Case {
            name: "waited for and text",
            mail: "Message-ID: <awaited@customer.example>\n\n[CCCCCC-CCCC]",
            want: "comment on 100",
            ..usual()
        },
        Case {
            name: "header and waited for",
            mail: "Message-ID: <awaited@customer.example>\nIn-Reply-To: <third@customer.example>\n\nhi",
            want: "comment on 300",
            ..usual()
        },
        Case {
            name: "In-Reply-To and References",
            mail: "In-Reply-To: <third@customer.example>\nReferences: <first@customer.example>\n\nhi",
            want: "comment on 300",
            ..usual()
        },
        Case {
            name: "the newest of References",
            mail: "References: <first@customer.example> <third@customer.example>\n\nhi",
            want: "comment on 300",
            ..usual()
        },
        Case {
            name: "the first token of the text",
            mail: "Subject: x\n\n[CCCCCC-CCCC] [AAAAAA-AAAA]",
            want: "comment on 300",
            ..usual()
        },
        Case {
            name: "an address that names none",
            recipient: "support+idZZZZZZ-ZZZZ@acme.desk.example",
            want: "comment on 300",
            ..usual()
        },
    ] {
        let got = shown(&decided(&envelope(&[recipient]), &letter(mail)));
        assert_eq!(got, format!("{want} by ada@customer.example"), "{name}");
    }
}

#[test]
fn a_closed_ticket_is_followed_up() {
    check(&[
        (
            "by header",
            "In-Reply-To: <old@customer.example>\n\nagain",
            "follow-up of 200 by ada@customer.example",
        ),
        ("by token", "Subject: x\n\n[BBBBBB-BBBB]", "follow-up of 200 by ada@customer.example"),
        (
            "by a stranger",
            "From: eve@else.example\nIn-Reply-To: <old@customer.example>\n\nhi",
            "follow-up of 200 by eve@else.example, flags 2",
        ),
    ]);
}

#[test]
fn a_third_party_is_a_note_by_token_and_held_by_header() {
    check(&[
        (
            "a stranger by token",
            "From: eve@else.example\n\n[AAAAAA-AAAA]",
            "note on 100 by eve@else.example, flags 2",
        ),
        (
            "a known person by token",
            "From: dora@customer.example\n\n[AAAAAA-AAAA]",
            "note on 100 by dora@customer.example, flags 2",
        ),
        (
            "a stranger by header",
            "From: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "suspended 5",
        ),
        (
            "a known person by header",
            "From: dora@customer.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "suspended 6",
        ),
        (
            "a stranger whose id was waited for",
            "From: eve@else.example\nMessage-ID: <awaited@customer.example>\n\nhi",
            "suspended 5",
        ),
        (
            "the CC of another ticket",
            "From: carl@customer.example\nIn-Reply-To: <third@customer.example>\n\nhi",
            "suspended 6",
        ),
    ]);
}

#[test]
fn an_agent_by_mail_writes_an_internal_note() {
    check(&[
        ("by token", "From: bob@acme.example\n\n[AAAAAA-AAAA]", "note on 100 by bob@acme.example, flags 0"),
        (
            "by header",
            "From: bob@acme.example\nIn-Reply-To: <out@acme.desk.example>\n\nhi",
            "note on 100 by bob@acme.example, flags 0",
        ),
        (
            "about something new",
            "From: bob@acme.example\nSubject: x\n\nhi",
            "new ticket by bob@acme.example, flags 0",
        ),
    ]);
}

#[test]
fn the_same_mail_is_a_duplicate_and_another_with_its_id_is_not() {
    let first =
        letter("Message-ID: <same@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nIt is dark.");
    let envelope = envelope(&[NATIVE]);
    let mut facts = facts();
    let mut known = facts.message_ids["first@customer.example"].clone();
    known.fingerprint = Some(fingerprint(&Inbound::new(MailId(1), NOW, &envelope, &first)));
    facts.message_ids.insert("same@customer.example".into(), known);
    for (name, mail, want) in [
        (
            "the same",
            "Message-ID: <same@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nIt is dark.",
            "duplicate of 71 on Some(100)",
        ),
        (
            "another header",
            "Message-ID: <same@customer.example>\nReceived: from a by b\nDate: Mon, 2 Nov 2026 11:00:00 +0100\nSubject: x\n\nIt is dark.",
            "duplicate of 71 on Some(100)",
        ),
        (
            "another text",
            "Message-ID: <same@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nIt is light.",
            "new ticket by ada@customer.example, flags 101",
        ),
        (
            "another date",
            "Message-ID: <same@customer.example>\nDate: Mon, 2 Nov 2026 10:00:01 +0000\n\nIt is dark.",
            "new ticket by ada@customer.example, flags 101",
        ),
        (
            "another author",
            "From: eve@else.example\nMessage-ID: <same@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nIt is dark.",
            "new ticket by eve@else.example, flags 101",
        ),
        (
            "another text that threads",
            "Message-ID: <same@customer.example>\nIn-Reply-To: <first@customer.example>\n\nMore.",
            "comment on 100 by ada@customer.example, flags 101",
        ),
        (
            "another id",
            "Message-ID: <other@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\nIt is dark.",
            "new ticket by ada@customer.example",
        ),
    ] {
        assert_eq!(shown(&decided_in(&account(), &facts, &envelope, &letter(mail))), want, "{name}");
    }
}

#[test]
fn a_mail_without_an_id_is_a_duplicate_by_its_text_and_date_alone() {
    struct Case<'a> {
        name: &'a str,
        first: &'a str,
        second: &'a str,
        is_duplicate: bool,
    }

    let dated = "Date: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: x\n\nIt is dark.";
    let usual = || Case { name: "", first: dated, second: dated, is_duplicate: false };
    for Case { name, first, second, is_duplicate } in [
        Case { name: "same date", is_duplicate: true, ..usual() },
        Case {
            name: "another date",
            second: "Date: Mon, 2 Nov 2026 10:00:01 +0000\nSubject: x\n\nIt is dark.",
            ..usual()
        },
        Case {
            name: "another text",
            second: "Date: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: x\n\nIt is light.",
            ..usual()
        },
        Case {
            name: "no date",
            first: "Subject: x\n\nIt is dark.",
            second: "Subject: x\n\nIt is dark.",
            ..usual()
        },
        Case {
            name: "another author",
            second: "From: eve@else.example\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: x\n\nIt is dark.",
            ..usual()
        },
    ] {
        let envelope = envelope(&[NATIVE]);
        let account = account();
        let mut facts = facts();
        let mut supply = desk::id_source::Counting::from(10_000);
        let mut changes = desk::changes::Changes::default();
        let mut outcome = |id, text| {
            let letter = letter(text);
            let inbound = Inbound::new(MailId(id), NOW, &envelope, &letter);
            crate::scene::carried_out(&account, &mut facts, &mut supply, &mut changes, &inbound)
                .outcome()
                .as_str()
        };
        assert_eq!(outcome(1, first), "new_ticket", "{name}");
        assert_eq!(outcome(2, second) == "duplicate", is_duplicate, "{name}");
    }
}

#[test]
fn a_mail_that_names_itself_is_still_known_when_it_comes_again() {
    let (envelope, account) = (envelope(&[NATIVE]), account());
    let mut facts = facts();
    let mut supply = desk::id_source::Counting::from(10_000);
    let mut changes = desk::changes::Changes::default();
    let text = "Message-ID: <me@else.example>\nReferences: <me@else.example>\nSubject: x\n\nIt is dark.";
    let letter = letter(text);
    let outcomes = [1, 2].map(|id| {
        let inbound = Inbound::new(MailId(id), NOW, &envelope, &letter);
        crate::scene::carried_out(&account, &mut facts, &mut supply, &mut changes, &inbound)
            .outcome()
            .as_str()
    });
    assert_eq!(outcomes, ["new_ticket", "duplicate"]);
    let met: Vec<Met> = changes.message_ids.iter().map(|id| id.met).collect();
    assert_eq!(met.iter().filter(|met| met.kind() != IdKind::Out).collect::<Vec<_>>(), [&Met::In(MailId(1))]);
}

#[test]
fn a_mail_of_ours_that_comes_back_is_a_loop() {
    let mark = crate::scene::keys().sign(desk::signed::Purpose::Mail, desk::id::AccountId(1), 400);
    let foreign = crate::scene::keys().sign(desk::signed::Purpose::Mail, desk::id::AccountId(2), 400);
    for (name, mail, want) in [
        ("our mark", format!("X-Guichet-Mail: {mark}\n\nhi"), "discarded"),
        ("our Message-ID", "Message-ID: <out@acme.desk.example>\n\nhi".into(), "discarded"),
        (
            "our mark beside a ticket",
            format!("X-Guichet-Mail: {mark}\nIn-Reply-To: <first@customer.example>\n\nhi"),
            "discarded",
        ),
        (
            "a forged mark",
            "X-Guichet-Mail: 400-aaaaaaaaaaaaaaaa\n\nhi".into(),
            "new ticket by ada@customer.example, flags 4",
        ),
        (
            "another account's mark",
            format!("X-Guichet-Mail: {foreign}\n\nhi"),
            "new ticket by ada@customer.example, flags 4",
        ),
    ] {
        assert_eq!(shown(&decided(&envelope(&[NATIVE]), &letter(&mail))), want, "{name}");
    }
}

#[test]
fn an_id_only_heard_of_is_no_duplicate() {
    let facts = facts();
    assert_eq!(facts.message_ids["awaited@customer.example"].met.kind(), IdKind::Seen);
    let decision = decided(&envelope(&[NATIVE]), &letter("Message-ID: <awaited@customer.example>\n\nhi"));
    assert_eq!(decision.flags, []);
    assert!(decision.reason().contains("public comment"), "{:?}", decision.reasons);
}
