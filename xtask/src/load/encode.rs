//! Encodings of mail: base64, quoted-printable, encoded words, and the dot-stuffing of RFC 5321 §4.5.2.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Text as it appears in a header field: itself when ASCII, else folded encoded words (RFC 2047, B encoding).
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
    let words: Vec<String> =
        pieces.iter().map(|piece| format!("=?utf-8?B?{}?=", base64(piece.as_bytes()))).collect();
    words.join("\r\n ")
}

/// Text as quoted-printable (RFC 2045 §6.7) without a line break at its end; `<` and `>` are encoded too.
pub(crate) fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0_usize;
    for byte in text.bytes() {
        let plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'=' | b'>' | b'<');
        let width = if plain { 1 } else { 3 };
        // RFC 2045 §6.7 (5): lines of at most 76 characters; the closing tag needs some of them.
        if column.saturating_add(width) > 70 {
            out.push_str("=\r\n");
            column = 0;
        }
        if plain {
            out.push(char::from(byte))
        } else {
            out.push_str(&format!("={byte:02X}"))
        }
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
            let value = group
                .iter()
                .chain([&0, &0])
                .take(3)
                .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
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

/// Removes the doubled dots; the closing dot line is not part of `stuffed`.
pub(crate) fn unstuff(stuffed: &[u8]) -> Vec<u8> {
    let lines = stuffed.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{base64, encoded_words, quoted_printable, stuff, unstuff};
    use crate::load::write::date;

    #[test]
    fn base64_agrees_with_the_examples_of_rfc_4648() {
        for (input, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
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
        assert_eq!(
            parsed.date().map(mail_parser::DateTime::to_rfc3339).as_deref(),
            Some("2026-01-05T08:01:37Z")
        );
    }
}
