//! From the classes of the lines to what is hidden: the order of own text and quotes decides.

use super::model::{Hidden, HiddenKind, Hints, MAX_LINES, Reply};
use super::page::{Class, Line, Page, trim};
use super::{attribution, header_block, phrase, signature};
use signature::Sign;
use std::ops::Range;

/// What a run of lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Own text.
    Text,
    /// A quote introduced by a mail program.
    Introduced,
    /// A quote recognised only by its marks.
    Quote,
    /// A quote according to the structure; never part of a reply.
    Old,
    /// A closing phrase below a quote.
    SignOff,
    /// What programs append below a quote.
    Footer,
}

impl Kind {
    fn is_quote(self) -> bool {
        matches!(self, Self::Introduced | Self::Quote | Self::Old)
    }
}

/// Consecutive lines of one kind, without trailing blank lines.
#[derive(Debug, Clone)]
struct Run {
    kind: Kind,
    lines: Range<usize>,
}

/// Marks what introduces quotes, then determines what is hidden.
pub(super) fn decide(mut page: Page<'_>, hints: &Hints<'_>) -> Reply {
    mark_phrases(&mut page);
    header_block::mark(&mut page);
    attribution::mark(&mut page);
    let (mut runs, mut cut) = runs(&page, hints);
    name_what_follows_quotes(&mut runs, &page, hints);
    if cut.is_none()
        && let [Run { kind: Kind::Text, lines }] = runs.as_slice()
        && let Some(device) = signature::lone_device_line(&page, lines.clone())
    {
        // Some phones put no mark between their line and the original message.
        let after = device.saturating_add(1);
        runs = vec![Run { kind: Kind::Text, lines: lines.start..after }];
        cut = Some(page.next_written(after));
    }
    let mut hider = Hider { page: &page, hints, fates: vec![None; page.lines.len()] };
    let is_interleaved = hider.hide_quotes(&runs, cut);
    hider.hide_signatures(&runs, cut);
    Reply { hidden: hider.hidden(), is_interleaved }
}

fn mark_phrases(page: &mut Page<'_>) {
    for index in 0..page.lines.len() {
        if page.class(index) == Class::Text
            && let Some(class) = phrase::of(page.body(index))
        {
            page.set(index, class);
        }
    }
}

/// Divides the lines into runs, up to the line from which everything is old.
fn runs(page: &Page<'_>, hints: &Hints<'_>) -> (Vec<Run>, Option<usize>) {
    let mut runs: Vec<Run> = Vec::new();
    let mut index = 0;
    while index < page.lines.len() {
        let (kind, end) = match page.class(index) {
            Class::Blank => {
                index = index.saturating_add(1);
                continue;
            }
            Class::Cut | Class::ReplyAbove => return with_cut(runs, index, page),
            Class::Forward if hints.new_text_only => return with_cut(runs, index, page),
            // A forwarded message is shown, whatever it contains.
            Class::Forward => (Kind::Text, page.lines.len()),
            Class::Header | Class::Original | Class::Attribution
                if hints.is_forward && !hints.new_text_only =>
            {
                (Kind::Text, page.lines.len())
            }
            Class::Quote if !hints.new_text_only && is_quoted_forward(index, page, hints) => {
                (Kind::Text, page.lines.len())
            }
            Class::Attribution | Class::Header | Class::Original => {
                let quote = after_introduction(index, page);
                match page.class(quote) {
                    Class::Quote => (Kind::Introduced, quote_end(quote, page)),
                    Class::Text
                        if page.body(quote).starts_with('|') && page.class(index) == Class::Attribution =>
                    {
                        (Kind::Introduced, barred_end(quote, page))
                    }
                    Class::Old => (Kind::Old, same_end(quote, page, Class::Old)),
                    _ => return with_cut(runs, index, page),
                }
            }
            Class::Old => (Kind::Old, same_end(index, page, Class::Old)),
            Class::Quote => (Kind::Quote, quote_end(index, page)),
            Class::Text | Class::Code | Class::Rule | Class::Dashes | Class::Signature => {
                (Kind::Text, text_end(index, page))
            }
        };
        let start = if kind.is_quote() { with_rules_above(&mut runs, index, page) } else { index };
        runs.push(Run { kind, lines: start..end });
        index = end;
    }
    (runs, None)
}

/// Apple's programs quote what they forward.
fn is_quoted_forward(first: usize, page: &Page<'_>, hints: &Hints<'_>) -> bool {
    let unquoted = |index: usize| trim(page.body(index).trim_start_matches(['>', ' ']));
    let first_written = (first..first.saturating_add(3))
        .filter(|index| page.class(*index) == Class::Quote)
        .map(unquoted)
        .find(|body| !body.is_empty());
    first_written.is_some_and(|body| match phrase::of(body) {
        Some(class) => class == Class::Forward || hints.is_forward && class == Class::Original,
        None => hints.is_forward && header_block::is_field(body),
    })
}

fn with_cut(mut runs: Vec<Run>, index: usize, page: &Page<'_>) -> (Vec<Run>, Option<usize>) {
    let cut = with_rules_above(&mut runs, index, page);
    (runs, Some(cut))
}

/// The rule above a quote belongs to it; it is taken from the text before.
fn with_rules_above(runs: &mut Vec<Run>, index: usize, page: &Page<'_>) -> usize {
    let Some(last) = runs.last_mut().filter(|run| run.kind == Kind::Text) else { return index };
    let mut start = index;
    for above in last.lines.clone().rev() {
        match page.class(above) {
            Class::Blank => (),
            Class::Rule | Class::Dashes => start = above,
            _ => break,
        }
    }
    last.lines.end = last.lines.end.min(start);
    if last.lines.is_empty() {
        runs.pop();
    }
    start
}

/// The line after everything that introduces a quote.
fn after_introduction(first: usize, page: &Page<'_>) -> usize {
    let introduces = |line: &Line| {
        matches!(
            line.class,
            Class::Attribution | Class::Header | Class::Original | Class::Rule | Class::Blank
        )
    };
    let rest = page.lines.get(first..).unwrap_or_default();
    first.saturating_add(rest.iter().take_while(|line| introduces(line)).count())
}

fn same_end(first: usize, page: &Page<'_>, class: Class) -> usize {
    let rest = page.lines.get(first..).unwrap_or_default();
    let count = rest.iter().take_while(|line| line.class == class || line.class == Class::Blank).count();
    without_blanks(first..first.saturating_add(count), page)
}

fn text_end(first: usize, page: &Page<'_>) -> usize {
    let is_text = |line: &Line| {
        matches!(
            line.class,
            Class::Text | Class::Code | Class::Rule | Class::Dashes | Class::Signature | Class::Blank
        )
    };
    let rest = page.lines.get(first..).unwrap_or_default();
    without_blanks(first..first.saturating_add(rest.iter().take_while(|line| is_text(line)).count()), page)
}

/// Quoted lines, blank lines between them, and pieces that a program broke off the end of a quoted line.
fn quote_end(first: usize, page: &Page<'_>) -> usize {
    let mut index = first;
    loop {
        match page.class(index) {
            Class::Quote => (),
            Class::Blank if index < page.lines.len() => (),
            Class::Text if is_broken_off(index, page) => (),
            _ => break,
        }
        index = index.saturating_add(1);
    }
    without_blanks(first..index, page)
}

fn barred_end(first: usize, page: &Page<'_>) -> usize {
    let count = (first..page.lines.len())
        .take_while(|index| page.body(*index).starts_with('|') || page.class(*index) == Class::Blank)
        .count();
    without_blanks(first..first.saturating_add(count), page)
}

/// A single line between two quoted ones that continues where a long line stopped, or is nothing but a link.
fn is_broken_off(index: usize, page: &Page<'_>) -> bool {
    let next = index.saturating_add(1);
    if page.class(next) != Class::Quote {
        return false;
    }
    let body = page.body(index);
    let link = body.trim_start_matches(['(', '<']).trim_end_matches(['>', ' ', ')']);
    let is_link = link.starts_with("http") && !link.contains(' ');
    let before = index
        .checked_sub(1)
        .filter(|before| page.class(*before) == Class::Quote)
        .map(|before| page.body(before));
    let goes_on = before.is_some_and(|before| {
        before.len() >= 60 && body.starts_with(char::is_lowercase)
            || (before.contains("://") || before.contains("www.")) && !body.contains(' ')
    });
    is_link || goes_on
}

fn without_blanks(range: Range<usize>, page: &Page<'_>) -> usize {
    let lines = page.lines.get(range.clone()).unwrap_or_default();
    let blanks = lines.iter().rev().take_while(|line| line.class == Class::Blank).count();
    range.end.saturating_sub(blanks)
}

/// Identifies the texts below a quote that are not replies.
fn name_what_follows_quotes(runs: &mut [Run], page: &Page<'_>, hints: &Hints<'_>) {
    let mut has_quote = false;
    for run in runs {
        has_quote |= run.kind.is_quote();
        if !has_quote || run.kind != Kind::Text {
            continue;
        }
        let marked = signature::find(page, run.lines.clone(), hints).filter(|(at, _)| *at <= run.lines.start);
        run.kind = match marked {
            Some((_, Sign::Marked)) => Kind::Footer,
            Some((_, Sign::SignOff)) => Kind::SignOff,
            None if signature::is_sign_off(page, run.lines.clone()) => Kind::SignOff,
            None if signature::is_disclaimer(page, run.lines.clone()) => Kind::Footer,
            None => Kind::Text,
        };
    }
}

/// Determines line by line what is hidden.
struct Hider<'a> {
    page: &'a Page<'a>,
    hints: &'a Hints<'a>,
    fates: Vec<Option<HiddenKind>>,
}

impl Hider<'_> {
    /// Hides what nobody replied to; returns whether somebody replied between quoted lines.
    fn hide_quotes(&mut self, runs: &[Run], cut: Option<usize>) -> bool {
        if let Some(cut) = cut {
            self.hide(cut..self.page.lines.len(), HiddenKind::Quote);
        }
        let last_text = runs.iter().rposition(|run| run.kind == Kind::Text);
        let has_intro = runs.iter().any(|run| run.kind != Kind::Quote && run.kind.is_quote());
        // If a message consists only of quoted lines, they are what the sender wanted to show.
        if last_text.is_none() && !has_intro && cut.is_none() && runs.iter().any(|run| run.kind.is_quote()) {
            return false;
        }
        let (answered, trailing) =
            runs.split_at_checked(last_text.map_or(0, |last| last.saturating_add(1))).unwrap_or((runs, &[]));
        for run in trailing {
            match run.kind {
                Kind::SignOff | Kind::Text => (),
                _ => self.hide(run.lines.clone(), HiddenKind::Quote),
            }
        }
        let quotes: Vec<&Run> = answered.iter().filter(|run| run.kind.is_quote()).collect();
        for run in quotes.iter().filter(|run| run.kind == Kind::Old) {
            self.hide(run.lines.clone(), HiddenKind::Quote);
        }
        let is_answered_below = trailing.iter().all(|run| !run.kind.is_quote())
            && answered.first().is_some_and(|run| run.kind == Kind::Introduced);
        if let [quote] = quotes.as_slice()
            && is_answered_below
        {
            self.hide(quote.lines.clone(), HiddenKind::Quote);
            return false;
        }
        quotes.iter().any(|run| run.kind != Kind::Old)
    }

    /// Hides the signature below the last text, and below the quotes.
    fn hide_signatures(&mut self, runs: &[Run], cut: Option<usize>) {
        let last_text = runs.iter().rposition(|run| run.kind == Kind::Text);
        let texts = runs
            .iter()
            .enumerate()
            .filter(|(index, run)| Some(*index) == last_text || run.kind == Kind::SignOff);
        for (_, run) in texts {
            if self.is_forwarded(run, cut) {
                continue;
            }
            if let Some((at, _)) = signature::find(self.page, run.lines.clone(), self.hints) {
                self.hide(at..run.lines.end, HiddenKind::Signature);
            }
        }
        for index in 0..self.page.lines.len() {
            if self.page.class(index) == Class::Signature {
                self.hide(index..index.saturating_add(1), HiddenKind::Signature);
            }
        }
    }

    /// The signature of a forwarded message is part of it.
    fn is_forwarded(&self, run: &Run, cut: Option<usize>) -> bool {
        let lines = self.page.lines.get(run.lines.clone()).unwrap_or_default();
        cut.is_none()
            && lines.iter().any(|line| {
                matches!(
                    line.class,
                    Class::Forward | Class::Header | Class::Original | Class::Attribution | Class::Quote
                )
            })
    }

    /// What is hidden already stays as it is.
    fn hide(&mut self, lines: Range<usize>, kind: HiddenKind) {
        for fate in self.fates.get_mut(lines).unwrap_or_default() {
            *fate = fate.or(Some(kind));
        }
    }

    /// The hidden ranges; none if nothing would be left to show.
    fn hidden(mut self) -> Vec<Hidden> {
        if !self.hints.new_text_only {
            if !self.shows_something() {
                self.fates
                    .iter_mut()
                    .filter(|fate| **fate == Some(HiddenKind::Signature))
                    .for_each(|fate| *fate = None);
            }
            if !self.shows_something() {
                return Vec::new();
            }
        }
        let mut hidden: Vec<Hidden> = Vec::new();
        let mut blanks_from = None;
        let ends = self.page.lines.iter().skip(1).map(|line| line.start).chain([self.page.text.len()]);
        for ((line, fate), end) in self.page.lines.iter().zip(&self.fates).zip(ends) {
            if line.class == Class::Blank && fate.is_none() {
                blanks_from = blanks_from.or(Some(line.start));
                continue;
            }
            let blanks = blanks_from.take();
            let Some(kind) = *fate else { continue };
            match hidden
                .last_mut()
                .filter(|last| last.kind == kind && last.range.end == blanks.unwrap_or(line.start))
            {
                Some(last) => last.range.end = end,
                None => hidden.push(Hidden { range: line.start..end, kind }),
            }
        }
        self.extend_over_the_rest(&mut hidden);
        hidden
    }

    /// Lines beyond the limit share the fate of the last one that was examined.
    fn extend_over_the_rest(&self, hidden: &mut [Hidden]) {
        let seen =
            self.page.lines.last().map_or(0, |line| line.end.saturating_add(1)).min(self.page.text.len());
        let Some(last) = hidden.last_mut().filter(|_| self.page.lines.len() >= MAX_LINES) else { return };
        if last.range.end >= seen {
            last.range.end = self.page.text.len();
        }
    }

    fn shows_something(&self) -> bool {
        let mut lines = self.page.lines.iter().zip(&self.fates);
        lines.any(|(line, fate)| fate.is_none() && line.class != Class::Blank)
    }
}
