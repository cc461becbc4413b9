//! Who wrote a message, and who may: senders, Reply-To, no-reply recipients, too many CCs, probes, machines.

use desk::address::{Forwarding, SupportAddress};
use desk::ticket::CCS_MAX;

use crate::scene::{NOW, account_of, addresses, check, decided, decided_in, envelope, facts, letter, shown};

const NATIVE: &str = "support@acme.desk.example";

#[test]
fn mail_from_a_machine_or_from_ourselves_is_held() {
    check(&[
        ("a support address", "From: support@acme.desk.example\n\nhi", "suspended 22"),
        ("a plus variant of one", "From: help+x@acme.example\n\nhi", "suspended 22"),
        (
            "a support address as Reply-To of a customer",
            "Reply-To: help@acme.example\n\nhi",
            "new ticket by ada@customer.example, flags 0",
        ),
        ("an unregistered address at our host", "From: someone@acme.desk.example\n\nhi", "suspended 22"),
        ("mailer-daemon", "From: MAILER-DAEMON@mx.else.example\n\nhi", "suspended 9"),
        ("postmaster", "From: Postmaster@else.example\n\nhi", "suspended 9"),
        ("a suspended person", "From: sue@customer.example\n\nhi", "suspended 10"),
        ("a suspended person on a ticket", "From: sue@customer.example\n\n[AAAAAA-AAAA]", "suspended 10"),
        ("a suspended person by Reply-To", "Reply-To: sue@customer.example\n\nhi", "suspended 10"),
    ]);
}

#[test]
fn the_return_path_stands_for_a_from_that_cannot_be_read() {
    struct Case {
        name: &'static str,
        mail_from: Option<&'static str>,
        from: &'static str,
        want: &'static str,
    }
    fn usual() -> Case {
        Case { name: "", mail_from: Some("eve@else.example"), from: "", want: "" }
    }

    for Case { name, mail_from, from, want } in [
        Case {
            name: "unreadable From",
            from: "From: undisclosed",
            want: "new ticket by eve@else.example",
            ..usual()
        },
        Case {
            name: "unreadable From, null return path",
            mail_from: None,
            from: "From: undisclosed",
            want: "suspended 10",
        },
        Case {
            name: "From, null return path",
            mail_from: None,
            from: "From: ada@customer.example",
            want: "suspended 3",
        },
        Case {
            name: "From beats the return path",
            from: "From: ada@customer.example",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
    ] {
        let mut envelope = envelope(&[NATIVE]);
        envelope.mail_from = mail_from.map(str::to_owned);
        assert_eq!(shown(&decided(&envelope, &letter(&format!("{from}\nSubject: x\n\nhi")))), want, "{name}");
    }
}

#[test]
fn reply_to_names_the_author_unless_it_names_one_of_ours() {
    check(&[
        (
            "another person",
            "Reply-To: Dora <dora@customer.example>\n\nhi",
            "new ticket by dora@customer.example, flags 0",
        ),
        ("a stranger", "Reply-To: eve@else.example\n\nhi", "new ticket by eve@else.example"),
        (
            "the same in another case",
            "Reply-To: ADA@customer.example\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("unreadable", "Reply-To: nobody at all\n\nhi", "new ticket by ada@customer.example"),
        (
            "the first of several",
            "Reply-To: dora@customer.example, eve@else.example\n\nhi",
            "new ticket by dora@customer.example, flags 0",
        ),
        ("an agent", "Reply-To: bob@acme.example\n\nhi", "new ticket by bob@acme.example, flags 0"),
        (
            "a support address",
            "Reply-To: support@acme.desk.example\n\nhi",
            "new ticket by ada@customer.example, flags 0",
        ),
        (
            "a stranger on a ticket",
            "Reply-To: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "suspended 5",
        ),
        (
            "a contact form",
            "From: form@web.example\nReply-To: ada@customer.example\n\n[AAAAAA-AAAA]",
            "comment on 100 by ada@customer.example, flags 0",
        ),
    ]);
}

#[test]
fn mail_to_no_reply_addresses_is_held() {
    for (name, recipients, want) in [
        ("noreply", vec!["noreply@acme.desk.example"], "suspended 16"),
        ("no-reply with a plus variant", vec!["No-Reply+7@shop.desk.example"], "suspended 16"),
        ("both", vec!["noreply@acme.desk.example", "no-reply@shop.desk.example"], "suspended 16"),
        (
            "beside a native address",
            vec!["noreply@acme.desk.example", NATIVE],
            "new ticket by ada@customer.example",
        ),
        (
            "beside an external address",
            vec!["noreply@acme.desk.example", "help@acme.example"],
            "new ticket by ada@customer.example",
        ),
        (
            "a noreply elsewhere",
            vec!["help@acme.example", "noreply@acme.example"],
            "new ticket by ada@customer.example",
        ),
    ] {
        assert_eq!(shown(&decided(&envelope(&recipients), &letter("Subject: x\n\nhi"))), want, "{name}");
    }
}

#[test]
fn a_mail_to_more_people_than_a_ticket_may_have_is_held() {
    let with = |to: usize, cc: usize, more: &str| {
        let list = |name: &str, count| {
            (0..count).map(|n| format!("{name}{n}@else.example")).collect::<Vec<_>>().join(", ")
        };
        let mail = format!("To: {NATIVE}, {}\nCc: {}{more}\n\nhi", list("to", to), list("cc", cc));
        shown(&decided(&envelope(&[NATIVE]), &letter(&mail)))
    };
    assert_eq!(CCS_MAX, 48);
    assert_eq!(with(0, 48, ""), "new ticket by ada@customer.example");
    assert_eq!(with(0, 49, ""), "suspended 30");
    assert_eq!(with(24, 24, ""), "new ticket by ada@customer.example");
    assert_eq!(with(24, 25, ""), "suspended 30");
    assert_eq!(
        with(0, 48, ", help@acme.example, CC0@else.example"),
        "new ticket by ada@customer.example",
        "ours and repetitions do not count"
    );
}

#[test]
fn a_machines_mail_is_held_whatever_it_names() {
    check(&[
        ("an automatic answer", "Auto-Submitted: auto-replied\n\nI am away.", "suspended 8"),
        (
            "one on a ticket",
            "Auto-Submitted: auto-replied\nIn-Reply-To: <first@customer.example>\n\nI am away.",
            "suspended 8",
        ),
        ("one on a closed ticket", "Auto-Submitted: auto-replied\n\n[BBBBBB-BBBB]", "suspended 8"),
        ("a list", "List-Id: <all.else.example>\n\nNews.", "suspended 3"),
        (
            "a stranger's machine",
            "From: eve@else.example\nAuto-Submitted: auto-generated\n\n[AAAAAA-AAAA]",
            "suspended 3",
        ),
    ]);
}

#[test]
fn a_probe_that_comes_back_at_a_native_address_binds_it() {
    struct Case<'a> {
        name: &'a str,
        recipients: &'a [&'a str],
        mail: &'a str,
        want: &'a str,
    }

    let native = &["inbox@acme.desk.example"];
    let usual = || Case { name: "", recipients: native, mail: "X-Guichet-Probe: s3cret\n\nx", want: "" };
    for Case { name, recipients, mail, want } in [
        Case {
            name: "by its header",
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "by its subject",
            mail: "Subject: Forwarding test s3cret\n\nx",
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "by its Message-ID",
            mail: "Message-ID: <s3cret@acme.desk.example>\n\nx",
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "from anybody",
            mail: "From: support@acme.desk.example\nX-Guichet-Probe: s3cret\n\nx",
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "at a plus variant",
            recipients: &["inbox+a@acme.desk.example"],
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "at the external address itself",
            recipients: &["probed@acme.example"],
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "another secret",
            mail: "X-Guichet-Probe: s3cre\n\nx",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "no secret",
            mail: "X-Guichet-Probe:\nSubject:\n\nx",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "a reply to it",
            mail: "In-Reply-To: <x@y.example>\nSubject: Re: Forwarding test s3cret\n\nx",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "a reply that has References alone",
            mail: "References: <x@y.example>\nSubject: Re: Forwarding test s3cret\n\nx",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "an absence notice",
            mail: "Auto-Submitted: auto-replied\nSubject: Away: Forwarding test s3cret\n\nx",
            want: "suspended 8",
            ..usual()
        },
        Case {
            name: "a bounce",
            mail: "From: mailer-daemon@x.example\nSubject: Undeliverable: Forwarding test s3cret\n\nx",
            want: "suspended 9",
            ..usual()
        },
        Case {
            name: "a forward by a program",
            mail: "Auto-Submitted: auto-generated\nSubject: Forwarding test s3cret\n\nx",
            want: "probe for probed@acme.example at inbox@acme.desk.example",
            ..usual()
        },
        Case {
            name: "at a return path",
            recipients: &["bounce+501-x@acme.desk.example"],
            want: "new ticket by ada@customer.example",
            ..usual()
        },
        Case {
            name: "the secret within a subject",
            mail: "Subject: s3cret is not at its end\n\nx",
            want: "new ticket by ada@customer.example",
            ..usual()
        },
    ] {
        assert_eq!(shown(&decided(&envelope(recipients), &letter(mail))), want, "{name}");
    }
}

#[test]
fn a_probe_that_is_late_or_was_never_sent_binds_nothing() {
    let probed = |forwarding, sent_at| {
        let change = |address: SupportAddress| match address.email.as_str() {
            "probed@acme.example" => SupportAddress { forwarding, probe_sent_at: sent_at, ..address },
            _ => address,
        };
        account_of(Default::default(), addresses().into_iter().map(change).collect())
    };
    let hour = desk::address::PROBE_WINDOW;
    for (name, account, is_probe) in [
        ("in time", probed(Forwarding::Waiting, Some(NOW - hour + 1)), true),
        ("too late", probed(Forwarding::Waiting, Some(NOW - hour)), false),
        ("verified already", probed(Forwarding::Verified, Some(NOW - 1)), false),
        ("never sent", probed(Forwarding::Unknown, None), false),
    ] {
        let letter = letter("X-Guichet-Probe: s3cret\n\nx");
        let decision = decided_in(&account, &facts(), &envelope(&["inbox@acme.desk.example"]), &letter);
        assert_eq!(shown(&decision).starts_with("probe"), is_probe, "{name}");
    }
}
