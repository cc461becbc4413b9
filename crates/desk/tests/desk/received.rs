//! Received at: which support address a mail came to, by which source, and how far that is trusted.

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

#[test]
fn every_source_is_found_in_its_order() {
    let plain = "To: sales@else.example\n\nhi";
    let hop = "X-Original-To: help@acme.example\nTo: support@shop.desk.example\n\nhi";
    for (name, recipients, trusted, mail, want) in [
        (
            "native",
            vec!["support@shop.desk.example"],
            false,
            plain,
            "support@shop.desk.example Envelope Proven brand 2",
        ),
        (
            "native in another case",
            vec!["SUPPORT@Shop.Desk.Example"],
            false,
            plain,
            "support@shop.desk.example Envelope Proven brand 2",
        ),
        (
            "plus variant",
            vec!["support+x@acme.desk.example"],
            false,
            plain,
            "support@acme.desk.example Envelope Proven brand 1",
        ),
        (
            "plus token",
            vec!["support+idaaaaaa-aaaa@acme.desk.example"],
            false,
            plain,
            "support@acme.desk.example Envelope Proven brand 1",
        ),
        (
            "external, routed to us",
            vec!["help@acme.example"],
            false,
            plain,
            "help@acme.example Envelope Proven brand 1",
        ),
        (
            "external plus variant",
            vec!["help+x@acme.example"],
            false,
            plain,
            "help@acme.example Envelope Proven brand 1",
        ),
        (
            "the target of a proven forward",
            vec!["inbox@acme.desk.example"],
            false,
            plain,
            "hello@acme.example Forward Proven brand 2",
        ),
        (
            "its plus variant",
            vec!["inbox+x@acme.desk.example"],
            false,
            plain,
            "hello@acme.example Forward Proven brand 2",
        ),
        (
            "a native address, whatever the sender says",
            vec!["support@acme.desk.example"],
            false,
            hop,
            "support@acme.desk.example Envelope Proven brand 1",
        ),
        (
            "a hop header of a trusted relay",
            vec!["support@acme.desk.example"],
            true,
            hop,
            "help@acme.example HopHeader Relay brand 1",
        ),
        (
            "a trusted relay's external recipient",
            vec!["hello@acme.example"],
            true,
            hop,
            "hello@acme.example Envelope Proven brand 2",
        ),
        (
            "a trusted relay after a proven forward",
            vec!["inbox@acme.desk.example"],
            true,
            hop,
            "hello@acme.example Forward Proven brand 2",
        ),
        (
            "a trusted hop that names a native address",
            vec!["support@acme.desk.example"],
            true,
            "Delivered-To: support@shop.desk.example\n\nhi",
            "support@acme.desk.example Envelope Proven brand 1",
        ),
        (
            "a trusted hop that names nobody of ours",
            vec!["support@acme.desk.example"],
            true,
            "Delivered-To: x@else.example\n\nhi",
            "support@acme.desk.example Envelope Proven brand 1",
        ),
        (
            "wildcard, hop of a trusted relay",
            vec!["any@acme.desk.example"],
            true,
            hop,
            "help@acme.example HopHeader Relay brand 1",
        ),
        (
            "wildcard, hop of nobody we know",
            vec!["any@acme.desk.example"],
            false,
            hop,
            "support@shop.desk.example Header Sender brand 2",
        ),
        (
            "wildcard, To",
            vec!["any@acme.desk.example"],
            false,
            "To: a@b.example, help@acme.example\n\nhi",
            "help@acme.example Header Sender brand 1",
        ),
        (
            "wildcard, Cc",
            vec!["any@acme.desk.example"],
            false,
            "To: a@b.example\nCc: help+x@acme.example\n\nhi",
            "help@acme.example Header Sender brand 1",
        ),
        (
            "wildcard, To before Cc",
            vec!["any@acme.desk.example"],
            false,
            "Cc: help@acme.example\nTo: support@shop.desk.example\n\nhi",
            "support@shop.desk.example Header Sender brand 2",
        ),
        (
            "wildcard of the default brand",
            vec!["any@acme.desk.example"],
            false,
            plain,
            "support@acme.desk.example Default Proven brand 1 for any@acme.desk.example",
        ),
        (
            "wildcard of the other brand",
            vec!["Any@shop.desk.example"],
            false,
            plain,
            "support@shop.desk.example Default Proven brand 2 for any@shop.desk.example",
        ),
    ] {
        assert_eq!(shown(&resolved(&recipients, trusted, &letter(mail))), want, "{name}");
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
    for (name, trusted, mail, want) in [
        ("To names one", false, "To: hello@acme.example\n\nhi", "hello@acme.example Forward Proven brand 2"),
        (
            "Cc names one",
            false,
            "To: a@b.example\nCc: Hello+x@acme.example\n\nhi",
            "hello@acme.example Forward Proven brand 2",
        ),
        (
            "To names both",
            false,
            "To: hello@acme.example, alias@acme.example\n\nhi",
            "hello@acme.example Forward Proven brand 2",
        ),
        ("neither", false, "To: a@b.example\n\nhi", "inbox@acme.desk.example Envelope Proven brand 1"),
        (
            "neither, but a hop of a trusted relay",
            true,
            "Delivered-To: hello@acme.example\nTo: a@b.example\n\nhi",
            "hello@acme.example HopHeader Relay brand 2",
        ),
        (
            "To before the hop",
            true,
            "Delivered-To: hello@acme.example\nTo: alias@acme.example\n\nhi",
            "alias@acme.example Forward Proven brand 1",
        ),
    ] {
        let envelope = Envelope { trusted, ..envelope(&["inbox@acme.desk.example"]) };
        assert_eq!(shown(&resolve(&account, &envelope, &letter(mail))), want, "{name}");
    }
}

#[test]
fn all_registered_addresses_of_the_mail_are_matches_and_no_others() {
    for (name, recipients, mail, want) in [
        (
            "one",
            vec!["support@acme.desk.example"],
            "To: x@else.example\n\nhi",
            vec!["support@acme.desk.example"],
        ),
        (
            "envelope, To and Cc",
            vec!["support+x@acme.desk.example"],
            "To: HELP@acme.example, other@acme.example\nCc: support@shop.desk.example, support@stranger.desk.example\n\nhi",
            vec!["help@acme.example", "support@acme.desk.example", "support@shop.desk.example"],
        ),
        (
            "the target of a forward beside the address behind it",
            vec!["inbox@acme.desk.example"],
            "To: x@else.example\n\nhi",
            vec!["hello@acme.example", "inbox@acme.desk.example"],
        ),
        (
            "the default of a wildcard",
            vec!["any@shop.desk.example"],
            "To: x@else.example\n\nhi",
            vec!["support@shop.desk.example"],
        ),
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
