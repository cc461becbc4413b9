//! The attachments of a letter: which parts they are, what they are called, and the files that Outlook packs
//! into one.

use crate::defect::Defects;
use crate::encoded_word;
use crate::field::header_of_mail;
use crate::part::{Disposition, Parent, Part};
use crate::text;
use crate::tnef::{self, File, Tnef};
use crate::transfer::Transfer;
use std::borrow::Cow;

/// The longest file name of an attachment, in octets; longer ones are cut.
pub const FILE_NAME_OCTETS: usize = 255;

/// The maximum number of attachments read from one message, unpacked files included.
const MAX_ATTACHMENTS: usize = crate::part::MAX_PARTS;

/// Media types by file extension, for files without a type; also the extensions of generated names.
const TYPES: &[(&str, &str)] = &[
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("eml", "message/rfc822"),
    ("gif", "image/gif"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("rtf", "application/rtf"),
    ("rtf", "text/rtf"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
];

/// A part of a message that is not its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Its index among all parts of the message; the files of a `winmail.dat` follow after them. See
    /// [`crate::Letter::attachment`].
    pub part: u32,
    /// Without directories and control characters, at most [`FILE_NAME_OCTETS`]; generated from the type if
    /// the message gives none; never empty.
    pub name: String,
    /// `type/subtype` as declared, lower-cased; `application/octet-stream` if unreadable.
    pub content_type: String,
    /// The decoded size.
    pub size_bytes: u64,
    /// Without `<>`; HTML refers to it as `cid:`.
    pub content_id: Option<String>,
    /// Whether it is meant to be displayed within the text.
    pub inline: bool,
}

/// The TNEF streams among the parts, unpacked, with their part numbers.
pub(crate) fn unpack(parts: &[Part<'_>]) -> Vec<(u32, Tnef)> {
    let may_be_packed = |part: &&Part<'_>| {
        matches!(part.content_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || part.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"))
    };
    let packed = parts.iter().filter(|part| is_attachment(part)).filter(may_be_packed);
    let unpacked = packed.filter_map(|part| {
        let tnef = tnef::read(&part.transfer.decode(part.body, &mut Defects::default()))?;
        // An empty stream is worth no more than its name.
        (!tnef.text.is_empty() || !tnef.files.is_empty()).then_some((part.number, tnef))
    });
    unpacked.take(MAX_ATTACHMENTS).collect()
}

/// Reads the attachments of a letter, and the digest of its text and attachments.
pub(crate) fn read(
    text: &str,
    parts: &[Part<'_>],
    packed: &[(u32, Tnef)],
    defects: &mut Defects,
) -> (Vec<Attachment>, [u8; 16]) {
    let mut attachments = Vec::new();
    let mut hasher = blake3::Hasher::new();
    hash_piece(&mut hasher, text.as_bytes());
    let mut number = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    for part in parts.iter().filter(|part| is_attachment(part)) {
        let Some((_, tnef)) = packed.iter().find(|(stream, _)| *stream == part.number) else {
            attachments.push(read_part(part, &mut hasher, defects));
            continue;
        };
        for file in &tnef.files {
            if attachments.len() < MAX_ATTACHMENTS {
                hash_piece(&mut hasher, &file.bytes);
                attachments.push(unpacked(file, number));
            }
            number = number.saturating_add(1);
        }
    }
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    (attachments, digest)
}

/// The decoded octets of a part, or of a file inside one.
pub(crate) fn octets(parts: &[Part<'_>], number: u32) -> Option<Vec<u8>> {
    if let Some(part) = parts.iter().find(|part| part.number == number) {
        return (!part.is_multipart)
            .then(|| part.transfer.decode(part.body, &mut Defects::default()).into_owned());
    }
    let place = usize::try_from(number).ok()?.checked_sub(parts.len())?;
    let files = unpack(parts).into_iter().flat_map(|(_, tnef)| tnef.files);
    files.map(|file| file.bytes).nth(place)
}

fn is_attachment(part: &Part<'_>) -> bool {
    // The same text again, for programs that want another format.
    let is_twin = part.parent == Parent::Alternative
        && matches!(
            part.content_type.as_str(),
            "text/x-amp-html" | "text/watch-html" | "text/enriched" | "text/richtext"
        );
    !part.is_multipart && !part.is_body_text() && !is_twin
}

fn read_part(part: &Part<'_>, hasher: &mut blake3::Hasher, defects: &mut Defects) -> Attachment {
    let octets = part.transfer.decode(part.body, defects);
    let is_binary =
        matches!(part.transfer, Transfer::Base64 | Transfer::Uuencode) && matches!(octets, Cow::Owned(_));
    if is_binary {
        hash_piece(hasher, &octets);
    } else {
        hash_lines(hasher, &octets);
    }
    let given = part.name.as_deref().map(clean_file_name).filter(|name| !name.is_empty());
    Attachment {
        part: part.number,
        name: given.unwrap_or_else(|| made_up_name(&part.content_type, part.number, &octets, defects)),
        content_type: part.content_type.clone(),
        size_bytes: u64::try_from(octets.len()).unwrap_or(u64::MAX),
        content_id: part.content_id.clone(),
        inline: match part.disposition {
            Disposition::Inline => true,
            Disposition::Attachment => false,
            Disposition::None => part.content_id.is_some() && part.parent == Parent::Related,
        },
    }
}

fn unpacked(file: &File, number: u32) -> Attachment {
    let name = clean_file_name(&file.name);
    let by_name = || {
        name.rsplit_once('.')
            .and_then(|(_, ending)| TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)))
    };
    let content_type = match file.content_type.split_once('/') {
        Some(_)
            if file.content_type.bytes().all(|octet| octet.is_ascii_graphic())
                && file.content_type.len() <= 127 =>
        {
            &file.content_type
        }
        _ => by_name().map_or("application/octet-stream", |(_, content_type)| content_type),
    };
    let content_id = file.content_id.as_deref().map(|id| text::one_line(id.trim_matches(['<', '>']), 998));
    let content_id = content_id.filter(|id| !id.is_empty());
    Attachment {
        part: number,
        content_type: content_type.to_owned(),
        size_bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        inline: content_id.is_some(),
        content_id,
        name: if name.is_empty() {
            made_up_name(content_type, number, &file.bytes, &mut Defects::default())
        } else {
            name
        },
    }
}

/// The length goes first, so that no two lists of pieces hash the same octets.
fn hash_piece(hasher: &mut blake3::Hasher, octets: &[u8]) {
    hasher.update(&u64::try_from(octets.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(octets);
}

/// As [`hash_piece`], ignoring CRs, which come and go in transit.
fn hash_lines(hasher: &mut blake3::Hasher, octets: &[u8]) {
    let returns = memchr::memchr_iter(b'\r', octets).count();
    if returns == 0 {
        return hash_piece(hasher, octets);
    }
    let kept: Vec<u8> = octets.iter().copied().filter(|octet| *octet != b'\r').collect();
    hash_piece(hasher, &kept);
}

/// The last path component on one line; never `..`, but possibly empty.
fn clean_file_name(name: &str) -> String {
    let last = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let line = text::one_line(last, FILE_NAME_OCTETS);
    let line = line.trim_matches(|c: char| c.is_whitespace());
    if line.chars().all(|c| c == '.') {
        String::new()
    } else {
        text::cut_octets(line, FILE_NAME_OCTETS).to_owned()
    }
}

fn made_up_name(content_type: &str, number: u32, octets: &[u8], defects: &mut Defects) -> String {
    if matches!(content_type, "message/rfc822" | "message/global") {
        let header = header_of_mail(octets, &mut Defects::default());
        let subject = header.fields.iter().find(|field| field.is("Subject"));
        let subject = subject
            .map(|field| encoded_word::decode(&field.text(defects), defects).replace(['/', '\\'], "-"));
        let subject = subject
            .map(|subject| clean_file_name(&text::one_line(&subject, 100)))
            .filter(|subject| !subject.is_empty());
        return match subject {
            Some(subject) => format!("{}.eml", text::cut_octets(&subject, FILE_NAME_OCTETS - 4)),
            None => format!("message-{number}.eml"),
        };
    }
    let is_text = content_type.starts_with("text/") || content_type.starts_with("message/");
    let known = TYPES.iter().rev().find(|(_, known)| *known == content_type).map(|(ending, _)| *ending);
    format!("part-{number}.{}", known.unwrap_or(if is_text { "txt" } else { "bin" }))
}
