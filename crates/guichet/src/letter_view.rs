//! What reading a raw mail finds, in words and as JSON: for `parse` in full, for `explain` in short.

use jiff::Timestamp;
use mail::address::Mailbox;
use mail::forward::Forwarded;
use mail::language;
use mail::letter::{Attachment, HopHeader, Letter};
use mail::message_id::MessageId;
use mail::parts::{self, Leaf};
use mail::reply::{Hidden, HiddenKind};
use mail::report::DeliveryReport;
use serde_json::{Value, json};

use crate::output::counted;

/// How many characters of a text people are shown; the JSON has all of it.
const SHOWN_CHARACTERS: usize = 4_000;

/// Everything that the parser sees.
pub(crate) fn as_json(letter: &Letter, raw: &[u8]) -> Value {
    json!({
        "from": mailboxes(&letter.from),
        "sender": letter.sender.as_ref().map(mailbox),
        "reply_to": mailboxes(&letter.reply_to),
        "to": mailboxes(&letter.to),
        "cc": mailboxes(&letter.cc),
        "subject": letter.subject,
        "date": letter.date.map(time),
        "message_id": letter.message_id.as_ref().map(MessageId::as_str),
        "in_reply_to": ids(&letter.in_reply_to),
        "references": ids(&letter.references),
        "text": letter.text,
        "reply_text": reply_text(letter),
        "hidden": hidden(letter),
        "is_interleaved": letter.reply.is_interleaved,
        "forwarded": letter.forwarded.as_ref().map(forwarded_json),
        "language": language::detect(&letter.text),
        "has_html": letter.has_html,
        "nature": letter.nature.as_str(),
        "signs": signs(letter),
        "is_automatic": letter.nature.is_automatic(),
        "report": letter.report.as_ref().map(report),
        "attachments": letter.attachments.iter().map(attachment).collect::<Vec<_>>(),
        "parts": parts::leaves(raw).iter().map(leaf).collect::<Vec<_>>(),
        "hops": letter.hops.iter().map(|hop| json!({"field": hop_name(hop.header), "address": hop.address.to_string(), "above_received": hop.above_received})).collect::<Vec<_>>(),
        "defects": letter.defects.iter().map(|defect| defect.as_str()).collect::<Vec<_>>(),
        "header": header(letter, raw).iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "size_bytes": raw.len(),
    })
}

/// The same, for people.
pub(crate) fn lines(letter: &Letter, raw: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{name:<12}{value}"));
        }
    };
    row("from", named(&letter.from));
    row("sender", letter.sender.iter().map(shown).collect());
    row("reply-to", named(&letter.reply_to));
    row("to", named(&letter.to));
    row("cc", named(&letter.cc));
    row("subject", letter.subject.clone());
    row("date", letter.date.map(time).unwrap_or_default());
    row("message-id", letter.message_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default());
    row("in-reply-to", ids(&letter.in_reply_to).join(" "));
    row("references", ids(&letter.references).join(" "));
    row("size", format!("{}, {} of them header", counted(raw.len(), "byte"), letter.header_bytes));
    lines.extend(summary(letter).into_iter().map(|(name, value)| format!("{name:<12}{value}")));
    let text = &letter.text;
    lines.push(format!(
        "\n--- text, {} characters{}",
        text.chars().count(),
        if letter.has_html { ", with HTML" } else { "" }
    ));
    lines.push(cut(text));
    let reply = reply_text(letter);
    if reply != *text {
        lines.push(format!("\n--- newly written, {} characters", reply.chars().count()));
        lines.push(cut(&reply));
    }
    if let Some(forwarded) = &letter.forwarded {
        lines.push("\n--- forwarded".to_owned());
        let to = |list: &[Mailbox], line: &str| if list.is_empty() { line.to_owned() } else { named(list) };
        let rows = [
            ("from", forwarded.from.as_ref().map_or(forwarded.from_line.clone(), shown)),
            ("to", to(&forwarded.to, &forwarded.to_line)),
            ("cc", to(&forwarded.cc, &forwarded.cc_line)),
            ("date", forwarded.date_line.clone()),
            ("subject", forwarded.subject.clone()),
        ];
        lines.extend(
            rows.into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name:<12}{value}")),
        );
        lines.push(cut(&forwarded.body));
    }
    lines
}

/// What decides besides the words: nature, new text, forwarded mail, report, attachments, defects.
pub(crate) fn summary(letter: &Letter) -> Vec<(&'static str, String)> {
    let nature = letter.nature.as_str();
    let signs = signs(letter);
    let because =
        if signs.is_empty() { nature.to_owned() } else { format!("{nature}, because {}", signs.join("; ")) };
    let mut rows = vec![("nature", because)];
    let all = letter.text.chars().count();
    let new = reply_text(letter).chars().count();
    if new != all {
        rows.push(("new text", format!("{new} of {all} characters; the rest is quoted or signature")));
    }
    if let Some(forwarded) = &letter.forwarded {
        let from = forwarded.from.as_ref().map_or(forwarded.from_line.clone(), shown);
        rows.push(("forwarded", format!("a mail from {from}: {}", forwarded.subject)));
    }
    if let Some(report) = &letter.report {
        rows.extend(report.recipients.iter().map(|failed| {
            let said = [failed.status.as_str(), failed.diagnostic.as_str()].join(" ");
            ("report", format!("{:?} for {}: {}", failed.action, failed.address, said.trim()).to_lowercase())
        }));
    }
    let file = |file: &Attachment| {
        let kind = if file.inline { ", shown within the text" } else { "" };
        (
            "attachment",
            format!("{} ({}, {}{kind})", file.name, file.content_type, counted(file.size_bytes, "byte")),
        )
    };
    rows.extend(letter.attachments.iter().map(file));
    if !letter.defects.is_empty() {
        let defects: Vec<&str> = letter.defects.iter().map(|defect| defect.as_str()).collect();
        rows.push(("defects", defects.join(", ").replace('_', " ")));
    }
    rows
}

/// The same as JSON.
pub(crate) fn summary_json(letter: &Letter) -> Value {
    json!({
        "nature": letter.nature.as_str(),
        "signs": signs(letter),
        "text_characters": letter.text.chars().count(),
        "reply_characters": reply_text(letter).chars().count(),
        "forwarded": letter.forwarded.as_ref().map(forwarded_json),
        "has_html": letter.has_html,
        "report": letter.report.as_ref().map(report),
        "attachments": letter.attachments.iter().map(attachment).collect::<Vec<_>>(),
        "defects": letter.defects.iter().map(|defect| defect.as_str()).collect::<Vec<_>>(),
    })
}

/// Why the mail has its nature, each a clause.
fn signs(letter: &Letter) -> Vec<String> {
    letter.signs.iter().map(ToString::to_string).collect()
}

fn leaf(leaf: &Leaf) -> Value {
    json!({
        "content_type": leaf.content_type, "charset": leaf.charset, "disposition": leaf.disposition, "name": leaf.name,
        "content_id": leaf.content_id, "size_bytes": leaf.bytes.len(), "depth": leaf.depth,
    })
}

/// What the sender newly wrote, without the signature.
fn reply_text(letter: &Letter) -> String {
    letter.reply.visible(&letter.text, false)
}

fn hidden(letter: &Letter) -> Vec<Value> {
    let kind = |kind| match kind {
        HiddenKind::Quote => "quote",
        HiddenKind::Signature => "signature",
    };
    let range = |hidden: &Hidden| json!({"from": hidden.range.start, "to": hidden.range.end, "kind": kind(hidden.kind)});
    letter.reply.hidden.iter().map(range).collect()
}

fn forwarded_json(forwarded: &Forwarded) -> Value {
    json!({
        "message": forwarded.message, "below": forwarded.below,
        "from": forwarded.from.as_ref().map(mailbox), "from_line": forwarded.from_line,
        "to": mailboxes(&forwarded.to), "to_line": forwarded.to_line,
        "cc": mailboxes(&forwarded.cc), "cc_line": forwarded.cc_line,
        "date": forwarded.date.map(time), "date_line": forwarded.date_line,
        "subject": forwarded.subject, "body": forwarded.body,
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS).and_then(|(at, _)| text.get(..at)) {
        Some(begin) => {
            let more = counted(text.chars().count().saturating_sub(SHOWN_CHARACTERS), "more character");
            format!("{begin}\n[and {more}]")
        }
        None => text.to_owned(),
    }
}

fn mailboxes(list: &[Mailbox]) -> Vec<Value> {
    list.iter().map(mailbox).collect()
}

fn mailbox(mailbox: &Mailbox) -> Value {
    json!({"name": mailbox.name, "address": mailbox.address})
}

fn named(list: &[Mailbox]) -> String {
    list.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn shown(mailbox: &Mailbox) -> String {
    if mailbox.name.is_empty() {
        mailbox.address.clone()
    } else {
        format!("{} <{}>", mailbox.name, mailbox.address)
    }
}

fn ids(list: &[MessageId]) -> Vec<&str> {
    list.iter().map(MessageId::as_str).collect()
}

fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}

fn attachment(file: &Attachment) -> Value {
    json!({
        "part": file.part, "name": file.name, "content_type": file.content_type, "size_bytes": file.size_bytes,
        "content_id": file.content_id, "inline": file.inline,
    })
}

fn report(report: &DeliveryReport) -> Value {
    let recipients = report.recipients.iter().map(|failed| {
        json!({
            "address": failed.address, "action": format!("{:?}", failed.action).to_lowercase(), "status": failed.status,
            "diagnostic": failed.diagnostic, "smtp_code": failed.smtp_code, "is_hard": failed.is_hard,
        })
    });
    json!({
        "recipients": recipients.collect::<Vec<_>>(),
        "original_message_id": report.original_message_id.as_ref().map(MessageId::as_str),
        "reporting_mta": report.reporting_mta,
        "is_standard": report.is_standard,
        "is_hard": report.is_hard,
    })
}

fn hop_name(header: HopHeader) -> &'static str {
    match header {
        HopHeader::DeliveredTo => "Delivered-To",
        HopHeader::XForwardedTo => "X-Forwarded-To",
        HopHeader::XOriginalTo => "X-Original-To",
        HopHeader::XForwardedFor => "X-Forwarded-For",
        HopHeader::ResentTo => "Resent-To",
    }
}

/// The header fields as they are in the mail, unfolded and otherwise undecoded; lines that are not fields are left out.
fn header(letter: &Letter, raw: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(raw.get(..letter.header_bytes).unwrap_or(raw));
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.push_str(line.trim_end()),
            (false, _, Some((name, value))) => {
                fields.push((name.trim_end().to_owned(), value.trim().to_owned()))
            }
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: Ann <ann@x.example>\r\nTo: help@acme.example,\r\n two@acme.example\r\n\
        Subject: =?utf-8?q?a_l=C3=A4mp?=\r\nMessage-ID: <m1@x.example>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nIt is dark.\r\n--b\r\n\
        Content-Type: image/png; name=\"dark.png\"\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n";

    #[test]
    fn programs_get_everything() {
        let value = as_json(&Letter::parse(MAIL), MAIL);
        assert_eq!(value["from"], json!([{"name": "Ann", "address": "ann@x.example"}]));
        assert_eq!(
            (&value["subject"], &value["message_id"], &value["text"]),
            (&json!("a lämp"), &json!("m1@x.example"), &json!("It is dark."))
        );
        assert_eq!(value["date"], "2026-11-02T10:00:00Z");
        assert_eq!(value["attachments"][0]["name"], "dark.png");
        assert_eq!(value["header"][1], json!({"name": "To", "value": "help@acme.example, two@acme.example"}));
        assert_eq!((&value["nature"], &value["is_automatic"]), (&json!("human"), &json!(false)));
    }

    #[test]
    fn people_get_what_is_there() {
        let text = lines(&Letter::parse(MAIL), MAIL).join("\n");
        for line in [
            "from        Ann <ann@x.example>",
            "nature      human",
            "attachment  dark.png (image/png, 1 byte)",
            "It is dark.",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("\ncc") && !text.contains("\nsender"));
        let long = "é".repeat(SHOWN_CHARACTERS + 2);
        assert!(cut(&long).ends_with("é\n[and 2 more characters]"));
    }

    #[test]
    fn new_text_and_forwarded_mail_are_told() {
        let raw = b"From: Ann <ann@x.example>\nSubject: Re: lamp\n\nThanks!\n\nOn Mon, 2 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:\n> It is dark.\n";
        let letter = Letter::parse(raw);
        assert_eq!(as_json(&letter, raw)["reply_text"], "Thanks!");
        assert_eq!(summary_json(&letter)["reply_characters"], 7);
        assert!(lines(&letter, raw).join("\n").contains("--- newly written, 7 characters\nThanks!"));
        let raw = b"From: Bob <bob@acme.example>\nSubject: Fwd: lamp\n\nSee below.\n\n---------- Forwarded message ---------\n\
            From: Ann <ann@x.example>\nDate: Mon, 2 Nov 2026 at 10:00\nSubject: lamp\nTo: <bob@acme.example>\n\nIt is dark.\n";
        let letter = Letter::parse(raw);
        let value = as_json(&letter, raw);
        assert_eq!(value["forwarded"]["from"]["address"], "ann@x.example", "{value}");
        assert!(
            summary(&letter).contains(&("forwarded", "a mail from Ann <ann@x.example>: lamp".to_owned()))
        );
    }

    #[test]
    fn what_makes_it_automatic_is_told() {
        let raw =
            b"From: Ann <ann@x.example>\nSubject: away\nAuto-Submitted: auto-replied\n\nBack on Monday.\n";
        let letter = Letter::parse(raw);
        let told = lines(&letter, raw).join("\n");
        assert!(told.contains("because it has Auto-Submitted: auto-replied"), "{told}");
        let value = as_json(&letter, raw);
        assert_eq!(value["signs"][0], "it has Auto-Submitted: auto-replied");
        assert_eq!(value["parts"][0]["content_type"], "text/plain");
    }

    #[test]
    fn any_bytes_can_be_looked_at() {
        for raw in [&b""[..], b"\0\xff", b" folded\nFrom", b"From: a@b\n\tc\n\n"] {
            let letter = Letter::parse(raw);
            assert!(!lines(&letter, raw).is_empty());
            assert_eq!(as_json(&letter, raw)["size_bytes"], raw.len());
        }
    }
}
