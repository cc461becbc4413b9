//! What the structure of an HTML message says about its text: mail programs name the elements around quotes
//! and signatures.
//!
//! The names belong to the programs and are not words of a language; docs/behaviour/reply-text.md §4 lists
//! them.

use crate::html_token::{Name, Tag};

/// What an element is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    /// A quoted message: the line that says who wrote it, then blockquotes. Anything after those may be a
    /// reply.
    Citing,
    /// A quoted message as a whole.
    Old,
    /// The line that says who wrote what is quoted below.
    Attribution,
    /// A forwarded mail.
    Forward,
    /// A signature.
    Signature,
    /// Everything from here on is a quoted message.
    Cut,
    /// The same if a header block follows: programs draw such a line for other reasons too.
    HeaderRule,
}

/// Substrings of a class, id or name in lower case; the first match counts.
#[rustfmt::skip]
const NAMES: &[(&str, Structure)] = &[
    ("moz-cite-prefix", Structure::Attribution), ("gmail_attr", Structure::Attribution), ("gmail_quote_attribution", Structure::Attribution),
    ("reply-intro", Structure::Attribution), ("airmail_on", Structure::Attribution),
    ("divrplyfwdmsg", Structure::Cut), ("olk_src_body_section", Structure::Cut), ("outlookmessageheader", Structure::Cut),
    ("mail-editor-reference-message", Structure::Cut), ("stopspelling", Structure::Cut), ("zwchr", Structure::Cut), ("__divider__", Structure::Cut),
    ("fsnotifreplyabove", Structure::Cut),
    ("moz-forward-container", Structure::Forward),
    ("gmail_quote", Structure::Citing), ("protonmail_quote", Structure::Citing), ("tutanota_quote", Structure::Citing), ("zmail_extra", Structure::Citing),
    ("messagereplysection", Structure::Citing), ("missive_quote", Structure::Citing), ("freshdesk_quote", Structure::Citing), ("nylas-quote", Structure::Citing),
    ("front-quote", Structure::Citing), ("hs_reply", Structure::Citing),
    ("yahoo_quoted", Structure::Old), ("ymail_quoted", Structure::Old),
    ("signature", Structure::Signature),
];

/// The longest class or id that is examined, in octets.
const VALUE_OCTETS: usize = 200;

/// Follows one element from its start tag to its end tag, by counting the tags of that name.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    open: Option<(Structure, Name, usize)>,
}

impl Watch {
    /// Processes a start tag; returns what begins with it.
    pub(crate) fn open(&mut self, tag: &Tag<'_>) -> Option<Structure> {
        let name = tag.name.as_str();
        if !matches!(
            name,
            "div" | "table" | "span" | "p" | "section" | "article" | "td" | "hr" | "a" | "font" | "pre"
        ) {
            return None;
        }
        if let Some((_, open, depth)) = &mut self.open
            && *open == tag.name
        {
            *depth = depth.saturating_add(1);
        }
        let structure =
            if name == "hr" { structure_of(tag).or(Some(Structure::HeaderRule)) } else { structure_of(tag) }?;
        match structure {
            Structure::Cut | Structure::HeaderRule => return Some(structure),
            _ if matches!(self.open, Some((Structure::Citing | Structure::Old | Structure::Forward, ..))) => {
                return None;
            }
            Structure::Attribution | Structure::Signature if self.open.is_some() => return None,
            _ => (),
        }
        self.open = Some((structure, tag.name, 1));
        Some(structure)
    }

    /// Processes an end tag; returns what ends with it.
    pub(crate) fn close(&mut self, name: Name) -> Option<Structure> {
        let (structure, open, depth) = self.open.as_mut()?;
        if *open != name {
            return None;
        }
        *depth = depth.saturating_sub(1);
        let ended = (*depth == 0).then_some(*structure)?;
        self.open = None;
        Some(ended)
    }
}

fn structure_of(tag: &Tag<'_>) -> Option<Structure> {
    if tag.is_bare() {
        return None;
    }
    let mut found = None;
    for (name, value) in tag.attributes() {
        if name.eq_ignore_ascii_case("style") {
            if draws_rule(value) && matches!(tag.name.as_str(), "div" | "table" | "td" | "p") {
                found = found.or(Some(Structure::HeaderRule));
            }
            continue;
        }
        let is_name =
            ["class", "id", "name", "data-marker"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if !is_name || value.len() > VALUE_OCTETS {
            continue;
        }
        if name.eq_ignore_ascii_case("name") {
            // GMX and web.de.
            if value == "quote" {
                return Some(Structure::Old);
            }
        }
        let value = value.to_ascii_lowercase();
        if let Some((_, structure)) = NAMES.iter().find(|(part, _)| value.contains(part)) {
            return Some(*structure);
        }
    }
    found
}

/// Outlook and Windows Mail draw the line above the header block as a border.
fn draws_rule(style: &str) -> bool {
    let Some(at) = style.find("border-top") else { return false };
    style.get(at..).is_some_and(|rest| rest.contains("solid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html_token::{Token, Tokens};

    fn told(html: &str) -> Vec<(Structure, bool)> {
        let mut watch = Watch::default();
        let tell = |token: Token<'_>| match token {
            Token::Open(tag) => watch.open(&tag).map(|structure| (structure, false)),
            Token::Close(name) => watch.close(name).map(|structure| (structure, true)),
            Token::Text(_) => None,
        };
        Tokens::of(html).filter_map(tell).collect()
    }

    #[test]
    fn elements_are_followed_to_their_end() {
        use Structure::{Attribution, Citing, Cut, HeaderRule, Old, Signature};
        for (html, want) in [
            ("<div class='a gmail_quote'><div></div></div></div>", vec![(Citing, false), (Citing, true)]),
            ("<div id=x_divRplyFwdMsg>", vec![(Cut, false)]),
            (
                "<div class=gmail_quote><span class=gmail_attr></span></div>",
                vec![(Citing, false), (Citing, true)],
            ),
            ("<p id=reply-intro>a</p>", vec![(Attribution, false), (Attribution, true)]),
            (
                "<div class=Signature><div class=yahoo_quoted></div></div>",
                vec![(Signature, false), (Old, false), (Old, true)],
            ),
            ("<div name=quote>", vec![(Old, false)]),
            (
                "<hr><div style='border:none;border-top:solid 1pt'>",
                vec![(HeaderRule, false), (HeaderRule, false)],
            ),
            ("<div class=quote style='border-left:solid'>", vec![]),
        ] {
            assert_eq!(told(html), want, "{html}");
        }
    }
}
