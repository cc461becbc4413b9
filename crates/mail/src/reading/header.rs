//! What a header says about its message: people, dates, ids, the route it took.

use super::hop::{self, Hop, HopHeader, Place};
use crate::address::Mailbox;
use crate::date;
use crate::defect::{Defect, Defects};
use crate::encoded_word;
use crate::field::{Field, OWN_MARK, PROBE};
use crate::language;
use crate::mailbox_list;
use crate::message_id::{MessageId, parse_ids, parse_ids_counting};
use crate::text;

/// The longest subject in characters; longer ones are cut.
pub const SUBJECT_CHARACTERS: usize = 998;

/// How many addresses are read from each address field.
pub const MAX_ADDRESSES: usize = 1_000;

/// How many message-ids are kept from References, and from In-Reply-To: the first and the last ones.
pub const MAX_REFERENCES: usize = 100;

/// The longest value of one of our own header fields, in characters; longer ones are cut.
const TOKEN_CHARACTERS: usize = 998;

/// What the header says about the message, as in [`crate::Letter`].
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) from: Vec<Mailbox>,
    pub(crate) sender: Option<Mailbox>,
    pub(crate) reply_to: Vec<Mailbox>,
    pub(crate) languages: Vec<String>,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) cc: Vec<Mailbox>,
    pub(crate) subject: String,
    pub(crate) date: Option<i64>,
    pub(crate) message_id: Option<MessageId>,
    pub(crate) in_reply_to: Vec<MessageId>,
    pub(crate) references: Vec<MessageId>,
    pub(crate) hops: Vec<Hop>,
    pub(crate) own_mark: Option<String>,
    pub(crate) probe: Option<String>,
}

impl Header {
    /// Reads the fields of a header in one pass.
    pub(super) fn read(fields: &[Field<'_>], defects: &mut Defects) -> Self {
        Pass::default().run(fields, defects)
    }
}

/// The state of one pass over the header fields.
#[derive(Default)]
struct Pass {
    header: Header,
    received: u32,
    /// The fields seen so far of which only the first counts: From, Date, Message-ID, Subject, Sender,
    /// Reply-To, In-Reply-To, References.
    seen: Vec<&'static str>,
}

impl Pass {
    fn run(mut self, fields: &[Field<'_>], defects: &mut Defects) -> Header {
        for (index, field) in fields.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            // No name that matters is longer.
            let mut buffer = [0_u8; 32];
            let Some(name) = buffer.get_mut(..field.name.len()) else { continue };
            name.copy_from_slice(field.name);
            name.make_ascii_lowercase();
            self.take(name, field, index, defects);
        }
        if self.header.from.is_empty() {
            defects.note(Defect::MissingFrom);
        }
        for (name, missing) in [("date", Defect::MissingDate), ("message-id", Defect::MissingMessageId)] {
            if !self.seen.contains(&name) {
                defects.note(missing);
            }
        }
        self.header
    }

    /// Reads one field; `name` is lower-cased, `index` is its position among all fields.
    fn take(&mut self, name: &[u8], field: &Field<'_>, index: u32, defects: &mut Defects) {
        match name {
            b"received" => self.received = self.received.saturating_add(1),
            b"from" if self.is_first("from", Some(Defect::RepeatedFrom), defects) => {
                self.header.from = mailboxes(field, defects);
            }
            b"sender" if self.is_first("sender", None, defects) => {
                self.header.sender = mailboxes(field, defects).into_iter().next()
            }
            b"reply-to" if self.is_first("reply-to", None, defects) => {
                self.header.reply_to = mailboxes(field, defects)
            }
            b"to" => extend(&mut self.header.to, field, defects),
            b"cc" => extend(&mut self.header.cc, field, defects),
            b"subject" if self.is_first("subject", Some(Defect::RepeatedSubject), defects) => {
                self.header.subject =
                    text::one_line(&encoded_word::decode(&field.text(defects), defects), SUBJECT_CHARACTERS);
            }
            // Of several dates the first readable one: messages that were glued together begin with a torn
            // one.
            b"date"
                if self.is_first("date", Some(Defect::RepeatedDate), defects)
                    || self.header.date.is_none() =>
            {
                self.header.date = noted(date::parse(&field.text(defects)), Defect::BadDate, defects);
            }
            b"message-id" if self.is_first("message-id", Some(Defect::RepeatedMessageId), defects) => {
                self.header.message_id =
                    noted(message_id(&field.text(defects)), Defect::BadMessageId, defects);
            }
            b"in-reply-to" if self.is_first("in-reply-to", None, defects) => {
                self.header.in_reply_to = ids(field, defects)
            }
            b"references" if self.is_first("references", None, defects) => {
                self.header.references = ids(field, defects)
            }
            b"delivered-to" => self.hop(HopHeader::DeliveredTo, field, index, defects),
            b"accept-language" if self.is_first("accept-language", None, defects) => {
                self.header.languages = language::from_accept_language(&field.text(defects));
            }
            b"x-forwarded-to" => self.hop(HopHeader::XForwardedTo, field, index, defects),
            b"x-original-to" => self.hop(HopHeader::XOriginalTo, field, index, defects),
            b"x-forwarded-for" => self.hop(HopHeader::XForwardedFor, field, index, defects),
            b"resent-to" => self.hop(HopHeader::ResentTo, field, index, defects),
            _ if field.is(OWN_MARK) && self.header.own_mark.is_none() => {
                self.header.own_mark = Some(token(field, defects))
            }
            _ if field.is(PROBE) && self.header.probe.is_none() => {
                self.header.probe = Some(token(field, defects))
            }
            _ => (),
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

    fn hop(&mut self, header: HopHeader, field: &Field<'_>, index: u32, defects: &mut Defects) {
        let place = Place { index, above_received: self.received };
        hop::read(header, field, place, &mut self.header.hops, defects);
    }
}

fn mailboxes(field: &Field<'_>, defects: &mut Defects) -> Vec<Mailbox> {
    let mut list = Vec::new();
    extend(&mut list, field, defects);
    list
}

/// Adds the mailboxes of a field; all To and Cc fields count.
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
