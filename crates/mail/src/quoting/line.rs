//! The lines of a text, with the quote marks before them.

use memchr::memchr;

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// The octet it begins at.
    pub(crate) at: usize,
    /// The octet the next line begins at.
    pub(crate) next: usize,
    /// How many `>` stand before it.
    pub(crate) depth: usize,
    /// What follows the quote marks, without blanks and invisible characters around it.
    pub(crate) content: &'a str,
    /// The line as it is, without its line end.
    pub(crate) raw: &'a str,
}

impl<'a> Line<'a> {
    /// The line that begins at an octet; `None` behind the last one.
    pub(crate) fn at(text: &'a str, at: usize) -> Option<Self> {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest.as_bytes());
        let raw = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let next = at.saturating_add(raw.len()).saturating_add(usize::from(end.is_some()));
        let (depth, content) = unquoted(raw, usize::MAX);
        Some(Self { at, next, depth, content: trim(content), raw })
    }

    /// Whether nothing can be seen on it, quote marks left aside.
    pub(crate) fn is_blank(&self) -> bool {
        self.content.is_empty()
    }
}

/// The lines from an octet on.
pub(crate) fn lines_from(text: &str, at: usize) -> impl Iterator<Item = Line<'_>> {
    std::iter::successors(Line::at(text, at), move |line| Line::at(text, line.next))
}

/// The first line from an octet on that is not blank, at most `blanks` blank ones skipped.
pub(crate) fn next_written(text: &str, at: usize, blanks: usize) -> Option<Line<'_>> {
    lines_from(text, at).take(blanks.saturating_add(1)).find(|line| !line.is_blank())
}

/// Takes at most `depth` quote marks off a line, each with one blank behind it; says how many there were.
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

/// Without blanks and invisible characters at both ends.
pub(crate) fn trim(text: &str) -> &str {
    let text = text.trim_ascii();
    let is_plain_end = |octet: Option<&u8>| octet.is_none_or(u8::is_ascii);
    if is_plain_end(text.as_bytes().first()) && is_plain_end(text.as_bytes().last()) {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Byte order marks, marks for the direction of writing, and zero-width characters.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{ad}' | '\u{34f}' | '\u{61c}')
}

/// Lower-case with single blanks, as the tables of words are written; invisible characters and the dot that a Turkish İ leaves go.
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
