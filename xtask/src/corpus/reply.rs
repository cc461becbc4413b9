//! Kind `reply`: which part of a body the sender newly wrote. Only new text is asked for, so a forwarded mail and a
//! mail that only quotes give nothing; a comment shows both.

use super::Case;
use mail::reply::{self, Hints};
use mail::{Letter, Mailbox};
use serde_json::{Value, json};

/// `{"visible", "input"}`; the input is the text that was read, which some cases expect to be unchanged.
pub(super) fn predict(case: &Case) -> Value {
    let raw = case.raw.first().map(Vec::as_slice).unwrap_or_default();
    let label = |name: &str| case.labels.get(name).and_then(Value::as_str).unwrap_or_default();
    let keeps_signature = label("signature") != "stripped";
    let letter = (label("format") == "eml").then(|| Letter::parse(raw));
    let authors = letter.iter().flat_map(|letter| &letter.from).flat_map(names);
    let sender: Vec<String> = authors.filter(|name| !name.is_empty()).collect();
    let sender: Vec<&str> = sender.iter().map(String::as_str).collect();
    let hints = Hints { sender: &sender, is_forward: false, new_text_only: true };
    let wants_html = label("format") == "html" || label("part") == "text/html";
    let (text, reply) = match letter {
        Some(letter) if !(wants_html || letter.has_html && is_html_only(raw)) => {
            let reply = reply::of_text_with(&letter.text, &hints);
            (letter.text, reply)
        }
        Some(_) => reply::of_html_with(&Letter::html(raw).unwrap_or_default(), &hints),
        None => {
            let text = String::from_utf8_lossy(raw).replace("\r\n", "\n");
            if wants_html {
                reply::of_html_with(&text, &hints)
            } else {
                let reply = reply::of_text_with(&text, &hints);
                (text, reply)
            }
        }
    };
    json!({"visible": reply.visible(&text, keeps_signature), "input": text})
}

fn names(author: &Mailbox) -> [String; 2] {
    [author.name.clone(), author.key().map(|key| key.as_str().to_owned()).unwrap_or_default()]
}

fn is_html_only(raw: &[u8]) -> bool {
    let head = String::from_utf8_lossy(raw).to_ascii_lowercase();
    head.contains("content-type: text/html") && !head.contains("text/plain")
}
