//! HTML rendered to plain text, for letters that have no other text.
//!
//! Only what carries meaning without a screen is kept: paragraphs, line ends, list points, quotes (`> `), preformatted text.
//! One pass, nothing recurses, nothing is loaded. The result is text, not HTML; whoever shows it escapes it.

use memchr::{memchr, memmem};

/// How deep quotes are marked; deeper ones look like this one.
const QUOTE_DEPTH: usize = 8;

/// How many line ends may follow each other.
const BREAKS: usize = 3;

/// The longest character reference, `&` and `;` included.
const REFERENCE_OCTETS: usize = 34;

/// Renders HTML to text with LF line ends, without one at the end.
pub(crate) fn render(html: &str) -> String {
    let mut page = Page { text: String::with_capacity(html.len() / 2), ..Page::default() };
    let mut rest = html;
    while let Some((plain, from)) = memchr(b'<', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        page.text(plain);
        rest = page.markup(from);
    }
    page.text(rest);
    page.text.truncate(page.text.trim_end().len());
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    /// Line ends due before the next character.
    breaks: usize,
    /// A blank is due before the next character.
    space: bool,
    quotes: usize,
    preformatted: usize,
    /// A tag was found whose quoted attribute never ends: quotes are not looked at any more, so that each octet is searched once.
    quotes_broken: bool,
}

impl Page {
    /// Reads the markup that begins with the `<` at the start of `from`; gives what follows it.
    fn markup<'a>(&mut self, from: &'a str) -> &'a str {
        if let Some(comment) = from.strip_prefix("<!--") {
            return memmem::find(comment.as_bytes(), b"-->")
                .and_then(|end| comment.get(end.saturating_add(3)..))
                .unwrap_or_default();
        }
        let inner = from.get(1..).unwrap_or_default();
        let is_tag = inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            self.text("<");
            return inner;
        }
        let Some(end) = self.tag_end(inner) else {
            // Without any `>` there are no more tags: all the rest is text, and is not searched again.
            self.text(from);
            return "";
        };
        let after = inner.get(end.saturating_add(1)..).unwrap_or_default();
        let (is_closing, tag) = match inner.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, inner),
        };
        let name_end = tag.bytes().take(12).position(|octet| !octet.is_ascii_alphanumeric());
        let name = name_end.and_then(|end| tag.get(..end)).unwrap_or_default().to_ascii_lowercase();
        if !is_closing && matches!(name.as_str(), "script" | "style" | "title" | "template") {
            return after_element(after, &name);
        }
        self.tag(&name, is_closing);
        after
    }

    /// Where the `>` of a tag stands: outside the quotes of its attributes.
    fn tag_end(&mut self, inner: &str) -> Option<usize> {
        let plain_end = memchr(b'>', inner.as_bytes())?;
        let has_quotes = inner.as_bytes().get(..plain_end).is_some_and(|tag| tag.contains(&b'"') || tag.contains(&b'\''));
        if self.quotes_broken || !has_quotes {
            return Some(plain_end);
        }
        let mut quote = None;
        let mut after_equals = false;
        for (at, octet) in inner.bytes().enumerate() {
            match (quote, octet) {
                (None, b'>') => return Some(at),
                (None, b'"' | b'\'') if after_equals => quote = Some(octet),
                (Some(open), _) if open == octet => quote = None,
                _ => (),
            }
            after_equals = octet == b'=' || after_equals && octet.is_ascii_whitespace();
        }
        self.quotes_broken = true;
        Some(plain_end)
    }

    fn tag(&mut self, name: &str, is_closing: bool) {
        match name {
            "br" => self.breaks = self.breaks.saturating_add(1).min(BREAKS),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "div" | "tr" | "table" | "ul" | "ol" | "dl" | "dt" | "dd" | "hr" | "section" | "article" | "header" | "footer"
            | "center" | "address" | "form" | "fieldset" | "figure" | "body" | "html" | "head" => self.block(1),
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
                self.quotes = step(self.quotes, is_closing);
            }
            _ => (),
        }
    }

    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn text(&mut self, html: &str) {
        let mut rest = html;
        while let Some(c) = rest.chars().next() {
            let run = rest.bytes().position(|octet| octet == b'&' || !octet.is_ascii_graphic()).unwrap_or(rest.len());
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
        // A no-break space is a blank to whoever reads text; zero-width ones are padding of newsletters.
        let c = match c {
            '\u{a0}' => ' ',
            '\u{200b}' | '\u{200c}' | '\u{feff}' | '\u{ad}' | '\u{34f}' => return,
            c if c.is_control() && !matches!(c, '\n' | '\t') => return,
            _ => c,
        };
        self.begin();
        self.text.push(c);
    }

    /// Writes the line ends or the blank that are due.
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
        self.text.push_str(&mark);
        self.breaks = 0;
    }
}

fn step(depth: usize, is_closing: bool) -> usize {
    if is_closing { depth.saturating_sub(1) } else { depth.saturating_add(1) }
}

/// What follows the end tag of an element whose content is no text; nothing when it never ends.
fn after_element<'a>(content: &'a str, name: &str) -> &'a str {
    memmem::find_iter(content.as_bytes(), b"</")
        .filter_map(|at| content.get(at.saturating_add(2)..))
        .find(|tag| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
        .and_then(|tag| tag.split_once('>'))
        .map_or("", |(_, after)| after)
}

/// Decodes the character reference at the start of `text`.
fn reference(text: &str) -> Option<(String, &str)> {
    let end = text.bytes().take(REFERENCE_OCTETS).position(|octet| octet == b';')?;
    let (token, after) = text.split_at_checked(end.saturating_add(1))?;
    let is_reference = token.bytes().skip(1).all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'#' | b';'));
    if !is_reference {
        return None;
    }
    let mut decoded = String::new();
    mail_parser::decoders::html::add_html_token(&mut decoded, token.as_bytes(), false);
    (decoded != token).then_some((decoded, after))
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
            ("head and style", "<html><head><title>T</title><style>p {x:'<p>'}</style></head><body>Hi</body></html>", "Hi"),
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
            ("empty", "", ""),
        ] {
            assert_eq!(render(html), want, "{name}");
        }
    }

    #[test]
    fn deep_quotes_cost_no_more_than_their_depth_limit() {
        let html = format!("{}x", "<blockquote>".repeat(100_000));
        assert_eq!(render(&html), format!("{}x", "> ".repeat(QUOTE_DEPTH)));
    }

    proptest! {
        #[test]
        fn any_html_is_rendered(html in "(<|>|</|<!--|-->|style|p|br|blockquote|pre|&|;|#x|é|\"|'|=| |\n|[a-z0]){0,60}") {
            let text = render(&html);
            prop_assert!(text.len() <= html.len() * (2 * QUOTE_DEPTH + 4));
        }
    }
}
