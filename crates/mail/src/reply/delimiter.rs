//! Our own line above which people are asked to reply, recognised in replies however mail clients changed it.

use super::page::{Class, Page, is_dash};
use super::{attribution, header_block, phrase};

/// Where the quoted message containing the delimiter begins: the line of the delimiter, or of what introduces
/// the quote.
///
/// Returns an octet offset, the start of a line; `None` if there is no delimiter. Only letters and digits are
/// compared, ignoring case, so quote marks, line breaks inside it and lost or changed dashes do not matter. A
/// delimiter without letters and digits is compared as a line. Only a delimiter that begins and ends a line
/// counts.
#[must_use]
pub fn at_delimiter(text: &str, delimiter: &str) -> Option<usize> {
    let mut page = Page::of(text);
    let index = line_of(&page, delimiter)?;
    header_block::mark(&mut page);
    attribution::mark(&mut page);
    let mut first = index;
    for above in (0..index).rev() {
        let body = page.body(above);
        match page.class(above) {
            Class::Blank => (),
            Class::Rule | Class::Dashes | Class::Attribution | Class::Header => first = above,
            Class::Quote if body.trim_matches(['>', ' ', '|']).is_empty() => first = above,
            Class::Text if phrase::of(body) == Some(Class::Original) => first = above,
            _ => break,
        }
    }
    page.lines.get(first).map(|line| line.start)
}

/// The line that a delimiter begins on.
fn line_of(page: &Page<'_>, delimiter: &str) -> Option<usize> {
    let sought: String = letters(delimiter).collect();
    if sought.is_empty() {
        let sought = delimiter.trim();
        let is_it = |index: &usize| page.body(*index).trim_start_matches(['>', '|', ' ']) == sought;
        return (0..page.lines.len()).find(is_it).filter(|_| !sought.is_empty());
    }
    // The letters of all lines, and where those of each line begin.
    let mut said = String::new();
    let mut starts = Vec::with_capacity(page.lines.len());
    for index in 0..page.lines.len() {
        starts.push(said.len());
        let body = page.body(index);
        // Initials before a quote mark are not words of the line.
        let body = if page.class(index) == Class::Quote {
            body.split_once('>').map_or(body, |(_, rest)| rest)
        } else {
            body
        };
        said.extend(letters(body));
    }
    let finder = memchr::memmem::find_iter(said.as_bytes(), sought.as_bytes());
    finder.into_iter().find_map(|at| {
        let first = starts.partition_point(|start| *start <= at).checked_sub(1)?;
        let end = at.saturating_add(sought.len());
        let begins = starts.get(first) == Some(&at);
        let ends = end == said.len() || starts.binary_search(&end).is_ok();
        // If some lines have no letters, the last one begins there too.
        (begins && ends).then_some(first)
    })
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric() && !is_dash(*c)).flat_map(char::to_lowercase)
}
