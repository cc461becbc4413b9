//! Kind `parse`: what a letter reads from a raw mail, under the corpus's field names.

use super::Case;
use mail::letter::Attachment;
use mail::{Letter, Mailbox, parts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The fields of one mail.
pub(super) fn predict(case: &Case) -> Value {
    let raw = case.raw.first().map(Vec::as_slice).unwrap_or_default();
    let letter = Letter::parse(raw);
    let leaves: Vec<Value> = parts::leaves(raw).iter().map(leaf).collect();
    let attachments: Vec<Value> = letter.attachments.iter().map(|part| attachment(part, raw)).collect();
    json!({
        "from": mailboxes(&letter.from),
        "from_name": letter.from.first().map(|from| from.name.clone()).unwrap_or_default(),
        "to": mailboxes(&letter.to),
        "cc": mailboxes(&letter.cc),
        "reply_to": mailboxes(&letter.reply_to),
        // The letter cuts very long ones.
        "subject": parts::field(raw, "Subject").unwrap_or_default(),
        "message_id": letter.message_id.as_ref().map(|id| id.as_str()),
        "date": letter.date.and_then(utc),
        "text": letter.text,
        "html": Letter::html(raw),
        "attachment_count": attachments.len(),
        "attachments": attachments,
        "leaves": leaves,
        "raw_subject": parts::raw_field(raw, "Subject"),
        "raw_from": parts::raw_field(raw, "From"),
        "raw_message_id": parts::raw_field(raw, "Message-ID"),
    })
}

fn mailboxes(list: &[Mailbox]) -> Value {
    list.iter().map(|mailbox| json!({ "name": mailbox.name, "address": mailbox.address })).collect()
}

fn utc(date_ms: i64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(date_ms).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn attachment(part: &Attachment, raw: &[u8]) -> Value {
    let octets = Letter::attachment(raw, part.part).unwrap_or_default();
    json!({
        "name": part.name,
        "content_type": part.content_type,
        "size": octets.len(),
        "sha256": sha256(&octets),
        "content_id": part.content_id,
        "disposition": if part.inline { "inline" } else { "attachment" },
    })
}

fn leaf(leaf: &parts::Leaf) -> Value {
    let with_lf: Vec<u8> = leaf
        .bytes
        .iter()
        .enumerate()
        .filter(|(at, octet)| **octet != b'\r' || leaf.bytes.get(at + 1) != Some(&b'\n'))
        .map(|(_, octet)| *octet)
        .collect();
    json!({
        "content_type": leaf.content_type,
        "size": leaf.bytes.len(),
        "sha256": sha256(&leaf.bytes),
        "sha256_lf": sha256(&with_lf),
        "size_lf": with_lf.len(),
        "name": leaf.name,
        "content_id": leaf.content_id,
        "disposition": leaf.disposition,
    })
}

fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}
