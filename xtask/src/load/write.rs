//! Writes sample mails as bytes: header fields and bodies.

use super::chance::Chance;
use super::encode::{base64, encoded_words, quoted_printable};
use super::words;

const STYLE: &str = "margin:0 0 .6em;font:15px/1.4 Verdana,sans-serif;color:#2a2a2a";

/// Appends one header field with its CRLF.
pub(crate) fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    line(out, &format!("{name}: {value}"));
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The fields that servers on the way add: Return-Path, two Received, Authentication-Results and a signature.
pub(crate) fn trace(chance: &mut Chance, out: &mut Vec<u8>, from: &str, to: &str, number: usize) {
    let host = from.split('@').nth(1).unwrap_or("example.org");
    let client = chance.between(1, 254);
    let when = date(number);
    field(out, "Return-Path", &format!("<{from}>"));
    for hop in ["mx.hop.example", "outbound.hop.example"] {
        let id = chance.bits() >> 16;
        let from = format!("from gate.{host} (gate.{host} [198.51.100.{client}])");
        field(
            out,
            "Received",
            &format!("{from}\r\n by {hop} with ESMTPS id {id:012x}\r\n for <{to}>; {when}"),
        );
    }
    let verdict = format!("mx.hop.example; dkim=pass header.d={host};\r\n spf=pass smtp.mailfrom={from}");
    field(out, "Authentication-Results", &verdict);
    let body_hash = base64(&chance.bytes(32));
    let signature = base64(&chance.bytes(192)).replace("\r\n", "\r\n  ");
    let tags = format!(
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=k1;\r\n h=from:to:subject:date:message-id;"
    );
    field(out, "DKIM-Signature", &format!("{tags}\r\n bh={body_hash};\r\n b={signature}"));
}

/// The date of the sample's mail `number`: 97 seconds after the one before it, from a fixed Monday on.
pub(crate) fn date(number: usize) -> String {
    let seconds = i64::try_from(number).unwrap_or(0).saturating_mul(97);
    // 5 January 2026, 08:00 UTC.
    let when = jiff::Timestamp::from_second(1_767_600_000_i64.saturating_add(seconds))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    when.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A From value: display name as quoted text or encoded words, then the address.
pub(crate) fn mailbox(name: &str, address: &str) -> String {
    if name.is_ascii() {
        format!("\"{name}\" <{address}>")
    } else {
        format!("{} <{address}>", encoded_words(name))
    }
}

/// `low` to `high` random words, the first in upper case.
pub(crate) fn phrase(chance: &mut Chance, low: u64, high: u64) -> String {
    let words: Vec<&str> = (0..chance.between(low, high)).map(|_| chance.word(words::WORDS)).collect();
    let phrase = words.join(" ");
    let mut letters = phrase.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Lines of a letter: greeting, up to `paragraphs` paragraphs, signature, and the quoted lines it answers.
pub(crate) fn text(chance: &mut Chance, name: &str, paragraphs: u64, quote: &[String]) -> Vec<String> {
    let greeting = if chance.odds(3, 5) { "Hi there," } else { "Madame, Monsieur," };
    let mut lines = vec![greeting.to_owned(), String::new()];
    for _ in 0..chance.between(1, paragraphs) {
        let sentences: Vec<String> = (0..chance.between(1, 3)).map(|_| sentence(chance)).collect();
        lines.extend([sentences.join(" "), String::new()]);
    }
    lines.extend([
        name.to_owned(),
        "-- ".to_owned(),
        format!("{name}, +33 1 {} 00 00", chance.between(1_000, 9_999)),
    ]);
    if !quote.is_empty() {
        lines.extend([String::new(), "Some days ago the desk wrote:".to_owned()]);
        lines.extend(quote.iter().map(|line| format!("> {line}")));
    }
    lines
}

fn sentence(chance: &mut Chance) -> String {
    let mark = chance.word(&[".", ".", "?", "!"]);
    let mut sentence = phrase(chance, 5, 11);
    sentence.push_str(mark);
    sentence
}

/// A body of one plain part, 8bit.
pub(crate) fn plain(out: &mut Vec<u8>, text: &[String]) {
    field(out, "Content-Type", "text/plain; charset=utf-8");
    field(out, "Content-Transfer-Encoding", "8bit");
    line(out, "");
    lines(out, text);
}

/// A body of plain text and the same as HTML, in quoted-printable.
pub(crate) fn alternative(chance: &mut Chance, out: &mut Vec<u8>, text: &[String]) {
    let boundary = open(chance, out, "multipart/alternative");
    line(out, &format!("--{boundary}"));
    plain(out, text);
    line(out, &format!("--{boundary}"));
    field(out, "Content-Type", "text/html; charset=utf-8");
    field(out, "Content-Transfer-Encoding", "quoted-printable");
    line(out, "");
    line(out, &format!("<html><head><meta charset=3D\"utf-8\"><style>p{{{STYLE}}}</style></head><body>"));
    for paragraph in text {
        line(out, &format!("<p style=3D\"=\r\n{STYLE}\">=\r\n{}</p>", quoted_printable(paragraph)));
    }
    line(out, "</body></html>");
    line(out, &format!("--{boundary}--"));
}

/// A body of plain text and one attachment of `size` random bytes.
pub(crate) fn mixed(chance: &mut Chance, out: &mut Vec<u8>, text: &[String], size: usize) {
    let boundary = open(chance, out, "multipart/mixed");
    line(out, &format!("--{boundary}"));
    plain(out, text);
    line(out, &format!("--{boundary}"));
    let choice = chance.index(words::ATTACHMENTS.len());
    let (kind, name) =
        words::ATTACHMENTS.get(choice).copied().unwrap_or(("application/octet-stream", "file.bin"));
    field(out, "Content-Type", kind);
    field(out, "Content-Disposition", &format!("attachment; filename=\"{name}\""));
    field(out, "Content-Transfer-Encoding", "base64");
    line(out, "");
    line(out, &base64(&chance.bytes(size)));
    line(out, &format!("--{boundary}--"));
}

fn open(chance: &mut Chance, out: &mut Vec<u8>, kind: &str) -> String {
    let boundary = format!("=_{:016x}{:08x}", chance.bits(), chance.bits() >> 32);
    field(out, "Content-Type", &format!("{kind};\r\n boundary=\"{boundary}\""));
    line(out, "");
    boundary
}

fn lines(out: &mut Vec<u8>, text: &[String]) {
    for entry in text {
        line(out, entry);
    }
}
