//! Text as it is stored and shown: one line for header values, LF lines for bodies, no NUL in either.

use memchr::memchr2;
use std::borrow::Cow;

/// One line, trimmed: control characters and anything that would break or reverse a line become spaces; at
/// most `limit` characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || breaks_line(c));
    let mut line = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    line.extend(text.chars().take(limit).map(|c| if breaks_line(c) { ' ' } else { c }));
    line.truncate(line.trim_end().len());
    line
}

/// Control characters (CR, LF, NUL, tab …) and the line and paragraph separators.
pub(crate) fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// LF line ends and no NUL; borrows if nothing had to change. The flag says that there were NULs.
pub(crate) fn lines(text: &str) -> (Cow<'_, str>, bool) {
    if memchr2(b'\r', b'\0', text.as_bytes()).is_none() {
        return (Cow::Borrowed(text), false);
    }
    let mut lines = String::with_capacity(text.len());
    let mut had_nul = false;
    let mut rest = text;
    while let Some((plain, from)) =
        memchr2(b'\r', b'\0', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        lines.push_str(plain);
        rest = match (from.strip_prefix("\r\n"), from.strip_prefix('\r')) {
            (Some(after), _) | (None, Some(after)) => {
                lines.push('\n');
                after
            }
            (None, None) => {
                had_nul = true;
                from.strip_prefix('\0').unwrap_or_default()
            }
        };
    }
    lines.push_str(rest);
    (Cow::Owned(lines), had_nul)
}

/// Without leading and trailing blank lines, and without the last line end; whitespace within lines stays.
pub(crate) fn trim_blank_lines(text: &str) -> &str {
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n')
        && line.trim().is_empty()
    {
        rest = after;
    }
    while let Some((before, line)) = rest.rsplit_once('\n')
        && line.trim().is_empty()
    {
        rest = before;
    }
    if rest.trim().is_empty() { "" } else { rest }
}

/// At most `limit` octets, cut between characters.
pub(crate) fn cut_octets(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_lf() {
        for (input, want, nul) in [
            ("a\r\nb\r\n", "a\nb\n", false),
            ("a\rb\nc\r\r\n", "a\nb\nc\n\n", false),
            ("a\0b\r", "ab\n", true),
            ("é", "é", false),
        ] {
            assert_eq!(lines(input), (Cow::Borrowed(want), nul), "{input:?}");
        }
    }

    #[test]
    fn blank_lines_around_the_text_go() {
        for (input, want) in
            [("\n \n  a \n\nb \n\n\t\n", "  a \n\nb "), ("a", "a"), ("", ""), (" \n ", ""), ("\n\n", "")]
        {
            assert_eq!(trim_blank_lines(input), want, "{input:?}");
        }
    }

    #[test]
    fn one_line_is_one_line_and_bounded() {
        assert_eq!(one_line(" a\r\nb\tc\u{2028}d\0 ", 998), "a  b c d");
        assert_eq!(one_line("éééé", 4), "éééé");
        assert_eq!(one_line("éééé", 3), "ééé");
        assert_eq!((cut_octets("éé", 3), cut_octets("éé", 4)), ("é", "éé"));
    }
}
