//! A mail in a form, as providers post it: `multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded`.

use memchr::{memchr, memmem};

/// Fields in which providers put the raw mail; the first that is there counts.
const MAIL_FIELDS: [&str; 5] = ["email", "body-mime", "message", "mime", "raw"];
/// Fields of a form that are looked at.
const FIELDS_MAX: usize = 1_000;

/// A mail with what else its form said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// The raw mail.
    pub(super) raw: Vec<u8>,
    /// Of the fields `recipient` (addresses with commas) and `envelope` (JSON with `to`).
    pub(super) recipients: Vec<String>,
    /// Of the fields `sender` and `envelope` (JSON with `from`).
    pub(super) mail_from: Option<String>,
}

impl Form {
    /// A body that is the mail.
    pub(super) fn raw(raw: Vec<u8>) -> Form {
        Form { raw, ..Form::default() }
    }

    /// A mail in `multipart/form-data`; none when no field has one.
    pub(super) fn multipart(body: &[u8], boundary: &str) -> Option<Form> {
        let fields = fields(body, boundary);
        Form::of(fields.iter().map(|(name, value)| (name.as_str(), *value)))
    }

    /// A mail in a urlencoded form; one that is there unencoded, since curl labels raw bytes this way too; none in a
    /// form without one.
    pub(super) fn pairs_or_raw(body: Vec<u8>) -> Option<Form> {
        // Line ends are always encoded in a form, and no mail is one line.
        if memchr(b'\n', &body).is_some() {
            return Some(Form::raw(body));
        }
        let fields = pairs_of_bytes(&body);
        Form::of(fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())))
    }

    fn of<'f>(fields: impl Iterator<Item = (&'f str, &'f [u8])> + Clone) -> Option<Form> {
        let find = |wanted: &str| fields.clone().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let text = |wanted: &str| find(wanted).map(|value| String::from_utf8_lossy(value).into_owned());
        let raw = MAIL_FIELDS.iter().find_map(|name| find(name))?.to_vec();
        let envelope =
            find("envelope").and_then(|value| serde_json::from_slice::<serde_json::Value>(value).ok());
        let envelope = envelope.unwrap_or_default();
        let mut recipients: Vec<String> =
            text("recipient").map(|value| addresses(&value).collect()).unwrap_or_default();
        if recipients.is_empty() {
            let to = envelope.get("to").and_then(serde_json::Value::as_array);
            recipients =
                to.into_iter().flatten().filter_map(|address| address.as_str().map(str::to_owned)).collect();
        }
        let from = || envelope.get("from").and_then(serde_json::Value::as_str).map(str::to_owned);
        Some(Form { raw, recipients, mail_from: text("sender").or_else(from) })
    }
}

/// Addresses with commas between them.
pub(super) fn addresses(value: &str) -> impl Iterator<Item = String> + '_ {
    value
        .split(',')
        .map(|part| part.trim().trim_start_matches('<').trim_end_matches('>').trim())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}

/// The boundary in a Content-Type, quoted or not.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let found = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    });
    found.filter(|boundary| (1..=200).contains(&boundary.len()))
}

/// The fields of a `multipart/form-data` body, by name, each with its bytes, at most a thousand. Linear, never fails: a
/// body that breaks off ends with the last whole field.
#[must_use]
pub(super) fn fields<'b>(body: &'b [u8], boundary: &str) -> Vec<(String, &'b [u8])> {
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut fields = Vec::new();
    // What precedes the first delimiter belongs to no part.
    let Some(first) = finder.find(body) else { return fields };
    let mut rest = body.get(first + delimiter.len()..).unwrap_or_default();
    while fields.len() < FIELDS_MAX && !rest.starts_with(b"--") {
        let Some(next) = next_delimiter(&finder, rest) else { break };
        let part = rest.get(..next).unwrap_or_default();
        fields.extend(field(part));
        rest = rest.get(next + delimiter.len()..).unwrap_or_default();
    }
    fields
}

/// The position of the next delimiter at the beginning of a line.
fn next_delimiter(finder: &memmem::Finder<'_>, rest: &[u8]) -> Option<usize> {
    finder.find_iter(rest).find(|at| at.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'\n'))
}

/// A part: the rest of the delimiter's line, header, empty line, value, line end.
fn field(part: &[u8]) -> Option<(String, &[u8])> {
    let part = part.get(memchr(b'\n', part)? + 1..)?;
    let (header, value) = match memmem::find(part, b"\r\n\r\n") {
        Some(at) => (part.get(..at)?, part.get(at + 4..)?),
        None => {
            let at = memmem::find(part, b"\n\n")?;
            (part.get(..at)?, part.get(at + 2..)?)
        }
    };
    let value = value.strip_suffix(b"\n").map_or(value, |value| value.strip_suffix(b"\r").unwrap_or(value));
    let header = String::from_utf8_lossy(header);
    let disposition = header
        .lines()
        .find(|line| line.get(..20).is_some_and(|name| name.eq_ignore_ascii_case("content-disposition:")))?;
    let name = disposition.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("name").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    Some((name, value))
}

/// The pairs of a query or urlencoded form as text, decoded, at most a thousand; what is not UTF-8 is replaced. Never
/// fails.
#[must_use]
pub fn pairs(query: &[u8]) -> Vec<(String, String)> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    pairs_of_bytes(query).into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn pairs_of_bytes(query: &[u8]) -> Vec<(String, Vec<u8>)> {
    let pairs = query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX);
    pairs
        .map(|pair| {
            let (name, value) = match memchr(b'=', pair).and_then(|at| pair.split_at_checked(at)) {
                Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
                None => (pair, &b""[..]),
            };
            (String::from_utf8_lossy(&decoded(name)).into_owned(), decoded(value))
        })
        .collect()
}

/// Decodes `%XX` and `+`; anything else stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        let escaped = rest.as_slice().get(..2).filter(|_| *byte == b'%').and_then(hex);
        match (byte, escaped) {
            (_, Some(value)) => {
                bytes.push(value);
                rest = rest.as_slice().get(2..).unwrap_or_default().iter();
            }
            (b'+', None) => bytes.push(b' '),
            (other, None) => bytes.push(*other),
        }
    }
    bytes
}

fn hex(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mail_is_found_in_a_multipart_form() {
        let body = b"before\r\n--x1\r\nContent-Disposition: form-data; name=\"envelope\"\r\n\r\n\
            {\"to\":[\"a@x.example\",\"b@x.example\"],\"from\":\"c@y.example\"}\r\n--x1\r\n\
            content-disposition: form-data; name=email; filename=\"m;x.eml\"\r\nContent-Type: message/rfc822\r\n\r\n\
            Subject: x\r\n\r\nnot --x1 a delimiter\r\n\r\n--x1--\r\nafter";
        let form = Form::multipart(body, "x1").unwrap();
        assert_eq!(form.raw, b"Subject: x\r\n\r\nnot --x1 a delimiter\r\n");
        assert_eq!(
            (form.recipients.join(" "), form.mail_from.as_deref()),
            ("a@x.example b@x.example".into(), Some("c@y.example"))
        );
        assert_eq!(Form::multipart(body, "other"), None);
    }

    #[test]
    fn a_mail_is_found_in_pairs_and_bare() {
        let form = Form::pairs_or_raw(
            b"recipient=a%40x.example,+b@x.example&sender=&body-mime=A:+1%0D%0A%0d%0A100%&x".to_vec(),
        );
        let form = form.unwrap();
        assert_eq!(form.raw, b"A: 1\r\n\r\n100%");
        assert_eq!(
            (form.recipients.join(" "), form.mail_from.as_deref()),
            ("a@x.example b@x.example".into(), Some(""))
        );
        assert_eq!(Form::pairs_or_raw(b"A: 1\n\nemail=2".to_vec()).unwrap().raw, b"A: 1\n\nemail=2");
        assert_eq!(Form::pairs_or_raw(b"subject=1".to_vec()), None);
    }

    #[test]
    fn boundaries_are_read_quoted_or_not() {
        for (value, want) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("multipart/form-data; charset=x; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
        ] {
            assert_eq!(boundary(value).as_deref(), want, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_into_a_form_is_read_again(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)) {
            let mut body = Vec::new();
            for (place, value) in values.iter().enumerate() {
                body.extend(format!("--bound-4711\r\nContent-Disposition: form-data; name=\"f{place}\"\r\n\r\n").bytes());
                body.extend(value);
                body.extend(b"\r\n");
            }
            body.extend(b"--bound-4711--\r\n");
            let read: Vec<Vec<u8>> = fields(&body, "bound-4711").into_iter().map(|(_, value)| value.to_vec()).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_bytes_are_some_form(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = fields(&body, "\n");
            let _ = pairs(&body);
        }
    }
}
