//! RTF in mail: its text, and the HTML from which Outlook generated it (MS-OXRTFEX).
//!
//! One pass; groups are kept on a stack of bounded depth, and nothing recurses.

use crate::charset;
use crate::defect::Defects;

/// How deeply groups are distinguished; deeper ones share the state of this depth.
pub(super) const MAX_GROUPS: usize = 1_000;

/// What an RTF contains; both empty if there is nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rtf {
    /// LF line ends, trimmed.
    pub(super) text: String,
    /// The HTML inside, if the RTF was generated from HTML.
    pub(super) html: Option<String>,
}

/// Destinations whose content is not text of the document.
const HIDDEN: &[&str] = &[
    "author",
    "bkmkend",
    "bkmkstart",
    "colortbl",
    "company",
    "filetbl",
    "fldinst",
    "fonttbl",
    "footer",
    "footerf",
    "footerl",
    "footerr",
    "footnote",
    "generator",
    "header",
    "headerf",
    "headerl",
    "headerr",
    "info",
    "listoverridetable",
    "listtable",
    "nonshppict",
    "object",
    "pict",
    "revtbl",
    "rsidtbl",
    "stylesheet",
    "themedata",
    "title",
    "xmlnstbl",
];

/// Reads RTF; accepts any octets.
pub(super) fn read(rtf: &[u8]) -> Rtf {
    let mut document =
        Document { group: Group { skipped_after_unicode: 1, ..Group::default() }, ..Document::default() };
    let mut rest = rtf;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = match octet {
            b'{' => {
                document.open();
                tail
            }
            b'}' => {
                document.close();
                tail
            }
            b'\\' => document.control(tail),
            b'\r' | b'\n' => tail,
            _ => {
                document.octet(octet);
                tail
            }
        };
    }
    document.flush();
    let text = document.out.trim().to_owned();
    if document.is_from_html {
        Rtf { text: String::new(), html: Some(text) }
    } else {
        Rtf { text, html: None }
    }
}

/// The state of one group.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    is_hidden: bool,
    /// Text inside `\htmltag`: former HTML.
    is_tag: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`: needed only by RTF.
    is_rtf_only: bool,
    /// How many characters follow each `\u` for readers that do not know it.
    skipped_after_unicode: usize,
}

#[derive(Default)]
struct Document {
    group: Group,
    /// At most [`MAX_GROUPS`].
    groups: Vec<Group>,
    /// How many groups are open beyond those.
    deeper: usize,
    /// Octets in the code page that are to be decoded together.
    octets: Vec<u8>,
    code_page: Option<String>,
    out: String,
    is_from_html: bool,
    /// How many characters are still to be skipped.
    skip: usize,
    /// The first half of a character that `\u` gives in two.
    surrogate: Option<u16>,
    /// Preceded by `\*`: a destination that may be ignored.
    is_optional: bool,
}

impl Document {
    fn open(&mut self) {
        self.flush();
        if self.groups.len() < MAX_GROUPS {
            self.groups.push(self.group);
        } else {
            self.deeper = self.deeper.saturating_add(1);
        }
    }

    fn close(&mut self) {
        self.flush();
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => self.group = self.groups.pop().unwrap_or(self.group),
        }
    }

    fn shows(&self) -> bool {
        let is_for_rtf_alone = self.is_from_html && self.group.is_rtf_only && !self.group.is_tag;
        !self.group.is_hidden && !is_for_rtf_alone
    }

    fn octet(&mut self, octet: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.shows() {
            self.octets.push(octet);
        }
    }

    fn push(&mut self, text: &str) {
        if self.shows() {
            self.flush();
            self.out.push_str(text);
        }
    }

    fn flush(&mut self) {
        if !self.octets.is_empty() {
            self.out.push_str(&charset::decode(
                &self.octets,
                self.code_page.as_deref(),
                &mut Defects::default(),
            ));
            self.octets.clear();
        }
        self.skip = 0;
    }

    /// Reads what follows a backslash; returns what follows that.
    fn control<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let letters = rest.iter().position(|octet| !octet.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(letters).unwrap_or_default();
        if word.is_empty() {
            return self.symbol(rest);
        }
        let is_negative = after.starts_with(b"-");
        let digits = after.get(usize::from(is_negative)..).unwrap_or_default();
        let count =
            digits.iter().take(10).position(|octet| !octet.is_ascii_digit()).unwrap_or(digits.len().min(10));
        let (number, after) =
            if count == 0 { (&[][..], after) } else { digits.split_at_checked(count).unwrap_or_default() };
        let value = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok());
        self.word(
            std::str::from_utf8(word).unwrap_or_default(),
            value.map(|value| if is_negative { -value } else { value }),
        );
        after.strip_prefix(b" ").unwrap_or(after)
    }

    fn symbol<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let Some((&symbol, after)) = rest.split_first() else { return rest };
        match symbol {
            b'\'' => {
                let (digits, after) = after.split_at_checked(2).unwrap_or((after, &[]));
                let value =
                    std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                if let Some(octet) = value {
                    self.octet(octet);
                }
                return after;
            }
            b'*' => self.is_optional = true,
            b'~' => self.push("\u{a0}"),
            b'_' => self.push("-"),
            b'\r' | b'\n' => self.push("\n"),
            b'{' | b'}' | b'\\' => self.octet(symbol),
            _ => (),
        }
        after
    }

    fn word(&mut self, word: &str, value: Option<i64>) {
        let is_optional = std::mem::take(&mut self.is_optional);
        match word {
            "ansicpg" => {
                self.code_page = value.and_then(|page| u32::try_from(page).ok()).map(super::mapi::code_page)
            }
            "fromhtml" => self.is_from_html = value != Some(0),
            "htmltag" | "mhtmltag" => {
                self.group.is_tag = word == "htmltag";
                self.group.is_hidden |= word == "mhtmltag";
            }
            "htmlrtf" => {
                self.flush();
                self.group.is_rtf_only = value != Some(0);
            }
            "uc" => {
                self.group.skipped_after_unicode =
                    value.and_then(|count| usize::try_from(count).ok()).unwrap_or(1).min(16)
            }
            "u" => self.unicode(value.unwrap_or(0)),
            "par" | "line" | "sect" | "page" | "row" => self.push("\n"),
            "tab" | "cell" => self.push("\t"),
            "lquote" => self.push("\u{2018}"),
            "rquote" => self.push("\u{2019}"),
            "ldblquote" => self.push("\u{201c}"),
            "rdblquote" => self.push("\u{201d}"),
            "bullet" => self.push("\u{2022}"),
            "endash" => self.push("\u{2013}"),
            "emdash" => self.push("\u{2014}"),
            // A destination that only new readers know, and that is none of those above.
            _ if is_optional || HIDDEN.binary_search(&word).is_ok() => self.group.is_hidden = true,
            _ => (),
        }
    }

    /// `\u`: one unit of UTF-16 as a signed number, and then what old readers show instead.
    fn unicode(&mut self, value: i64) {
        self.flush();
        let unit = u16::try_from(value.rem_euclid(65_536)).unwrap_or(0);
        let units = [self.surrogate.take().unwrap_or(unit), unit];
        if (0xd800..0xdc00).contains(&unit) {
            self.surrogate = Some(unit);
        } else {
            let pair = if units.first() == Some(&unit) { units.get(1..) } else { Some(&units[..]) };
            self.push(&String::from_utf16_lossy(pair.unwrap_or_default()));
        }
        self.skip = self.group.skipped_after_unicode;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rtf_is_read() {
        for (name, rtf, want) in [
            ("paragraphs", r"{\rtf1\ansi One\par Two\line Three\tab Four\par}", "One\nTwo\nThree\tFour"),
            (
                "tables before it",
                r"{\rtf1{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}{\info{\author A}}{\*\generator X;}Hi}",
                "Hi",
            ),
            ("code page", r"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8}", "При"),
            ("Japanese", r"{\rtf1\ansi\ansicpg932 \'82\'a0}", "あ"),
            ("unicode", r"{\rtf1\uc1 a\u233?b \u-3913?}", "aéb \u{f0b7}"),
            ("unicode in two", r"{\rtf1 \u-10179?\u-8704?}", "😀"),
            ("no fallback", r"{\rtf1\uc0 \u233 b}", "éb"),
            ("symbols", r"{\rtf1 \{a\}\~\_\\ \ldblquote b\rdblquote}", "{a}\u{a0}-\\ \u{201c}b\u{201d}"),
            ("open group", r"{\rtf1 {a", "a"),
            ("too many ends", r"}}a}", "a"),
            ("empty", "", ""),
        ] {
            assert_eq!(read(rtf.as_bytes()), Rtf { text: want.to_owned(), html: None }, "{name}");
        }
        assert!(HIDDEN.is_sorted());
    }

    #[test]
    fn html_inside_is_taken_out() {
        let rtf = r"{\rtf1\ansi\ansicpg1252\fromhtml1 {\fonttbl{\f0 Arial;}}{\*\htmltag64 <p class='a'>}\htmlrtf {\b \htmlrtf0 caf\'e9 {\*\htmltag4 <br>}\htmlrtf \line \htmlrtf0 x{\*\mhtmltag <i>}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}}";
        assert_eq!(read(rtf.as_bytes()).html.as_deref(), Some("<p class='a'>café <br>x</p>"));
    }

    #[test]
    fn deep_groups_end() {
        assert_eq!(read(format!("{}x", "{".repeat(200_000)).as_bytes()).text, "x");
    }

    #[test]
    fn groups_hold_at_n_and_are_shared_at_n_plus_one() {
        let hidden_at = |depth: usize| {
            let open = "{".repeat(depth);
            let close = "}".repeat(depth - 1);
            read(format!(r"{open}\pict a}}b{close}c").as_bytes()).text
        };
        assert_eq!(hidden_at(MAX_GROUPS), "bc");
        // The group beyond cannot be told from the one around it, which ends where it began.
        assert_eq!(hidden_at(MAX_GROUPS + 1), "c");
    }

    proptest! {
        #[test]
        fn any_rtf_is_read(rtf in r"(\{|\}|\\\*|\\'|[0-9a-f]{1,2}|\\u-?[0-9]{1,6}|\\htmltag|\\fromhtml1|\\par|\\uc[0-9]|\\|x| ){0,40}") {
            let read = read(rtf.as_bytes());
            prop_assert!(read.text.len() <= rtf.len() * 4);
        }
    }
}
