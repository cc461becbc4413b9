//! Writes sample mails as bytes: header fields, encoded words, bodies, and the dot-stuffing of RFC 5321 §4.5.2.

use super::chance::Chance;
use super::words;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
    let (client, when) = (chance.between(1, 254), date(number));
    field(out, "Return-Path", &format!("<{from}>"));
    for hop in ["mx.hop.example", "outbound.hop.example"] {
        let id = chance.bits() >> 16;
        let from = format!("from gate.{host} (gate.{host} [198.51.100.{client}])");
        field(out, "Received", &format!("{from}\r\n by {hop} with ESMTPS id {id:012x}\r\n for <{to}>; {when}"));
    }
    let verdict = format!("mx.hop.example; dkim=pass header.d={host};\r\n spf=pass smtp.mailfrom={from}");
    field(out, "Authentication-Results", &verdict);
    let (body_hash, signature) = (base64(&chance.bytes(32)), base64(&chance.bytes(192)).replace("\r\n", "\r\n  "));
    let tags = format!("v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=k1;\r\n h=from:to:subject:date:message-id;");
    field(out, "DKIM-Signature", &format!("{tags}\r\n bh={body_hash};\r\n b={signature}"));
}

/// The date of the sample's mail `number`: 97 seconds after the one before it, from a fixed Monday on.
pub(crate) fn date(number: usize) -> String {
    let seconds = i64::try_from(number).unwrap_or(0).saturating_mul(97);
    // 5 January 2026, 08:00 UTC.
    let when = jiff::Timestamp::from_second(1_767_600_000_i64.saturating_add(seconds)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    when.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A From value: display name as quoted text or encoded words, then the address.
pub(crate) fn mailbox(name: &str, address: &str) -> String {
    if name.is_ascii() { format!("\"{name}\" <{address}>") } else { format!("{} <{address}>", encoded_words(name)) }
}

/// Text as it stands in a header field: itself when ASCII, else folded encoded words (RFC 2047, B encoding).
pub(crate) fn encoded_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut pieces = vec![String::new()];
    for letter in text.chars() {
        // RFC 2047 §2: an encoded word has at most 75 characters; 42 bytes become 56 of base64.
        if pieces.last().is_some_and(|piece| piece.len().saturating_add(letter.len_utf8()) > 42) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    let words: Vec<String> = pieces.iter().map(|piece| format!("=?utf-8?B?{}?=", base64(piece.as_bytes()))).collect();
    words.join("\r\n ")
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
    lines.extend([name.to_owned(), "-- ".to_owned(), format!("{name}, +33 1 {} 00 00", chance.between(1_000, 9_999))]);
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
    let (kind, name) = words::ATTACHMENTS.get(choice).copied().unwrap_or(("application/octet-stream", "file.bin"));
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

fn quoted_printable(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0_usize);
    for byte in text.bytes() {
        let plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'=' | b'>' | b'<');
        let width = if plain { 1 } else { 3 };
        // RFC 2045 §6.7 (5): lines of at most 76 characters; the closing tag needs some of them.
        if column.saturating_add(width) > 70 {
            out.push_str("=\r\n");
            column = 0;
        }
        if plain { out.push(char::from(byte)) } else { out.push_str(&format!("={byte:02X}")) }
        column = column.saturating_add(width);
    }
    out
}

/// Base64 in lines of 76 characters (RFC 2045 §6.8), without a final CRLF.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(7) / 5);
    for (row, chunk) in bytes.chunks(57).enumerate() {
        if row > 0 {
            out.push_str("\r\n");
        }
        for group in chunk.chunks(3) {
            let value = group.iter().chain([&0, &0]).take(3).fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
            for place in 0..4_usize {
                let index = (value >> (18_usize.saturating_sub(place.saturating_mul(6)))) & 63;
                let letter = BASE64.get(index).copied().map_or('=', char::from);
                out.push(if place > group.len() { '=' } else { letter });
            }
        }
    }
    out
}

/// Doubles each dot at the start of a line and adds the closing dot line; says whether a dot was doubled.
pub(crate) fn stuff(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(raw.len().saturating_add(8));
    let mut stuffed = false;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
            stuffed = true;
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    (out, stuffed)
}

/// Takes the doubled dots away again; the closing dot line is not part of `stuffed`.
pub(crate) fn unstuff(stuffed: &[u8]) -> Vec<u8> {
    let lines = stuffed.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{base64, date, encoded_words, quoted_printable, stuff, unstuff};

    #[test]
    fn base64_agrees_with_the_examples_of_rfc_4648() {
        for (input, want) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(input.as_bytes()), want);
        }
    }

    #[test]
    fn dots_survive_the_wire() {
        let raw = b".one\r\n..two\r\nthree.\r\n";
        let (wire, stuffed) = stuff(raw);
        assert!(stuffed);
        assert_eq!(wire, b"..one\r\n...two\r\nthree.\r\n.\r\n");
        assert_eq!(unstuff(wire.strip_suffix(b".\r\n").expect("closing dot")), raw);
    }

    #[test]
    fn parsed_names_and_bodies_are_what_was_written() {
        let long = "Déjà vu où même l'été s'achève à Saint-Étienne, où rien n'est prêt".to_owned();
        let mail = format!(
            "Subject: {}\r\nDate: {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n",
            encoded_words(&long),
            date(1),
            quoted_printable(&long)
        );
        let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        assert_eq!(parsed.subject(), Some(long.as_str()));
        assert_eq!(parsed.body_text(0).map(|text| text.trim_end().to_owned()), Some(long));
        assert_eq!(parsed.date().map(mail_parser::DateTime::to_rfc3339).as_deref(), Some("2026-01-05T08:01:37Z"));
    }
}
