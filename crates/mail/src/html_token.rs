//! HTML split into text and tags, for the modules that read it: no tree, one pass, nothing retained.
//!
//! Every octet is looked at a bounded number of times, whatever is left open. Comments, Outlook's conditional
//! comments, declarations, and the content of scripts and style sheets are skipped.

use memchr::{memchr, memchr3, memmem};

/// The longest character reference, `&` and `;` included.
const REFERENCE_OCTETS: usize = 34;

/// The longest tag name that is distinguished from others.
const NAME_OCTETS: usize = 12;

/// A piece of an HTML page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text as it appears, references not decoded; see [`reference`].
    Text(&'a str),
    /// A start tag; self-closing ones are not distinguished.
    Open(Tag<'a>),
    /// An end tag, by its name.
    Close(Name),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub(crate) name: Name,
    /// The text between the name and the `>`.
    attributes: &'a str,
}

/// A tag's name in lower case; empty if it is longer than any that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Name {
    octets: [u8; NAME_OCTETS],
    len: usize,
}

impl Name {
    fn at_start_of(tag: &str) -> Self {
        let mut name = Self::default();
        for (octet, slot) in tag.bytes().take_while(u8::is_ascii_alphanumeric).zip(&mut name.octets) {
            *slot = octet.to_ascii_lowercase();
            name.len = name.len.saturating_add(1);
        }
        let goes_on = tag.as_bytes().get(name.len).is_some_and(u8::is_ascii_alphanumeric);
        if goes_on { Self::default() } else { name }
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        self.octets.get(..self.len).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default()
    }
}

impl<'a> Tag<'a> {
    /// Its attributes in order, values without quotes, references in them not decoded.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (attribute, after) = next_attribute(rest)?;
            rest = after;
            Some(attribute)
        })
    }

    /// Whether it has no attributes.
    pub(crate) fn is_bare(&self) -> bool {
        self.attributes.len() < 4
    }
}

/// The first attribute of `text` and what follows it.
fn next_attribute(text: &str) -> Option<((&str, &str), &str)> {
    let text =
        text.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '=' | '"' | '\''));
    if text.is_empty() {
        return None;
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let Some(value) = rest.trim_ascii_start().strip_prefix('=') else {
        return Some(((name, ""), rest));
    };
    let value = value.trim_ascii_start();
    let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some((value, rest)) = quoted.and_then(|quote| value.get(1..)?.split_once(quote)) {
        return Some(((name, value), rest));
    }
    let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
    let (value, rest) = value.split_at_checked(end)?;
    Some(((name, value), rest))
}

/// Reads HTML from front to back.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    rest: &'a str,
    /// A tag with an unterminated quoted attribute was found: quotes are ignored from then on, so that each
    /// octet is searched once.
    quotes_broken: bool,
}

impl<'a> Tokens<'a> {
    /// The tokens of a page or a fragment.
    pub(crate) fn of(html: &'a str) -> Self {
        Self { rest: html, quotes_broken: false }
    }

    /// Consumes the first `length` octets.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Reads the markup at the next `<`; `None` if it is not a token.
    fn markup(&mut self) -> Option<Token<'a>> {
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            // `<!-->` is a whole comment.
            let start = if comment.starts_with('>') || comment.starts_with("->") { 2 } else { 4 };
            let end = self.rest.get(start..).and_then(|comment| memmem::find(comment.as_bytes(), b"-->"));
            self.take(end.map_or(self.rest.len(), |end| end.saturating_add(start).saturating_add(3)));
            return None;
        }
        let inner = self.rest.get(1..).unwrap_or_default();
        if !is_tag(inner) {
            return Some(Token::Text(self.take(1)));
        }
        let Some(end) = self.tag_end(inner) else {
            // Without any `>` there are no more tags: the rest is text and is not searched again.
            return Some(Token::Text(self.take(self.rest.len())));
        };
        let tag = inner.get(..end).unwrap_or_default();
        // `<alice@example.org>`, which careless programs do not escape, is text to be read.
        if is_address(tag) {
            return Some(Token::Text(self.take(end.saturating_add(2))));
        }
        self.take(end.saturating_add(2));
        if let Some(tag) = tag.strip_prefix('/') {
            return Some(Token::Close(Name::at_start_of(tag)));
        }
        let name = Name::at_start_of(tag);
        if matches!(name.as_str(), "script" | "style" | "title" | "template") {
            self.rest = after_element(self.rest, name.as_str());
            return None;
        }
        Some(Token::Open(Tag {
            name,
            attributes: tag.trim_start_matches(|c: char| c.is_ascii_alphanumeric()),
        }))
    }

    /// The offset of the `>` that ends a tag: outside the quotes of its attributes.
    fn tag_end(&mut self, inner: &str) -> Option<usize> {
        let plain_end = memchr(b'>', inner.as_bytes())?;
        let has_quotes =
            inner.as_bytes().get(..plain_end).is_some_and(|tag| tag.contains(&b'"') || tag.contains(&b'\''));
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
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match memchr(b'<', self.rest.as_bytes()) {
                Some(0) => {
                    if let Some(token) = self.markup() {
                        return Some(token);
                    }
                }
                Some(at) => return Some(Token::Text(self.take(at))),
                None if self.rest.is_empty() => return None,
                None => return Some(Token::Text(self.take(self.rest.len()))),
            }
        }
    }
}

fn is_tag(inner: &str) -> bool {
    inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

fn is_address(tag: &str) -> bool {
    let tag = tag.strip_prefix("mailto:").unwrap_or(tag);
    tag.len() < 320
        && tag.contains('@')
        && !tag.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '=' | '/'))
}

/// What follows the end tag of an element whose content is not text; empty if it never ends.
fn after_element<'a>(content: &'a str, name: &str) -> &'a str {
    memmem::find_iter(content.as_bytes(), b"</")
        .filter_map(|at| content.get(at.saturating_add(2)..))
        .find(|tag| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
        .and_then(|tag| tag.split_once('>'))
        .map_or("", |(_, after)| after)
}

/// Decodes the character reference at the start of `text`; returns the character and what follows it.
pub(crate) fn reference(text: &str) -> Option<(String, &str)> {
    let window = text.as_bytes().get(1..text.len().min(REFERENCE_OCTETS)).unwrap_or_default();
    let end = memchr3(b';', b'&', b' ', window)?.saturating_add(1);
    let (token, after) = text.split_at_checked(end.saturating_add(1))?;
    let is_reference = token.ends_with(';')
        && token.bytes().skip(1).all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'#' | b';'));
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

    fn shown(html: &str) -> String {
        let show = |token: Token<'_>| match token {
            Token::Text(text) => format!("{text:?}"),
            Token::Close(name) => format!("</{}>", name.as_str()),
            Token::Open(tag) => {
                let attributes: String =
                    tag.attributes().map(|(name, value)| format!(" {name}={value:?}")).collect();
                format!("<{}{attributes}>", tag.name.as_str())
            }
        };
        Tokens::of(html).map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn html_is_taken_apart() {
        for (html, want) in [
            ("a<B>c</B >d", r#""a" <b> "c" </b> "d""#),
            (r#"<a href="x>y" ID = 'z' hidden class=q>"#, r#"<a href="x>y" ID="z" hidden="" class="q">"#),
            ("<br/><hr size=1/>", r#"<br> <hr size="1/">"#),
            ("a<!-- <b> -->c<!-->d<!--[if mso]><p><![endif]-->e", r#""a" "c" "d" "e""#),
            ("<style><p></style>a<SCRIPT>'</p>'</script\n>b", r#""a" "b""#),
            ("Jane <jane@example.org> wrote", r#""Jane " "<jane@example.org>" " wrote""#),
            ("1 < 2", r#""1 " "<" " 2""#),
            ("a<b c", r#""a" "<b c""#),
            (r#"<p class="x>a</p>"#, r#"<p class="\"x"> "a" </p>"#),
            ("<averyveryverylongname>", "<>"),
        ] {
            assert_eq!(shown(html), want, "{html}");
        }
    }

    proptest! {
        #[test]
        fn every_octet_is_read_once(html in "(<|>|</|<!--|-->|style|p|br|&|;|é|\"|'|=| |\n|[a-z0]){0,60}") {
            let text: usize = Tokens::of(&html).map(|token| if let Token::Text(text) = token { text.len() } else { 1 }).sum();
            prop_assert!(text <= html.len());
        }
    }
}
