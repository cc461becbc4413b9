//! What the structure of an HTML message says about the lines it was rendered to.

use super::page::{Class, Page};
use super::{header_block, phrase};
use crate::html_structure::Structure;
use crate::html_to_text::Mark;

/// Marks the lines; the words of marked lines no longer count.
pub(super) fn apply(marks: &[Mark], page: &mut Page<'_>) {
    let mut index = 0;
    let mut open: Option<(Structure, usize)> = None;
    for mark in marks {
        let rest = page.lines.get(index..).unwrap_or_default();
        index = index.saturating_add(rest.iter().take_while(|line| line.start < mark.at).count());
        let begun = open.take();
        if let Some((structure, first)) = begun {
            if !mark.is_end && matches!(mark.structure, Structure::Cut | Structure::HeaderRule) {
                open = begun;
            } else {
                close(structure, first, index, page);
            }
        }
        match mark.structure {
            _ if mark.is_end => (),
            Structure::Cut => page.set(page.next_written(index), Class::Cut),
            Structure::HeaderRule => header_rule(index, page),
            structure => open = Some((structure, index)),
        }
    }
    if let Some((structure, first)) = open {
        let end = page.lines.len();
        close(structure, first, end, page);
    }
}

fn close(structure: Structure, first: usize, end: usize, page: &mut Page<'_>) {
    match structure {
        Structure::Citing => citing(first, end, page),
        Structure::Old => fill(first, end, Class::Old, page),
        Structure::Attribution => fill(first, end, Class::Attribution, page),
        Structure::Signature => fill(first, end, Class::Signature, page),
        Structure::Forward => forward(first, page),
        Structure::Cut | Structure::HeaderRule => (),
    }
}

/// Up to its first blockquote it introduces a quote; without a blockquote all of it is old.
fn citing(first: usize, end: usize, page: &mut Page<'_>) {
    let written = page.next_written(first);
    if phrase::of(page.body(written)) == Some(Class::Forward) {
        return forward(written, page);
    }
    let quote = (first..end).find(|index| page.class(*index) == Class::Quote);
    match quote {
        Some(quote) if quote > written => fill(first, quote, Class::Attribution, page),
        // Nothing says who wrote it.
        Some(quote) => {
            let quoted = (quote..end).take_while(|index| page.class(*index) == Class::Quote).count();
            fill(quote, quote.saturating_add(quoted), Class::Old, page);
        }
        None => fill(first, end, Class::Old, page),
    }
}

fn forward(first: usize, page: &mut Page<'_>) {
    page.set(page.next_written(first), Class::Forward);
}

/// The line that programs draw above a header block, whatever language its labels are in.
fn header_rule(index: usize, page: &mut Page<'_>) {
    let first = page.next_written(index);
    if page.class(first) != Class::Text {
        return;
    }
    let labels =
        (first..first.saturating_add(4)).filter(|index| header_block::has_label(page.body(*index))).count();
    if labels >= 3 && header_block::has_label(page.body(first)) {
        page.set(first, Class::Cut);
    }
}

/// Blank lines stay blank, and a cut stays a cut.
fn fill(first: usize, end: usize, class: Class, page: &mut Page<'_>) {
    for line in page.lines.get_mut(first..end).unwrap_or_default() {
        if !matches!(line.class, Class::Blank | Class::Cut) {
            line.class = class;
        }
    }
}
