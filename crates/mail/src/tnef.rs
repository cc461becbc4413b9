//! TNEF, the `winmail.dat` of Outlook and Exchange (MS-OXTNEF): its text and its files.
//!
//! Nothing is decided here: the reader of a letter uses the text if the message has no other, and the files
//! in place of the `winmail.dat`. Damaged streams yield what precedes the damage. Linear; nested messages are
//! unpacked to a bounded depth.

mod lzfu;
mod mapi;
mod rtf;

use crate::charset;
use crate::defect::Defects;
use crate::html_to_text;
use crate::text::lines;
use mapi::{Properties, Reader};

/// How many files of one stream are unpacked, including those of nested messages.
pub const MAX_FILES: usize = 1_000;

/// How deeply messages within messages are unpacked.
pub const MAX_DEPTH: usize = 10;

/// How many octets of RTF are unpacked from one stream, including nested messages: a packed octet can stand
/// for eight.
pub const MAX_RTF: usize = 16_777_216;

/// The first four octets of a stream, little-endian (MS-OXTNEF §2.1.3.1).
const SIGNATURE: u32 = 0x223e_9f78;

/// What a stream contains.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tnef {
    /// Empty if it has none.
    pub subject: String,
    /// The plain text, LF line ends; rendered from HTML or RTF if there is nothing else; empty if it has
    /// none.
    pub text: String,
    /// The HTML, if any; untrusted.
    pub html: Option<String>,
    /// In order, at most [`MAX_FILES`]; a nested message is the file of its text followed by its own files.
    pub files: Vec<File>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// As written, possibly with directories; empty if there is none.
    pub name: String,
    /// `type/subtype` as written, lower-cased; empty if there is none.
    pub content_type: String,
    /// Without `<>`; HTML refers to it as `cid:`.
    pub content_id: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Whether octets begin like a stream.
#[must_use]
pub fn is_tnef(octets: &[u8]) -> bool {
    octets.first_chunk::<4>().is_some_and(|first| u32::from_le_bytes(*first) == SIGNATURE)
}

/// Unpacks a stream; `None` if it is not one.
#[must_use]
pub fn read(octets: &[u8]) -> Option<Tnef> {
    if !is_tnef(octets) {
        return None;
    }
    let mut room = MAX_RTF;
    let mut whole = read_one(octets, &mut room);
    // Nested messages are unpacked one after another, after the files that precede them.
    let mut depth = 0;
    while depth < MAX_DEPTH && whole.nested.iter().any(Option::is_some) {
        unpack_nested(&mut whole, &mut room);
        depth += 1;
    }
    whole.tnef.files.truncate(MAX_FILES);
    Some(whole.tnef)
}

/// A stream, with its nested messages still packed.
#[derive(Default)]
struct Unpacked {
    tnef: Tnef,
    /// For each file the stream, if it is a message; parallel to the files.
    nested: Vec<Option<Vec<u8>>>,
}

fn unpack_nested(whole: &mut Unpacked, room: &mut usize) {
    let files = std::mem::take(&mut whole.tnef.files);
    let nested = std::mem::take(&mut whole.nested);
    for (file, stream) in files.into_iter().zip(nested) {
        let Some(stream) = stream.filter(|_| whole.tnef.files.len() < MAX_FILES) else {
            whole.push(file, None);
            continue;
        };
        let inner = read_one(&stream, room);
        let subject = if inner.tnef.subject.is_empty() { file.name } else { inner.tnef.subject };
        whole.push(text_file(&subject, inner.tnef.html, &inner.tnef.text), None);
        for (file, stream) in inner.tnef.files.into_iter().zip(inner.nested) {
            whole.push(file, stream);
        }
    }
}

/// The text of a nested message as a file.
fn text_file(subject: &str, html: Option<String>, text: &str) -> File {
    let name = if subject.is_empty() { "message" } else { subject }.replace(['/', '\\'], "-");
    match html {
        Some(html) => File {
            name: format!("{name}.html"),
            content_type: "text/html".to_owned(),
            content_id: None,
            bytes: html.into_bytes(),
        },
        None => File {
            name: format!("{name}.txt"),
            content_type: "text/plain".to_owned(),
            content_id: None,
            bytes: text.as_bytes().to_vec(),
        },
    }
}

impl Unpacked {
    fn push(&mut self, file: File, nested: Option<Vec<u8>>) {
        self.tnef.files.push(file);
        self.nested.push(nested);
    }
}

/// Names of attributes (MS-OXTNEF §2.1.3.2), without their types.
mod attribute {
    pub(super) const SUBJECT: u16 = 0x8004;
    pub(super) const BODY: u16 = 0x800c;
    pub(super) const ATTACH_DATA: u16 = 0x800f;
    pub(super) const ATTACH_TITLE: u16 = 0x8010;
    pub(super) const ATTACH_REND_DATA: u16 = 0x9002;
    pub(super) const MESSAGE_PROPERTIES: u16 = 0x9003;
    pub(super) const ATTACH_PROPERTIES: u16 = 0x9005;
    pub(super) const CODE_PAGE: u16 = 0x9007;
}

/// Reads the attributes of one stream; nested messages stay packed. `room` is how much RTF may still be
/// unpacked.
fn read_one(octets: &[u8], room: &mut usize) -> Unpacked {
    let mut stream = Reader::new(octets);
    // The signature and a key that nothing needs.
    stream.take(6);
    let mut message = Message::default();
    while let Some((name, data)) = next_attribute(&mut stream) {
        message.attribute(name, data);
    }
    message.finish(room)
}

fn next_attribute<'a>(stream: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let level = stream.u8()?;
    let name = stream.u16()?;
    let _type = stream.u16()?;
    let length = usize::try_from(stream.u32()?).ok()?;
    let data = stream.take_some(length);
    let _checksum = stream.u16();
    // An undefined level means that the stream is damaged from here on.
    matches!(level, 1 | 2).then_some((name, data))
}

/// A message while its attributes are being read.
#[derive(Default)]
struct Message<'a> {
    code_page: Option<String>,
    subject: &'a [u8],
    body: &'a [u8],
    properties: Properties<'a>,
    files: Vec<Attached<'a>>,
}

#[derive(Default)]
struct Attached<'a> {
    title: &'a [u8],
    data: &'a [u8],
    properties: Properties<'a>,
}

impl<'a> Message<'a> {
    fn attribute(&mut self, name: u16, data: &'a [u8]) {
        match name {
            attribute::CODE_PAGE => {
                self.code_page =
                    data.first_chunk::<4>().map(|page| mapi::code_page(u32::from_le_bytes(*page)))
            }
            attribute::SUBJECT => self.subject = data,
            attribute::BODY => self.body = data,
            attribute::MESSAGE_PROPERTIES => self.properties = Properties::read(data),
            attribute::ATTACH_REND_DATA if self.files.len() < MAX_FILES => {
                self.files.push(Attached::default())
            }
            attribute::ATTACH_TITLE => self.file(|file| file.title = data),
            attribute::ATTACH_DATA => self.file(|file| file.data = data),
            attribute::ATTACH_PROPERTIES => self.file(|file| file.properties = Properties::read(data)),
            _ => (),
        }
    }

    fn file(&mut self, change: impl FnOnce(&mut Attached<'a>)) {
        if let Some(file) = self.files.last_mut() {
            change(file);
        }
    }

    fn finish(self, room: &mut usize) -> Unpacked {
        let code_page = self.code_page.as_deref();
        let rtf = self.rtf(room);
        let html = self
            .properties
            .text(mapi::HTML, self.properties.code_page().as_deref().or(code_page))
            .or(rtf.html);
        let text =
            self.properties.text(mapi::BODY, code_page).or_else(|| non_empty(string(self.body, code_page)));
        let text =
            text.or_else(|| html.as_deref().map(|html| html_to_text::render(html).0)).unwrap_or(rtf.text);
        let subject =
            self.properties.text(mapi::SUBJECT, code_page).unwrap_or_else(|| string(self.subject, code_page));
        let tnef = Tnef { subject, text: lines(&text).0.into_owned(), html, files: Vec::new() };
        let mut unpacked = Unpacked { tnef, nested: Vec::new() };
        for file in self.files {
            let (file, nested) = file.finish(code_page);
            unpacked.push(file, nested);
        }
        unpacked
    }
}

impl Message<'_> {
    fn rtf(&self, room: &mut usize) -> rtf::Rtf {
        let Some(packed) = self.properties.binary(mapi::RTF_COMPRESSED) else { return rtf::Rtf::default() };
        let unpacked = lzfu::unpack(packed, *room);
        *room = room.saturating_sub(unpacked.len());
        rtf::read(&unpacked)
    }
}

impl Attached<'_> {
    fn finish(self, code_page: Option<&str>) -> (File, Option<Vec<u8>>) {
        let text = |id: u16| self.properties.text(id, code_page);
        let object = self.properties.object(mapi::ATTACH_DATA);
        let name = text(mapi::ATTACH_LONG_FILENAME).or_else(|| text(mapi::ATTACH_FILENAME));
        let name =
            name.or_else(|| non_empty(string(self.title, code_page))).or_else(|| text(mapi::DISPLAY_NAME));
        let data = if self.data.is_empty() { object.unwrap_or_default() } else { self.data };
        let nested = object.filter(|data| is_tnef(data)).map(<[u8]>::to_vec);
        let file = File {
            name: name.unwrap_or_default(),
            content_type: text(mapi::ATTACH_MIME_TAG).unwrap_or_default().to_ascii_lowercase(),
            content_id: text(mapi::ATTACH_CONTENT_ID),
            bytes: if nested.is_some() { Vec::new() } else { data.to_vec() },
        };
        (file, nested)
    }
}

/// A single-byte string, terminated by a NUL.
fn string(octets: &[u8], code_page: Option<&str>) -> String {
    let end = memchr::memchr(0, octets).unwrap_or(octets.len());
    charset::decode(octets.get(..end).unwrap_or_default(), code_page, &mut Defects::default()).into_owned()
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
pub(crate) mod tests;
