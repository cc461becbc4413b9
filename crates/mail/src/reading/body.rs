//! The text of a message: what a comment shows, which of it is old, and the marks in its HTML.

use super::header::Header;
use crate::address::Mailbox;
use crate::charset;
use crate::clear_signed;
use crate::defect::{Defect, Defects};
use crate::flowed;
use crate::mark;
use crate::part::{Flow, Part};
use crate::quoting::subject::{Manner, manner};
use crate::reply::{self, Hints, Reply};
use crate::text;
use crate::tnef::Tnef;

/// How far into HTML its own charset declaration is searched for (HTML §4.2.5.4 asks for it in the first
/// 1,024 octets).
const META_OCTETS: usize = 2_048;

/// The text, as [`crate::Letter`] has it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) reply: Reply,
    pub(crate) has_html: bool,
    pub(crate) marks: Vec<String>,
}

impl Body {
    /// Reads the text of the parts, else that of a `winmail.dat` among them.
    pub(super) fn read(
        parts: &[Part<'_>],
        packed: &[(u32, Tnef)],
        header: &Header,
        defects: &mut Defects,
    ) -> Self {
        let sender = names(&header.from);
        let hints = hints(&sender, &header.subject);
        let mut body = Self::default();
        body.read_parts(parts, &hints, defects);
        body.read_packed(packed, &hints);
        body
    }

    fn read_parts(&mut self, parts: &[Part<'_>], hints: &Hints<'_>, defects: &mut Defects) {
        let bodies: Vec<&Part<'_>> = parts.iter().filter(|part| part.is_body_text()).collect();
        self.has_html = bodies.iter().any(|part| part.is_html());
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
                reply::of_html_with(&page, hints)
            });
            let (texts, mut replies): (Vec<String>, Vec<Reply>) = html.unzip();
            let piece = join(texts.into_iter());
            // Careless programs send a text followed by its HTML twin as if they were two texts.
            if !pieces.last().is_some_and(|said| says_the_same(said, &piece)) {
                // The structure applies only to the text of a single page.
                of_page = replies.pop().filter(|_| pieces.is_empty() && replies.is_empty());
                pieces.push(piece);
            }
        }
        let of_page = of_page.filter(|_| pieces.len() == 1);
        self.text = join(pieces.into_iter());
        self.reply = of_page.unwrap_or_else(|| reply::of_text_with(&self.text, hints));
    }

    /// The text of a `winmail.dat`, if the message has no other.
    fn read_packed(&mut self, packed: &[(u32, Tnef)], hints: &Hints<'_>) {
        self.has_html |= packed.iter().any(|(_, tnef)| tnef.html.is_some());
        if self.text.is_empty()
            && let Some((_, tnef)) = packed.iter().find(|(_, tnef)| !tnef.text.is_empty())
        {
            let text = tnef.text.replace('\0', "");
            text::trim_blank_lines(&text).clone_into(&mut self.text);
            self.reply = reply_of_packed(&self.text, tnef.html.as_deref(), hints);
        }
    }
}

/// Which of the text of a `winmail.dat` is old; the structure of its HTML counts if the text was rendered
/// from it.
fn reply_of_packed(text: &str, html: Option<&str>, hints: &Hints<'_>) -> Reply {
    let rendered = html.map(|html| reply::of_html_with(html, hints)).filter(|(shown, _)| shown == text);
    rendered.map_or_else(|| reply::of_text_with(text, hints), |(_, reply)| reply)
}

/// The HTML bodies, decoded, in order; `None` if there are none.
pub(super) fn html(parts: &[Part<'_>], defects: &mut Defects) -> Option<String> {
    let bodies = parts.iter().filter(|part| part.is_body_text() && part.is_html());
    let html = join(bodies.map(|part| text_of(part, defects)));
    Some(html).filter(|html| !html.is_empty())
}

fn names(from: &[Mailbox]) -> Vec<&str> {
    from.iter().flat_map(|author| [author.name.as_str(), author.address.as_str()]).collect()
}

/// What helps to tell new text from old: who may sign, and what the subject calls the message.
fn hints<'a>(sender: &'a [&'a str], subject: &str) -> Hints<'a> {
    Hints { sender, is_forward: manner(subject) == Manner::Forward, new_text_only: false }
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

/// The charset that HTML declares for itself, for a part that declares none and is not UTF-8.
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

/// Joins the non-empty pieces with a blank line between them.
fn join(pieces: impl Iterator<Item = String>) -> String {
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let mut joined = pieces.next().unwrap_or_default();
    for piece in pieces {
        joined.push_str("\n\n");
        joined.push_str(&piece);
    }
    joined
}
