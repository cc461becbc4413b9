//! The letter: a raw mail, read once, with everything a decision about it may need.

use crate::address::{AddressKey, Mailbox};
use crate::charset;
use crate::date;
use crate::defect::{Defect, Defects};
use crate::encoded_word;
use crate::field::{Field, OWN_MARK, PROBE, header_of_mail};
use crate::html_to_text;
use crate::mailbox_list;
use crate::message_id::{MessageId, parse_ids, parse_ids_counting};
use crate::nature::{Nature, Signs};
use crate::part::{self, Disposition, Parent, Part};
use crate::report::{self, DeliveryReport};
use crate::text;
use std::borrow::Cow;

/// The longest subject in characters; the rest is cut.
pub const SUBJECT_CHARACTERS: usize = 998;

/// How many addresses of each address field are read.
pub const MAX_ADDRESSES: usize = 1_000;

/// How many message-ids of References, and of In-Reply-To, are kept: the first and the last ones.
pub const MAX_REFERENCES: usize = 100;

/// How many trace addresses are kept, from the top of the header.
pub const MAX_HOPS: usize = 100;

/// How many parts of a mail are read, multiparts included.
pub const MAX_PARTS: usize = part::MAX_PARTS;

/// How deep multiparts are taken apart.
pub const MAX_DEPTH: usize = part::MAX_DEPTH;

/// The longest file name of an attachment in octets; the rest is cut.
pub const FILE_NAME_OCTETS: usize = 255;

/// The longest value of a header field of our own in characters; the rest is cut.
const TOKEN_CHARACTERS: usize = 998;

/// A parsed mail. Everything in it is what the mail claims; nothing was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letter {
    /// The authors; empty when no address can be read.
    pub from: Vec<Mailbox>,
    /// Who sent it for them.
    pub sender: Option<Mailbox>,
    /// Where answers are asked to go; empty when it does not say.
    pub reply_to: Vec<Mailbox>,
    /// At most [`MAX_ADDRESSES`].
    pub to: Vec<Mailbox>,
    /// At most [`MAX_ADDRESSES`].
    pub cc: Vec<Mailbox>,
    /// Decoded, one line, no control characters, at most [`SUBJECT_CHARACTERS`]; empty when there is none.
    pub subject: String,
    /// Unix milliseconds; `None` when missing or unreadable.
    pub date: Option<i64>,
    /// `None` when missing or unreadable.
    pub message_id: Option<MessageId>,
    /// In order, each once, at most [`MAX_REFERENCES`].
    pub in_reply_to: Vec<MessageId>,
    /// In order, each once; of more than [`MAX_REFERENCES`] the first and the last ones.
    pub references: Vec<MessageId>,
    /// What a comment shows: all text parts in order, of an alternative the plain one, HTML rendered where it is all there is. LF line ends, no NUL,
    /// no blank lines around it; uncut.
    pub text: String,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// Everything that is not the text, in order; attached mails are one attachment each.
    pub attachments: Vec<Attachment>,
    /// The trace addresses from the top of the header down, at most [`MAX_HOPS`].
    pub hops: Vec<Hop>,
    /// As the header and the parts have it; ask [`Nature::with_envelope`] once the envelope is known.
    pub nature: Nature,
    /// What it reports about the delivery of another mail.
    pub report: Option<DeliveryReport>,
    /// The value of [`OWN_MARK`]; anybody can write one, so it is worth nothing before its signature is checked.
    pub own_mark: Option<String>,
    /// The value of [`PROBE`].
    pub probe: Option<String>,
    /// BLAKE3, cut to 128 bits, of the text and the decoded attachments; the same for LF and CRLF and whatever the header says.
    pub digest: [u8; 16],
    /// What was wrong with it, each once, in the order of the enum.
    pub defects: Vec<Defect>,
    /// The octets of the header, the empty line included.
    pub header_bytes: usize,
}

/// A part of a mail that is not its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Its place among all parts of the mail; see [`Letter::attachment`].
    pub part: u32,
    /// Without folders and control characters, at most [`FILE_NAME_OCTETS`]; made up from the type when the mail gives none, never empty.
    pub name: String,
    /// `type/subtype` as declared, lower-cased; `application/octet-stream` when unreadable.
    pub content_type: String,
    /// The decoded size.
    pub size_bytes: u64,
    /// Without `<>`; what HTML refers to as `cid:`.
    pub content_id: Option<String>,
    /// Whether it is meant to be shown within the text.
    pub inline: bool,
}

/// An address that a relay wrote into the header on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which field it was.
    pub header: HopHeader,
    /// The address.
    pub address: AddressKey,
    /// The place of the field among all header fields; 0 is the top.
    pub index: u32,
    /// How many Received fields stand above it; 0 was written by the relay that handed the mail to us.
    pub above_received: u32,
}

/// The header fields in which relays name recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HopHeader {
    /// `Delivered-To`
    DeliveredTo,
    /// `X-Forwarded-To`
    XForwardedTo,
    /// `X-Original-To`
    XOriginalTo,
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `Resent-To`
    ResentTo,
}

impl Letter {
    /// Reads a raw mail. Never fails and never panics; linear in the size of the mail.
    #[must_use]
    pub fn parse(raw: &[u8]) -> Self {
        let mut defects = Defects::default();
        let mail = with_line_feeds(raw);
        if matches!(mail, Cow::Owned(_)) {
            defects.note(Defect::BareCarriageReturns);
        }
        let header = header_of_mail(&mail, &mut defects);
        let mut letter = Self { header_bytes: header.octets, ..Self::default() };
        let signs = Fields::default().read(&header.fields, &mut letter, &mut defects);
        let parts = part::walk(&header.fields, header.body, &mut defects);
        letter.read_text(&parts, &mut defects);
        letter.read_attachments(&parts, &mut defects);
        letter.report = report::read(&parts, &mut defects);
        letter.nature = signs.nature(&letter.from, letter.report.as_ref(), is_other_report(&parts));
        letter.defects = defects.into_sorted();
        letter
    }

    /// The decoded octets of one part of a raw mail, by [`Attachment::part`]; `None` when the mail has no such part.
    #[must_use]
    pub fn attachment(raw: &[u8], part: u32) -> Option<Vec<u8>> {
        let mut defects = Defects::default();
        let mail = with_line_feeds(raw);
        let header = header_of_mail(&mail, &mut defects);
        let parts = part::walk(&header.fields, header.body, &mut defects);
        let part = parts.iter().find(|candidate| candidate.number == part && !candidate.is_multipart)?;
        Some(part.transfer.decode(part.body, &mut defects).into_owned())
    }

    fn read_text(&mut self, parts: &[Part<'_>], defects: &mut Defects) {
        let bodies: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_body_text()).collect();
        self.has_html = bodies.iter().any(|part| part.is_html());
        let mut pieces: Vec<String> = Vec::new();
        for twins in bodies.chunk_by(|one, next| one.alternative.is_some() && one.alternative == next.alternative) {
            let plain = twins.iter().filter(|part| !part.is_html()).map(|part| text_of(part, defects));
            let piece = join(plain);
            if !piece.is_empty() {
                pieces.push(piece);
                continue;
            }
            let html = twins.iter().filter(|part| part.is_html()).map(|part| html_to_text::render(&text_of(part, defects)));
            let piece = join(html);
            // Careless programs send text and, behind it, its HTML twin as if they were two texts.
            if !pieces.last().is_some_and(|said| says_the_same(said, &piece)) {
                pieces.push(piece);
            }
        }
        self.text = join(pieces.into_iter());
    }

    fn read_attachments(&mut self, parts: &[Part<'_>], defects: &mut Defects) {
        let mut hasher = blake3::Hasher::new();
        hash_piece(&mut hasher, self.text.as_bytes());
        for part in parts.iter().filter(|part| is_attachment(part)) {
            let octets = part.transfer.decode(part.body, defects);
            if part.transfer == crate::transfer::Transfer::Base64 {
                hash_piece(&mut hasher, &octets);
            } else {
                hash_lines(&mut hasher, &octets);
            }
            self.attachments.push(Attachment {
                part: part.number,
                name: file_name(part, &octets, defects),
                content_type: part.content_type.clone(),
                size_bytes: u64::try_from(octets.len()).unwrap_or(u64::MAX),
                content_id: part.content_id.clone(),
                inline: match part.disposition {
                    Disposition::Inline => true,
                    Disposition::Attachment => false,
                    Disposition::None => part.content_id.is_some() && part.parent == Parent::Related,
                },
            });
        }
        hasher.finalize_xof().fill(&mut self.digest);
    }
}

/// A mail whose lines end with CR alone gets LF in their place; everything else is taken as it is.
fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', raw).is_some() || memchr::memchr(b'\r', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|&octet| if octet == b'\r' { b'\n' } else { octet }).collect())
}

fn text_of(part: &Part<'_>, defects: &mut Defects) -> String {
    let octets = part.transfer.decode(part.body, defects);
    let decoded = charset::decode(&octets, part.charset.as_deref(), defects);
    let (lines, had_nul) = text::lines(&decoded);
    if had_nul {
        defects.note(Defect::Nul);
    }
    text::trim_blank_lines(lines.strip_prefix('\u{feff}').unwrap_or(&lines)).to_owned()
}

fn says_the_same(one: &str, other: &str) -> bool {
    one.chars().filter(|c| !c.is_whitespace()).eq(other.chars().filter(|c| !c.is_whitespace()))
}

/// Joins the pieces that say something, a blank line between them.
fn join(pieces: impl Iterator<Item = String>) -> String {
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let mut joined = pieces.next().unwrap_or_default();
    for piece in pieces {
        joined.push_str("\n\n");
        joined.push_str(&piece);
    }
    joined
}

fn is_attachment(part: &Part<'_>) -> bool {
    // The same text once more, for programs that want it in another form.
    let is_twin = part.parent == Parent::Alternative
        && matches!(part.content_type.as_str(), "text/x-amp-html" | "text/watch-html" | "text/enriched" | "text/richtext");
    !part.is_multipart && !part.is_body_text() && !is_twin
}

/// A report that is none about delivery: read receipts (RFC 8098), abuse (RFC 5965).
fn is_other_report(parts: &[Part<'_>]) -> bool {
    let is_report = |content_type: &str| {
        matches!(
            content_type,
            "message/disposition-notification" | "message/global-disposition-notification" | "message/feedback-report"
        )
    };
    parts.iter().any(|part| is_report(&part.content_type))
}

/// The length goes first, so that no two lists of pieces give the same octets.
fn hash_piece(hasher: &mut blake3::Hasher, octets: &[u8]) {
    hasher.update(&u64::try_from(octets.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(octets);
}

/// As [`hash_piece`], without the CRs, which come and go on the way.
fn hash_lines(hasher: &mut blake3::Hasher, octets: &[u8]) {
    let returns = memchr::memchr_iter(b'\r', octets).count();
    if returns == 0 {
        return hash_piece(hasher, octets);
    }
    let kept: Vec<u8> = octets.iter().copied().filter(|octet| *octet != b'\r').collect();
    hash_piece(hasher, &kept);
}

fn file_name(part: &Part<'_>, octets: &[u8], defects: &mut Defects) -> String {
    let given = part.name.as_deref().map(clean_file_name).filter(|name| !name.is_empty());
    given.unwrap_or_else(|| made_up_name(part, octets, defects))
}

/// The last path component on one line; what is left may be `..`-free but empty.
fn clean_file_name(name: &str) -> String {
    let last = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let line = text::one_line(last, FILE_NAME_OCTETS);
    let line = line.trim_matches(|c: char| c.is_whitespace());
    if line.chars().all(|c| c == '.') { String::new() } else { text::cut_octets(line, FILE_NAME_OCTETS).to_owned() }
}

fn made_up_name(part: &Part<'_>, octets: &[u8], defects: &mut Defects) -> String {
    let extension = match part.content_type.as_str() {
        "message/rfc822" | "message/global" => {
            let header = header_of_mail(octets, &mut Defects::default());
            let subject = header.fields.iter().find(|field| field.is("Subject"));
            let subject = subject.map(|field| encoded_word::decode(&field.text(defects), defects).replace(['/', '\\'], "-"));
            return match subject
                .map(|subject| clean_file_name(&text::one_line(&subject, 100)))
                .filter(|subject| !subject.is_empty())
            {
                Some(subject) => format!("{}.eml", text::cut_octets(&subject, FILE_NAME_OCTETS - 4)),
                None => format!("message-{}.eml", part.number),
            };
        }
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/rtf" | "application/rtf" => "rtf",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/svg+xml" => "svg",
        content_type if content_type.starts_with("text/") || content_type.starts_with("message/") => "txt",
        _ => "bin",
    };
    format!("part-{}.{extension}", part.number)
}

/// The state of one pass over the header fields.
#[derive(Default)]
struct Fields {
    signs: Signs,
    received: u32,
    /// From, Date, Message-ID, Subject and Sender, Reply-To, In-Reply-To, References that were seen: the first of several counts.
    seen: Vec<&'static str>,
}

impl Fields {
    fn read(mut self, fields: &[Field<'_>], letter: &mut Letter, defects: &mut Defects) -> Signs {
        for (index, field) in fields.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            // No name that matters is longer.
            let mut buffer = [0_u8; 32];
            let Some(name) = buffer.get_mut(..field.name.len()) else { continue };
            name.copy_from_slice(field.name);
            name.make_ascii_lowercase();
            self.take(name, field, index, letter, defects);
        }
        if letter.from.is_empty() {
            defects.note(Defect::MissingFrom);
        }
        for (name, missing) in [("date", Defect::MissingDate), ("message-id", Defect::MissingMessageId)] {
            if !self.seen.contains(&name) {
                defects.note(missing);
            }
        }
        self.signs
    }

    fn take(&mut self, name: &[u8], field: &Field<'_>, index: u32, letter: &mut Letter, defects: &mut Defects) {
        match name {
            b"received" => self.received = self.received.saturating_add(1),
            b"from" if self.is_first("from", Some(Defect::RepeatedFrom), defects) => letter.from = mailboxes(field, defects),
            b"sender" if self.is_first("sender", None, defects) => letter.sender = mailboxes(field, defects).into_iter().next(),
            b"reply-to" if self.is_first("reply-to", None, defects) => letter.reply_to = mailboxes(field, defects),
            b"to" => extend(&mut letter.to, field, defects),
            b"cc" => extend(&mut letter.cc, field, defects),
            b"subject" if self.is_first("subject", Some(Defect::RepeatedSubject), defects) => {
                letter.subject = text::one_line(&encoded_word::decode(&field.text(defects), defects), SUBJECT_CHARACTERS);
            }
            b"date" if self.is_first("date", Some(Defect::RepeatedDate), defects) => {
                letter.date = noted(date::parse(&field.text(defects)), Defect::BadDate, defects);
            }
            b"message-id" if self.is_first("message-id", Some(Defect::RepeatedMessageId), defects) => {
                letter.message_id = noted(message_id(&field.text(defects)), Defect::BadMessageId, defects);
            }
            b"in-reply-to" if self.is_first("in-reply-to", None, defects) => letter.in_reply_to = ids(field, defects),
            b"references" if self.is_first("references", None, defects) => letter.references = ids(field, defects),
            b"delivered-to" => self.hop(HopHeader::DeliveredTo, field, index, letter, defects),
            b"x-forwarded-to" => self.hop(HopHeader::XForwardedTo, field, index, letter, defects),
            b"x-original-to" => self.hop(HopHeader::XOriginalTo, field, index, letter, defects),
            b"x-forwarded-for" => self.hop(HopHeader::XForwardedFor, field, index, letter, defects),
            b"resent-to" => self.hop(HopHeader::ResentTo, field, index, letter, defects),
            _ if field.is(OWN_MARK) && letter.own_mark.is_none() => letter.own_mark = Some(token(field, defects)),
            _ if field.is(PROBE) && letter.probe.is_none() => letter.probe = Some(token(field, defects)),
            _ => self.signs.take(name, field, defects),
        }
    }

    fn is_first(&mut self, name: &'static str, repeated: Option<Defect>, defects: &mut Defects) -> bool {
        if self.seen.contains(&name) {
            if let Some(defect) = repeated {
                defects.note(defect);
            }
            return false;
        }
        self.seen.push(name);
        true
    }

    fn hop(&self, header: HopHeader, field: &Field<'_>, index: u32, letter: &mut Letter, defects: &mut Defects) {
        let text = field.text(defects);
        // X-Forwarded-For names both ends of the forward with a blank between them, so blanks part addresses as commas do.
        let (mailboxes, _) = match header {
            HopHeader::ResentTo => mailbox_list::read(&text, MAX_HOPS, defects),
            _ => mailbox_list::read(&text.split_whitespace().collect::<Vec<_>>().join(","), MAX_HOPS, defects),
        };
        for address in mailboxes.iter().filter_map(Mailbox::key) {
            if letter.hops.len() >= MAX_HOPS {
                defects.note(Defect::TooManyHops);
                return;
            }
            letter.hops.push(Hop { header, address, index, above_received: self.received });
        }
    }
}

fn mailboxes(field: &Field<'_>, defects: &mut Defects) -> Vec<Mailbox> {
    let mut list = Vec::new();
    extend(&mut list, field, defects);
    list
}

/// Adds the mailboxes of a field; To and Cc are read over all their fields.
fn extend(list: &mut Vec<Mailbox>, field: &Field<'_>, defects: &mut Defects) {
    let room = MAX_ADDRESSES.saturating_sub(list.len());
    let (mailboxes, has_more) = mailbox_list::read(&field.text(defects), room, defects);
    if has_more {
        defects.note(Defect::TooManyAddresses);
    }
    list.extend(mailboxes);
}

/// The value of one of our own fields.
fn token(field: &Field<'_>, defects: &mut Defects) -> String {
    text::one_line(&field.text(defects), TOKEN_CHARACTERS)
}

fn noted<T>(value: Option<T>, missing: Defect, defects: &mut Defects) -> Option<T> {
    if value.is_none() {
        defects.note(missing);
    }
    value
}

/// The first id in brackets, else the whole value: some programs forget the brackets or the `@`.
fn message_id(text: &str) -> Option<MessageId> {
    parse_ids(text, 1).pop().or_else(|| MessageId::new(text))
}

fn ids(field: &Field<'_>, defects: &mut Defects) -> Vec<MessageId> {
    let (ids, was_cut) = parse_ids_counting(&field.text(defects), MAX_REFERENCES);
    if was_cut {
        defects.note(Defect::TooManyReferences);
    }
    ids
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
