//! What follows a forwarded header: the text of the original.

use super::header::Header;
use crate::quoting::line::{Line, lines_from, next_written, unquoted};
use crate::quoting::mark::{self, Kind};
use crate::text::trim_blank_lines;

/// How many lines of a quoted paragraph may lack quote marks.
const LAZY_LINES: usize = 4;

/// The shortest rule that ends an original.
const RULE_OCTETS: usize = 20;

/// The text of an original, and where it ends.
pub(super) struct Body {
    /// With quote marks and indentation removed.
    pub(super) text: String,
    /// The octet offset of the first text that does not belong to the original; the end of the text if there
    /// is none.
    pub(super) end: usize,
}

/// The text of the original that begins at an octet, with `depth` quote marks removed; ends at its closing
/// mark or where its quote ends.
pub(super) fn read(text: &str, at: usize, depth: usize) -> Body {
    let start = after_closing_mark(text, at);
    let quote = inner_quote(text, start, depth);
    let depth = quote.unwrap_or(depth);
    let mut body = String::new();
    let mut indent = usize::MAX;
    let mut open = 1_usize;
    let mut above_is_written = false;
    let mut end = text.len();
    for line in lines_from(text, start) {
        let has_left = line.depth < depth
            && !line.is_blank()
            && !(above_is_written && quote_goes_on(text, &line, depth));
        if has_left {
            end = line.at;
            break;
        }
        if ends(&line, depth, &mut open) || is_last_rule(text, &line) {
            end = line.next;
            break;
        }
        above_is_written = !line.is_blank();
        let (_, content) = unquoted(line.raw, depth);
        if !line.is_blank() {
            indent = indent.min(content.len().saturating_sub(content.trim_start_matches(' ').len()));
        }
        body.push_str(content);
        body.push('\n');
    }
    let body = trim_blank_lines(&body);
    let text = if indent == 0 || body.is_empty() { body.to_owned() } else { without_indent(body, indent) };
    Body { text, end }
}

/// KMail draws a meaningless rule below the original; at most the forwarder's signature follows.
fn is_last_rule(text: &str, line: &Line<'_>) -> bool {
    let is_rule = line.content.len() >= RULE_OCTETS && line.content.bytes().all(|octet| octet == b'-');
    let rest = || text.get(line.next..).unwrap_or_default().trim_start();
    is_rule && (rest().is_empty() || rest().lines().next().is_some_and(|next| next.trim_end() == "--"))
}

/// Some programs repeat the mark below the header, or draw a rule there.
fn after_closing_mark(text: &str, at: usize) -> usize {
    let Some(line) = next_written(text, at, 5) else { return at };
    match mark::read(line.content) {
        Some(mark) if mark.kind != Kind::End && mark.rest.is_empty() && !has_header(text, line.next) => {
            line.next
        }
        _ => at,
    }
}

fn has_header(text: &str, at: usize) -> bool {
    let one_line = next_written(text, at, 3).and_then(|first| Header::of_one_line(&first));
    one_line.or_else(|| Header::read(text, at, true, "")).is_some()
}

/// The quote depth of the body if all of it is quoted and the header is not.
fn inner_quote(text: &str, at: usize, depth: usize) -> Option<usize> {
    let first = next_written(text, at, 5).filter(|first| first.depth > depth)?;
    let inner = depth.saturating_add(1);
    let is_whole =
        lines_from(text, first.at).all(|line| line.is_blank() || line.depth >= inner || line.depth < depth);
    is_whole.then_some(inner)
}

/// Whether a line without quote marks still belongs to the quote: some programs mark only the first line of a
/// paragraph.
fn quote_goes_on(text: &str, line: &Line<'_>, depth: usize) -> bool {
    let after = lines_from(text, line.next)
        .take(LAZY_LINES)
        .take_while(|line| line.depth >= depth || !line.raw.trim().is_empty());
    after.map(|line| line.depth).any(|found| found >= depth)
}

/// Whether a line closes the original; forwarded messages within it have closing lines of their own.
fn ends(line: &Line<'_>, depth: usize, open: &mut usize) -> bool {
    if line.depth != depth || !line.content.starts_with(mark::is_dash) {
        return false;
    }
    match mark::read(line.content).map(|mark| mark.kind) {
        Some(Kind::End) => *open = open.saturating_sub(1),
        Some(Kind::Opener | Kind::Forwarded) => *open = open.saturating_add(1),
        _ => (),
    }
    *open == 0
}

fn without_indent(body: &str, indent: usize) -> String {
    let mut lines = String::with_capacity(body.len());
    for line in body.split('\n') {
        let blanks = line.len().saturating_sub(line.trim_start_matches(' ').len());
        lines.push_str(line.get(blanks.min(indent)..).unwrap_or_default());
        lines.push('\n');
    }
    trim_blank_lines(&lines).to_owned()
}
