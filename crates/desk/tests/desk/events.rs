//! The stored form of events: what stands in `events/` is what databases hold, so it may grow but not change.

use std::collections::BTreeMap;

use desk::comment::Flag;
use desk::delivery::DeliveryResult;
use desk::event::{Change, Event, Field, FlagOptions, FromTo, Peer};
use desk::id::{CommentId, MailId, OrganizationId, TicketId, UserId};
use desk::suspension::Cause;
use desk::ticket::{Priority, Status, TicketType};

/// The stored form of an event, by the name of its file.
macro_rules! stored {
    ($name:literal) => {
        include_str!(concat!("events/", $name, ".json")).trim_end()
    };
}

fn peer() -> Peer {
    Peer { client: "192.0.2.1".into(), helo: "mx.customer.example".into() }
}

fn created(follow_up_of: Option<TicketId>, peer: Peer) -> Event {
    let subject = "The lamp is dark".to_owned();
    Event::Create { subject, recipient: "help@acme.example".into(), follow_up_of, peer }
}

fn from_mail() -> Event {
    let looked_at = |trusted| FlagOptions { trusted };
    Event::Comment {
        id: CommentId(7),
        public: true,
        mail: Some(MailId(71)),
        flags: vec![Flag::OutsideConversation, Flag::OnBehalf],
        flags_options: BTreeMap::from([
            (Flag::OutsideConversation, looked_at(false)),
            (Flag::OnBehalf, looked_at(true)),
        ]),
        peer: peer(),
    }
}

fn changes() -> Vec<(Change, &'static str)> {
    let tags = ["blue".to_owned(), "red".to_owned()].to_vec();
    vec![
        (Change::Status(FromTo { from: Status::Solved, to: Status::Closed }), stored!("change_status")),
        (Change::Assignee(FromTo { from: None, to: Some(UserId(13)) }), stored!("change_assignee")),
        (Change::Tags(FromTo { from: vec![], to: tags }), stored!("change_tags")),
        (Change::Requester(FromTo { from: UserId(11), to: UserId(12) }), stored!("change_requester")),
        (
            Change::Organization(FromTo { from: Some(OrganizationId(5)), to: None }),
            stored!("change_organization"),
        ),
        (Change::Priority(FromTo { from: None, to: Some(Priority::High) }), stored!("change_priority")),
        (
            Change::Type(FromTo { from: Some(TicketType::Question), to: Some(TicketType::Task) }),
            stored!("change_type"),
        ),
    ]
}

#[test]
fn every_event_is_stored_and_read_as_its_file_says() {
    let delivery = Event::Delivery {
        recipient: "ada@customer.example".into(),
        result: DeliveryResult::Hard,
        answer: "550 5.1.1 no such user".into(),
    };
    let refused =
        Event::AttachmentRefused { name: "lamp.exe".into(), why: "files of this kind are not taken".into() };
    let ignored = Event::CommandIgnored {
        command: "#status solved".into(),
        why: "a ticket must have an assignee".into(),
    };
    let recovered = |cause| Event::recovered(MailId(71), cause, "the operator");
    let mut events = vec![
        (created(Some(TicketId(200)), peer()), stored!("create")),
        (created(None, Peer::default()), stored!("create_plain")),
        (from_mail(), stored!("comment")),
        (Event::comment(CommentId(7), false), stored!("comment_plain")),
        (delivery, stored!("delivery")),
        (Event::Siblings { tickets: vec![TicketId(101), TicketId(102)] }, stored!("siblings")),
        (refused, stored!("attachment_refused")),
        (ignored, stored!("command_ignored")),
        (recovered(Some(Cause::SystemUser)), stored!("recovered")),
        (recovered(None), stored!("recovered_plain")),
    ];
    events.extend(changes().into_iter().map(|(change, stored)| (Event::Change(change), stored)));
    for (event, stored) in events {
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Event>(stored).unwrap(), event, "{stored}");
    }
}

#[test]
fn every_field_is_stored_under_its_word() {
    let told: Vec<Field> = changes().iter().map(|(change, _)| change.field()).collect();
    assert_eq!(told, Field::ALL);
    for (change, stored) in changes() {
        assert!(stored.contains(&format!("\"field\":\"{}\"", change.field())), "{stored}");
    }
}

#[test]
fn what_a_newer_version_stored_is_kept_as_it_is() {
    for stored in [stored!("unknown_type"), stored!("unknown_field"), stored!("unknown_word")] {
        let event: Event = serde_json::from_str(stored).unwrap();
        assert!(matches!(event, Event::Unknown(_)), "{event:?}");
        let again = serde_json::to_value(&event).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(stored).unwrap());
    }
    let grown = r#"{"v":2,"type":"Comment","id":7,"public":false,"language":"en"}"#;
    assert_eq!(serde_json::from_str::<Event>(grown).unwrap(), Event::comment(CommentId(7), false));
}
