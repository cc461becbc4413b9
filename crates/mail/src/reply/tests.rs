//! New text and quotes, client by client.

use super::*;
use proptest::prelude::*;

/// The cases of a fixture: name and body.
fn cases(fixture: &str) -> impl Iterator<Item = (&str, &str)> {
    fixture.split("\n### ").skip(1).map(|case| case.split_once('\n').expect("a case has a body"))
}

/// A blank line, or the verdict and the line.
fn verdict(line: &str) -> (Option<char>, &str) {
    let mut rest = line.chars();
    (rest.next(), rest.as_str())
}

#[test]
fn mails_of_many_programs_and_languages() {
    let mut wrong = Vec::new();
    for (name, body) in cases(include_str!("../../fixtures/reply/text.txt")) {
        let lines: Vec<(Option<char>, &str)> = body.trim_end().split('\n').map(verdict).collect();
        let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        let reply = of_text(&text);
        let mut at = 0;
        let mut got = String::new();
        for (want, line) in &lines {
            let hidden = reply.hidden.iter().find(|hidden| hidden.range.contains(&at));
            let fate = match hidden.map(|hidden| hidden.kind) {
                None => ' ',
                Some(HiddenKind::Quote) => '-',
                Some(HiddenKind::Signature) => '~',
            };
            let fate = if line.trim().is_empty() { want.unwrap_or(' ') } else { fate };
            got.push_str(&format!("{fate}{line}\n"));
            at += line.len() + 1;
        }
        let want: String =
            lines.iter().map(|(fate, line)| format!("{}{line}\n", fate.unwrap_or(' '))).collect();
        if got != want {
            wrong.push(format!("### {name}\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn html_mails_of_many_programs() {
    let mut wrong = Vec::new();
    for (name, body) in cases(include_str!("../../fixtures/reply/html.txt")) {
        let (html, want) = body.split_once("\n---\n").expect("a case has an outcome");
        let (text, reply) = of_html(html);
        let got = reply.visible(&text, true);
        if got != want.trim() {
            wrong.push(format!("### {name}\n{got}\n--- of\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn answers_between_quoted_lines_are_told() {
    for (text, want) in [
        ("Hi\n> a\nno\n> b\nyes\n", true),
        ("no\n\n> a\n", false),
        ("On 1/2/26 10:00, Bob wrote:\n> a\n\nno\n", false),
        ("On 1/2/26 10:00, Bob wrote:\n> a\n\nno\n> b\n", true),
    ] {
        assert_eq!(of_text(text).is_interleaved, want, "{text:?}");
    }
}

#[test]
fn the_sender_is_known_by_name() {
    let text = "It works.\n\nThank you,\nAnn\n";
    let named = of_text_with(text, &Hints { sender: &["Ann Other"], ..Hints::default() });
    assert_eq!(
        (of_text(text).visible(text, false), named.visible(text, false)),
        ("It works.\n\nThank you,\nAnn".to_owned(), "It works.".to_owned())
    );
}

#[test]
fn a_forward_is_hidden_only_when_new_text_is_asked_for() {
    for text in [
        "See below.\n\nFrom: Bob <bob@example.org>\nSent: Tuesday\nTo: Ann\nSubject: Boat\n\nIt sank.\n",
        "See below.\n\nOn Tue, 3 Mar 2026 at 9:41, Bob <bob@example.org> wrote:\n> It sank.\n",
        "See below.\n\n>>> Bob <bob@example.org> 3/3/2026 9:41 AM >>>\nIt sank.\n",
    ] {
        let shown = |hints: Hints<'_>| of_text_with(text, &hints).visible(text, true).contains("sank");
        assert!(!shown(Hints::default()), "{text}");
        assert!(shown(Hints { is_forward: true, ..Hints::default() }), "{text}");
        assert!(!shown(Hints { is_forward: true, new_text_only: true, ..Hints::default() }), "{text}");
    }
}

#[test]
fn our_delimiter_is_found_however_clients_changed_it() {
    let long = "Hi\n\nOn Tue, 3 Mar 2026 at 10:00, Desk <desk@example.org> wrote:\n\n> ##- Please type your reply above\n> this line -##\n> Old\n";
    for (name, text, want) in [
        ("as it is", format!("Hi\n\n{DELIMITER}\nOld\n"), Some(4)),
        ("quoted and wrapped, with the line above it", long.to_owned(), Some(4)),
        ("dashes lost", "Hi\n> > Please type your reply above this line\n> Old\n".to_owned(), Some(3)),
        ("typographic", "Hi\n##— PLEASE TYPE your reply above this line —##".to_owned(), Some(3)),
        ("in a sentence", "I see 'Please type your reply above this line' in your mails\n".to_owned(), None),
        ("not there", "Hi\n".to_owned(), None),
        ("first", format!("{DELIMITER}\nOld"), Some(0)),
        (
            "below a header block",
            format!("Hi\nFrom: Desk <desk@example.org>\nSent: today\nTo: me\n\n{DELIMITER}\n"),
            Some(3),
        ),
    ] {
        assert_eq!(at_delimiter(&text, DELIMITER), want, "{name}");
    }
    assert_eq!(at_delimiter("Hi\n> ====\nold", "===="), Some(3));
    assert_eq!(at_delimiter("Hi\n\nold", ""), None);
}

#[test]
fn sizes_out_of_all_proportion_are_read() {
    let quotes = format!("Hi\n\n{}", "> quoted\n".repeat(2 * MAX_LINES));
    assert_eq!(of_text(&quotes).visible(&quotes, true), "Hi");
    let deep = format!("Hi\n{}x\n", ">".repeat(100_000));
    assert_eq!(of_text(&deep).visible(&deep, true), "Hi");
    let colons = "a 1@b:\n".repeat(5_000);
    assert_eq!(of_text(&colons).hidden, []);
    let tags = format!("Hi{}x", "<div class=gmail_quote>".repeat(100_000));
    let (text, reply) = of_html(&tags);
    assert_eq!(reply.visible(&text, true), "Hi");
}

fn check(text: &str, reply: &Reply) {
    let mut end = 0;
    for hidden in &reply.hidden {
        assert!(hidden.range.start >= end && hidden.range.end > hidden.range.start, "in order");
        end = hidden.range.end;
        assert!(
            hidden.range.start == 0
                || text.get(..hidden.range.start).is_some_and(|before| before.ends_with('\n')),
            "from the start of a line"
        );
        assert!(
            end == text.len() || text.get(..end).is_some_and(|text| text.ends_with('\n')),
            "to the end of one"
        );
    }
    assert!(end <= text.len());
    if !text.trim().is_empty() {
        assert!(!reply.visible(text, false).trim().is_empty(), "something is shown");
    }
}

proptest! {
    #[test]
    fn whole_lines_are_hidden_and_never_all(text in "(On 1/2/26 10:00, Bob <b@c> wrote:|> |>|From: |Sent: |Subject: |--|-----Original Message-----|Sent from my phone|Regards|Bob|@| |:|\n|\n\n|a|é|```){0,40}") {
        check(&text, &of_text(&text));
    }

    #[test]
    fn the_same_of_html(html in "(<div class=gmail_quote>|<div class=yahoo_quoted>|<blockquote>|</blockquote>|</div>|<br>|<hr>|<div id=divRplyFwdMsg>|<div class=signature>|From: a|To: b|x| |On 1/2/26 Bob wrote:|<p>){0,40}") {
        let (text, reply) = of_html(&html);
        check(&text, &reply);
    }
}
