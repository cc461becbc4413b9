//! The forwarded original: who wrote it, to whom, when and what, extracted from the text of the message that
//! forwards it.
//!
//! Forwarding programs agree only on the general shape: what the forwarder wrote, perhaps a separator line, a
//! header in the forwarder's language, the original. Their words are in tables (`quoting/words.rs`); the
//! shapes are recognised line by line, in one pass over the text. The outermost original counts. Described in
//! `docs/behaviour/forwarded-mail.md`.

mod body;
mod header;
mod intro;
mod label;
mod people;
mod when;

use crate::address::Mailbox;
use crate::attachment;
use crate::quoting::line::{Line, lines_from, next_written, trim};
use crate::quoting::mark::{self, Kind};
use crate::quoting::subject::{self, Manner};
use crate::quoting::words::Field;
use crate::reading::header::MAX_ADDRESSES;
use crate::reading::{self, Reading};
use header::Header;
use intro::Intro;

/// How many lines of one message are tried as a header printed on one line.
const INLINE_TRIES: usize = 16;

/// How far into a text the start of a forwarded message is looked for, in octets; the message itself may be
/// of any length.
pub const SEARCHED_OCTETS: usize = 262_144;

/// A message as shown by the one that forwards it. What is not shown is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarded {
    /// What the forwarder wrote above it, trimmed; may be empty.
    pub message: String,
    /// What follows below the original, if its end can be determined, trimmed; may be empty.
    pub below: String,
    /// The author of the original, or `None` if not shown; the address is empty if only a name is shown.
    pub from: Option<Mailbox>,
    /// The author as printed, on one line.
    pub from_line: String,
    /// At most [`MAX_ADDRESSES`]; people shown without an address have an empty one.
    pub to: Vec<Mailbox>,
    /// The recipients as printed, on one line.
    pub to_line: String,
    /// At most [`MAX_ADDRESSES`]; people shown without an address have an empty one.
    pub cc: Vec<Mailbox>,
    /// The copied recipients as printed, on one line.
    pub cc_line: String,
    /// The date as printed.
    pub date_line: String,
    /// Unix milliseconds, in UTC if no zone is printed; `None` if unreadable or ambiguous.
    pub date: Option<i64>,
    /// The subject as printed, including prefixes; if none is printed, that of the forwarding message,
    /// without prefixes.
    pub subject: String,
    /// The text of the original, LF line ends, quote marks and indentation removed, no blank lines around it.
    pub body: String,
    /// The octet offset in the text where the forwarded block begins, including its separator.
    pub at: usize,
}

/// The original that a message forwards: the one in its text, else the one attached to it.
///
/// The text takes precedence: it is what the forwarder had in front of them.
pub(crate) fn of(reading: &Reading<'_>) -> Option<Forwarded> {
    match original(&reading.body.text, &reading.header.subject) {
        Some(found) if found.from.is_some() => Some(found),
        nameless => attached(reading).or(nameless),
    }
}

/// Finds the outermost forwarded original in a text with LF line ends; `outer_subject` is the subject of the
/// message containing it.
///
/// Replies quote in the same shapes. Something that only looks forwarded (a header without a word for
/// "forwarded") counts unless the outer subject marks the message as a reply; a line such as `On …, Alice
/// wrote:` counts only if the subject says "forwarded". Linear in the length of the text; only the first
/// [`SEARCHED_OCTETS`] are searched.
#[must_use]
pub fn original(text: &str, outer_subject: &str) -> Option<Forwarded> {
    let mut scan = Scan {
        text,
        manner: subject::manner(outer_subject),
        outer: subject::bare(outer_subject),
        block: None,
        answered: None,
        no_header_before: 0,
        above: [None; 2],
        inline_tries: INLINE_TRIES,
    };
    for line in lines_from(text, 0).take_while(|line| line.at < SEARCHED_OCTETS) {
        if line.is_blank() {
            scan.above = [None; 2];
            continue;
        }
        match scan.look(&line) {
            Step::GoOn => scan.above = [Some(line), scan.above.first().copied().flatten()],
            Step::Stop => return None,
            Step::Found(found) => return Some(scan.named(found.forwarded(text))),
        }
    }
    None
}

/// The original of a message that carries it as its only attached message; `None` if there are several.
///
/// [`Forwarded::at`] is the length of the text. Messages attached to the original are not examined.
fn attached(outer: &Reading<'_>) -> Option<Forwarded> {
    let mut mails = outer
        .attachments
        .iter()
        .filter(|part| part.content_type == "message/rfc822" || part.name.ends_with(".eml"));
    let (mail, None) = (mails.next()?, mails.next()) else { return None };
    let raw = attachment::octets(outer.parts, mail.part)?;
    reading::read(&raw, |inner, _| of_attached(&outer.body.text, inner))
}

fn of_attached(message: &str, inner: Reading<'_>) -> Option<Forwarded> {
    let header = inner.header;
    if header.from.is_empty() && header.subject.is_empty() {
        return None;
    }
    Some(Forwarded {
        message: trim(message).to_owned(),
        below: String::new(),
        from_line: printed(header.from.get(..1).unwrap_or_default()),
        from: header.from.first().cloned(),
        to_line: printed(&header.to),
        to: header.to,
        cc_line: printed(&header.cc),
        cc: header.cc,
        date_line: header.date.map(crate::date::format).unwrap_or_default(),
        date: header.date,
        subject: header.subject,
        body: inner.body.text,
        at: message.len(),
    })
}

fn printed(people: &[Mailbox]) -> String {
    let one = |person: &Mailbox| match person.name.as_str() {
        "" => person.address.clone(),
        name if person.address.is_empty() => name.to_owned(),
        name => format!("{name} <{}>", person.address),
    };
    people.iter().map(one).collect::<Vec<_>>().join(", ")
}

struct Scan<'a> {
    text: &'a str,
    manner: Manner,
    /// The outer subject without prefixes.
    outer: &'a str,
    /// Where a rule or mark is, if only blank lines follow it, so that it belongs to a header below.
    block: Option<usize>,
    /// The quote depth of a line that introduces a quoted message, which is quoted more deeply.
    answered: Option<usize>,
    /// No header begins before this octet.
    no_header_before: usize,
    /// The lines above, with no blank line between, nearest first.
    above: [Option<Line<'a>>; 2],
    inline_tries: usize,
}

enum Step {
    GoOn,
    /// The rest is the history of a reply.
    Stop,
    Found(Found),
}

/// Where an original was found, and what introduces it.
struct Found {
    /// Where the block begins.
    at: usize,
    top: Top,
}

enum Top {
    Header(Header),
    Intro {
        intro: Intro,
        end: usize,
        depth: usize,
    },
    /// A mark alone.
    Bare {
        end: usize,
        depth: usize,
    },
}

impl<'a> Scan<'a> {
    /// An original without a subject gets that of the message that forwards it.
    fn named(&self, mut found: Forwarded) -> Forwarded {
        if found.subject.is_empty() && self.manner == Manner::Forward {
            self.outer.clone_into(&mut found.subject);
        }
        found
    }

    fn look(&mut self, line: &Line<'a>) -> Step {
        if self.answered.is_some_and(|depth| line.depth > depth) {
            return Step::GoOn;
        }
        let block = self.block.take();
        let first = line.content.as_bytes().first().copied().unwrap_or_default();
        let may_be_header = self.answered.is_none()
            && line.at >= self.no_header_before
            && label::read(line.content).is_some_and(|known| is_main(known.field));
        if may_be_header {
            return self.header_at(line, block.unwrap_or(line.at));
        }
        if let Some(said) =
            line.content.strip_suffix(">>>").filter(|_| line.depth == 3 && self.manner == Manner::Forward)
        {
            return self.between_arrows(line, said);
        }
        let has_colon = line.content.ends_with([':', '：']);
        // The Bat! writes no colon after its mark.
        if !has_colon && !line.content.starts_with(mark::is_dash) && !matches!(first, b'T' | b't') {
            return Step::GoOn;
        }
        match mark::read(line.content) {
            Some(mark) if mark.kind != Kind::Words || self.is_above_header(line) => {
                return self.mark_at(line, mark, block.unwrap_or(line.at));
            }
            _ => (),
        }
        if has_colon { self.intro_at(line) } else { Step::GoOn }
    }

    /// Whether a few words with a colon say that what follows is forwarded, and a header does follow.
    fn is_above_header(&self, line: &Line<'a>) -> bool {
        let next = next_written(self.text, line.next, 3).and_then(|next| label::read(next.content));
        next.is_some_and(|next| is_main(next.field)) && mark::says_forwarded(line.content)
    }

    /// A header without a mark, or below a rule or a line of unknown words.
    fn header_at(&mut self, line: &Line<'a>, at: usize) -> Step {
        let least = if self.manner == Manner::Forward || at < line.at { 2 } else { 3 };
        let Some(header) = self.header(line.at, false) else { return Step::GoOn };
        if header.from.as_deref().is_some_and(|from| !from.is_empty()) && header.fields() >= least {
            return self.unless_answer(self.dated_above(Found { at, top: Top::Header(header) }, line.depth));
        }
        // If the whole lacks a field, so do its parts: each line is read only once.
        self.no_header_before = header.end;
        Step::GoOn
    }

    /// `Message du 03/03/26 09:41`, which French providers print above the header in place of a date.
    fn dated_above(&self, mut found: Found, depth: usize) -> Found {
        let above = self.above.first().copied().flatten().filter(|above| above.depth == depth);
        if let (Some(above), Top::Header(header)) = (above, &mut found.top)
            && let Some((label, date)) = above.content.split_at_checked("Message du ".len())
            && label.eq_ignore_ascii_case("Message du ")
            && date.starts_with(|c: char| c.is_ascii_digit())
        {
            found.at = above.at;
            header.date.get_or_insert_with(|| trim(date).to_owned());
        }
        found
    }

    fn mark_at(&mut self, line: &Line<'a>, mark: mark::Mark<'a>, at: usize) -> Step {
        let says_forwarded = matches!(mark.kind, Kind::Opener | Kind::Forwarded | Kind::Words);
        if mark.kind == Kind::End {
            return Step::GoOn;
        }
        if mark.kind == Kind::Rule {
            self.block = Some(at);
            return Step::GoOn;
        }
        if says_forwarded && self.manner == Manner::Reply && line.depth > 0 {
            return Step::Stop;
        }
        let Some(top) = self.top_under(line, mark) else { return Step::GoOn };
        let found = Found { at, top };
        match (&found.top, says_forwarded) {
            (_, true) => Step::Found(found),
            (_, false) if self.answered.is_some() => Step::GoOn,
            // Without the word, a line such as "On …, Alice wrote:" belongs to a reply.
            (Top::Intro { .. }, false) if self.manner != Manner::Forward => Step::Stop,
            (_, false) => self.unless_answer(found),
        }
    }

    /// The header that begins at an octet, on one line or several.
    fn header(&mut self, at: usize, after_mark: bool) -> Option<Header> {
        let first = next_written(self.text, at, 3)?;
        self.header_on(&first).or_else(|| Header::read(self.text, at, after_mark, self.outer))
    }

    /// A header contained in a single line.
    fn header_on(&mut self, line: &Line<'_>) -> Option<Header> {
        if !header::may_be_one_line(line.content) {
            return None;
        }
        self.inline_tries = self.inline_tries.checked_sub(1)?;
        Header::of_one_line(line)
    }

    /// What follows a mark: a header on separate lines or on the same line, an introducing line, or the body.
    fn top_under(&mut self, line: &Line<'a>, mark: mark::Mark<'a>) -> Option<Top> {
        if !mark.rest.is_empty() {
            return self.header_on(&Line { content: mark.rest, ..*line }).map(Top::Header);
        }
        let header = self.header(line.next, true);
        let has_author = |header: &Header| header.from.as_deref().is_some_and(|from| !from.is_empty());
        if let Some(header) =
            header.filter(|header| has_author(header) || mark.kind == Kind::Opener && header.fields() >= 2)
        {
            return Some(Top::Header(header));
        }
        let next = next_written(self.text, line.next, 3)?;
        if let Some((intro, end)) = self.intro_from(&next) {
            return Some(Top::Intro { intro, end, depth: next.depth });
        }
        (mark.kind == Kind::Opener).then_some(Top::Bare { end: line.next, depth: line.depth })
    }

    /// Reads an introducing line that begins with this line and may continue on the next two.
    fn intro_from(&self, line: &Line<'a>) -> Option<(Intro, usize)> {
        let mut said = String::new();
        for line in lines_from(self.text, line.at)
            .take(3)
            .take_while(|next| !next.is_blank() && next.depth == line.depth)
        {
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(line.content);
            if let Some(intro) = intro::read(&said) {
                return Some((intro, line.next));
            }
        }
        None
    }

    /// A line ending in a colon may introduce a message, together with the lines above it that it was wrapped
    /// from.
    fn intro_at(&mut self, line: &Line<'a>) -> Step {
        let above = self.above.iter().map_while(|above| above.filter(|above| above.depth == line.depth));
        let mut lines = vec![*line];
        lines.extend(above);
        let has_digits = lines.iter().any(|line| line.content.bytes().any(|octet| octet.is_ascii_digit()));
        if !has_digits || !lines.iter().any(|line| intro::may_be(line.content)) {
            return Step::GoOn;
        }
        lines.reverse();
        // Longest first: the last piece alone may lack the date.
        let found = (0..lines.len()).find_map(|from| {
            let pieces = lines.get(from..)?;
            let said = pieces.iter().map(|line| line.content).collect::<Vec<_>>().join(" ");
            Some((pieces.first()?.at, intro::read(&said)?))
        });
        let Some((at, intro)) = found else { return Step::GoOn };
        let next = next_written(self.text, line.next, 3);
        let is_set_off = next.is_some_and(|next| next.depth > line.depth || next.raw.starts_with("    "));
        if intro.from.address.is_empty() && !is_set_off {
            return Step::GoOn;
        }
        match self.manner {
            Manner::Forward if self.answered.is_none() => {
                Step::Found(Found { at, top: Top::Intro { intro, end: line.next, depth: line.depth } })
            }
            Manner::Reply => Step::Stop,
            _ if next.is_some_and(|next| next.depth > line.depth) => {
                self.answered = Some(line.depth);
                Step::GoOn
            }
            _ => Step::Stop,
        }
    }

    /// `>>> Jane Roe <jane@example.org> 3/3/2026 9:41 AM >>>`, as GroupWise prints it above the original.
    fn between_arrows(&self, line: &Line<'a>, said: &str) -> Step {
        match intro::read(&format!("{}:", trim(said))) {
            Some(intro) => {
                Step::Found(Found { at: line.at, top: Top::Intro { intro, end: line.next, depth: 0 } })
            }
            None => Step::GoOn,
        }
    }

    /// Replies carry their history in the same shape.
    fn unless_answer(&self, found: Found) -> Step {
        if self.manner == Manner::Reply { Step::Stop } else { Step::Found(found) }
    }
}

impl Found {
    fn forwarded(self, text: &str) -> Forwarded {
        let (top, end, depth) = match self.top {
            Top::Header(header) => {
                let place = (header.end, header.depth);
                (of_header(&header), place.0, place.1)
            }
            Top::Intro { intro, end, depth } => (of_intro(intro), end, depth),
            Top::Bare { end, depth } => (Forwarded::default(), end, depth),
        };
        let body = body::read(text, end, depth);
        let below = trim(text.get(body.end..).unwrap_or_default()).to_owned();
        Forwarded { message: message_above(text, self.at), below, body: body.text, at: self.at, ..top }
    }
}

fn of_header(header: &Header) -> Forwarded {
    let line = |line: &Option<String>| line.clone().unwrap_or_default();
    let people = |line: &Option<String>| people::read(line.as_deref().unwrap_or_default(), MAX_ADDRESSES);
    Forwarded {
        from: header.from.as_deref().and_then(|from| people::read(from, 1).pop()),
        from_line: line(&header.from),
        to: people(&header.to),
        to_line: line(&header.to),
        cc: people(&header.cc),
        cc_line: line(&header.cc),
        date: header.date.as_deref().and_then(when::read),
        date_line: line(&header.date),
        subject: line(&header.subject),
        ..Forwarded::default()
    }
}

fn of_intro(intro: Intro) -> Forwarded {
    Forwarded {
        from_line: printed(std::slice::from_ref(&intro.from)),
        from: Some(intro.from),
        date: when::read(&intro.date),
        date_line: intro.date,
        ..Forwarded::default()
    }
}

fn is_main(field: Option<Field>) -> bool {
    field.is_some_and(|field| field != Field::Other)
}

/// What is above the block, without trailing blank lines and bare quote marks.
fn message_above(text: &str, at: usize) -> String {
    let mut message = text.get(..at).unwrap_or_default();
    while let Some((rest, line)) = message.trim_end_matches('\n').rsplit_once('\n')
        && trim(line.trim_start_matches(['>', ' '])).is_empty()
    {
        message = rest;
    }
    let message = trim(message);
    if message.trim_start_matches(['>', ' ']).is_empty() { String::new() } else { message.to_owned() }
}

#[cfg(test)]
mod tests;
