//! Tests of the MIME walker.

use super::*;
use crate::field::header_of_mail;
use proptest::prelude::*;

fn walk_mail(raw: &str) -> (Vec<String>, Vec<Defect>) {
    let mut defects = Defects::default();
    let header = header_of_mail(raw.as_bytes(), &mut defects);
    let parts = walk(&header.fields, header.body, &mut defects);
    let shown = parts.iter().enumerate().map(|(index, part)| {
        assert_eq!(usize::try_from(part.number).unwrap(), index);
        let body = if part.is_multipart { "…".into() } else { String::from_utf8_lossy(part.body) };
        format!("{:?} {} {body:?}", part.parent, part.content_type)
    });
    (shown.collect(), defects.into_sorted())
}

fn check(name: &str, raw: &str, want: &[&str], defects: &[Defect]) {
    for raw in [raw.to_owned(), raw.replace('\n', "\r\n")] {
        let (parts, noted) = walk_mail(&raw);
        let parts: Vec<String> = parts.iter().map(|part| part.replace("\\r\\n", "\\n")).collect();
        assert_eq!(
            (parts, noted.as_slice()),
            (want.iter().map(|s| (*s).to_owned()).collect(), defects),
            "{name}"
        );
    }
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

#[test]
fn structures_are_walked() {
    check("single", "A: 1\n\nhi\n", &[r#"None text/plain "hi\n""#], &[]);
    check(
        "mixed",
        &format!("{MIXED}preamble\n--b\n\none\n--b  \nContent-Type: image/PNG\n\n\ntwo\n--b--\nepilogue\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one""#, r#"Other image/png "\ntwo""#],
        &[],
    );
    check(
        "nested",
        &format!(
            "{MIXED}--b\nContent-Type: multipart/alternative; boundary=\"b b\"\n\n--b b\n\none\n--b b\nContent-Type: text/html\n\n<p>\n--b b--\n\n--b\n\nend\n--b--"
        ),
        &[
            "None multipart/mixed \"…\"",
            "Other multipart/alternative \"…\"",
            r#"Alternative text/plain "one""#,
            r#"Alternative text/html "<p>""#,
            r#"Other text/plain "end""#,
        ],
        &[],
    );
    check(
        "attached mail is not taken apart",
        &format!(
            "{MIXED}--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c--\n--b--\n"
        ),
        &[
            "None multipart/mixed \"…\"",
            r#"Other message/rfc822 "Content-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c--""#,
        ],
        &[],
    );
    check(
        "digest",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--\n",
        &["None multipart/digest \"…\"", r#"Digest message/rfc822 "Subject: x\n\ny""#],
        &[],
    );
    check(
        "boundary at once",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b--\n",
        &["None multipart/mixed \"…\"", r#"Other text/plain """#],
        &[],
    );
}

#[test]
fn broken_structures_are_walked() {
    use Defect::*;
    let none = "None text/plain";
    check(
        "no boundary parameter",
        "Content-Type: multipart/mixed\n\n--b\nhi\n",
        &[&format!(r#"{none} "--b\nhi\n""#)],
        &[MissingBoundary],
    );
    check(
        "boundary never comes",
        &format!("{MIXED}hi\n--c\n"),
        &[&format!(r#"{none} "hi\n--c\n""#)],
        &[MissingBoundary],
    );
    check(
        "never closed",
        &format!("{MIXED}--b\n\none\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one\n""#],
        &[UnclosedMultipart],
    );
    check(
        "inner one never closed",
        &format!("{MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n"),
        &[
            "None multipart/mixed \"…\"",
            "Other multipart/mixed \"…\"",
            r#"Other text/plain "one""#,
            r#"Other text/plain "two""#,
        ],
        &[UnclosedMultipart],
    );
    check(
        "inner boundary never comes",
        &format!("{MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\none\n--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one""#],
        &[MissingBoundary],
    );
    check(
        "header of a part without empty line",
        &format!("{MIXED}--b\nContent-Type: text/html\n--b\n\ntwo\n--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/html """#, r#"Other text/plain "two""#],
        &[],
    );
    check(
        "boundary that begins like another",
        &format!("{MIXED}--b\n\none\n--bc\n--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one\n--bc""#],
        &[],
    );
}

#[test]
fn delimiters_are_found_as_they_are_written() {
    use Defect::*;
    let long = "Content-Type: multipart/mixed; boundary=boundary\n\n";
    check(
        "words behind the boundary",
        &format!("{long}--boundary ignored\n\none\n--boundary-- ignored\nepilogue\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one""#],
        &[],
    );
    check(
        "words behind a short boundary are text",
        &format!("{MIXED}--b\n\none\n--b two\n--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one\n--b two""#],
        &[],
    );
    let blank = "Content-Type: multipart/mixed; boundary=\"b \"\n\n";
    check(
        "blank at the end of the boundary",
        &format!("{blank}--b \n\none\n--b\ntwo\n--b --\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one\n--b\ntwo""#],
        &[],
    );
    check(
        "blank at the end of the boundary, taken off on the way",
        &format!("{blank}--b\n\none\n--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one""#],
        &[],
    );
    check(
        "closing delimiter behind the last line",
        &format!("{MIXED}--b\n\none--b--\n"),
        &["None multipart/mixed \"…\"", r#"Other text/plain "one""#],
        &[UnclosedMultipart],
    );
    let parts = ["None multipart/mixed \"…\"", r#"Other text/html "one""#];
    check(
        "boundary not declared",
        "Content-Type: multipart/mixed\n\nhi\n--x y\nContent-Type: text/html\n\none\n--x y--\n",
        &parts,
        &[MissingBoundary],
    );
    check(
        "another boundary declared",
        &format!("{MIXED}--B\nContent-type: text/html\n\none\n--B--\n"),
        &parts,
        &[MissingBoundary],
    );
    check(
        "no semicolon before the boundary",
        "Content-Type: multipart/mixed boundary=b\n\n--b\nContent-Type: text/html\n\none\n--b--\n",
        &parts,
        &[],
    );
}

fn nested(depth: usize) -> String {
    let head = |level: usize| format!("Content-Type: multipart/mixed; boundary=b{level}x\n\n--b{level}x\n");
    let mut raw: String = (0..depth).map(head).collect();
    raw.push_str("\ndeep\n");
    raw.extend((0..depth).rev().map(|level| format!("--b{level}x--\n")));
    raw
}

#[test]
fn depth_holds_at_n_and_breaks_at_n_plus_one() {
    let (parts, defects) = walk_mail(&nested(MAX_DEPTH));
    assert_eq!((parts.len(), defects), (MAX_DEPTH + 1, vec![]));
    assert!(parts.last().unwrap().contains("deep"));
    let (parts, defects) = walk_mail(&nested(MAX_DEPTH + 1));
    assert_eq!((parts.len(), defects), (MAX_DEPTH + 1, vec![Defect::TooDeep]));
    let (parts, defects) = walk_mail(&nested(100_000));
    assert_eq!((parts.len(), defects), (MAX_DEPTH + 1, vec![Defect::TooDeep]));
}

#[test]
fn part_count_holds_at_n_and_breaks_at_n_plus_one() {
    let raw = |parts: usize| format!("{MIXED}{}--b--\n", "--b\n\nx\n".repeat(parts));
    let (parts, defects) = walk_mail(&raw(MAX_PARTS - 1));
    assert_eq!((parts.len(), defects), (MAX_PARTS, vec![]));
    let (parts, defects) = walk_mail(&raw(MAX_PARTS));
    assert_eq!((parts.len(), defects), (MAX_PARTS, vec![Defect::UnclosedMultipart, Defect::TooManyParts]));
}

#[test]
fn media_types_are_read() {
    let longest = format!("a/{}", "b".repeat(TYPE_OCTETS - 2));
    let too_long = format!("{longest}b");
    for (value, want) in [
        ("image/svg+xml", "image/svg+xml"),
        ("", "text/plain"),
        ("text", "text/plain"),
        ("html", "text/html"),
        ("pdf", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("a/", "application/octet-stream"),
        (&longest, &longest),
        (&too_long, "application/octet-stream"),
    ] {
        assert_eq!(media_type(value, Parent::Other), want, "{value}");
    }
}

proptest! {
    #[test]
    fn any_structure_is_walked(raw in "(--[bc](--)?\n|Content-Type: multipart/(mixed|related); boundary=[bc]\n|Content-Type: text/html\n|\n|x\n|\r){0,30}") {
        let (parts, _) = walk_mail(&raw);
        prop_assert!(!parts.is_empty());
    }
}
