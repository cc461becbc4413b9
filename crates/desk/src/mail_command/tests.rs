//! Commands at the top of a message, and what only looks like one.

use super::*;
use proptest::prelude::*;

fn named(name: &str, address: &str) -> PersonName {
    PersonName::Mailbox(Mailbox { name: name.into(), address: address.into() })
}

#[test]
fn every_command_and_its_values() {
    let ada = named("", "ada@example.org");
    for (line, want) in [
        ("#status open", Command::Status(Status::Open)),
        ("#status pending", Command::Status(Status::Pending)),
        ("#status hold", Command::Status(Status::Hold)),
        ("#STATUS Solved", Command::Status(Status::Solved)),
        ("#status\u{A0}solved", Command::Status(Status::Solved)),
        ("\u{FEFF}#status: solved \u{200B}", Command::Status(Status::Solved)),
        ("#open", Command::Status(Status::Open)),
        ("#Pending", Command::Status(Status::Pending)),
        ("#solved ", Command::Status(Status::Solved)),
        ("#requester ada@example.org", Command::Requester(ada.clone())),
        ("#requester <ada@example.org>", Command::Requester(ada.clone())),
        ("#requester ada@example.org <mailto:ada@example.org>", Command::Requester(ada.clone())),
        (
            "#requester ada@example.org [mailto:ADA@example.org]",
            Command::Requester(named("", "ADA@example.org")),
        ),
        ("#requester mailto:ada@example.org", Command::Requester(ada.clone())),
        (
            "#requester \"Ada Byron\" <ada@example.org>",
            Command::Requester(named("Ada Byron", "ada@example.org")),
        ),
        ("#requester 42", Command::Requester(PersonName::Id(UserId(42)))),
        ("#group Second level", Command::Group(GroupName::Name("Second level".into()))),
        ("#group 77", Command::Group(GroupName::Id(77))),
        ("#assignee ada@example.org", Command::Assignee(ada)),
        ("#assignee 42", Command::Assignee(PersonName::Id(UserId(42)))),
        ("#public", Command::Public(true)),
        ("#public TRUE", Command::Public(true)),
        ("#public false", Command::Public(false)),
        ("#note", Command::Public(false)),
        ("#priority urgent", Command::Priority(Priority::Urgent)),
        ("#type Incident", Command::Type(TicketType::Incident)),
        ("#tags printer, Second-Floor printer", Command::Tags(vec!["printer".into(), "second-floor".into()])),
        (
            "#ccs a@example.org, Ben <b@example.org>",
            Command::Ccs(vec![
                Mailbox { name: String::new(), address: "a@example.org".into() },
                Mailbox { name: "Ben".into(), address: "b@example.org".into() },
            ]),
        ),
        (
            "#cc a@example.org b@example.org",
            Command::Ccs(
                ["a@example.org", "b@example.org"]
                    .map(|address| Mailbox { name: String::new(), address: address.into() })
                    .into(),
            ),
        ),
    ] {
        let text = format!("{line}\nHello");
        let parsed = parse(&text);
        assert_eq!(parsed.commands, [want], "{line}");
        assert_eq!(text.get(parsed.rest_offset..), Some("Hello"), "{line}");
        assert_eq!(parsed.ignored, [], "{line}");
    }
}

/// Checks the text that is left, the number of commands, and the lines that were ignored.
fn check(text: &str, rest: &str, commands: usize, ignored: &[&str]) {
    let parsed = parse(text);
    assert_eq!(text.get(parsed.rest_offset..), Some(rest), "{text:?}");
    assert_eq!(parsed.commands.len(), commands, "{text:?}");
    assert_eq!(parsed.ignored.iter().map(|line| line.line.as_str()).collect::<Vec<_>>(), ignored, "{text:?}");
}

#[test]
fn the_block_ends_at_the_first_other_line() {
    for (text, rest, commands) in [
        ("Hello\n#solved\n", "Hello\n#solved\n", 0),
        ("#solved\nHello\n#note\n", "Hello\n#note\n", 1),
        ("#solved\n#note\n\n\n  Hello\n", "  Hello\n", 2),
        ("\n\u{A0}\n#solved\n\n#tags a\n\nHello", "Hello", 2),
        ("#solved", "", 1),
        ("", "", 0),
        ("> #solved\n", "> #solved\n", 0),
        ("# Solved\nHello", "# Solved\nHello", 0),
        ("#1 is broken", "#1 is broken", 0),
        ("#solved!\n", "#solved!\n", 0),
        ("#\n", "#\n", 0),
        ("#solvé\n", "#solvé\n", 0),
    ] {
        check(text, rest, commands, &[]);
    }
}

#[test]
fn text_behind_note_stays_text() {
    for (text, rest) in [
        ("#note call her back\nToday", "call her back\nToday"),
        ("#note call her back", "call her back"),
        ("#note: rappeler\u{A0}\u{A0}\nToday", "rappeler\u{A0}\u{A0}\nToday"),
        ("#note ünder the desk \t\r\n#solved\n", "ünder the desk \t\r\n#solved\n"),
    ] {
        check(text, rest, 1, &[]);
        assert_eq!(parse(text).commands, [Command::Public(false)]);
    }
}

#[test]
fn known_commands_with_bad_values_are_ignored_and_taken_out() {
    for line in [
        "#status",
        "#status closed",
        "#status new",
        "#status sovled",
        "#requester",
        "#requester Ada",
        "#requester -4",
        "#assignee a@b@example.org",
        "#group",
        "#public perhaps",
        "#priority 1",
        "#type bug",
        "#tags ,",
        "#ccs a@example.org, nobody",
        "#ccs",
    ] {
        check(&format!("{line}\nHello"), "Hello", 0, &[line]);
        check(&format!("{line}\n#note\nHello"), "Hello", 1, &[line]);
    }
    assert_eq!(parse("#status x").ignored[0].why, "#status wants one of: open pending hold solved");
}

#[test]
fn unknown_words_stay_in_the_text_unless_a_command_follows() {
    for line in ["#statsu open", "#custom_field 12", "#open source is meant", "#solved at last"] {
        check(&format!("{line}\nHello"), &format!("{line}\nHello"), 0, &[line]);
        check(&format!("#solved\n{line}\nHello"), &format!("{line}\nHello"), 1, &[line]);
        // A slip in one command must not make a private note public.
        check(&format!("{line}\n#note\nHello"), "Hello", 1, &[line]);
    }
}

#[test]
fn lines_and_values_have_limits() {
    let text = "#solved\n".repeat(COMMAND_LINES) + "#note\n";
    check(&text, "#note\n", COMMAND_LINES, &[]);
    let value = "x".repeat(VALUE_CHARACTERS);
    check(&format!("#group {value}\nHello"), "Hello", 1, &[]);
    check(&format!("#group {value}x\nHello"), &format!("#group {value}x\nHello"), 0, &[]);
}

proptest! {
    #[test]
    fn the_rest_is_a_tail_and_begins_no_block(text in "(#(note|status|solved|tags|x)?[ \u{A0}]?[a-zé]{0,6}[ \n]{1,2}|[^\r]){0,12}") {
        let parsed = parse(&text);
        let rest = text.get(parsed.rest_offset..);
        prop_assert!(rest.is_some(), "cut within a character");
        let lines = text.lines().count();
        prop_assert!(parsed.commands.len() + parsed.ignored.len() <= lines);
        prop_assert!(parsed.rest_offset > 0 || parsed.commands.is_empty());
    }

    #[test]
    fn commands_are_read_before_any_text(body in "[^#]{0,40}") {
        let text = format!("#priority high\n#tags a b\nHi{body}");
        let parsed = parse(&text);
        prop_assert_eq!(parsed.commands, vec![Command::Priority(Priority::High), Command::Tags(vec!["a".into(), "b".into()])]);
        prop_assert_eq!(text.get(parsed.rest_offset..).unwrap(), format!("Hi{body}"));
    }
}
