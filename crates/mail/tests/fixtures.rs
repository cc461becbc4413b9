//! Every `fixtures/NAME.eml` reads as `fixtures/NAME.txt` says, with LF and with CRLF line ends.
//!
//! The messages are written for this test. One whose octets depend on its line ends has the same text in
//! both.

use mail::{Letter, Mailbox, MessageId};
use std::fs;
use std::path::Path;

#[test]
fn fixtures_are_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let lf = fs::read(&path).unwrap();
        assert!(!lf.contains(&b'\r'), "{name}.eml has CR; write it with LF, the test makes the other form");
        let want = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        for (form, raw) in [("LF", lf.clone()), ("CRLF", with_crlf(&lf))] {
            let got = show(&raw);
            if got != want {
                wrong.push(format!("== {name} with {form}\n{got}"));
            }
        }
    }
    assert!(count >= 20, "only {count} fixtures found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn with_crlf(lf: &[u8]) -> Vec<u8> {
    lf.iter().flat_map(|&octet| if octet == b'\n' { vec![b'\r', b'\n'] } else { vec![octet] }).collect()
}

/// Everything a letter says, one fact per line; empty values are omitted.
fn show(raw: &[u8]) -> String {
    let letter = Letter::parse(raw);
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            out += &format!("{name}: {value}\n");
        }
    };
    line("from", mailboxes(&letter.from));
    line("sender", mailboxes(letter.sender.as_slice()));
    line("reply-to", mailboxes(&letter.reply_to));
    line("to", mailboxes(&letter.to));
    line("cc", mailboxes(&letter.cc));
    line("subject", letter.subject.clone());
    line("date", letter.date.map(|date| date.to_string()).unwrap_or_default());
    line("message-id", ids(letter.message_id.as_slice()));
    line("in-reply-to", ids(&letter.in_reply_to));
    line("references", ids(&letter.references));
    line("nature", letter.nature.as_str().to_owned());
    line("html", if letter.has_html { "yes".to_owned() } else { String::new() });
    for hop in &letter.hops {
        line("hop", format!("{:?} {} {} {}", hop.header, hop.address, hop.index, hop.above_received));
    }
    line("own mark", letter.own_mark.clone().unwrap_or_default());
    for defect in &letter.defects {
        line("defect", defect.as_str().to_owned());
    }
    for part in &letter.attachments {
        let octets = Letter::attachment(raw, part.part).unwrap_or_default();
        assert_eq!(octets.len() as u64, part.size_bytes);
        let first: String =
            String::from_utf8_lossy(&octets).lines().next().unwrap_or_default().chars().take(20).collect();
        let inline = if part.inline { " inline" } else { "" };
        let id = part.content_id.as_ref().map(|id| format!(" <{id}>")).unwrap_or_default();
        line(
            "attachment",
            format!("{} {:?} {}{inline}{id} {first:?}", part.part, part.name, part.content_type),
        );
    }
    if let Some(report) = &letter.report {
        line(
            "report",
            format!(
                "by {:?} on {} mark {:?}",
                report.reporting_mta,
                ids(report.original_message_id.as_slice()),
                report.original_mark
            ),
        );
        for r in &report.recipients {
            line("recipient", format!("{} {:?} {} {}", r.address, r.action, r.status, r.diagnostic));
        }
    }
    out + "text:\n" + &letter.text + "\n"
}

fn mailboxes(list: &[Mailbox]) -> String {
    list.iter()
        .map(|mailbox| format!("{} <{}>", mailbox.name, mailbox.address))
        .collect::<Vec<_>>()
        .join(", ")
}

fn ids(list: &[MessageId]) -> String {
    list.iter().map(MessageId::as_str).collect::<Vec<_>>().join(" ")
}
