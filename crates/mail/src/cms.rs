//! CMS (RFC 5652, formerly PKCS #7): what is inside the single file of an opaquely signed message (RFC 8551
//! §3.5.2).
//!
//! Nothing is verified and nothing is decrypted: a signed message yields the MIME entity that was signed, so
//! that its text can be read, and an encrypted one is reported as such. The few tags on the way are read as
//! BER, since mail programs write strings in pieces of indefinite length. One pass, no recursion.

use crate::defect::{Defect, Defects};
use crate::field::header_of_part;
use crate::part::{self, MAX_PARTS, Part};

mod ber;

/// The maximum number of signed parts opened per message.
pub const MAX_OPENED: usize = 10;

/// What a CMS octet string contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cms {
    /// The signed content: a MIME entity with its header, truncated if the octets are.
    Signed(Vec<u8>),
    /// Unreadable without a key.
    Encrypted,
    /// Nothing of that kind: certificates only, a receipt, or not CMS.
    Other,
}

/// 1.2.840.113549.1.7.1, .2, .3 and .6, and 1.2.840.113549.1.9.16.1.23 (RFC 5652 §4 to §8, RFC 5083 §2).
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const ENCRYPTED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
const AUTH_ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";

/// Reads octets as CMS; linear, and the result is never longer than the input.
#[must_use]
pub fn read(octets: &[u8]) -> Cms {
    let Some((kind, content)) = content_info(octets) else { return Cms::Other };
    match kind {
        SIGNED => signed(content).map_or(Cms::Other, Cms::Signed),
        ENVELOPED | ENCRYPTED | AUTH_ENVELOPED => Cms::Encrypted,
        _ => Cms::Other,
    }
}

/// RFC 5652 §3: the type, and what follows it.
fn content_info(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = ber::take(ber::enter(octets, ber::SEQUENCE)?, ber::OBJECT_IDENTIFIER)?;
    Some((kind, ber::enter(rest, ber::EXPLICIT_0)?))
}

/// RFC 5652 §5.1, §5.2: after version and digest algorithms comes the content, unless it is detached.
fn signed(content: &[u8]) -> Option<Vec<u8>> {
    let (_version, rest) = ber::take(ber::enter(content, ber::SEQUENCE)?, ber::INTEGER)?;
    let encapsulated = ber::enter(ber::skip(rest)?, ber::SEQUENCE)?;
    let (kind, rest) = ber::take(encapsulated, ber::OBJECT_IDENTIFIER)?;
    if kind != DATA {
        return None;
    }
    ber::octet_string(ber::enter(rest, ber::EXPLICIT_0)?)
}

/// A part that is a signed entity as a whole, opened.
#[derive(Debug)]
pub(crate) struct Opened {
    place: usize,
    content: Vec<u8>,
}

/// Opens the signed parts, at most [`MAX_OPENED`]; notes encrypted ones.
pub(crate) fn open(parts: &[Part<'_>], defects: &mut Defects) -> Vec<Opened> {
    let mut opened = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        if part.content_type == "multipart/encrypted" {
            defects.note(Defect::Encrypted);
        }
        if !may_be_cms(part) || opened.len() >= MAX_OPENED {
            continue;
        }
        match read(&part.transfer.decode(part.body, &mut Defects::default())) {
            Cms::Signed(content) if is_entity(&content) => opened.push(Opened { place, content }),
            Cms::Encrypted => defects.note(Defect::Encrypted),
            Cms::Signed(_) | Cms::Other => (),
        }
    }
    opened
}

/// RFC 8551 §3.2.1: gateways that change the type keep the name.
fn may_be_cms(part: &Part<'_>) -> bool {
    let is_named = || part.name.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
    match part.content_type.as_str() {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => true,
        "application/octet-stream" => is_named(),
        _ => false,
    }
}

/// Whether the content is a MIME entity: signed files such as `contract.pdf.p7m` are attached too and stay
/// files.
fn is_entity(content: &[u8]) -> bool {
    let header = header_of_part(content, &mut Defects::default());
    header
        .fields
        .iter()
        .any(|field| field.name.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"Content-")))
}

/// The parts with signed ones replaced by their content, renumbered; at most [`MAX_PARTS`].
pub(crate) fn splice<'a>(parts: Vec<Part<'a>>, opened: &'a [Opened], defects: &mut Defects) -> Vec<Part<'a>> {
    if opened.is_empty() {
        return parts;
    }
    let mut spliced: Vec<Part<'a>> = Vec::with_capacity(parts.len());
    // New positions of the parts, for those that refer to others.
    let mut places: Vec<usize> = Vec::with_capacity(parts.len());
    for (place, mut part) in parts.into_iter().enumerate() {
        let start = spliced.len();
        places.push(start);
        match opened.iter().find(|opened| opened.place == place) {
            None => {
                part.alternative = part.alternative.and_then(|of| places.get(of)).copied();
                spliced.push(part);
            }
            Some(opened) => spliced.extend(entity(&opened.content, defects).into_iter().map(|mut inner| {
                inner.alternative = inner.alternative.map(|of| of.saturating_add(start));
                inner
            })),
        }
    }
    if spliced.len() > MAX_PARTS {
        defects.note(Defect::TooManyParts);
        spliced.truncate(MAX_PARTS);
    }
    for (number, part) in spliced.iter_mut().enumerate() {
        part.number = u32::try_from(number).unwrap_or(u32::MAX);
    }
    spliced
}

fn entity<'a>(content: &'a [u8], defects: &mut Defects) -> Vec<Part<'a>> {
    let header = header_of_part(content, defects);
    part::walk(&header.fields, content.get(header.octets..).unwrap_or_default(), defects)
}

#[cfg(test)]
mod tests;
