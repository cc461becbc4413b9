//! The MIME structure (RFC 2045, RFC 2046): a message as a flat list of parts, in document order.
//!
//! The walker passes over the delimiter lines once and keeps the open multiparts on a stack of bounded depth;
//! nothing is decoded or copied. Attached messages are ordinary parts: their contents are not taken apart.

use crate::defect::{Defect, Defects};
use crate::field::{Field, header_of_part};
use crate::parameter::Parametered;
use crate::text::one_line;
use crate::transfer::Transfer;
use memchr::{memchr, memmem};

/// How deeply multiparts may be nested; deeper ones are single parts.
pub(crate) const MAX_DEPTH: usize = 50;

/// How many parts are kept, multiparts included.
pub(crate) const MAX_PARTS: usize = 1_000;

/// The longest media type in octets; longer ones count as unknown.
const TYPE_OCTETS: usize = 127;

/// The longest boundary that is searched for; RFC 2046 §5.1.1 allows 70.
const BOUNDARY_OCTETS: usize = 10_000;

/// The shortest boundary whose delimiter lines may have trailing text after a space; shorter ones occur in
/// texts by chance.
const TRAILED_BOUNDARY_OCTETS: usize = 6;

/// A missing or unused boundary is guessed from the text for this many of the first parts only.
const GUESSED_PARTS: usize = 8;

/// How many lines are examined to guess it.
const GUESSED_LINES: usize = 100;

/// What a part is contained in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The part is the whole message.
    None,
    Alternative,
    Related,
    Digest,
    /// Mixed, report, signed, and unknown ones (RFC 2046 §5.1.3).
    Other,
}

/// How the lines of a text were broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Where the writer broke them.
    Fixed,
    /// Also after each space at a line end.
    Flowed,
    /// As `Flowed`, and that space was inserted (`DelSp=yes`).
    FlowedDeletingSpace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    None,
    Inline,
    Attachment,
}

/// One part, still encoded.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// Its position in the list; 0 is the message itself.
    pub(crate) number: u32,
    pub(crate) parent: Parent,
    /// The outermost multipart/alternative around it: parts that share one say the same.
    pub(crate) alternative: Option<usize>,
    /// `type/subtype`, lower-cased.
    pub(crate) content_type: String,
    pub(crate) charset: Option<String>,
    /// Whether its lines flow (RFC 3676).
    pub(crate) flow: Flow,
    pub(crate) transfer: Transfer,
    pub(crate) disposition: Disposition,
    /// The file name, decoded.
    pub(crate) name: Option<String>,
    /// Whether it is the first part with content and is named only by its Content-Type, as some programs name
    /// the text; or the message has no other text.
    is_named_text: bool,
    /// Without `<>`.
    pub(crate) content_id: Option<String>,
    /// Whether it was split into the parts that follow.
    pub(crate) is_multipart: bool,
    /// Whether it is a multipart whose parts were not found, read as text instead.
    pub(crate) is_salvaged: bool,
    pub(crate) body: &'a [u8],
}

impl Part<'_> {
    pub(crate) fn is_html(&self) -> bool {
        self.content_type == "text/html"
    }

    /// Whether it is text written by the sender, rather than a file.
    pub(crate) fn is_body_text(&self) -> bool {
        matches!(self.content_type.as_str(), "text/plain" | "text/html")
            && self.disposition != Disposition::Attachment
            && (self.name.is_none() || self.parent == Parent::None || self.is_named_text)
    }
}

/// Takes a message apart; the first part is the message itself.
pub(crate) fn walk<'a>(fields: &[Field<'a>], body: &'a [u8], defects: &mut Defects) -> Vec<Part<'a>> {
    let mut walker =
        Walker { mail: body, parts: Vec::with_capacity(4), open: Vec::new(), leaf: None, has_leaf: false };
    walker.begin(fields, Parent::None, 0, defects);
    if !walker.open.is_empty() {
        walker.run(defects);
    }
    walker.take_named_text();
    walker.parts
}

struct Walker<'a> {
    /// The body of the message; all offsets refer to it.
    mail: &'a [u8],
    parts: Vec<Part<'a>>,
    open: Vec<Multipart>,
    /// The part whose body is being read, and where that began.
    leaf: Option<(usize, usize)>,
    /// Whether a part with content of its own has begun.
    has_leaf: bool,
}

struct Multipart {
    part: usize,
    boundary: String,
    kind: Parent,
    start: usize,
    seen: bool,
}

/// What a line means to the open multiparts.
struct Delimiter {
    level: usize,
    closes: bool,
}

impl<'a> Walker<'a> {
    fn run(&mut self, defects: &mut Defects) {
        let mail = self.mail;
        // A delimiter is at the start of a line (RFC 2046 §5.1.1).
        let first = mail.starts_with(b"--").then_some(0);
        let lines = memmem::find_iter(mail, b"\n--").map(|at| at.saturating_add(1));
        let mut next = 0;
        for start in first.into_iter().chain(lines).filter(|start| *start < mail.len()) {
            if start < next {
                continue;
            }
            let rest = mail.get(start..).unwrap_or_default();
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
            let Some(delimiter) = rest.get(..length).and_then(|line| self.delimiter(line)) else { continue };
            self.end_leaf(start);
            self.close_above(delimiter.level, start, defects);
            if delimiter.closes {
                self.close(start, true, defects);
                if self.open.is_empty() {
                    return;
                }
                continue;
            }
            if self.parts.len() >= MAX_PARTS {
                defects.note(Defect::TooManyParts);
                break;
            }
            let body_start = start.saturating_add(length);
            let header = header_of_part(mail.get(body_start..).unwrap_or_default(), defects);
            next = body_start.saturating_add(header.octets);
            let parent = self.open.last().map_or(Parent::Other, |multipart| multipart.kind);
            self.begin(&header.fields, parent, next, defects);
        }
        self.end_leaf(mail.len());
        self.end_at_glued_delimiter();
        while !self.open.is_empty() {
            self.close(mail.len(), false, defects);
        }
    }

    /// RFC 8621 §4.1.4: an inline text is body text if it is the first part, whatever its name; here only if
    /// the message has no other.
    fn take_named_text(&mut self) {
        if self.parts.iter().any(Part::is_body_text) {
            return;
        }
        let first = self.parts.iter_mut().find(|part| !part.is_multipart);
        if let Some(part) = first.filter(|part| part.disposition == Disposition::Inline) {
            part.is_named_text = true;
        }
    }

    fn delimiter(&mut self, line: &[u8]) -> Option<Delimiter> {
        let content = line.strip_prefix(b"--")?.trim_ascii_end();
        // RFC 2046 §5.1.1: anything after the boundary and whitespace is padding.
        let before_blank =
            content.iter().position(|octet| matches!(octet, b' ' | b'\t')).and_then(|at| content.get(..at));
        for (level, multipart) in self.open.iter_mut().enumerate().rev() {
            let boundary = multipart.boundary.as_bytes();
            let is_long = boundary.len() >= TRAILED_BOUNDARY_OCTETS;
            let candidates = match boundary.ends_with(b" ") {
                true => [line.strip_prefix(b"--").map(without_line_end), None],
                false => [Some(content), before_blank.filter(|_| is_long)],
            };
            for candidate in candidates.into_iter().flatten() {
                let closes = candidate.strip_suffix(b"--") == Some(boundary);
                if closes || candidate == boundary {
                    multipart.seen = true;
                    return Some(Delimiter { level, closes: closes && candidate != boundary });
                }
            }
        }
        None
    }

    /// A closing delimiter at the very end, appended to the last line instead of below it.
    fn end_at_glued_delimiter(&mut self) {
        let Some(part) = self.parts.last_mut().filter(|part| !part.is_multipart) else { return };
        let glued = self.open.iter().rev().filter(|multipart| multipart.seen).find_map(|multipart| {
            let body = part.body.trim_ascii_end().strip_suffix(b"--")?;
            body.strip_suffix(multipart.boundary.as_bytes())?.strip_suffix(b"--")
        });
        if let Some(body) = glued {
            part.body = body;
        }
    }

    /// Adds a part whose body begins at `start`.
    fn begin(&mut self, fields: &[Field<'a>], parent: Parent, start: usize, defects: &mut Defects) {
        let index = self.parts.len();
        let (mut part, boundary) = read_part(fields, parent, defects);
        part.is_named_text &= !self.has_leaf;
        part.number = u32::try_from(index).unwrap_or(u32::MAX);
        part.alternative = self
            .open
            .iter()
            .find(|multipart| multipart.kind == Parent::Alternative)
            .map(|multipart| multipart.part);
        part.body = self.mail.get(start..).unwrap_or_default();
        self.leaf = Some((index, start));
        let kind = kind_of(&part.content_type);
        self.has_leaf |= kind.is_none();
        if let Some(kind) = kind {
            match self.boundary_in_use(boundary, part.body, defects) {
                None => {
                    defects.note(Defect::MissingBoundary);
                    becomes_text(&mut part);
                }
                Some(_) if self.open.len() >= MAX_DEPTH => defects.note(Defect::TooDeep),
                Some(boundary) => {
                    part.is_multipart = true;
                    self.leaf = None;
                    self.open.push(Multipart { part: index, boundary, kind, start, seen: false });
                }
            }
        }
        self.parts.push(part);
    }

    /// The boundary in use: the declared one, else the one found in the body.
    fn boundary_in_use(
        &self,
        declared: Option<String>,
        body: &[u8],
        defects: &mut Defects,
    ) -> Option<String> {
        let declared = declared.filter(|declared| !declared.trim().is_empty());
        // Only near the top, so that the body is not searched for each of many parts.
        let is_searched = self.parts.len() < GUESSED_PARTS;
        if let Some(declared) = &declared {
            if is_searched && occurs(declared, body) {
                return Some(declared.clone());
            }
            // RFC 2046 §5.1.1 forbids trailing whitespace; it gets lost in transit.
            let trimmed = declared.trim_end();
            if !is_searched || occurs(trimmed, body) {
                return Some(trimmed.to_owned());
            }
        }
        let guessed = is_searched.then(|| guess_boundary(body)).flatten();
        if guessed.is_some() {
            defects.note(Defect::MissingBoundary);
        }
        guessed.or(declared)
    }

    /// Ends the current body before the delimiter line at `end`; the line end before that belongs to the
    /// delimiter.
    fn end_leaf(&mut self, end: usize) {
        let Some((index, start)) = self.leaf.take() else { return };
        self.set_body(index, start, end);
    }

    fn set_body(&mut self, index: usize, start: usize, end: usize) {
        let body = self.mail.get(start..end).unwrap_or_default();
        let body = if end < self.mail.len() { body.strip_suffix(b"\n").unwrap_or(body) } else { body };
        let body = if end < self.mail.len() { body.strip_suffix(b"\r").unwrap_or(body) } else { body };
        if let Some(part) = self.parts.get_mut(index) {
            part.body = body;
        }
    }

    /// Closes the multiparts inside the one at `level`, whose delimiter came before theirs.
    fn close_above(&mut self, level: usize, at: usize, defects: &mut Defects) {
        while self.open.len() > level.saturating_add(1) {
            self.close(at, false, defects);
        }
    }

    /// Ends the innermost multipart at `at`, at its closing delimiter or where it is cut off.
    fn close(&mut self, at: usize, is_complete: bool, defects: &mut Defects) {
        let Some(multipart) = self.open.pop() else { return };
        self.set_body(multipart.part, multipart.start, at);
        if multipart.seen {
            if !is_complete {
                defects.note(Defect::UnclosedMultipart);
            }
        } else if let Some(part) = self.parts.get_mut(multipart.part) {
            defects.note(Defect::MissingBoundary);
            becomes_text(part);
        }
    }
}

/// What kind of parent a part is, when it is a multipart.
fn kind_of(content_type: &str) -> Option<Parent> {
    match content_type.strip_prefix("multipart/")? {
        "alternative" => Some(Parent::Alternative),
        "related" => Some(Parent::Related),
        "digest" => Some(Parent::Digest),
        _ => Some(Parent::Other),
    }
}

/// A multipart without parts is read as text.
fn becomes_text(part: &mut Part<'_>) {
    "text/plain".clone_into(&mut part.content_type);
    part.is_multipart = false;
    part.is_salvaged = true;
}

fn occurs(boundary: &str, body: &[u8]) -> bool {
    memmem::find(body, format!("--{boundary}").as_bytes()).is_some()
}

/// The boundary in the first line that begins with `--` and is followed by the header of a part.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let mut lines = body.split(|&octet| octet == b'\n').take(GUESSED_LINES).peekable();
    while let Some(line) = lines.next() {
        let begins_part = lines
            .peek()
            .and_then(|next| next.get(..8))
            .is_some_and(|name| name.eq_ignore_ascii_case(b"Content-"));
        if let Some(boundary) = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end)
            && begins_part
            && (1..=BOUNDARY_OCTETS).contains(&boundary.len())
        {
            return std::str::from_utf8(boundary).ok().map(str::to_owned);
        }
    }
    None
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn read_part<'a>(fields: &[Field<'a>], parent: Parent, defects: &mut Defects) -> (Part<'a>, Option<String>) {
    let mut content_type = None;
    let mut disposition = None;
    let mut transfer = Transfer::Identity;
    let mut content_id = None;
    for field in fields.iter().rev() {
        // Last to first, because the first of several counts.
        match field.name.len() {
            12 if field.is("Content-Type") => content_type = Some(Parametered::read(&field.text(defects))),
            19 if field.is("Content-Disposition") => {
                disposition = Some(Parametered::read(&field.text(defects)))
            }
            25 if field.is("Content-Transfer-Encoding") => transfer = Transfer::named(&field.text(defects)),
            10 if field.is("Content-ID") => content_id = read_content_id(&field.text(defects)),
            _ => (),
        }
    }
    let content_type = content_type.unwrap_or_default();
    let disposition = disposition.unwrap_or_default();
    let filename = disposition.text("filename", defects).or_else(|| disposition.text("name", defects));
    let is_named_text = filename.is_none() && disposition.value.is_empty();
    let name = filename
        .or_else(|| content_type.text("name", defects))
        .or_else(|| content_type.text("filename", defects));
    let part = Part {
        number: 0,
        parent,
        alternative: None,
        charset: content_type.plain("charset").map(label),
        flow: flow(&content_type),
        transfer,
        disposition: match disposition.value.as_str() {
            "" => Disposition::None,
            "inline" => Disposition::Inline,
            // RFC 2183 §2.8: unknown dispositions count as attachments.
            _ => Disposition::Attachment,
        },
        name: name.filter(|name| !name.trim().is_empty()),
        is_named_text,
        content_id,
        is_multipart: false,
        is_salvaged: false,
        body: &[],
        content_type: media_type(&content_type.value, parent),
    };
    let boundary = content_type.text("boundary", defects);
    (part, boundary.filter(|boundary| (1..=BOUNDARY_OCTETS).contains(&boundary.len())))
}

/// A charset label without the comment after it.
fn label(charset: &str) -> String {
    charset.split(['(', ';', ' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}

fn flow(content_type: &Parametered) -> Flow {
    let is = |name: &str, value: &str| {
        content_type.plain(name).is_some_and(|given| given.trim().eq_ignore_ascii_case(value))
    };
    match (is("format", "flowed"), is("delsp", "yes")) {
        (true, true) => Flow::FlowedDeletingSpace,
        (true, false) => Flow::Flowed,
        _ => Flow::Fixed,
    }
}

/// RFC 2045 §5.2: plain text if nothing is declared; RFC 2046 §5.1.5: a message within a digest.
fn media_type(value: &str, parent: Parent) -> String {
    let is_token = |token: &str| {
        !token.is_empty() && token.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+*'%".contains(&c))
    };
    match value.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) && value.len() <= TYPE_OCTETS => {
            value.to_owned()
        }
        None if value.is_empty() && parent == Parent::Digest => "message/rfc822".to_owned(),
        // Old programs write just `text`; RFC 2045 §5.2 lets a broken value be plain text.
        None if value.is_empty() || value == "text" || value == "plain" => "text/plain".to_owned(),
        None if value == "html" => "text/html".to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

fn read_content_id(text: &str) -> Option<String> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
    Some(one_line(id, 998)).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
