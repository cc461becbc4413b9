//! Finds where a text shows a forwarded message: line by line, from the top.

use super::SEARCHED_OCTETS;
use super::header::{self, Header};
use super::intro::{self, Intro};
use super::label;
use crate::quoting::line::{Line, lines_from, next_written, trim};
use crate::quoting::mark::{self, Kind};
use crate::quoting::subject::{self, Manner};
use crate::quoting::words::Field;

/// How many lines of one message are tried as a header printed on one line.
pub(super) const INLINE_TRIES: usize = 16;

/// Where an original was found, and what introduces it.
pub(super) struct Found {
    /// Where the block begins.
    pub(super) at: usize,
    pub(super) top: Top,
}

/// What introduces an original.
pub(super) enum Top {
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

/// Finds the outermost original in a text; the outer subject tells forwards from replies.
pub(super) fn find(text: &str, outer_subject: &str) -> Option<Found> {
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
            Step::Found(found) => return Some(found),
        }
    }
    None
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

impl<'a> Scan<'a> {
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

fn is_main(field: Option<Field>) -> bool {
    field.is_some_and(|field| field != Field::Other)
}
