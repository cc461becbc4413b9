//! Delivery reports: found by what we signed, and believed for nothing else.

use desk::delivery::Delivery;
use desk::id::OutboxId;
use desk::signed::Purpose;

use crate::scene::{account, decided, decided_in, envelope, facts, keys, letter, shown};

/// A report (RFC 3464) on one recipient, with the header of the message that came back.
fn report(recipient: &str, action: &str, mark: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.customer.example
         Content-Type: multipart/report; report-type=delivery-status; boundary=b

         --b
         Content-Type: text/plain

         It could not be delivered.
         --b
         Content-Type: message/delivery-status

         Reporting-MTA: dns; mx.customer.example

         Final-Recipient: rfc822; {recipient}
         Action: {action}
         Status: 5.1.1
         Diagnostic-Code: smtp; 550 no such user

         --b
         Content-Type: text/rfc822-headers

         Message-ID: <out@acme.desk.example>
         {mark}
         --b--"
    )
}

fn mark(purpose: Purpose, account_id: i64, id: i64) -> String {
    keys().sign(purpose, desk::id::AccountId(account_id), id)
}

fn seen(recipient: &str, mail: &str) -> String {
    let mut envelope = envelope(&[recipient]);
    envelope.mail_from = None;
    shown(&decided(&envelope, &letter(mail)))
}

#[test]
fn a_report_to_our_signed_return_path_is_a_bounce_of_that_recipient() {
    let path = format!("bounce+{}@acme.desk.example", mark(Purpose::Bounce, 1, 501));
    for (name, mail, want) in [
        ("failed", report("ada@customer.example", "failed", ""), "bounce of 501 hard (550 no such user)"),
        ("delayed", report("ada@customer.example", "delayed", ""), "bounce of 501 other (550 no such user)"),
        ("of a rewritten address", report("ada2@inner.example", "failed", ""), "bounce of 501 hard (550 no such user)"),
        (
            "without a machine's part",
            "From: mailer-daemon@x.example\nSubject: Undeliverable\n\nsorry".into(),
            "bounce of 501 soft (Undeliverable)",
        ),
        (
            "of nobody, for a full mailbox",
            "From: mailer-daemon@x.example\nSubject: Undeliverable\n\nThe recipient's mailbox is full.".into(),
            "bounce of 501 soft (Undeliverable)",
        ),
        (
            "of nobody, for good",
            "From: mailer-daemon@x.example\nSubject: Undeliverable\n\nThe server said: 550 5.1.1 user unknown".into(),
            "bounce of 501 hard (Undeliverable)",
        ),
        ("an absence notice", "Auto-Submitted: auto-replied\nSubject: Away\n\nsorry".into(), "bounce of 501 other (Away)"),
    ] {
        assert_eq!(seen(&path, &mail), want, "{name}");
        assert_eq!(seen(&path.to_uppercase(), &mail), want, "{name} in capitals");
    }
}

#[test]
fn what_a_person_writes_to_a_return_path_joins_the_ticket_of_that_mail() {
    struct Case<'a> {
        name: &'a str,
        recipients: Vec<&'a str>,
        mail: &'a str,
        want: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", recipients: vec![], mail: "Subject: x\n\nhi", want: "" }
    }

    let path = format!("bounce+{}@acme.desk.example", mark(Purpose::Bounce, 1, 501));
    let unknown = format!("bounce+{}@acme.desk.example", mark(Purpose::Bounce, 1, 999));
    let support = "support@acme.desk.example";
    for Case { name, recipients, mail, want } in [
        Case {
            name: "the requester",
            recipients: vec![path.as_str()],
            mail: "Subject: Re: Ticket 1\n\nhi",
            want: "comment on 100 by ada@customer.example",
        },
        Case {
            name: "beside a support address",
            recipients: vec![support, &path],
            want: "comment on 100 by ada@customer.example",
            ..usual()
        },
        Case {
            name: "before a support address",
            recipients: vec![&path, support],
            want: "comment on 100 by ada@customer.example",
            ..usual()
        },
        Case {
            name: "somebody else",
            recipients: vec![&path],
            mail: "From: eve@else.example\nSubject: x\n\nhi",
            want: "note on 100 by eve@else.example, flags 2",
        },
        Case {
            name: "another ticket's id goes before",
            recipients: vec![&path],
            mail: "In-Reply-To: <third@customer.example>\n\nhi",
            want: "comment on 300 by ada@customer.example",
        },
        Case {
            name: "of an unknown row",
            recipients: vec![&unknown],
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "a machine",
            recipients: vec![support, &path],
            mail: "Auto-Submitted: auto-replied\nSubject: Away\n\nhi",
            want: "bounce of 501 other (Away)",
        },
    ] {
        assert_eq!(shown(&decided(&envelope(&recipients), &letter(mail))), want, "{name}");
    }
}

#[test]
fn a_report_with_our_mark_in_the_returned_part_is_a_bounce() {
    let ours = format!("X-Guichet-Mail: {}", mark(Purpose::Mail, 1, 400));
    for (name, recipient, want) in [
        ("of a recipient of that mail", "ada@customer.example", "bounce of 501 hard (550 no such user)"),
        ("in another case", "ADA@Customer.example", "bounce of 501 hard (550 no such user)"),
        ("of somebody who was not sent to", "eve@else.example", "suspended 7"),
    ] {
        assert_eq!(seen("support@acme.desk.example", &report(recipient, "failed", &ours)), want, "{name}");
    }
}

#[test]
fn one_recipient_of_a_mail_cannot_silence_another_by_the_mark_both_got() {
    let ours = format!("X-Guichet-Mail: {}", mark(Purpose::Mail, 1, 400));
    let mut facts = facts();
    let other = Delivery {
        outbox_id: OutboxId(502),
        recipient: "eve@else.example".into(),
        ..facts.deliveries[0].clone()
    };
    facts.deliveries.push(other);
    let mut envelope = envelope(&["support@acme.desk.example"]);
    envelope.mail_from = None;
    let forged = letter(&report("ada@customer.example", "failed", &ours));
    let decision = decided_in(&account(), &facts, &envelope, &forged);
    assert_eq!(shown(&decision), "bounce of 501 doubtful (550 no such user)");
}

#[test]
fn a_report_that_carries_no_signature_of_ours_is_held() {
    let forged = "X-Guichet-Mail: 400-aaaaaaaaaaaaaaaa".to_owned();
    let foreign = format!("X-Guichet-Mail: {}", mark(Purpose::Mail, 2, 400));
    let misused = format!("X-Guichet-Mail: {}", mark(Purpose::Bounce, 1, 400));
    for (name, mark) in [
        ("none", String::new()),
        ("forged", forged),
        ("another account's", foreign),
        ("a return path's", misused),
    ] {
        assert_eq!(
            seen("support@acme.desk.example", &report("ada@customer.example", "failed", &mark)),
            "suspended 7",
            "{name}"
        );
    }
    for (name, path) in [
        ("forged", "bounce+501-aaaaaaaaaaaaaaaa@acme.desk.example".to_owned()),
        ("another account's", format!("bounce+{}@acme.desk.example", mark(Purpose::Bounce, 2, 501))),
        ("a mail's", format!("bounce+{}@acme.desk.example", mark(Purpose::Mail, 1, 501))),
        ("of an unknown row", format!("bounce+{}@acme.desk.example", mark(Purpose::Bounce, 1, 999))),
        ("at a foreign host", format!("bounce+{}@acme.example", mark(Purpose::Bounce, 1, 501))),
    ] {
        assert_eq!(
            seen(&path, &report("ada@customer.example", "failed", "")),
            "suspended 7",
            "return path {name}"
        );
    }
}

#[test]
fn a_bounce_that_is_no_report_is_a_mail_systems_mail() {
    assert_eq!(
        seen(
            "support@acme.desk.example",
            "From: mailer-daemon@x.example\nSubject: Undeliverable\n\n[AAAAAA-AAAA]"
        ),
        "suspended 9"
    );
}
