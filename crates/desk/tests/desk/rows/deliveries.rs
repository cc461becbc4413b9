//! Who is mailed a comment, and what stops it (docs/behaviour/outgoing-mail.md §1).

use desk::id::TicketId;
use desk::setting::Settings;
use desk::user::{Deliverable, Person};

use super::{Table, authenticated, of, table};

/// Bob answers ticket 1: Ada asks, Carl is in CC.
const ANSWER: &str = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\nWe look into it.";
/// Carl answers it and writes to the desk alone.
const BY_CARL: &str = "From: carl@customer.example\nIn-Reply-To: <first@customer.example>\n\nMine too.";

const ADA: &str = "ada@customer.example";
const CARL: &str = "carl@customer.example";

fn agents() -> Table {
    table(Settings::default()).by(authenticated())
}

fn mailed(table: &Table, mail: &str) -> Vec<String> {
    let (changes, _) = table.changes(mail);
    assert_eq!((changes.comments.len(), changes.comments[0].is_public), (1, true), "{mail}");
    changes
        .outgoing
        .iter()
        .flat_map(|mail| mail.recipients.iter().map(|(_, address)| address.clone()))
        .collect()
}

type Change = fn(&mut Person);

/// The ways in which nobody can be written to.
const UNREACHABLE: [(&str, Change); 3] = [
    ("suspended", |person| person.is_suspended = true),
    ("undeliverable", |person| person.deliverable = Deliverable::Undeliverable),
    ("without an address", |person| person.address.clear()),
];

#[test]
fn row_5_a_requester_who_cannot_be_reached_stops_the_mail_for_the_ccs_too() {
    assert_eq!(mailed(&agents(), ANSWER), [ADA, CARL]);
    for (name, change) in UNREACHABLE {
        assert_eq!(mailed(&agents().with(11, change), ANSWER), [""; 0], "{name}");
    }
}

#[test]
fn row_5_a_cc_who_cannot_be_reached_stops_nobody_elses() {
    for (name, change) in UNREACHABLE {
        assert_eq!(mailed(&agents().with(12, change), ANSWER), [ADA], "{name}");
    }
}

#[test]
fn row_5_nothing_is_sent_to_a_support_address() {
    let ours = |person: &mut Person| person.address = "help+x@acme.example".into();
    assert_eq!(mailed(&agents().with(12, ours), ANSWER), [ADA]);
    assert_eq!(mailed(&agents().with(11, ours), ANSWER), [CARL]);
}

#[test]
fn row_5_the_list_of_those_who_are_no_ccs_holds_when_a_mail_is_sent() {
    for (list, want) in [
        ("carl@customer.example", vec![ADA]),
        ("customer.example", vec![ADA]),
        ("else.example", vec![ADA, CARL]),
        ("ada@customer.example", vec![ADA, CARL]),
    ] {
        let table = table(of(|all| all.ccs_blocklist = list.into())).by(authenticated());
        assert_eq!(mailed(&table, ANSWER), want, "{list}");
    }
}

#[test]
fn row_9_a_machine_that_asks_is_told_what_agents_write_alone() {
    let scene = |is_machine: bool| {
        let mut table = table(of(|all| all.cc_comments_public = true)).by(authenticated());
        table.facts.tickets.get_mut(&TicketId(100)).unwrap().ticket.is_machine = is_machine;
        table
    };
    assert_eq!(mailed(&scene(false), BY_CARL), [ADA], "a person hears of a CC's comment");
    assert_eq!(mailed(&scene(true), BY_CARL), [""; 0], "a machine does not");
    assert_eq!(mailed(&scene(true), ANSWER), [ADA, CARL], "what an agent writes it gets");
}
