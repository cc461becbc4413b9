//! Plain text as HTML: the HTML alternative of an outgoing text, and text within a page.

/// Turns plain text with LF line ends into HTML paragraphs; everything is escaped, nothing is interpreted.
///
/// Blank lines separate paragraphs, other line ends become `<br>`, and leading spaces are kept. Empty text
/// gives an empty string.
#[must_use]
pub fn html_of(text: &str) -> String {
    let mut html = String::with_capacity(text.len().saturating_add(text.len() / 8));
    let mut in_paragraph = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            if in_paragraph {
                html.push_str("</p>\n");
            }
            in_paragraph = false;
            continue;
        }
        html.push_str(if in_paragraph { "<br>\n" } else { "<p dir=\"auto\">" });
        in_paragraph = true;
        push_line(line, &mut html);
    }
    if in_paragraph {
        html.push_str("</p>\n");
    }
    html
}

/// Escapes text so that HTML shows it literally, both between tags and in quoted attributes; control
/// characters become spaces.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(c, &mut html));
    html
}

fn push_line(line: &str, html: &mut String) {
    let indented = line.trim_start_matches(' ');
    for _ in 0..line.len().saturating_sub(indented.len()) {
        html.push_str("&nbsp;");
    }
    indented.chars().for_each(|c| push_escaped(c, html));
}

fn push_escaped(c: char, html: &mut String) {
    match c {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        c if c.is_control() && c != '\t' => html.push(' '),
        _ => html.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html_to_text;
    use proptest::prelude::*;

    #[test]
    fn text_becomes_paragraphs() {
        for (text, want) in [
            ("", ""),
            ("a", "<p dir=\"auto\">a</p>\n"),
            ("a\nb\n\n\nc\n", "<p dir=\"auto\">a<br>\nb</p>\n<p dir=\"auto\">c</p>\n"),
            (
                "  a<b> & \"c\" 'd'",
                "<p dir=\"auto\">&nbsp;&nbsp;a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;</p>\n",
            ),
        ] {
            assert_eq!(html_of(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_escaped_for_text_and_attributes() {
        assert_eq!(escaped("a\n<\"b\"> & 'c'"), "a &lt;&quot;b&quot;&gt; &amp; &#39;c&#39;");
    }

    proptest! {
        #[test]
        fn what_was_escaped_is_read_back(text in "[a-z<>&;'\"é#]{1,20}(\n\n?[a-z<>&;'\"é#]{1,20}){0,4}") {
            prop_assert_eq!(html_to_text::render(&html_of(&text)).0, text);
        }
    }
}
