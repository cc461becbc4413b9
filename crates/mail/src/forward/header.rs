//! The header of a forwarded message as printed in the text.

use super::label::{self, Labelled};
use crate::defect::Defects;
use crate::encoded_word;
use crate::quoting::line::{Line, next_written};
use crate::quoting::subject;
use crate::quoting::words::Field;

/// How many lines of a header are read; continued address lists do not count.
const MAX_LINES: usize = 40;

/// How many lines below a label may be for a line to still belong to the value above it.
const WRAPPED_LINES: usize = 5;

/// The width at which mail programs wrap lines, in characters.
const WRAP_WIDTH: usize = 70;

/// How much of that width a label with its colon takes.
const LABEL_WIDTH: usize = 9;

/// A printed header; a field that is missing is `None`.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) cc: Option<String>,
    pub(super) date: Option<String>,
    pub(super) subject: Option<String>,
    /// The octet offset after its last line.
    pub(super) end: usize,
    /// How many quote marks precede it.
    pub(super) depth: usize,
}

impl Header {
    /// Reads the header that begins at an octet, after at most three blank lines; for one on a single line
    /// see [`Self::of_one_line`].
    ///
    /// After a mark the author's label may be an unknown one. `outer` is the subject of the forwarding
    /// message without prefixes: it distinguishes a wrapped subject from the first line of the body.
    pub(super) fn read(text: &str, at: usize, after_mark: bool, outer: &str) -> Option<Self> {
        let first = next_written(text, at, 3)?;
        let mut reader = Reader {
            text,
            outer,
            after_mark,
            header: Self { depth: first.depth, end: first.at, ..Self::default() },
            last: None,
            tail: "",
        };
        let mut line = Some(first);
        let mut budget = MAX_LINES;
        while let Some(current) = line
            && budget > 0
        {
            let Some(taken) = reader.take(&current) else { break };
            if !taken.is_list {
                budget = budget.saturating_sub(1);
            }
            line = Line::at(text, taken.next);
        }
        reader.last.map(|_| reader.header.decoded())
    }

    /// Reads a header printed on a single line, up to the subject. Expensive: call it only if
    /// [`may_be_one_line`] allows it.
    pub(super) fn of_one_line(line: &Line<'_>) -> Option<Self> {
        let mut header = Self { end: line.next, depth: line.depth, ..Self::default() };
        for (field, value) in label::read_inline(line.content) {
            if let Some(slot) = header.slot(field) {
                *slot = Some(value.to_owned());
            }
        }
        (header.from.is_some() && header.fields() >= 3).then_some(header)
    }

    /// A returned or pasted header may contain encoded words (RFC 2047).
    fn decoded(mut self) -> Self {
        for value in [&mut self.from, &mut self.to, &mut self.cc, &mut self.subject].into_iter().flatten() {
            if value.contains("=?") {
                *value = encoded_word::decode(value, &mut Defects::default()).into_owned();
            }
        }
        self
    }

    /// How many of author, date, recipients and subject it has.
    pub(super) fn fields(&self) -> usize {
        let has = [
            self.from.is_some(),
            self.date.is_some(),
            self.to.is_some() || self.cc.is_some(),
            self.subject.is_some(),
        ];
        has.into_iter().filter(|has| *has).count()
    }

    fn slot(&mut self, field: Field) -> Option<&mut Option<String>> {
        match field {
            Field::From => Some(&mut self.from),
            Field::To => Some(&mut self.to),
            Field::Cc => Some(&mut self.cc),
            Field::Date => Some(&mut self.date),
            Field::Subject => Some(&mut self.subject),
            Field::Other => None,
        }
    }

    fn has(&mut self, field: Field) -> bool {
        self.slot(field).is_some_and(|slot| slot.is_some())
    }
}

/// Whether a line has as many colons as a single-line header.
pub(super) fn may_be_one_line(content: &str) -> bool {
    memchr::memchr_iter(b':', content.as_bytes()).take(3).count() == 3
}

struct Reader<'a> {
    text: &'a str,
    outer: &'a str,
    after_mark: bool,
    header: Header,
    /// The field of the line above.
    last: Option<Field>,
    /// The value on the line above.
    tail: &'a str,
}

/// A line that belongs to the header.
struct Taken {
    /// Where to continue.
    next: usize,
    /// It continues an address list.
    is_list: bool,
}

impl<'a> Reader<'a> {
    /// Adds a line to the header; `None` if the header ends before it.
    fn take(&mut self, line: &Line<'a>) -> Option<Taken> {
        if line.is_blank() {
            return self.skip_blanks(line);
        }
        if line.depth != self.header.depth {
            return None;
        }
        let labelled = label::read(line.content);
        let field = labelled.and_then(|labelled| self.field(&labelled, line));
        let is_list = match (field, labelled) {
            (Some(field), Some(labelled)) => {
                self.begin(field, labelled.value)?;
                false
            }
            _ => self.go_on(line)?,
        };
        self.header.end = line.next;
        Some(Taken { next: line.next, is_list })
    }

    /// Some programs put blank lines between the fields.
    fn skip_blanks(&mut self, line: &Line<'a>) -> Option<Taken> {
        let next = next_written(self.text, line.next, 1).filter(|next| next.depth == self.header.depth)?;
        let field = label::read(next.content)?.field?;
        let is_complete = self.header.fields() == 4;
        (!is_complete && field != Field::Other && !self.header.has(field))
            .then_some(Taken { next: next.at, is_list: false })
    }

    /// The field that a line begins.
    fn field(&mut self, labelled: &Labelled<'_>, line: &Line<'a>) -> Option<Field> {
        if labelled.field.is_some() {
            return labelled.field;
        }
        if self.after_mark && self.header.from.is_none() && labelled.value.contains('@') {
            return Some(Field::From);
        }
        // An unknown field among known ones.
        let next = Line::at(self.text, line.next).filter(|next| next.depth == line.depth)?;
        let is_between = (self.last.is_some() || self.after_mark)
            && label::read(next.content).is_some_and(|next| next.field.is_some());
        is_between.then_some(Field::Other)
    }

    fn begin(&mut self, field: Field, value: &'a str) -> Option<()> {
        if self.header.has(field) {
            let is_complete = self.header.fields() == 4;
            if is_complete || matches!(field, Field::From | Field::Subject) {
                return None;
            }
            self.last = Some(Field::Other);
            return Some(());
        }
        if let Some(slot) = self.header.slot(field) {
            *slot = Some(value.to_owned());
        }
        self.last = Some(field);
        self.tail = value;
        Some(())
    }

    /// Adds a line without a label to the value above it; returns whether that is an address list.
    fn go_on(&mut self, line: &Line<'a>) -> Option<bool> {
        let field = self.last?;
        let is_open = has_open_bracket(self.tail);
        let is_list = matches!(field, Field::To | Field::Cc) && (self.tail.ends_with([',', ';']) || is_open);
        let goes_on = is_list
            || field == Field::From && (is_open || line.content.starts_with(['<', '[', '(']))
            || self.tail.is_empty() && !matches!(field, Field::Subject | Field::Other)
            || self.label_follows(line)
            || field == Field::Subject && self.is_wrapped_subject(line);
        if !goes_on {
            return None;
        }
        if let Some(value) = self.header.slot(field).and_then(Option::as_mut) {
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(line.content);
        }
        self.tail = line.content;
        Some(is_list)
    }

    /// Whether one of the next lines begins a field that is still missing.
    fn label_follows(&mut self, line: &Line<'a>) -> bool {
        let mut next = line.next;
        for _ in 0..WRAPPED_LINES {
            let Some(line) =
                Line::at(self.text, next).filter(|next| next.depth == line.depth && !next.is_blank())
            else {
                break;
            };
            if let Some(field) = label::read(line.content).and_then(|labelled| labelled.field) {
                return field != Field::Other && !self.header.has(field);
            }
            next = line.next;
        }
        false
    }

    fn is_wrapped_subject(&self, line: &Line<'a>) -> bool {
        let subject = squashed(subject::bare(self.header.subject.as_deref().unwrap_or_default()));
        let outer = squashed(self.outer);
        if !outer.is_empty() && outer.starts_with(&subject) {
            return outer.starts_with(&format!("{subject} {}", squashed(line.content)));
        }
        let word = line.content.split_whitespace().next().map_or(0, |word| word.chars().count());
        let width = self.tail.chars().count().saturating_add(LABEL_WIDTH).saturating_add(word);
        width > WRAP_WIDTH && Line::at(self.text, line.next).is_none_or(|next| next.is_blank())
    }
}

fn squashed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn has_open_bracket(value: &str) -> bool {
    value.rfind('<') > value.rfind('>')
}
