//! A raw message, read as far as possible without judging it: header, parts, text, attachments.
//!
//! `nature`, `report`, `bounce` and `forward` look at a [`Reading`]. None of them knows the letter, which is
//! assembled last from the reading and from their conclusions.

pub(crate) mod body;
pub(crate) mod header;
pub(crate) mod hop;

use crate::attachment::{self, Attachment};
use crate::cms;
use crate::defect::{Defect, Defects};
use crate::field::{Field, header_of_mail};
use crate::line_end::with_line_feeds;
use crate::part::{self, Part};
use body::Body;
use header::Header;
use std::borrow::Cow;

/// A message that has been read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// The header fields in order.
    pub(crate) fields: &'a [Field<'a>],
    /// What they say.
    pub(crate) header: Header,
    /// The length of the header in octets, empty line included.
    pub(crate) header_bytes: usize,
    /// All parts, with signed content opened; otherwise still encoded.
    pub(crate) parts: &'a [Part<'a>],
    pub(crate) body: Body,
    pub(crate) attachments: Vec<Attachment>,
    /// Of the text and the attachments; see [`crate::Letter::digest`].
    pub(crate) digest: [u8; 16],
}

/// Reads a raw message and passes it to `then`, together with the defects noted so far. Never fails.
pub(crate) fn read<T>(raw: &[u8], then: impl FnOnce(Reading<'_>, Defects) -> T) -> T {
    take_apart(raw, |mail| {
        let Apart { fields, header_bytes, parts, mut defects } = mail;
        let header = Header::read(fields, &mut defects);
        let packed = attachment::unpack(parts);
        let body = Body::read(parts, &packed, &header, &mut defects);
        let (attachments, digest) = attachment::read(&body.text, parts, &packed, &mut defects);
        then(Reading { fields, header, header_bytes, parts, body, attachments, digest }, defects)
    })
}

/// The decoded octets of one part, by [`Attachment::part`]; `None` if there is no such part.
pub(crate) fn octets(raw: &[u8], part: u32) -> Option<Vec<u8>> {
    take_apart(raw, |mail| attachment::octets(mail.parts, part))
}

/// The HTML of the body, else that of a `winmail.dat`; `None` if there is none.
pub(crate) fn html(raw: &[u8]) -> Option<String> {
    take_apart(raw, |mut mail| {
        let packed = || attachment::unpack(mail.parts).into_iter().find_map(|(_, tnef)| tnef.html);
        body::html(mail.parts, &mut mail.defects).or_else(packed)
    })
}

/// A message taken apart, before any of it is read.
struct Apart<'a> {
    fields: &'a [Field<'a>],
    header_bytes: usize,
    parts: &'a [Part<'a>],
    defects: Defects,
}

fn take_apart<T>(raw: &[u8], then: impl FnOnce(Apart<'_>) -> T) -> T {
    let mut defects = Defects::default();
    let mail = with_line_feeds(raw);
    if matches!(mail, Cow::Owned(_)) {
        defects.note(Defect::BareCarriageReturns);
    }
    let header = header_of_mail(&mail, &mut defects);
    let outer = part::walk(&header.fields, header.body, &mut defects);
    let opened = cms::open(&outer, &mut defects);
    let parts = cms::splice(outer, &opened, &mut defects);
    then(Apart { fields: &header.fields, header_bytes: header.octets, parts: &parts, defects })
}
