//! A ticket's history in words: stored events name people, tickets and comments by ids, which say nothing to readers.

use std::collections::BTreeMap;
use std::fmt::Display;

use desk::event::{Change, Event, FromTo, Peer};
use desk::id::{CommentId, TicketId, UserId};
use desk::ticket::Status;
use desk::user::Person;
use serde_json::Value;
use store::audit::AuditRow;

/// Who and what the ids in events are.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// People, by id.
    pub(super) people: BTreeMap<UserId, Person>,
    /// Numbers of tickets, by id.
    pub(super) tickets: BTreeMap<TicketId, i64>,
    /// Positions of the ticket's comments, counted from 1, by id.
    pub(super) comments: BTreeMap<CommentId, usize>,
}

impl Names {
    /// `Name <address>`, or that it was the desk itself.
    pub(super) fn person(&self, id: UserId) -> String {
        self.people
            .get(&id)
            .map_or_else(|| "the desk".to_owned(), |person| format!("{} <{}>", person.name, person.address))
    }

    fn ticket(&self, id: TicketId) -> String {
        self.tickets.get(&id).map_or_else(|| "one that is gone".to_owned(), i64::to_string)
    }
}

/// The ids of the people whom events name.
pub(super) fn people_in(audits: &[AuditRow]) -> Vec<UserId> {
    let named = audits.iter().flat_map(|audit| &audit.events).flat_map(|event| match event {
        Event::Change(Change::Assignee(change)) => [change.from, change.to],
        Event::Change(Change::Requester(change)) => [Some(change.from), Some(change.to)],
        _ => [None, None],
    });
    named.flatten().collect()
}

/// The ids of the tickets that events name.
pub(super) fn tickets_in(audits: &[AuditRow]) -> Vec<TicketId> {
    let named = audits.iter().flat_map(|audit| &audit.events).flat_map(|event| match event {
        Event::Siblings { tickets } => tickets.clone(),
        Event::Create { follow_up_of, .. } => follow_up_of.iter().copied().collect(),
        _ => vec![],
    });
    named.collect()
}

/// An event in one line: its type, then what there is to know about it.
pub(super) fn event_text(names: &Names, event: &Event) -> String {
    match event {
        Event::Create { subject, recipient, follow_up_of, peer } => {
            let mut text = format!("Create  subject: {subject}  recipient: {recipient}");
            if let Some(of) = follow_up_of {
                text.push_str(&format!("  follows up: ticket {}", names.ticket(*of)));
            }
            text + &peer_text(peer)
        }
        Event::Comment { id, public, flags, peer, .. } => {
            let place = names.comments.get(id).map_or_else(String::new, |place| format!(" {place}"));
            let mut text = format!("Comment{place}  public: {public}");
            if !flags.is_empty() {
                let numbers: Vec<String> = flags.iter().map(|flag| flag.number().to_string()).collect();
                text.push_str(&format!("  flags: {}", numbers.join(", ")));
            }
            text + &peer_text(peer)
        }
        Event::Change(change) => change_text(names, change),
        Event::Delivery { recipient, result, answer } => {
            format!("Delivery  recipient: {recipient}  result: {result}  answer: {answer}")
        }
        Event::Siblings { tickets } => {
            let numbers: Vec<String> = tickets.iter().map(|id| names.ticket(*id)).collect();
            format!("Siblings  tickets: {}", numbers.join(", "))
        }
        Event::AttachmentRefused { name, why } => format!("AttachmentRefused  name: {name}  why: {why}"),
        Event::CommandIgnored { command, why } => format!("CommandIgnored  command: {command}  why: {why}"),
        Event::Recovered { cause_name, by, .. } => format!("Recovered  cause: {cause_name}  by: {by}"),
        Event::Unknown(stored) => unknown_text(stored),
    }
}

fn peer_text(peer: &Peer) -> String {
    let said = [("client", &peer.client), ("helo", &peer.helo)];
    let said = said.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| format!("  {name}: {value}")).collect()
}

fn change_text(names: &Names, change: &Change) -> String {
    let person = |id: &Option<UserId>| id.map_or_else(|| "nobody".to_owned(), |id| names.person(id));
    match change {
        Change::Status(change) => line("status", change, Status::to_string),
        Change::Assignee(change) => line("assignee", change, person),
        Change::Tags(change) => line("tags", change, |tags| or_none(tags.join(" "))),
        Change::Requester(change) => line("requester", change, |id| names.person(*id)),
        Change::Organization(change) => line("organization", change, maybe),
        Change::Priority(change) => line("priority", change, maybe),
        Change::Type(change) => line("type", change, maybe),
    }
}

fn line<T>(field: &str, change: &FromTo<T>, said: impl Fn(&T) -> String) -> String {
    format!("Change  field: {field}  from: {}  to: {}", said(&change.from), said(&change.to))
}

fn maybe<T: Display>(value: &Option<T>) -> String {
    or_none(value.as_ref().map(T::to_string).unwrap_or_default())
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// What a newer version stored, shown as it is.
fn unknown_text(stored: &Value) -> String {
    let Some(fields) = stored.as_object() else { return stored.to_string() };
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let kind = fields.get("type").map_or_else(|| "Event".to_owned(), plain);
    let told = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "type" | "v"));
    told.fold(kind, |text, (name, value)| format!("{text}  {name}: {}", plain(value)))
}

#[cfg(test)]
mod tests {
    use desk::actor::Actor;
    use desk::channel::Channel;
    use desk::user::{Deliverable, Role};
    use serde_json::json;

    use super::*;
    use desk::clock::Millis;

    fn names() -> Names {
        let person = Person {
            id: UserId(7),
            name: "Bob".into(),
            role: Role::Agent,
            is_suspended: false,
            address: "bob@agents.example".into(),
            deliverable: Deliverable::Deliverable,
            is_verified: true,
            locale: None,
            organization_id: None,
        };
        Names {
            people: [(person.id, person)].into(),
            tickets: [(TicketId(900), 3), (TicketId(901), 4)].into(),
            comments: [(CommentId(71), 1)].into(),
        }
    }

    #[test]
    fn events_are_told_in_lines_and_name_nothing_by_its_id() {
        for (event, want) in [
            (
                json!({"type": "Change", "field": "status", "from": "new", "to": "open", "v": 1}),
                "Change  field: status  from: new  to: open",
            ),
            (
                json!({"type": "Change", "field": "assignee", "from": null, "to": 7}),
                "Change  field: assignee  from: nobody  to: Bob <bob@agents.example>",
            ),
            (
                json!({"type": "Change", "field": "priority", "from": null, "to": "high"}),
                "Change  field: priority  from: none  to: high",
            ),
            (
                json!({"type": "Change", "field": "tags", "from": [], "to": ["a", "b"]}),
                "Change  field: tags  from: none  to: a b",
            ),
            (json!({"type": "Comment", "id": 71, "public": true}), "Comment 1  public: true"),
            (
                json!({"type": "Comment", "id": 72, "public": true, "flags": [0, 11], "client": "192.0.2.1"}),
                "Comment  public: true  flags: 0, 11  client: 192.0.2.1",
            ),
            (
                json!({"type": "Create", "subject": "Lamp", "recipient": "help@acme.example", "follow_up_of": 900}),
                "Create  subject: Lamp  recipient: help@acme.example  follows up: ticket 3",
            ),
            (json!({"type": "Siblings", "tickets": [900, 901]}), "Siblings  tickets: 3, 4"),
            (
                json!({"v": 9, "type": "Change", "field": "mood", "from": "low", "to": 3}),
                "Change  field: mood  from: low  to: 3",
            ),
            (json!("odd"), "\"odd\""),
        ] {
            let read: Event = serde_json::from_value(event.clone()).unwrap();
            assert_eq!(event_text(&names(), &read), want, "{event}");
        }
    }

    #[test]
    fn whom_and_what_events_name_is_found() {
        let events = serde_json::from_value(json!([
            {"type": "Change", "field": "requester", "from": 7, "to": 8},
            {"type": "Change", "field": "assignee", "from": null, "to": 9},
            {"type": "Change", "field": "tags", "from": ["1"], "to": []},
            {"type": "Siblings", "tickets": [900]},
            {"type": "Create", "subject": "", "recipient": "", "follow_up_of": 901},
        ]))
        .unwrap();
        let audit = AuditRow {
            author: Actor::Person(UserId(1)),
            channel: Channel::Email,
            events,
            created_at: Millis(1),
        };
        assert_eq!(people_in(std::slice::from_ref(&audit)), [7, 8, 9].map(UserId));
        assert_eq!(tickets_in(&[audit]), [900, 901].map(TicketId));
    }
}
