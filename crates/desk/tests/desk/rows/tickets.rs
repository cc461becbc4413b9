//! What a new ticket has, what its follow-up takes over, and which ticket a message finds.

use desk::changes::Changes;
use desk::comment::Flag;
use desk::event::Event;
use desk::id::{BrandId, TicketId, UserId};
use desk::received::{Source, Trust};
use desk::ticket::{Priority, Status, TicketType};

use super::{Table, authenticated, of, table, usual};
use crate::scene::{account, envelope, shown};

const SHOP: &str = "support@shop.desk.example";

fn first_ticket(changes: &Changes) -> &desk::ticket::Ticket {
    &changes.tickets[&changes.new_tickets[0]].after
}

#[test]
fn row_2_what_a_new_ticket_has() {
    let (changes, _) = usual().changes("Subject: Lamp\n\nIt is dark.");
    let ticket = first_ticket(&changes);
    assert_eq!((ticket.requester_id, ticket.submitter_id), (UserId(11), UserId(11)));
    assert_eq!((ticket.channel.as_str(), ticket.status, ticket.brand_id), ("email", Status::New, BrandId(1)));
    assert_eq!((ticket.priority, ticket.ticket_type, ticket.assignee_id), (None, None, None));
    assert_eq!((ticket.tags.len(), ticket.is_public, ticket.is_machine), (0, true, false));
    let mut table = usual();
    table.envelope = envelope(&[SHOP]);
    let (changes, _) = table.changes("Subject: Lamp\n\nIt is dark.");
    let ticket = first_ticket(&changes);
    assert_eq!((ticket.received.recipient.as_str(), ticket.brand_id), (SHOP, BrandId(2)));
}

#[test]
fn row_2_a_subject_keeps_its_prefixes() {
    for subject in ["Lamp", "Re: Lamp", "Fwd: Lamp", "AW: WG: Lamp"] {
        let (changes, _) = usual().changes(&format!("Subject: {subject}\n\nIt is dark."));
        assert_eq!(first_ticket(&changes).subject, subject);
    }
}

#[test]
fn row_2_the_lists_look_at_from_and_not_at_reply_to() {
    table(of(|all| all.blocklist = "else.example".into())).check(&[
        (
            "From is listed",
            "From: eve@else.example\nReply-To: ada@customer.example\nSubject: x\n\nhi",
            "suspended 13",
        ),
        (
            "Reply-To is listed",
            "From: ada@customer.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
    ]);
}

#[test]
fn row_2_an_agents_first_comment_obeys_the_setting() {
    struct Case<'a> {
        name: &'a str,
        is_public_by_default: bool,
        mail: &'a str,
        want: bool,
    }

    let mail = "From: bob@acme.example\nSubject: Lamp\n\nIt is dark.";
    let plain = || Case { name: "", is_public_by_default: false, mail, want: true };
    for Case { name, is_public_by_default, mail, want } in [
        Case { name: "on", is_public_by_default: true, want: true, ..plain() },
        Case { name: "off", want: false, ..plain() },
        Case {
            name: "off, told otherwise",
            mail: "From: bob@acme.example\nSubject: Lamp\n\n#public true\nIt is dark.",
            want: true,
            ..plain()
        },
        Case { name: "off, an end user", mail: "Subject: Lamp\n\nIt is dark.", want: true, ..plain() },
    ] {
        let table =
            table(of(|all| all.comments_public_by_default = is_public_by_default)).by(authenticated());
        let (changes, _) = table.changes(mail);
        assert_eq!((changes.comments[0].is_public, first_ticket(&changes).is_public), (want, want), "{name}");
    }
}

#[test]
fn row_3_another_support_address_joins_the_ticket_all_the_same() {
    let mut table = usual();
    table.envelope = envelope(&["help@acme.example"]);
    let mail = "To: help@acme.example\nIn-Reply-To: <first@customer.example>\n\nhi";
    assert_eq!(shown(&table.decided(mail)), "comment on 100 by ada@customer.example");
    let before = table.facts.tickets[&TicketId(100)].ticket.clone();
    let (changes, _) = table.changes(mail);
    let after = &changes.tickets[&TicketId(100)].after;
    assert_eq!((&after.received, after.brand_id), (&before.received, before.brand_id), "received at stays");
}

#[test]
fn row_3_a_token_in_cc_names_the_ticket() {
    usual().check(&[
        ("Cc", "Cc: support+idcccccc-cccc@acme.desk.example\nSubject: x\n\nhi", "comment on 300 by ada@customer.example"),
        (
            "To before Cc",
            "Cc: support+idcccccc-cccc@acme.desk.example\nTo: support+idaaaaaa-aaaa@acme.desk.example\nSubject: x\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
    ]);
}

#[test]
fn row_1_1_a_ticket_that_is_gone_is_named_by_nothing() {
    let mut table = usual();
    table.facts.tickets.remove(&TicketId(100));
    table.check(&[
        (
            "by header",
            "In-Reply-To: <first@customer.example>\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("by token", "Subject: x\n\n[AAAAAA-AAAA]", "new ticket by ada@customer.example"),
        (
            "by a stranger",
            "From: eve@else.example\nIn-Reply-To: <first@customer.example>\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
    ]);
}

#[test]
fn row_4_2_without_flags_the_audit_has_no_word_of_them() {
    let (changes, _) = usual().changes("Subject: x\n\nhi");
    let comment = serde_json::to_string(&changes.audits[0].events[1]).unwrap();
    assert!(comment.contains("\"Comment\"") && !comment.contains("flags"), "{comment}");
    let (changes, _) = usual().changes("From: eve@else.example\n\n[AAAAAA-AAAA]");
    let Event::Comment { flags, flags_options, .. } = &changes.audits[0].events[0] else {
        panic!("{:?}", changes.audits)
    };
    assert_eq!(flags, &[Flag::OutsideConversation]);
    assert!(!flags_options[&Flag::OutsideConversation].trusted);
}

/// A closed ticket of Ada's with everything that a ticket may have.
fn closed() -> Table {
    let mut table = usual();
    let known = table.facts.tickets.get_mut(&TicketId(200)).unwrap();
    known.ticket.assignee_id = Some(UserId(13));
    known.ticket.priority = Some(Priority::Urgent);
    known.ticket.ticket_type = Some(TicketType::Problem);
    known.ccs.insert(UserId(12));
    known.followers.insert(UserId(13));
    table
}

#[test]
fn row_5_a_follow_up_begins_without_what_is_not_copied() {
    let mut table = closed();
    let again = "In-Reply-To: <old@customer.example>\nSubject: x\n\nagain";
    let (changes, _) = table.changes(again);
    let ticket = first_ticket(&changes);
    assert_eq!((ticket.follow_up_of, ticket.status), (Some(TicketId(200)), Status::New));
    assert_eq!((ticket.assignee_id, ticket.priority, ticket.ticket_type), (None, None, None));
    assert_eq!((changes.ccs.len(), changes.followers.len(), changes.comments.len()), (0, 0, 1));
    table.envelope = envelope(&[SHOP]);
    let (changes, _) = table.changes(again);
    let ticket = first_ticket(&changes);
    assert_eq!(
        (ticket.received.recipient.as_str(), ticket.brand_id),
        (SHOP, BrandId(2)),
        "received where this mail came to"
    );
}

#[test]
fn row_5_a_solved_ticket_opens_again_instead() {
    let mut table = closed();
    table.facts.tickets.get_mut(&TicketId(200)).unwrap().ticket.status = Status::Solved;
    let (changes, _) = table.changes("In-Reply-To: <old@customer.example>\n\nagain");
    assert_eq!((changes.new_tickets.len(), changes.tickets[&TicketId(200)].after.status), (0, Status::Open));
}

#[test]
fn row_7_nothing_is_hidden_where_answers_stand_between_quoted_lines() {
    let hidden = |text: &str| {
        usual().changes(&format!("In-Reply-To: <first@customer.example>\n\n{text}")).0.comments[0]
            .hidden
            .len()
    };
    for (name, text, want) in [
        ("between", "> Is it dark?\nNo.\n> Is it warm?\nYes.", 0),
        (
            "between, with a signature",
            "> Is it dark?\nNo.\n> Is it warm?\nYes.\n-- \nAda Ells\nCustomer Ltd.",
            0,
        ),
        ("above, with a signature", "No, and yes.\n-- \nAda Ells\nCustomer Ltd.", 1),
        ("above", "No, and yes.\n\nOn Mon, 2 Nov 2026, Support wrote:\n> Is it dark?\n> Is it warm?", 1),
    ] {
        assert_eq!(hidden(text), want, "{name}");
    }
}

#[test]
fn row_15_delivered_to_of_a_trusted_relay_names_the_external_address() {
    let arrival = |trusted: bool| {
        let envelope = desk::envelope::Envelope { trusted, ..envelope(&[super::NATIVE]) };
        let letter = crate::scene::letter("Delivered-To: help@acme.example\nSubject: x\n\nhi");
        let received = desk::received::resolve(&account(), &envelope, &letter).received;
        (received.recipient, received.source, received.trust)
    };
    assert_eq!(arrival(true), ("help@acme.example".to_owned(), Source::HopHeader, Trust::Relay));
    assert_eq!(
        arrival(false),
        (super::NATIVE.to_owned(), Source::Envelope, Trust::Proven),
        "anybody can write it"
    );
}
