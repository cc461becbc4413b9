//! Text with flowed lines (RFC 3676): lines that only the sending program broke are joined again.

use crate::part::Flow;

/// Joins the lines of a flowed text with LF line ends; quotes get one `>` per level and a space.
pub(crate) fn unflow(text: &str, flow: Flow) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (depth, content) = quoted(line);
        // RFC 3676 §4.3: the separator line before a signature ends a paragraph and belongs to none.
        let is_signature = content == "-- ";
        if open != Some(depth) || is_signature {
            begin_line(depth, content, open.is_some() || !joined.is_empty(), &mut joined);
        }
        let flows = content.ends_with(' ') && !is_signature;
        joined.push_str(match flow {
            Flow::FlowedDeletingSpace if flows => content.strip_suffix(' ').unwrap_or(content),
            _ => content,
        });
        open = flows.then_some(depth);
        if !flows {
            joined.push('\n');
        }
    }
    if !text.ends_with('\n') {
        joined.truncate(joined.trim_end_matches('\n').len());
    }
    joined
}

/// The quote depth of a line, and the line without its quote marks and the stuffed space before it.
fn quoted(line: &str) -> (usize, &str) {
    let content = line.trim_start_matches('>');
    let depth = line.len().saturating_sub(content.len());
    (depth, content.strip_prefix(' ').unwrap_or(content))
}

fn begin_line(depth: usize, content: &str, has_before: bool, joined: &mut String) {
    // A paragraph that the next line does not continue, because that line has another quote depth.
    if has_before && !joined.ends_with('\n') {
        joined.push('\n');
    }
    joined.extend(std::iter::repeat_n('>', depth));
    if depth > 0 && !content.is_empty() {
        joined.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flowed_lines_are_joined() {
        for (name, text, want) in [
            ("paragraph", "One \ntwo \nthree\nfour\n", "One two three\nfour\n"),
            ("no line end", "One \ntwo", "One two"),
            ("stuffed", " From here\n  two blanks\n > no quote\n", "From here\n two blanks\n> no quote\n"),
            ("quote", "> One \n> two\n>\n> three\nfour\n", "> One two\n>\n> three\nfour\n"),
            ("quote in a quote", ">> One \n>> two \n> three\n", ">> One two \n> three\n"),
            ("signature", "Bye \n-- \nAlice\n", "Bye \n-- \nAlice\n"),
            ("quoted signature", "> -- \n> Alice\n", "> -- \n> Alice\n"),
            ("blank lines", "One\n\n\nTwo\n", "One\n\n\nTwo\n"),
            ("blank line that flows", "One\n \n two\n", "One\n\ntwo\n"),
            ("empty", "", ""),
        ] {
            assert_eq!(unflow(text, Flow::Flowed), want, "{name}");
        }
        assert_eq!(unflow("日本 \n語 \n の\n", Flow::FlowedDeletingSpace), "日本語の\n");
    }

    proptest! {
        #[test]
        fn words_stay(text in "([a-z]{1,3}| |\n|>|-- ){0,40}") {
            let words = |text: &str| text.replace(['>', ' ', '\n'], "");
            prop_assert_eq!(words(&unflow(&text, Flow::Flowed)), words(&text));
        }

        #[test]
        fn text_without_blanks_at_line_ends_stays(text in "([a-z-][a-z >-]{0,8}[a-z]\n|\n|> [a-z]{1,4}\n){0,9}") {
            prop_assert_eq!(unflow(&text, Flow::Flowed), text);
        }
    }
}
