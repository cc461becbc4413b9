//! The lines of a text, with their quote marks.

use memchr::memchr;

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// The octet offset where it begins.
    pub(crate) at: usize,
    /// The octet offset where the next line begins.
    pub(crate) next: usize,
    /// How many `>` precede it.
    pub(crate) depth: usize,
    /// What follows the quote marks, without surrounding whitespace and invisible characters.
    pub(crate) content: &'a str,
    /// The line as is, without its line end.
    pub(crate) raw: &'a str,
}

impl<'a> Line<'a> {
    /// The line that begins at an octet; `None` after the last one.
    pub(crate) fn at(text: &'a str, at: usize) -> Option<Self> {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest.as_bytes());
        let raw = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let next = at.saturating_add(raw.len()).saturating_add(usize::from(end.is_some()));
        let (depth, content) = unquoted(raw, usize::MAX);
        Some(Self { at, next, depth, content: trim(content), raw })
    }

    /// Whether nothing is visible on it, apart from quote marks.
    pub(crate) fn is_blank(&self) -> bool {
        self.content.is_empty()
    }
}

/// The lines from an octet on.
pub(crate) fn lines_from(text: &str, at: usize) -> impl Iterator<Item = Line<'_>> {
    std::iter::successors(Line::at(text, at), move |line| Line::at(text, line.next))
}

/// The first non-blank line from an octet on, skipping at most `blanks` blank ones.
pub(crate) fn next_written(text: &str, at: usize, blanks: usize) -> Option<Line<'_>> {
    lines_from(text, at).take(blanks.saturating_add(1)).find(|line| !line.is_blank())
}

/// Removes at most `depth` quote marks from a line, each with the space after it; returns how many there
/// were.
pub(crate) fn unquoted(raw: &str, depth: usize) -> (usize, &str) {
    let mut found = 0;
    let mut rest = raw;
    while found < depth {
        let Some(inner) = rest.trim_start_matches([' ', '\t', '\u{feff}']).strip_prefix('>') else { break };
        rest = inner.strip_prefix(' ').unwrap_or(inner);
        found = found.saturating_add(1);
    }
    (found, rest)
}

/// Without whitespace and invisible characters at both ends.
pub(crate) fn trim(text: &str) -> &str {
    let text = text.trim_ascii();
    let is_plain_end = |octet: Option<&u8>| octet.is_none_or(u8::is_ascii);
    if is_plain_end(text.as_bytes().first()) && is_plain_end(text.as_bytes().last()) {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Byte order marks, direction marks, and zero-width characters.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{ad}' | '\u{34f}' | '\u{61c}')
}

/// Lower-case with single spaces, as in the tables of words; drops invisible characters and the dot left over
/// from a Turkish İ.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii()
        && !text.bytes().any(|octet| octet.is_ascii_whitespace() && octet != b' ')
        && !text.contains("  ")
    {
        return text.trim_ascii().to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(
            word.chars()
                .filter(|c| !is_invisible(*c))
                .flat_map(char::to_lowercase)
                .filter(|c| *c != '\u{307}'),
        );
    }
    folded
}
