//! A ticket's history in words: stored events name people, tickets and comments by ids, which say nothing to readers.

use std::collections::BTreeMap;

use desk::id::{TicketId, UserId};
use desk::user::Person;
use serde_json::Value;
use store::ticket::AuditRow;

/// Who and what the ids in events are.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// People, by id.
    pub(super) people: BTreeMap<UserId, Person>,
    /// Numbers of tickets, by id.
    pub(super) tickets: BTreeMap<TicketId, i64>,
    /// Places of the ticket's comments, from 1 on, by id.
    pub(super) comments: BTreeMap<i64, usize>,
}

impl Names {
    /// `Name <address>`, or that it was the desk itself.
    pub(super) fn person(&self, id: UserId) -> String {
        self.people
            .get(&id)
            .map_or_else(|| "the desk".to_owned(), |person| format!("{} <{}>", person.name, person.address))
    }

    fn ticket(&self, id: i64) -> String {
        self.tickets.get(&TicketId(id)).map_or_else(|| "one that is gone".to_owned(), i64::to_string)
    }
}

/// The ids of the people whom events name.
pub(super) fn people_in(audits: &[AuditRow]) -> Vec<i64> {
    let changes = events(audits).filter(|event| is_of_person(event));
    changes.flat_map(|event| [event.get("from"), event.get("to")]).filter_map(|id| id?.as_i64()).collect()
}

/// The ids of the tickets which events name.
pub(super) fn tickets_in(audits: &[AuditRow]) -> Vec<i64> {
    let siblings = events(audits).filter_map(|event| event.get("tickets")?.as_array());
    let followed = events(audits).filter_map(|event| event.get("follow_up_of")?.as_i64());
    siblings.flatten().filter_map(Value::as_i64).chain(followed).collect()
}

fn events(audits: &[AuditRow]) -> impl Iterator<Item = &Value> {
    audits.iter().filter_map(|audit| audit.events.as_array()).flatten()
}

fn is_of_person(event: &Value) -> bool {
    matches!(event.get("field").and_then(Value::as_str), Some("assignee" | "requester"))
}

/// An event in one line: its type, then its fields, reasons one a line.
pub(super) fn event_text(names: &Names, event: &Value) -> String {
    let Some(fields) = event.as_object() else { return event.to_string() };
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or("Event");
    let mut text = kind.to_owned();
    if let Some(place) = fields.get("id").and_then(Value::as_i64).and_then(|id| names.comments.get(&id)) {
        text.push_str(&format!(" {place}"));
    }
    for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "type" | "v" | "id")) {
        match (name.as_str(), value) {
            ("from" | "to", id) if is_of_person(event) => {
                let person = id.as_i64().map_or_else(|| "nobody".to_owned(), |id| names.person(UserId(id)));
                text.push_str(&format!("  {name}: {person}"));
            }
            ("follow_up_of", Value::Number(id)) => {
                text.push_str(&format!(
                    "  follows up: ticket {}",
                    names.ticket(id.as_i64().unwrap_or_default())
                ));
            }
            ("tickets", Value::Array(ids)) => {
                let numbers: Vec<String> =
                    ids.iter().filter_map(Value::as_i64).map(|id| names.ticket(id)).collect();
                text.push_str(&format!("  tickets: {}", numbers.join(", ")));
            }
            (_, Value::Array(items)) if items.iter().all(Value::is_string) && !items.is_empty() => {
                text.push_str(
                    &items.iter().map(|item| format!("\n      - {}", plain(item))).collect::<String>(),
                );
            }
            _ => text.push_str(&format!("  {name}: {}", plain(value))),
        }
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use desk::user::{Deliverable, Role};
    use serde_json::json;

    use super::*;

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
            comments: [(71, 1)].into(),
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
            (json!({"type": "Comment", "id": 71, "public": true}), "Comment 1  public: true"),
            (json!({"type": "Comment", "id": 72, "public": true}), "Comment  public: true"),
            (json!({"type": "Create", "follow_up_of": 900}), "Create  follows up: ticket 3"),
            (json!({"type": "Siblings", "tickets": [900, 901]}), "Siblings  tickets: 3, 4"),
            (json!({"type": "Decision", "reasons": ["one", "two"]}), "Decision\n      - one\n      - two"),
            (json!("odd"), "\"odd\""),
        ] {
            assert_eq!(event_text(&names(), &event), want);
        }
    }

    #[test]
    fn whom_and_what_events_name_is_found() {
        let events = json!([
            {"type": "Change", "field": "requester", "from": 7, "to": 8},
            {"type": "Change", "field": "assignee", "from": null, "to": 9},
            {"type": "Change", "field": "tags", "from": ["1"], "to": []},
            {"type": "Siblings", "tickets": [900]},
            {"type": "Create", "follow_up_of": 901},
        ]);
        let audit = AuditRow { author_id: UserId(1), channel: "email".into(), events, created_at: 1 };
        assert_eq!(people_in(std::slice::from_ref(&audit)), [7, 8, 9]);
        assert_eq!(tickets_in(&[audit]), [900, 901]);
    }
}
