//! What of the text of a message a comment keeps, and which mail is another one.

use desk::changes::Changes;
use desk::id::MailId;
use desk::id_source::Counting;
use desk::inbound::Inbound;

use super::{of, table, usual};
use crate::scene::{NOW, carried_out, letter, shown};

#[test]
fn row_text_is_kept_whole_without_its_token_and_quotes_are_collapsed() {
    let mail = "In-Reply-To: <first@customer.example>\n\nThank you.\n\nOn Mon, 2 Nov 2026, Support wrote:\n> Hello.\n> [AAAAAA-AAAA]";
    let (changes, _) = usual().changes(mail);
    let comment = &changes.comments[0];
    assert!(
        comment.body.contains("Thank you.")
            && comment.body.contains("> Hello.")
            && !comment.body.contains("AAAAAA-AAAA")
    );
    assert_eq!(comment.hidden.len(), 1, "{:?}", comment.hidden);
    assert!(comment.body.get(comment.hidden[0].from..).unwrap().starts_with("On Mon"));
}

#[test]
fn row_no_known_token_stays_in_a_text() {
    let table = usual();
    for (name, mail, want) in [
        ("that of the ticket", "Subject: x\n\nhi\n[AAAAAA-AAAA]", "hi"),
        (
            "that of a closed ticket, in its follow-up",
            "Subject: x\n\nhi\n> [BBBBBB-BBBB]\nbye",
            "hi\n> \nbye",
        ),
        ("that of another ticket", "Subject: x\n\nhi [AAAAAA-AAAA]\n[CCCCCC-CCCC]", "hi"),
        ("what only looks like one", "Subject: x\n\n[PROD12-2024]\n[AAAAAA-AAAA]", "[PROD12-2024]"),
    ] {
        assert_eq!(table.changes(mail).0.comments[0].body, want, "{name}");
    }
}

#[test]
fn row_with_the_delimiter_on_what_stands_under_it_is_dropped() {
    let mail = "In-Reply-To: <first@customer.example>\n\nThank you.\n\n> ##- Please type your reply above this line -##\n> Hello.";
    let (changes, _) = table(of(|all| all.reply_delimiter = true)).changes(mail);
    assert_eq!(changes.comments[0].body, "Thank you.");
    let (changes, _) = usual().changes(mail);
    assert!(changes.comments[0].body.contains("Hello."), "off: nothing is dropped");
}

#[test]
fn row_a_second_text_under_a_used_message_id_is_known_again() {
    let table = usual();
    let mut facts = table.facts.clone();
    let mut supply = Counting::from(10_000);
    let mut outcomes = Vec::new();
    for (id, text) in [(1, "one"), (2, "two"), (3, "two"), (4, "one")] {
        let letter = letter(&format!("Message-ID: <same@customer.example>\nSubject: x\n\n{text}"));
        let mut changes = Changes::default();
        let inbound = Inbound::new(MailId(id), NOW, &table.envelope, &letter);
        let decision = carried_out(&table.account, &mut facts, &mut supply, &mut changes, &inbound);
        outcomes.push(shown(&decision).split(" on ").next().unwrap().to_owned());
    }
    let new = "new ticket by ada@customer.example";
    assert_eq!(
        outcomes,
        [new, "new ticket by ada@customer.example, flags 101", "duplicate of 2", "duplicate of 1"]
    );
}
