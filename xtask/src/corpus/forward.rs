//! Kind `forward`: the original within a forwarded body or mail.

use mail::forward::{self, Forwarded};
use mail::{Letter, Mailbox};
use serde_json::{Value, json};

use super::Case;

/// Reads the case as the text of a mail or as a whole mail, and looks for the original.
pub(super) fn predict(case: &Case) -> Value {
    let raw = case.raw.first().map(Vec::as_slice).unwrap_or_default();
    let format = case.labels.get("format").and_then(Value::as_str).unwrap_or("text");
    let outer_subject = case.labels.get("outer_subject").and_then(Value::as_str);
    let (mail, is_whole) = match format {
        "eml" => (raw.to_vec(), true),
        "html" => ([b"Content-Type: text/html; charset=utf-8\n\n", raw].concat(), false),
        _ => ([b"Content-Type: text/plain; charset=utf-8\n\n", raw].concat(), false),
    };
    let letter = Letter::parse(&mail);
    let found = match outer_subject {
        Some(subject) => forward::original(&letter.text, subject),
        None => letter.forwarded.clone(),
    };
    let mut told = found.map_or_else(|| json!({"forwarded": false}), |found| fields(&letter.text, &found));
    if let (Some(author), Some(told)) = (letter.from.first().filter(|_| is_whole), told.as_object_mut()) {
        told.insert("outer_from".into(), person(author));
    }
    told
}

fn fields(text: &str, found: &Forwarded) -> Value {
    let people = |people: &[Mailbox]| people.iter().map(person).collect::<Vec<_>>();
    json!({
        "forwarded": true,
        "subject": found.subject,
        "from": found.from.as_ref().map(person),
        "from_header": found.from_line,
        "to": people(&found.to),
        "to_header": found.to_line,
        "cc": people(&found.cc),
        "cc_header": found.cc_line,
        "date_header": found.date_line,
        "body": found.body,
        "message": found.message,
        "at": found.at,
        "text_octets": text.len(),
    })
}

/// What is not printed is null.
fn person(mailbox: &Mailbox) -> Value {
    let printed = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({"name": printed(&mailbox.name), "address": printed(&mailbox.address)})
}
