//! Text signed inline (RFC 9580 §7, the cleartext signature framework of OpenPGP): recovers what was written,
//! without the armour.

use std::borrow::Cow;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";

/// Whether a text with LF line ends begins with an encrypted message, which is left alone.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----")
}

/// Removes armour lines, `Hash:` headers, dash-escaping and signature blocks from a text with LF line ends;
/// incomplete ones are left alone. One pass.
pub(crate) fn unarmoured(text: &str) -> Cow<'_, str> {
    if memchr::memmem::find(text.as_bytes(), BEGIN.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut reader = Reader { out: String::with_capacity(text.len()), place: Place::Outside, start: (0, 0) };
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        reader.take(line, at);
        at = at.saturating_add(line.len());
    }
    if reader.place != Place::Outside {
        let (in_text, in_out) = reader.start;
        reader.out.truncate(in_out);
        reader.out.push_str(text.get(in_text..).unwrap_or_default());
    }
    Cow::Owned(reader.out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// Between the first armour line and the empty line.
    Header,
    Signed,
    Signature,
}

struct Reader {
    out: String,
    place: Place,
    /// Where the message began, in the input and in the output.
    start: (usize, usize),
}

impl Reader {
    fn take(&mut self, line: &str, at: usize) {
        let said = line.trim_end();
        match self.place {
            Place::Outside if said == BEGIN => {
                self.place = Place::Header;
                self.start = (at, self.out.len());
            }
            Place::Outside => self.out.push_str(line),
            Place::Header if said.is_empty() => self.place = Place::Signed,
            // Not an armour header: what began is not a signed message.
            Place::Header if !said.contains(": ") => self.give_up(line),
            Place::Header => (),
            Place::Signed if said == BEGIN_SIGNATURE => self.place = Place::Signature,
            // RFC 9580 §7.2: each line that begins with a dash is prefixed with a dash and a space.
            Place::Signed => self.out.push_str(line.strip_prefix("- ").unwrap_or(line)),
            Place::Signature if said == END_SIGNATURE => self.place = Place::Outside,
            Place::Signature => (),
        }
    }

    fn give_up(&mut self, line: &str) {
        self.place = Place::Outside;
        self.out.push_str(BEGIN);
        self.out.push('\n');
        self.out.push_str(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIGNATURE: &str =
        "-----BEGIN PGP SIGNATURE-----\nVersion: x\n\niQ==\n=abcd\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn armour_is_taken_out() {
        let signed = |text: &str| format!("{BEGIN}\nHash: SHA256\n\n{text}\n{SIGNATURE}");
        for (name, text, want) in [
            ("plain", signed("Hello"), "Hello\n"),
            ("dashes", signed("- -- \nAda\n- - one\n- From"), "-- \nAda\n- one\nFrom\n"),
            ("without a hash", format!("{BEGIN}\n\nHello\n{SIGNATURE}"), "Hello\n"),
            ("text around", format!("Before\n{}After\n", signed("Hello")), "Before\nHello\nAfter\n"),
            ("two", signed("a").repeat(2), "a\na\n"),
            ("blanks at line ends", signed("Hello").replace("-----\n", "----- \n"), "Hello\n"),
        ] {
            assert_eq!(unarmoured(&text), want, "{name}");
        }
        for (name, text) in [
            ("no signature", format!("a\n{BEGIN}\nHash: SHA256\n\nHello\n")),
            ("no end", format!("{BEGIN}\n\n- Hello\n{BEGIN_SIGNATURE}\n\niQ==\n")),
            ("quoted", signed("Hello").replace('\n', "\n> ").replacen("----", "> ----", 1)),
            ("no header of armour", format!("{BEGIN}\nis what it begins with.\n{SIGNATURE}")),
            ("only named", format!("Why does it say {BEGIN}?\n")),
            ("none", "Hello\n".to_owned()),
        ] {
            assert_eq!(unarmoured(&text), text, "{name}");
        }
        assert!(is_encrypted("\n-----BEGIN PGP MESSAGE-----\n\nhQ\n") && !is_encrypted("Hello"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(-----BEGIN PGP SIGNED MESSAGE-----|-----BEGIN PGP SIGNATURE-----|-----END PGP SIGNATURE-----|\n|\n\n|- |Hash: x|é| ){0,30}") {
            prop_assert!(unarmoured(&text).len() <= text.len());
        }
    }
}
