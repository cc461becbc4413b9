//! Agents' commands by mail (docs/behaviour/mail-commands.md).

use desk::event::Field;
use desk::id::{TicketId, UserId};
use desk::ticket::{Priority, Status};

use super::{authenticated, of, table, usual};
use crate::scene::{changed_fields, ignored_commands, shown};

#[test]
fn row_commands_change_the_ticket_and_leave_the_text() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n\
                #pending\n#priority high\n#type incident\n#tags red blue\n#assignee bob@acme.example\n#ccs dora@customer.example\n\nOn it.";
    let (changes, facts) = usual().by(authenticated()).changes(mail);
    let ticket = &changes.tickets[&TicketId(100)].after;
    assert_eq!(
        (ticket.status, ticket.priority, ticket.assignee_id),
        (Status::Pending, Some(Priority::High), Some(UserId(13)))
    );
    assert_eq!(ticket.tags, ["blue", "red"]);
    assert_eq!(changes.comments[0].body, "On it.");
    assert!(facts.tickets[&TicketId(100)].ccs.contains(&UserId(15)));
    let wanted = [Field::Status, Field::Priority, Field::Type, Field::Tags, Field::Assignee];
    assert_eq!(changed_fields(&changes), wanted);
}

#[test]
fn row_solved_without_an_assignee() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#status solved\nDone.";
    let (changes, _) = usual().by(authenticated()).changes(mail);
    let ticket = &changes.tickets[&TicketId(100)].after;
    assert_eq!(
        (ticket.status, ticket.assignee_id),
        (Status::Solved, Some(UserId(13))),
        "who solves it answers for it"
    );
    let strict = table(of(|all| all.assign_tickets_upon_solve = false)).by(authenticated());
    let (changes, _) = strict.changes(mail);
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Open);
    assert_eq!(ignored_commands(&changes), ["#status solved"]);
}

#[test]
fn row_an_end_users_commands_are_text() {
    let (changes, _) = usual().changes("In-Reply-To: <first@customer.example>\n\n#solved\nThanks.");
    assert_eq!(changes.comments[0].body, "#solved\nThanks.");
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Open);
}

#[test]
fn row_requester_names_whose_ticket_it_is() {
    struct Case {
        name: &'static str,
        command: &'static str,
        requester: Option<i64>,
        made: usize,
        is_ignored: bool,
    }
    fn plain() -> Case {
        Case { name: "", command: "", requester: Some(11), made: 0, is_ignored: false }
    }

    let table = usual().by(authenticated());
    for (name, command, want) in [
        ("an address", "ada@customer.example", "new ticket by ada@customer.example, flags 11"),
        ("an id", "11", "new ticket by ada@customer.example, flags 11"),
        ("somebody new", "new@else.example", "new ticket by new@else.example, flags 11"),
        ("an id nobody has", "999", "new ticket by bob@acme.example"),
        ("one of ours", "support@acme.desk.example", "new ticket by bob@acme.example"),
    ] {
        let mail = format!("From: bob@acme.example\nSubject: x\n\n#requester {command}\nhi");
        assert_eq!(shown(&table.decided(&mail)), want, "{name}");
        let (changes, _) = table.changes(&mail);
        let ticket = &changes.tickets[&changes.new_tickets[0]].after;
        assert_eq!(
            (ticket.submitter_id, changes.comments[0].author_id),
            (UserId(13), ticket.requester_id),
            "{name}"
        );
    }
    for Case { name, command, requester, made, is_ignored } in [
        Case { name: "a known person", command: "dora@customer.example", requester: Some(15), ..plain() },
        Case { name: "an id", command: "12", requester: Some(12), ..plain() },
        Case { name: "somebody new", command: "new@else.example", requester: None, made: 1, ..plain() },
        Case { name: "one of ours", command: "support@acme.desk.example", is_ignored: true, ..plain() },
        Case { name: "an id nobody has", command: "999", is_ignored: true, ..plain() },
    ] {
        let mail = format!(
            "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#requester {command}\nhi"
        );
        let (changes, _) = table.changes(&mail);
        let got = changes.tickets[&TicketId(100)].after.requester_id;
        let want = requester.map_or_else(|| changes.people[0].person.id, UserId);
        assert_eq!((got, changes.people.len()), (want, made), "{name}");
        assert_eq!(!ignored_commands(&changes).is_empty(), is_ignored, "{name}: {:?}", changes.audits);
    }
}
