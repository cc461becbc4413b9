//! The letter: a raw mail, read once, with everything a decision about it may need.

use crate::address::{AddressKey, Mailbox};
use crate::attachment;
use crate::charset;
use crate::clear_signed;
use crate::cms;
use crate::date;
use crate::defect::{Defect, Defects};
use crate::encoded_word;
use crate::field::{Field, OWN_MARK, PROBE, header_of_mail};
use crate::flowed;
use crate::forward::{self, Forwarded};
use crate::language;
use crate::mailbox_list;
use crate::mark;
use crate::message_id::{MessageId, parse_ids, parse_ids_counting};
use crate::nature::{self, Nature, Sign, Signs};
use crate::part::{self, Flow, Part};
use crate::quoting::subject::{Manner, manner};
use crate::reply::{self, Hints, Reply};
use crate::report::DeliveryReport;
use crate::text;
use crate::tnef::Tnef;
use std::borrow::Cow;

pub use crate::attachment::{Attachment, FILE_NAME_OCTETS};
pub use crate::mark::MAX_MARKS;

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

/// How far into HTML its own charset is looked for (HTML §4.2.5.4 asks for it in the first 1,024 octets).
const META_OCTETS: usize = 2_048;

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
    /// The languages its sender reads, most wanted first, as BCP 47 tags (Accept-Language, RFC 3282).
    pub languages: Vec<String>,
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
    /// What of the text is quoted or signature.
    pub reply: Reply,
    /// The mail that it forwards, in its text or attached; not looked for in reports and the like.
    pub forwarded: Option<Forwarded>,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// What stands in square brackets in its HTML and has the form of a mark, shown or hidden: 8 to 16 capitals, digits and
    /// hyphens. In order, each once, at most [`MAX_MARKS`].
    pub marks: Vec<String>,
    /// Everything that is not the text, in order; attached mails are one attachment each, a `winmail.dat` is what it holds.
    pub attachments: Vec<Attachment>,
    /// The trace addresses from the top of the header down, at most [`MAX_HOPS`].
    pub hops: Vec<Hop>,
    /// As the header and the parts have it; ask [`Nature::with_envelope`] once the envelope is known.
    pub nature: Nature,
    /// Why it has this nature; empty for a mail of which nothing but a person is known.
    pub signs: Vec<Sign>,
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

/// Looks at the parts of a raw mail as [`Letter::parse`] numbers them.
fn of_parts<T>(raw: &[u8], look: impl FnOnce(&[Part<'_>], &mut Defects) -> T) -> T {
    let mut defects = Defects::default();
    let mail = with_line_feeds(raw);
    let header = header_of_mail(&mail, &mut defects);
    let outer = part::walk(&header.fields, header.body, &mut defects);
    let opened = cms::open(&outer, &mut defects);
    let parts = cms::splice(outer, &opened, &mut defects);
    look(&parts, &mut defects)
}

impl Letter {
    /// Reads a raw mail. Never fails and never panics; linear in the size of the mail.
    #[must_use]
    pub fn parse(raw: &[u8]) -> Self {
        let mut letter = Self::without_original(raw);
        if letter.nature.may_be_forward() {
            letter.forwarded = forward::of(&letter, raw);
        } else {
            // Reports print headers of the mail that they are about, and what matters stands below.
            letter.reply = Reply::default();
        }
        letter
    }

    /// As [`Letter::parse`], without looking for a mail that it forwards: so that attached mails are not read within each other.
    pub(crate) fn without_original(raw: &[u8]) -> Self {
        let mut defects = Defects::default();
        let mail = with_line_feeds(raw);
        if matches!(mail, Cow::Owned(_)) {
            defects.note(Defect::BareCarriageReturns);
        }
        let header = header_of_mail(&mail, &mut defects);
        let mut letter = Self { header_bytes: header.octets, ..Self::default() };
        let signs = Fields::default().read(&header.fields, &mut letter, &mut defects);
        let outer = part::walk(&header.fields, header.body, &mut defects);
        let opened = cms::open(&outer, &mut defects);
        let parts = cms::splice(outer, &opened, &mut defects);
        let packed = attachment::unpack(&parts);
        letter.read_text(&parts, &mut defects);
        letter.read_packed_text(&packed);
        (letter.attachments, letter.digest) = attachment::read(&letter.text, &parts, &packed, &mut defects);
        let concluded = nature::conclude(signs, &letter, &parts, &mut defects);
        (letter.nature, letter.report, letter.signs) = (concluded.nature, concluded.report, concluded.signs);
        letter.defects = defects.into_sorted();
        letter
    }

    /// The decoded octets of one part of a raw mail, by [`Attachment::part`]; `None` when the mail has no such part.
    #[must_use]
    pub fn attachment(raw: &[u8], part: u32) -> Option<Vec<u8>> {
        of_parts(raw, |parts, _| attachment::octets(parts, part))
    }

    /// The HTML of the body as the mail has it, decoded, LF line ends, all HTML parts in order; `None` when it has none.
    ///
    /// Untrusted: whoever shows it cleans it first.
    #[must_use]
    pub fn html(raw: &[u8]) -> Option<String> {
        of_parts(raw, |parts, defects| {
            let bodies = parts.iter().filter(|part| part.is_body_text() && part.is_html());
            let html = join(bodies.map(|part| text_of(part, defects)));
            if html.is_empty() {
                attachment::unpack(parts).into_iter().find_map(|(_, tnef)| tnef.html)
            } else {
                Some(html)
            }
        })
    }

    /// The text of a `winmail.dat`, where the mail has none beside it.
    fn read_packed_text(&mut self, packed: &[(u32, Tnef)]) {
        self.has_html |= packed.iter().any(|(_, tnef)| tnef.html.is_some());
        if self.text.is_empty()
            && let Some((_, tnef)) = packed.iter().find(|(_, tnef)| !tnef.text.is_empty())
        {
            let text = tnef.text.replace('\0', "");
            text::trim_blank_lines(&text).clone_into(&mut self.text);
            self.reply = self.reply_of_packed(tnef.html.as_deref());
        }
    }

    /// What of the text of a `winmail.dat` is old; the structure of its HTML counts where the text was rendered from it.
    fn reply_of_packed(&self, html: Option<&str>) -> Reply {
        let sender = names(&self.from);
        let hints = hints(&sender, &self.subject);
        let rendered =
            html.map(|html| reply::of_html_with(html, &hints)).filter(|(text, _)| *text == self.text);
        rendered.map_or_else(|| reply::of_text_with(&self.text, &hints), |(_, reply)| reply)
    }

    fn read_text(&mut self, parts: &[Part<'_>], defects: &mut Defects) {
        let bodies: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_body_text()).collect();
        self.has_html = bodies.iter().any(|part| part.is_html());
        let sender = names(&self.from);
        let hints = hints(&sender, &self.subject);
        let mut pieces: Vec<String> = Vec::new();
        let mut of_page = None;
        for twins in
            bodies.chunk_by(|one, next| one.alternative.is_some() && one.alternative == next.alternative)
        {
            let plain = twins.iter().filter(|part| !part.is_html()).map(|part| text_of(part, defects));
            let piece = join(plain);
            let pages = twins.iter().filter(|part| part.is_html());
            if !piece.is_empty() {
                pieces.push(piece);
                pages.for_each(|part| mark::find_in_part(part, &mut self.marks));
                continue;
            }
            let html = pages.map(|part| {
                let page = text_of(part, defects);
                mark::find(page.as_bytes(), &mut self.marks);
                reply::of_html_with(&page, &hints)
            });
            let (texts, mut replies): (Vec<String>, Vec<Reply>) = html.unzip();
            let piece = join(texts.into_iter());
            // Careless programs send text and, behind it, its HTML twin as if they were two texts.
            if !pieces.last().is_some_and(|said| says_the_same(said, &piece)) {
                // What the structure says holds for the text of one page alone.
                of_page = replies.pop().filter(|_| pieces.is_empty() && replies.is_empty());
                pieces.push(piece);
            }
        }
        let of_page = of_page.filter(|_| pieces.len() == 1);
        self.text = join(pieces.into_iter());
        self.reply = of_page.unwrap_or_else(|| reply::of_text_with(&self.text, &hints));
    }
}

fn names(from: &[Mailbox]) -> Vec<&str> {
    from.iter().flat_map(|author| [author.name.as_str(), author.address.as_str()]).collect()
}

/// What tells new text from old: who may sign, and what the subject calls the mail.
fn hints<'a>(sender: &'a [&'a str], subject: &str) -> Hints<'a> {
    Hints { sender, is_forward: manner(subject) == Manner::Forward, new_text_only: false }
}

/// A mail whose header lines end with CR alone gets LF in their place; everything else is taken as it is.
pub(crate) fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr2(b'\r', b'\n', raw) else { return Cow::Borrowed(raw) };
    let after = raw.get(first..).unwrap_or_default();
    let is_lone = after.starts_with(b"\r") && !after.starts_with(b"\r\n") && !after.starts_with(b"\r\r\n");
    if !is_lone || !begins_field(after.get(1..).unwrap_or_default()) && memchr::memchr(b'\n', after).is_some()
    {
        return Cow::Borrowed(raw);
    }
    let mut mail = raw.to_vec();
    let lone: Vec<usize> =
        memchr::memchr_iter(b'\r', raw).filter(|at| raw.get(at.saturating_add(1)) != Some(&b'\n')).collect();
    for at in lone {
        if let Some(octet) = mail.get_mut(at) {
            *octet = b'\n';
        }
    }
    Cow::Owned(mail)
}

/// Whether a line begins like a header field or a folded one.
fn begins_field(text: &[u8]) -> bool {
    let name = text.iter().position(|octet| !octet.is_ascii_graphic() || *octet == b':');
    text.starts_with(b" ")
        || text.starts_with(b"\t")
        || name.is_some_and(|end| end > 0 && text.get(end) == Some(&b':'))
}

fn text_of(part: &Part<'_>, defects: &mut Defects) -> String {
    let octets = part.transfer.decode(part.body, defects);
    let written =
        part.charset.as_deref().or_else(|| if part.is_html() { meta_charset(&octets) } else { None });
    let decoded = charset::decode(&octets, written, defects);
    let (lines, had_nul) = text::lines(&decoded);
    if had_nul {
        defects.note(Defect::Nul);
    }
    let lines = lines.strip_prefix('\u{feff}').unwrap_or(&lines);
    if part.is_html() {
        return text::trim_blank_lines(lines).to_owned();
    }
    if clear_signed::is_encrypted(lines) {
        defects.note(Defect::Encrypted);
    }
    let lines = clear_signed::unarmoured(lines);
    if part.flow == Flow::Fixed {
        return text::trim_blank_lines(&lines).to_owned();
    }
    text::trim_blank_lines(&flowed::unflow(&lines, part.flow)).to_owned()
}

/// The charset that HTML declares for itself, for a part that says nothing and is not UTF-8.
fn meta_charset(html: &[u8]) -> Option<&str> {
    let head = html.get(..META_OCTETS.min(html.len()))?;
    if html.is_ascii() || std::str::from_utf8(html).is_ok() {
        return None;
    }
    let label = head.get(memchr::memmem::find(head, b"charset=")?.saturating_add(8)..)?;
    let label = label.strip_prefix(b"\"").unwrap_or(label);
    let end =
        label.iter().position(|octet| !octet.is_ascii_alphanumeric() && !matches!(octet, b'-' | b'_'))?;
    label.get(..end).and_then(|label| std::str::from_utf8(label).ok())
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

    fn take(
        &mut self,
        name: &[u8],
        field: &Field<'_>,
        index: u32,
        letter: &mut Letter,
        defects: &mut Defects,
    ) {
        match name {
            b"received" => {
                self.received = self.received.saturating_add(1);
                self.signs.take(name, field, defects);
            }
            b"from" if self.is_first("from", Some(Defect::RepeatedFrom), defects) => {
                self.signs.take(name, field, defects);
                letter.from = mailboxes(field, defects);
            }
            b"sender" if self.is_first("sender", None, defects) => {
                letter.sender = mailboxes(field, defects).into_iter().next()
            }
            b"reply-to" if self.is_first("reply-to", None, defects) => {
                letter.reply_to = mailboxes(field, defects)
            }
            b"to" => extend(&mut letter.to, field, defects),
            b"cc" => extend(&mut letter.cc, field, defects),
            b"subject" if self.is_first("subject", Some(Defect::RepeatedSubject), defects) => {
                letter.subject =
                    text::one_line(&encoded_word::decode(&field.text(defects), defects), SUBJECT_CHARACTERS);
            }
            // Of several dates the first that can be read: mails that were glued together begin with a torn one.
            b"date"
                if self.is_first("date", Some(Defect::RepeatedDate), defects) || letter.date.is_none() =>
            {
                letter.date = noted(date::parse(&field.text(defects)), Defect::BadDate, defects);
            }
            b"message-id" if self.is_first("message-id", Some(Defect::RepeatedMessageId), defects) => {
                letter.message_id = noted(message_id(&field.text(defects)), Defect::BadMessageId, defects);
            }
            b"in-reply-to" if self.is_first("in-reply-to", None, defects) => {
                letter.in_reply_to = ids(field, defects)
            }
            b"references" if self.is_first("references", None, defects) => {
                letter.references = ids(field, defects)
            }
            b"delivered-to" => {
                self.signs.take(name, field, defects);
                self.hop(HopHeader::DeliveredTo, field, index, letter, defects);
            }
            b"accept-language" if self.is_first("accept-language", None, defects) => {
                letter.languages = language::from_accept_language(&field.text(defects));
            }
            b"x-forwarded-to" => self.hop(HopHeader::XForwardedTo, field, index, letter, defects),
            b"x-original-to" => self.hop(HopHeader::XOriginalTo, field, index, letter, defects),
            b"x-forwarded-for" => self.hop(HopHeader::XForwardedFor, field, index, letter, defects),
            b"resent-to" => self.hop(HopHeader::ResentTo, field, index, letter, defects),
            _ if field.is(OWN_MARK) && letter.own_mark.is_none() => {
                letter.own_mark = Some(token(field, defects))
            }
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

    fn hop(
        &self,
        header: HopHeader,
        field: &Field<'_>,
        index: u32,
        letter: &mut Letter,
        defects: &mut Defects,
    ) {
        let text = field.text(defects);
        // X-Forwarded-For names both ends of the forward with a blank between them, so blanks part addresses as commas do.
        let (mailboxes, _) = match header {
            HopHeader::ResentTo => mailbox_list::read(&text, MAX_HOPS, defects),
            _ => {
                mailbox_list::read(&text.split_whitespace().collect::<Vec<_>>().join(","), MAX_HOPS, defects)
            }
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
    let text = field.text(defects);
    let (mut mailboxes, mut has_more) = mailbox_list::read(&text, room, defects);
    // Some programs encode the address along with the name (RFC 2047 §5 forbids it).
    if mailboxes.is_empty() && text.contains("=?") {
        let decoded = encoded_word::decode(&text, defects);
        (mailboxes, has_more) = mailbox_list::read(&decoded, room, defects);
    }
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
mod tests;
