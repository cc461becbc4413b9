//! A text as lines, each classified on its own: blank, quoted, a rule, or own text.

use super::model::MAX_LINES;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    /// Own text, as far as is known.
    Text,
    /// Between code fences: never anything else.
    Code,
    /// Nothing but dashes or similar.
    Rule,
    /// Exactly `--`: the separator above a signature (RFC 3676 §4.3).
    Dashes,
    /// Begins with a quote mark.
    Quote,
    /// Says who wrote what is quoted below.
    Attribution,
    /// A header field of the message quoted below.
    Header,
    /// `-----Original Message-----` and the like.
    Original,
    /// `---------- Forwarded message ---------` and the like.
    Forward,
    /// Asks people to reply above it.
    ReplyAbove,
    /// Quoted, according to the structure of an HTML message.
    Old,
    /// Everything from here on is quoted, according to the structure.
    Cut,
    /// Signature, according to the structure.
    Signature,
}

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Octet offset where it begins.
    pub(super) start: usize,
    /// Octet offset after its last character, excluding the line end.
    pub(super) end: usize,
    pub(super) class: Class,
}

/// A text and its lines.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    /// At most [`MAX_LINES`].
    pub(super) lines: Vec<Line>,
}

impl<'a> Page<'a> {
    /// Splits the text into lines.
    pub(super) fn of(text: &'a str) -> Self {
        let mut page = Self { text, lines: Vec::with_capacity(text.len() / 32) };
        let mut start = 0;
        let mut fences = 0_usize;
        while start < text.len() && page.lines.len() < MAX_LINES {
            let rest = text.as_bytes().get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |at| start.saturating_add(at));
            let class = class_of(text.get(start..end).unwrap_or_default());
            if class == Class::Code {
                fences = fences.saturating_add(1);
            }
            page.lines.push(Line { start, end, class });
            start = end.saturating_add(1);
        }
        page.pair_fences(fences);
        page.mark_initials();
        page
    }

    /// A line without surrounding whitespace; empty if there is no such line.
    pub(super) fn body(&self, index: usize) -> &'a str {
        let line = self.lines.get(index);
        line.and_then(|line| self.text.get(line.start..line.end)).map(trim).unwrap_or_default()
    }

    /// The class of a line; lines beyond the end are blank.
    pub(super) fn class(&self, index: usize) -> Class {
        self.lines.get(index).map_or(Class::Blank, |line| line.class)
    }

    /// Sets the class of a line.
    pub(super) fn set(&mut self, index: usize, class: Class) {
        if let Some(line) = self.lines.get_mut(index) {
            line.class = class;
        }
    }

    /// The first non-blank line from `index` on; the number of lines if there is none.
    pub(super) fn next_written(&self, index: usize) -> usize {
        let rest = self.lines.get(index..).unwrap_or_default();
        rest.iter()
            .position(|line| line.class != Class::Blank)
            .map_or(self.lines.len(), |at| at.saturating_add(index))
    }

    /// Lines between two fences are code; a last fence without a partner is text.
    fn pair_fences(&mut self, fences: usize) {
        let mut open = false;
        let mut left = fences;
        for line in &mut self.lines {
            if line.class == Class::Code {
                left = left.saturating_sub(1);
                if !open && left == 0 {
                    line.class = Class::Text;
                } else {
                    open = !open;
                }
            } else if open {
                line.class = Class::Code;
            }
        }
    }

    /// Some programs mark quotes with the initials of the author: `AB> text`, on at least two lines.
    fn mark_initials(&mut self) {
        let mut last = None;
        for index in 0..self.lines.len() {
            if self.class(index) != Class::Text || !has_initials(self.body(index)) {
                continue;
            }
            if let Some(before) = last.replace(index)
                && before.saturating_add(1) == index
            {
                self.set(before, Class::Quote);
                self.set(index, Class::Quote);
            }
        }
    }
}

/// Without surrounding whitespace and invisible characters.
pub(super) fn trim(text: &str) -> &str {
    let is_trimmed = |octet: u8| octet.is_ascii_graphic();
    // Nearly all lines begin and end with plain characters.
    if text.bytes().next().is_some_and(is_trimmed) && text.bytes().next_back().is_some_and(is_trimmed) {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{34f}')
}

fn class_of(line: &str) -> Class {
    let body = trim(line);
    match body.bytes().next() {
        None => Class::Blank,
        // `>>> offer <<<` is decoration.
        Some(b'>') if !body.ends_with("<<") => Class::Quote,
        Some(b'`') if body.starts_with("```") => Class::Code,
        Some(b'-') if body == "--" => Class::Dashes,
        Some(octet) if octet.is_ascii_alphanumeric() => Class::Text,
        Some(_) if is_rule(body) => Class::Rule,
        Some(_) => Class::Text,
    }
}

/// Whether a line is drawn: two or more characters of the same kind, or one that nobody types on its own.
fn is_rule(body: &str) -> bool {
    let mut count = 0_usize;
    for c in body.chars() {
        match c {
            ' ' => (),
            // U+1427 is the mark of a Gmail add-on that tracks opens.
            '\u{1427}' | '—' | '─' | '━' => count = count.saturating_add(2),
            c if is_dash(c) => count = count.saturating_add(1),
            _ => return false,
        }
    }
    count >= 2
}

/// What lines are drawn with.
pub(super) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '=' | '*' | '~' | '#' | '+' | '\u{2010}'
            ..='\u{2015}' | '\u{2500}' | '\u{2501}' | '\u{2212}' | '\u{ff0d}' | '\u{1427}'
    )
}

fn has_initials(body: &str) -> bool {
    let Some((initials, _)) = body.split_once('>') else { return false };
    (1..=3).contains(&initials.len()) && initials.bytes().all(|octet| octet.is_ascii_alphabetic())
}
