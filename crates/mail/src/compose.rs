//! Composing: an [`Outgoing`] becomes raw mail.
//!
//! Deterministic: the same value gives the same octets, since date, message-id and boundary seed are part of
//! it. No value can add a header field or end the header: texts lose their control characters, addresses are
//! written only if [`Mailbox::key`] can parse them, and message-ids cannot contain whitespace by their type.
//! Lines end with CRLF, have at most 998 octets (RFC 5322 §2.1.1) and are 7-bit, except for non-ASCII
//! addresses (RFC 6532): such messages need SMTPUTF8.
//!
//! The text and its HTML form a multipart/alternative; images that the HTML refers to join it in a
//! multipart/related (RFC 2387), and files follow both in a multipart/mixed.

use crate::address::Mailbox;
use crate::date;
use crate::fold::{FOLD_COLUMN, encoded_words};
use crate::message_id::MessageId;
use crate::outgoing_part::{self, OutgoingPart};
use crate::text;
use crate::transfer;

/// How many of the last References are written, in addition to the first one.
pub const LAST_REFERENCES: usize = 10;

/// The longest message-id that is written, in octets; longer ones are omitted, since a header line cannot be
/// folded inside one.
pub const WRITTEN_ID_OCTETS: usize = 900;

/// The longest word of a header field that is written unencoded.
const WORD_OCTETS: usize = 400;

/// The longest name of an extra header field.
const EXTRA_NAME_OCTETS: usize = 70;

/// A message to be sent. Every value is taken as literal text, never as syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The author; the field is omitted if the address is invalid.
    pub from: Mailbox,
    /// Where replies should go, if not to the author.
    pub reply_to: Option<Mailbox>,
    /// Mailboxes without a valid address are omitted; if none remain, `undisclosed-recipients:;` is written.
    pub to: Vec<Mailbox>,
    /// As `to`; the field is omitted if empty.
    pub cc: Vec<Mailbox>,
    /// Any text; control characters become spaces.
    pub subject: String,
    /// At most [`WRITTEN_ID_OCTETS`], ASCII.
    pub message_id: MessageId,
    /// Ids that are not ASCII or exceed [`WRITTEN_ID_OCTETS`] are omitted, here and in `references`.
    pub in_reply_to: Vec<MessageId>,
    /// If there are many, the first and the last [`LAST_REFERENCES`] are written.
    pub references: Vec<MessageId>,
    /// Unix milliseconds; written in UTC to the second.
    pub date: i64,
    /// Whether it is sent by a machine: marked as RFC 3834 §5 prescribes, and for Exchange.
    pub auto_submitted: bool,
    /// Additional header fields, in order. Names begin with `X-` and consist of letters, digits and hyphens,
    /// at most 70 octets; others are omitted.
    pub extra: Vec<(String, String)>,
    /// The plain text, with any line ends.
    pub text: String,
    /// The HTML alternative of the text.
    pub html: Option<String>,
    /// Files and images, in order.
    pub attachments: Vec<OutgoingPart>,
    /// Generates the boundaries between the parts, which cannot occur in them whatever the seed.
    pub boundary_seed: u64,
}

/// Writes the message.
#[must_use]
pub fn compose(outgoing: &Outgoing) -> Vec<u8> {
    let attached: usize = outgoing.attachments.iter().map(|part| part.bytes.len()).sum();
    let text = outgoing.text.len().saturating_mul(2);
    let mut mail =
        Vec::with_capacity(text.saturating_add(attached.saturating_mul(3) / 2).saturating_add(2_048));
    write_header(outgoing, &mut mail);
    // An image that no HTML can refer to is a file.
    let has_html = outgoing.html.is_some();
    let (images, files): (Vec<_>, Vec<_>) =
        outgoing.attachments.iter().partition(|part| has_html && outgoing_part::content_id(part).is_some());
    if files.is_empty() {
        write_body(outgoing, &images, &mut mail);
        return mail;
    }
    let boundary = Boundary::open("mixed", outgoing, &mut mail);
    boundary.part(&mut mail);
    write_body(outgoing, &images, &mut mail);
    for file in files {
        boundary.part(&mut mail);
        outgoing_part::write(file, false, &mut mail);
    }
    boundary.close(&mut mail);
    mail
}

/// Writes the text, with its HTML and the images belonging to it.
fn write_body(outgoing: &Outgoing, images: &[&OutgoingPart], mail: &mut Vec<u8>) {
    let Some(html) = &outgoing.html else { return write_part("text/plain", &outgoing.text, mail) };
    let alternative = Boundary::open("alternative", outgoing, mail);
    alternative.part(mail);
    write_part("text/plain", &outgoing.text, mail);
    alternative.part(mail);
    if images.is_empty() {
        write_part("text/html", html, mail);
    } else {
        let related = Boundary::open("related", outgoing, mail);
        related.part(mail);
        write_part("text/html", html, mail);
        for image in images {
            related.part(mail);
            outgoing_part::write(image, true, mail);
        }
        related.close(mail);
    }
    alternative.close(mail);
}

/// The delimiter lines of a multipart.
///
/// `=_` occurs in no part: quoted-printable and base64 cannot contain it, and any text that does is encoded.
struct Boundary(String);

impl Boundary {
    fn open(kind: &str, outgoing: &Outgoing, mail: &mut Vec<u8>) -> Self {
        let mark = kind.get(..1).filter(|_| kind != "alternative").unwrap_or("");
        let boundary = format!("=_guichet{mark}_{:016x}", outgoing.boundary_seed);
        let more = if kind == "related" { "; type=\"text/html\"" } else { "" };
        mail.extend_from_slice(
            format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"{more}\r\n\r\n").as_bytes(),
        );
        Self(boundary)
    }

    fn part(&self, mail: &mut Vec<u8>) {
        mail.extend_from_slice(format!("--{}\r\n", self.0).as_bytes());
    }

    fn close(&self, mail: &mut Vec<u8>) {
        mail.extend_from_slice(format!("--{}--\r\n", self.0).as_bytes());
    }
}

fn write_header(outgoing: &Outgoing, mail: &mut Vec<u8>) {
    write_field("From", &mailbox_words([&outgoing.from]), mail);
    write_field("Reply-To", &mailbox_words(&outgoing.reply_to), mail);
    let to = mailbox_words(&outgoing.to);
    let cc = mailbox_words(&outgoing.cc);
    let nobody = to.is_empty() && cc.is_empty();
    write_field("To", if nobody { &[][..] } else { &to }, mail);
    if nobody {
        mail.extend_from_slice(b"To: undisclosed-recipients:;\r\n");
    }
    write_field("Cc", &cc, mail);
    write_field("Subject", &text_words(&outgoing.subject, "Subject".len()), mail);
    write_field("Date", &[date::format(outgoing.date)], mail);
    write_field("Message-ID", &id_words(std::slice::from_ref(&outgoing.message_id)), mail);
    write_field("In-Reply-To", &id_words(&outgoing.in_reply_to), mail);
    write_field("References", &id_words(&kept_references(&outgoing.references)), mail);
    if outgoing.auto_submitted {
        mail.extend_from_slice(b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
    }
    for (name, value) in outgoing.extra.iter().filter(|(name, _)| is_extra_name(name)) {
        write_field(name, &text_words(value, name.len()), mail);
    }
    mail.extend_from_slice(b"MIME-Version: 1.0\r\n");
}

fn is_extra_name(name: &str) -> bool {
    let is_word = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    is_word
        && (3..=EXTRA_NAME_OCTETS).contains(&name.len())
        && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("X-"))
}

/// Writes one field, folded between words; nothing if there are none.
fn write_field(name: &str, words: &[String], mail: &mut Vec<u8>) {
    if words.is_empty() {
        return;
    }
    mail.extend_from_slice(name.as_bytes());
    mail.push(b':');
    let mut column = name.len().saturating_add(1);
    for (place, word) in words.iter().enumerate() {
        // An empty word stands for a doubled space and cannot begin a line, which would then be empty.
        let is_too_long = column.saturating_add(word.len()).saturating_add(1) > FOLD_COLUMN;
        if is_too_long && place > 0 && !word.is_empty() {
            mail.extend_from_slice(b"\r\n");
            column = 0;
        }
        mail.push(b' ');
        mail.extend_from_slice(word.as_bytes());
        column = column.saturating_add(word.len()).saturating_add(1);
    }
    mail.extend_from_slice(b"\r\n");
}

/// A text as words to be joined by spaces: unencoded if possible, else as encoded words (RFC 2047).
fn text_words(text: &str, name_octets: usize) -> Vec<String> {
    let line = text::one_line(text, usize::MAX);
    if line.is_empty() {
        return Vec::new();
    }
    let is_plain = line.bytes().all(|octet| matches!(octet, 32..=126))
        && !line.contains("=?")
        && line.split(' ').all(|word| word.len() <= WORD_OCTETS);
    // Spaces cannot be folded away: many in a row would make a long line.
    if is_plain && !line.contains("   ") {
        return line.split(' ').map(str::to_owned).collect();
    }
    encoded_words(&line, name_octets.saturating_add(2))
}

fn id_words(ids: &[MessageId]) -> Vec<String> {
    let can_be_written = |id: &&MessageId| id.as_str().is_ascii() && id.as_str().len() <= WRITTEN_ID_OCTETS;
    ids.iter().filter(can_be_written).map(|id| format!("<{id}>")).collect()
}

/// RFC 5537 §3.4.4: the first id and the last ones.
fn kept_references(references: &[MessageId]) -> Vec<MessageId> {
    let Some((first, rest)) = references.split_first() else { return Vec::new() };
    let surplus = rest.len().saturating_sub(LAST_REFERENCES);
    std::iter::once(first).chain(rest.iter().skip(surplus)).cloned().collect()
}

fn mailbox_words<'a>(mailboxes: impl IntoIterator<Item = &'a Mailbox>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for mailbox in mailboxes.into_iter().filter(|mailbox| mailbox.key().is_some()) {
        if let Some(last) = words.last_mut() {
            last.push(',');
        }
        let name = text::one_line(&mailbox.name, 255);
        words.extend(name_words(&name));
        let address = mailbox.address.trim();
        words.push(if name.is_empty() { bare_or_angle(address) } else { format!("<{address}>") });
    }
    words
}

/// A quoted local part is put in brackets, which fewer programs stumble over.
fn bare_or_angle(address: &str) -> String {
    if address.starts_with('"') { format!("<{address}>") } else { address.to_owned() }
}

/// A display name (RFC 5322 §3.2.5): atoms, a quoted string, or encoded words.
fn name_words(name: &str) -> Vec<String> {
    if name.is_empty() {
        return Vec::new();
    }
    if !name.is_ascii() || name.contains("=?") || name.starts_with('\'') {
        // The name of the field is not known here; `Reply-To: ` is the longest.
        return encoded_words(name, "Reply-To: ".len());
    }
    let is_atom = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet))
    };
    if name.split(' ').all(is_atom) {
        return name.split(' ').map(str::to_owned).collect();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    vec![format!("\"{escaped}\"")]
}

fn write_part(content_type: &str, body: &str, mail: &mut Vec<u8>) {
    let (lines, _) = text::lines(body);
    let encoding = choose(&lines);
    mail.extend_from_slice(
        format!(
            "Content-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        )
        .as_bytes(),
    );
    match encoding {
        "base64" => transfer::encode_base64_lines(lines.replace('\n', "\r\n").as_bytes(), mail),
        "quoted-printable" => transfer::encode_quoted_printable(&lines, mail),
        _ => {
            for line in lines.split_terminator('\n') {
                mail.extend_from_slice(line.as_bytes());
                mail.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// The encoding in which a body survives transport and stays readable if possible (RFC 2045 §6).
fn choose(lines: &str) -> &'static str {
    let foreign = lines.bytes().filter(|octet| !matches!(octet, b'\n' | b'\t' | 32..=126)).count();
    if foreign > lines.len() / 4 {
        return "base64";
    }
    // mbox writers prefix `From ` with `>`, careless relays double or lose leading dots, and trailing
    // whitespace gets lost.
    let is_safe = |line: &str| {
        line.len() <= 78
            && !line.starts_with("From ")
            && !line.starts_with('.')
            && !line.ends_with([' ', '\t'])
            && !line.contains("=_")
    };
    if foreign == 0 && lines.split('\n').all(is_safe) { "7bit" } else { "quoted-printable" }
}

#[cfg(test)]
mod tests;
