//! HTML rendered to plain text, for messages that have no other text.
//!
//! Only what carries meaning without a screen is kept: paragraphs, line ends, list items, quotes (`> `),
//! preformatted text. One pass, no recursion, and nothing is loaded. The result is text rather than HTML;
//! escape it before displaying it in a page. What mail programs express through the structure
//! ([`crate::html_structure`]) is reported along with it.

use crate::html_structure::{Structure, Watch};
use crate::html_token::{Tag, Token, Tokens, reference};

/// How deeply quotes are marked; deeper ones look the same.
const QUOTE_DEPTH: usize = 8;

/// The maximum number of consecutive line ends.
const BREAKS: usize = 3;

/// A place in the rendered text where the structure says something: the start of the line before which the
/// change happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Octet offset in the text; its length if nothing follows.
    pub(crate) at: usize,
    pub(crate) structure: Structure,
    /// Whether it ends there; a cut never ends.
    pub(crate) is_end: bool,
}

/// Renders HTML to text with LF line ends but without a final one; also returns the structural marks in
/// order.
pub(crate) fn render(html: &str) -> (String, Vec<Mark>) {
    let mut page = Page { text: String::with_capacity(html.len() / 2), ..Page::default() };
    for token in Tokens::of(html) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Open(tag) => {
                page.tag(tag.name.as_str(), Some(&tag));
                page.watch_open(&tag);
            }
            Token::Close(name) => {
                if let Some(structure) = page.watch.close(name) {
                    page.block(1);
                    page.due.push((structure, true));
                }
                page.tag(name.as_str(), None);
            }
        }
    }
    page.text.truncate(page.text.trim_end().len());
    page.flush_marks();
    (page.text, page.marks)
}

#[derive(Default)]
struct Page {
    text: String,
    /// Line ends due before the next character.
    breaks: usize,
    /// A space is due before the next character.
    space: bool,
    quotes: usize,
    /// Which of the innermost 64 open blockquotes merely indent: the lowest bit is the innermost one.
    indents: u64,
    preformatted: usize,
    watch: Watch,
    /// Marks waiting for the line they precede.
    due: Vec<(Structure, bool)>,
    marks: Vec<Mark>,
}

impl Page {
    fn watch_open(&mut self, tag: &Tag<'_>) {
        if let Some(structure) = self.watch.open(tag) {
            self.block(1);
            self.due.push((structure, false));
        }
    }

    fn flush_marks(&mut self) {
        let at = self.text.len();
        let marks = self.due.drain(..).map(|(structure, is_end)| Mark { at, structure, is_end });
        self.marks.extend(marks);
    }

    /// A start tag, or with `None` an end tag.
    fn tag(&mut self, name: &str, start: Option<&Tag<'_>>) {
        let is_closing = start.is_none();
        match name {
            "br" => self.breaks = self.breaks.saturating_add(1).min(BREAKS),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "div" | "tr" | "table" | "ul" | "ol" | "dl" | "dt" | "dd" | "hr" | "section" | "article"
            | "header" | "footer" | "center" | "address" | "form" | "fieldset" | "figure" | "body"
            | "html" | "head" => self.block(1),
            "li" => {
                self.block(1);
                if !is_closing {
                    self.text("- ");
                }
            }
            "td" | "th" => self.space = true,
            "pre" => {
                self.block(2);
                self.preformatted = step(self.preformatted, is_closing);
            }
            "blockquote" => {
                self.block(1);
                self.blockquote(start);
            }
            _ => (),
        }
    }

    /// Webmail indents with borderless blockquotes; those are not quotes.
    fn blockquote(&mut self, start: Option<&Tag<'_>>) {
        if let Some(tag) = start {
            let is_indent = is_indent(tag);
            self.indents = self.indents << 1 | u64::from(is_indent);
            self.quotes = self.quotes.saturating_add(usize::from(!is_indent));
        } else {
            let was_indent = self.indents & 1 == 1;
            self.indents >>= 1;
            self.quotes = self.quotes.saturating_sub(usize::from(!was_indent));
        }
    }

    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn text(&mut self, html: &str) {
        let mut rest = html;
        while let Some(c) = rest.chars().next() {
            let run = rest
                .bytes()
                .position(|octet| octet == b'&' || !octet.is_ascii_graphic())
                .unwrap_or(rest.len());
            if let Some((word, after)) = rest.split_at_checked(run).filter(|_| run > 0) {
                self.begin();
                self.text.push_str(word);
                rest = after;
                continue;
            }
            let reference = if c == '&' { reference(rest) } else { None };
            if let Some((decoded, after)) = reference {
                decoded.chars().for_each(|c| self.push(c));
                rest = after;
                continue;
            }
            match c {
                '\n' if self.preformatted > 0 => self.breaks = self.breaks.saturating_add(1).min(BREAKS),
                ' ' | '\t' | '\r' | '\n' if self.preformatted == 0 => self.space = true,
                _ => self.push(c),
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }

    fn push(&mut self, c: char) {
        // To a reader a no-break space is a space; zero-width ones are the padding of newsletters.
        let c = match c {
            '\u{a0}' => ' ',
            '\u{200b}' | '\u{200c}' | '\u{feff}' | '\u{ad}' | '\u{34f}' => return,
            c if c.is_control() && !matches!(c, '\n' | '\t') => return,
            _ => c,
        };
        self.begin();
        self.text.push(c);
    }

    /// Writes the pending line ends or space.
    fn begin(&mut self) {
        if self.text.is_empty() || self.breaks > 0 {
            self.start_line();
        } else if self.space && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        self.space = false;
    }

    fn start_line(&mut self) {
        let mark = "> ".repeat(self.quotes.min(QUOTE_DEPTH));
        if !self.text.is_empty() {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            for _ in 1..self.breaks {
                self.text.push('\n');
                self.text.push_str(mark.trim_end());
            }
            self.text.push('\n');
        }
        self.flush_marks();
        self.text.push_str(&mark);
        self.breaks = 0;
    }
}

fn is_indent(tag: &Tag<'_>) -> bool {
    let mut attributes = tag.attributes();
    let is_style = |name: &str| name.eq_ignore_ascii_case("style");
    let is_named =
        |name: &str| ["class", "type", "cite", "id"].iter().any(|known| name.eq_ignore_ascii_case(known));
    let borderless = |style: &str| style.contains("border:none") || style.contains("border: none");
    tag.attributes().any(|(name, value)| is_style(name) && borderless(value))
        && !attributes.any(|(name, _)| is_named(name))
}

fn step(depth: usize, is_closing: bool) -> usize {
    if is_closing { depth.saturating_sub(1) } else { depth.saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_rendered() {
        for (name, html, want) in [
            ("paragraphs", "<p>One\n two</p><p>Three</p>", "One two\n\nThree"),
            ("line ends", "One<br>Two<br/><br />Three", "One\nTwo\n\nThree"),
            ("line end before a block", "<div>One<br></div><div>Two</div>", "One\nTwo"),
            ("empty line of mail programs", "<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
            (
                "head and style",
                "<html><head><title>T</title><style>p {x:'<p>'}</style></head><body>Hi</body></html>",
                "Hi",
            ),
            ("script", "a<SCRIPT>if (a<b) '</p>'</script >b", "ab"),
            ("comment", "a<!-- <p> > -->b<!--[if mso]>c<![endif]-->d", "abd"),
            (
                "references",
                "caf&eacute; &amp; th&#233; &#x20AC; &lt;b&gt; a&nbsp;b &nosuch; R&D",
                "café & thé € <b> a b &nosuch; R&D",
            ),
            ("list", "<ul><li>One</li><li>Two</li></ul>End", "- One\n- Two\nEnd"),
            ("table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            (
                "quote",
                "Hi<blockquote>One<br>Two<blockquote>Three</blockquote></blockquote>Four",
                "Hi\n> One\n> Two\n> > Three\nFour",
            ),
            ("preformatted", "<pre>a  b\n c</pre>", "a  b\n c"),
            ("blanks", "  a \r\n\t b  <b>c</b>d ", "a b cd"),
            ("> in an attribute", r#"<a title="a > b" href='x'>link</a>"#, "link"),
            ("apostrophe in a tag", "<p it's>a</p>", "a"),
            ("open quote in a tag", r#"<p class="x>a</p><p>b</p>"#, "a\n\nb"),
            ("lone <", "1 < 2 <3 a<", "1 < 2 <3 a<"),
            ("open tag", "a<b c<d", "a<b c<d"),
            ("open comment", "a<!-- b", "a"),
            ("open style", "a<style>b", "a"),
            ("zero width", "a\u{200b}b", "ab"),
            ("address that nobody escaped", "Jane <jane@example.org> wrote", "Jane <jane@example.org> wrote"),
            (
                "blockquote that indents",
                r#"a<blockquote style="margin:0 0 0 40px;border:none">b<blockquote>c</blockquote></blockquote>d"#,
                "a\nb\n> c\nd",
            ),
            ("empty", "", ""),
        ] {
            assert_eq!(render(html).0, want, "{name}");
        }
    }

    #[test]
    fn deep_quotes_cost_no_more_than_their_depth_limit() {
        let html = format!("{}x", "<blockquote>".repeat(100_000));
        assert_eq!(render(&html).0, format!("{}x", "> ".repeat(QUOTE_DEPTH)));
    }

    proptest! {
        #[test]
        fn any_html_is_rendered(html in "(<|>|</|<!--|-->|style|p|br|blockquote|pre|&|;|#x|é|\"|'|=| |\n|[a-z0]){0,60}") {
            let text = render(&html).0;
            prop_assert!(text.len() <= html.len() * (2 * QUOTE_DEPTH + 4));
        }
    }
}
