//! Marks that help desks hide in the HTML of their messages, so that a reply quoting it shows what it belongs
//! to.
//!
//! Whose they are is not known here: any word of that form in square brackets is one.

use crate::defect::Defects;
use crate::part::Part;
use std::ops::RangeInclusive;

/// How many marks are kept per message.
pub const MAX_MARKS: usize = 8;

/// The length of a mark.
const MARK_OCTETS: RangeInclusive<usize> = 8..=16;

/// How much of an HTML part that is otherwise unread is searched, still encoded.
const HTML_OCTETS: usize = 1_000_000;

/// Adds the marks of a part that is not decoded otherwise. Its defects are not noted, as it is not shown.
pub(crate) fn find_in_part(part: &Part<'_>, marks: &mut Vec<String>) {
    let body = part.body.get(..HTML_OCTETS).unwrap_or(part.body);
    find(&part.transfer.decode(body, &mut Defects::default()), marks);
}

/// Adds the marks of a text, without duplicates, up to [`MAX_MARKS`] in all.
pub(crate) fn find(text: &[u8], marks: &mut Vec<String>) {
    for at in memchr::memchr_iter(b'[', text) {
        if marks.len() >= MAX_MARKS {
            return;
        }
        let after = text.get(at.saturating_add(1)..).unwrap_or_default();
        let Some(end) =
            after.iter().take(MARK_OCTETS.end().saturating_add(1)).position(|octet| *octet == b']')
        else {
            continue;
        };
        let mark = after.get(..end).and_then(mark_of);
        if let Some(mark) = mark.filter(|mark| !marks.iter().any(|known| known == mark)) {
            marks.push(mark.to_owned());
        }
    }
}

/// Capitals, digits and at least one hyphen.
fn mark_of(word: &[u8]) -> Option<&str> {
    let fits = |octet: &u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || *octet == b'-';
    let is_mark = MARK_OCTETS.contains(&word.len()) && word.contains(&b'-') && word.iter().all(fits);
    std::str::from_utf8(word).ok().filter(|_| is_mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Letter;

    #[test]
    fn marks_are_words_of_their_form_in_brackets() {
        for (text, want) in [
            ("<p>hi</p><span>[ABCDEF-GHIJ]</span>", vec!["ABCDEF-GHIJ"]),
            ("[ABCDEF-GHIJ] [ABCDEF-GHIJ] [AB12-CD34]", vec!["ABCDEF-GHIJ", "AB12-CD34"]),
            ("[[ABCDEF-GHIJ]", vec!["ABCDEF-GHIJ"]),
            ("[if mso]", vec![]),
            ("[abcdef-ghij] [ABCDEFGHIJ] [ABC-DEF] [ABCDEFGH-IJKLMNOPQ] [ABCDÉF-GHI] [ABCDEF-GHIJ", vec![]),
        ] {
            let mut marks = Vec::new();
            find(text.as_bytes(), &mut marks);
            assert_eq!(marks, want, "{text}");
        }
        let many: String = (10..30).map(|number| format!("[NUMBER-{number}]")).collect();
        let mut marks = Vec::new();
        find(many.as_bytes(), &mut marks);
        assert_eq!(marks.len(), MAX_MARKS);
    }

    #[test]
    fn a_letter_has_the_marks_of_its_html_beside_a_text_and_alone() {
        let html = "<p>hi</p><span style=\"display:none\">[ABCDEF-GHIJ]</span>";
        let alternative = |transfer: &str, body: &str| {
            format!(
                "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: text/html\r\n\
                 Content-Transfer-Encoding: {transfer}\r\n\r\n{body}\r\n--b--\r\n"
            )
        };
        for (name, mail) in [
            ("plain octets", alternative("8bit", html)),
            (
                "quoted-printable",
                alternative("quoted-printable", &html.replace('[', "=5B").replace('-', "=\r\n-")),
            ),
            ("base64", alternative("base64", "PHA+aGk8L3A+PHNwYW4+W0FCQ0RFRi1HSElKXTwvc3Bhbj4=")),
            ("alone", format!("Content-Type: text/html\r\n\r\n{html}")),
        ] {
            let letter = Letter::parse(mail.as_bytes());
            assert_eq!(
                (letter.text.get(..2), letter.marks),
                (Some("hi"), vec!["ABCDEF-GHIJ".to_owned()]),
                "{name}"
            );
        }
        assert_eq!(
            Letter::parse(b"\r\n[ABCDEF-GHIJ]").marks,
            Vec::<String>::new(),
            "a text is read where it is shown"
        );
    }
}
