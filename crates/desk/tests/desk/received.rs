//! Received at: which support address a message came to, by which source, and how far that is trusted.

use desk::address::{Kind, SupportAddress};
use desk::envelope::Envelope;
use desk::received::{Arrival, resolve};
use desk::setting::Settings;
use mail::letter::Letter;

use crate::scene::{account, account_of, address, addresses, envelope, key, letter};

/// `recipient source trust [written to]`.
fn shown(arrival: &Arrival) -> String {
    let received = &arrival.received;
    let written = received.written_to.as_ref().map(|text| format!(" for {text}")).unwrap_or_default();
    format!(
        "{} {:?} {:?} brand {}{written}",
        received.recipient, received.source, received.trust, arrival.brand_id
    )
}

fn resolved(recipients: &[&str], trusted: bool, letter: &Letter) -> Arrival {
    let mut envelope = envelope(recipients);
    envelope.trusted = trusted;
    resolve(&account(), &envelope, letter)
}

/// A letter that names none of our addresses.
const PLAIN: &str = "To: sales@else.example\n\nhi";

/// One whose hop header and To name two of them.
const HOP: &str = "X-Original-To: help@acme.example\nTo: support@shop.desk.example\n\nhi";

/// A message and what it is received at.
struct Case {
    name: &'static str,
    recipients: &'static [&'static str],
    /// Whether a relay that the operator listed brings it.
    is_trusted: bool,
    mail: &'static str,
    want: &'static str,
}

const USUAL: Case =
    Case { name: "", recipients: &["any@acme.desk.example"], is_trusted: false, mail: PLAIN, want: "" };

impl Case {
    fn check(&self) {
        let arrival = resolved(self.recipients, self.is_trusted, &letter(self.mail));
        assert_eq!(shown(&arrival), self.want, "{}", self.name);
    }
}

#[test]
fn every_source_is_found_in_its_order() {
    for case in [
        Case {
            name: "native",
            recipients: &["support@shop.desk.example"],
            want: "support@shop.desk.example Envelope Proven brand 2",
            ..USUAL
        },
        Case {
            name: "native in another case",
            recipients: &["SUPPORT@Shop.Desk.Example"],
            want: "support@shop.desk.example Envelope Proven brand 2",
            ..USUAL
        },
        Case {
            name: "plus variant",
            recipients: &["support+x@acme.desk.example"],
            want: "support@acme.desk.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "plus token",
            recipients: &["support+idaaaaaa-aaaa@acme.desk.example"],
            want: "support@acme.desk.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "external, routed to us",
            recipients: &["help@acme.example"],
            want: "help@acme.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "external plus variant",
            recipients: &["help+x@acme.example"],
            want: "help@acme.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "the target of a proven forward",
            recipients: &["inbox@acme.desk.example"],
            want: "hello@acme.example Forward Proven brand 2",
            ..USUAL
        },
        Case {
            name: "its plus variant",
            recipients: &["inbox+x@acme.desk.example"],
            want: "hello@acme.example Forward Proven brand 2",
            ..USUAL
        },
        Case {
            name: "a native address, whatever the sender says",
            recipients: &["support@acme.desk.example"],
            mail: HOP,
            want: "support@acme.desk.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "a hop header of a trusted relay",
            recipients: &["support@acme.desk.example"],
            is_trusted: true,
            mail: HOP,
            want: "help@acme.example HopHeader Relay brand 1",
        },
        Case {
            name: "a trusted relay's external recipient",
            recipients: &["hello@acme.example"],
            is_trusted: true,
            mail: HOP,
            want: "hello@acme.example Envelope Proven brand 2",
        },
        Case {
            name: "a trusted relay after a proven forward",
            recipients: &["inbox@acme.desk.example"],
            is_trusted: true,
            mail: HOP,
            want: "hello@acme.example Forward Proven brand 2",
        },
        Case {
            name: "a trusted hop that names a native address",
            recipients: &["support@acme.desk.example"],
            is_trusted: true,
            mail: "Delivered-To: support@shop.desk.example\n\nhi",
            want: "support@acme.desk.example Envelope Proven brand 1",
        },
        Case {
            name: "a trusted hop that names nobody of ours",
            recipients: &["support@acme.desk.example"],
            is_trusted: true,
            mail: "Delivered-To: x@else.example\n\nhi",
            want: "support@acme.desk.example Envelope Proven brand 1",
        },
        Case {
            name: "wildcard, hop of a trusted relay",
            is_trusted: true,
            mail: HOP,
            want: "help@acme.example HopHeader Relay brand 1",
            ..USUAL
        },
        Case {
            name: "wildcard, hop of nobody we know",
            mail: HOP,
            want: "support@shop.desk.example Header Sender brand 2",
            ..USUAL
        },
        Case {
            name: "wildcard, To",
            mail: "To: a@b.example, help@acme.example\n\nhi",
            want: "help@acme.example Header Sender brand 1",
            ..USUAL
        },
        Case {
            name: "wildcard, Cc",
            mail: "To: a@b.example\nCc: help+x@acme.example\n\nhi",
            want: "help@acme.example Header Sender brand 1",
            ..USUAL
        },
        Case {
            name: "wildcard, To before Cc",
            mail: "Cc: help@acme.example\nTo: support@shop.desk.example\n\nhi",
            want: "support@shop.desk.example Header Sender brand 2",
            ..USUAL
        },
        Case {
            name: "wildcard of the default brand",
            want: "support@acme.desk.example Default Proven brand 1 for any@acme.desk.example",
            ..USUAL
        },
        Case {
            name: "wildcard of the other brand",
            recipients: &["Any@shop.desk.example"],
            want: "support@shop.desk.example Default Proven brand 2 for any@shop.desk.example",
            ..USUAL
        },
    ] {
        case.check();
    }
}

#[test]
fn a_hop_header_below_a_received_of_the_relay_is_anybodys() {
    for (name, mail, want) in [
        (
            "on top",
            "X-Original-To: help@acme.example\nReceived: from a by relay\nDelivered-To: hello@acme.example\n\nhi",
            "help@acme.example HopHeader Relay brand 1",
        ),
        (
            "below",
            "Received: from a by relay\nDelivered-To: help@acme.example\n\nhi",
            "support@shop.desk.example Envelope Proven brand 2",
        ),
    ] {
        assert_eq!(shown(&resolved(&["support@shop.desk.example"], true, &letter(mail))), want, "{name}");
    }
    let wildcard = resolved(
        &["any@acme.desk.example"],
        true,
        &letter("Received: from a by relay\nDelivered-To: help@acme.example\n\nhi"),
    );
    assert_eq!(
        shown(&wildcard),
        "support@acme.desk.example Default Proven brand 1 for any@acme.desk.example"
    );
}

#[test]
fn of_several_recipients_the_header_names_the_one() {
    let three = ["support@acme.desk.example", "support@shop.desk.example", "help@acme.example"];
    for (name, mail, want) in [
        ("To order", "To: help@acme.example, support@shop.desk.example\n\nhi", "help@acme.example"),
        (
            "To before Cc",
            "Cc: help@acme.example\nTo: support@shop.desk.example\n\nhi",
            "support@shop.desk.example",
        ),
        ("Cc", "To: a@b.example\nCc: support@shop.desk.example\n\nhi", "support@shop.desk.example"),
        ("a plus variant in To", "To: support+x@shop.desk.example\n\nhi", "support@shop.desk.example"),
        ("neither", "To: a@b.example\n\nhi", "support@acme.desk.example"),
        ("one of ours that was no recipient", "To: hello@acme.example\n\nhi", "support@acme.desk.example"),
    ] {
        let arrival = resolved(&three, false, &letter(mail));
        assert_eq!(arrival.received.recipient, want, "{name}");
        assert!(arrival.address_id.is_some(), "{name}");
    }
}

#[test]
fn of_several_forwards_to_one_native_address_the_header_names_the_one() {
    let alias = SupportAddress {
        forwards_to: Some(key("inbox@acme.desk.example")),
        ..address(7, 1, "alias@acme.example", Kind::External, false)
    };
    let account = account_of(Settings::default(), addresses().into_iter().chain([alias]).collect());
    for Case { name, is_trusted: trusted, mail, want, .. } in [
        Case {
            name: "To names one",
            mail: "To: hello@acme.example\n\nhi",
            want: "hello@acme.example Forward Proven brand 2",
            ..USUAL
        },
        Case {
            name: "Cc names one",
            mail: "To: a@b.example\nCc: Hello+x@acme.example\n\nhi",
            want: "hello@acme.example Forward Proven brand 2",
            ..USUAL
        },
        Case {
            name: "To names both",
            mail: "To: hello@acme.example, alias@acme.example\n\nhi",
            want: "hello@acme.example Forward Proven brand 2",
            ..USUAL
        },
        Case {
            name: "neither",
            mail: "To: a@b.example\n\nhi",
            want: "inbox@acme.desk.example Envelope Proven brand 1",
            ..USUAL
        },
        Case {
            name: "neither, but a hop of a trusted relay",
            is_trusted: true,
            mail: "Delivered-To: hello@acme.example\nTo: a@b.example\n\nhi",
            want: "hello@acme.example HopHeader Relay brand 2",
            ..USUAL
        },
        Case {
            name: "To before the hop",
            is_trusted: true,
            mail: "Delivered-To: hello@acme.example\nTo: alias@acme.example\n\nhi",
            want: "alias@acme.example Forward Proven brand 1",
            ..USUAL
        },
    ] {
        let envelope = Envelope { trusted, ..envelope(&["inbox@acme.desk.example"]) };
        assert_eq!(shown(&resolve(&account, &envelope, &letter(mail))), want, "{name}");
    }
}

#[test]
fn all_registered_addresses_of_the_mail_are_matches_and_no_others() {
    struct Matched {
        name: &'static str,
        recipients: Vec<&'static str>,
        mail: &'static str,
        want: Vec<&'static str>,
    }
    fn usual() -> Matched {
        Matched { name: "", recipients: vec![], mail: "To: x@else.example\n\nhi", want: vec![] }
    }

    for Matched { name, recipients, mail, want } in [
        Matched {
            name: "one",
            recipients: vec!["support@acme.desk.example"],
            want: vec!["support@acme.desk.example"],
            ..usual()
        },
        Matched {
            name: "envelope, To and Cc",
            recipients: vec!["support+x@acme.desk.example"],
            mail: "To: HELP@acme.example, other@acme.example\nCc: support@shop.desk.example, support@stranger.desk.example\n\nhi",
            want: vec!["help@acme.example", "support@acme.desk.example", "support@shop.desk.example"],
        },
        Matched {
            name: "the target of a forward beside the address behind it",
            recipients: vec!["inbox@acme.desk.example"],
            want: vec!["hello@acme.example", "inbox@acme.desk.example"],
            ..usual()
        },
        Matched {
            name: "the default of a wildcard",
            recipients: vec!["any@shop.desk.example"],
            want: vec!["support@shop.desk.example"],
            ..usual()
        },
    ] {
        assert_eq!(resolved(&recipients, false, &letter(mail)).received.matches, want, "{name}");
    }
}

#[test]
fn the_token_is_read_from_our_own_hosts_envelope_first() {
    let token = |recipients: &[&str], mail: &str| {
        resolved(recipients, false, &letter(mail)).token.map(|token| token.as_str().to_owned())
    };
    let to = "To: support+idcccccc-cccc@acme.desk.example\n\nhi";
    assert_eq!(token(&["x+idaaaaaa-aaaa@acme.desk.example"], to).as_deref(), Some("AAAAAA-AAAA"));
    assert_eq!(token(&["support@acme.desk.example"], to).as_deref(), Some("CCCCCC-CCCC"));
    assert_eq!(token(&["support@acme.desk.example"], "To: a+idcccccc-cccc@else.example\n\nhi"), None);
}
