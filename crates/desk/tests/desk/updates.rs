//! What an agent changes: comments, statuses, tags; and what is refused.

use desk::changes::Changes;
use desk::event::Field;
use desk::facts::Facts;
use desk::id::{TicketId, UserId};
use desk::id_source::Counting;
use desk::ticket::{Status, StatusRefusal};
use desk::update::{NewComment, Update, UpdateRefusal};
use desk::writer::Writer;

use crate::scene::{NOW, account, changed_fields, facts, key};

fn comment(body: &str, is_public: bool) -> Update {
    Update { comment: Some(NewComment { body: body.into(), is_public }), ..Update::default() }
}

/// Carries an update out as the person of an address.
fn updated(who: &str, ticket: i64, update: &Update) -> (Result<(), UpdateRefusal>, Changes, Facts) {
    let account = account();
    let mut facts = facts();
    let mut changes = Changes::default();
    let actor = facts.people[&key(who)].clone();
    let mut supply = Counting::from(10_000);
    let mut desk =
        Writer { account: &account, facts: &mut facts, supply: &mut supply, changes: &mut changes, now: NOW };
    let outcome = desk.update(TicketId(ticket), &actor, update);
    (outcome, changes, facts)
}

#[test]
fn a_refused_update_changes_nothing() {
    struct Case {
        name: &'static str,
        who: &'static str,
        ticket: i64,
        update: Update,
        want: UpdateRefusal,
    }
    fn usual() -> Case {
        Case {
            name: "",
            who: "bob@acme.example",
            ticket: 100,
            update: Update::default(),
            want: UpdateRefusal::EmptyComment,
        }
    }

    let solve = |status| Update { status: Some(status), ..Update::default() };
    for Case { name, who, ticket, update, want } in [
        Case {
            name: "an end user",
            who: "ada@customer.example",
            update: comment("hi", true),
            want: UpdateRefusal::NotAnAgent("ada@customer.example".into()),
            ..usual()
        },
        Case {
            name: "no such ticket",
            ticket: 999,
            update: comment("hi", true),
            want: UpdateRefusal::NoTicket(999),
            ..usual()
        },
        Case {
            name: "no text",
            update: comment(" \r\n ", true),
            want: UpdateRefusal::EmptyComment,
            ..usual()
        },
        Case {
            name: "too much text",
            update: comment(&"é".repeat(65_001), false),
            want: UpdateRefusal::TooLong(65_001),
            ..usual()
        },
        Case {
            name: "closed",
            ticket: 200,
            update: comment("hi", false),
            want: StatusRefusal::Closed.into(),
            ..usual()
        },
        Case {
            name: "back to new",
            update: solve(Status::New),
            want: StatusRefusal::BackToNew.into(),
            ..usual()
        },
        Case {
            name: "closed unsolved",
            update: solve(Status::Closed),
            want: StatusRefusal::NotSolved.into(),
            ..usual()
        },
    ] {
        let before = facts();
        let (outcome, changes, after) = updated(who, ticket, &update);
        assert_eq!(outcome, Err(want), "{name}");
        assert_eq!(changes, Changes::default(), "{name}");
        assert_eq!(after.tickets, before.tickets, "{name}");
    }
    assert_eq!(updated("bob@acme.example", 100, &comment(&"é".repeat(65_000), false)).0, Ok(()));
}

#[test]
fn a_public_comment_goes_to_requester_and_ccs_and_a_note_to_nobody() {
    let (_, changes, _) = updated("bob@acme.example", 100, &comment("On its way.\r\n", true));
    let mail = &changes.outgoing[0];
    let recipients: Vec<&str> = mail.recipients.iter().map(|(_, address)| address.as_str()).collect();
    assert_eq!(recipients, ["ada@customer.example", "carl@customer.example"]);
    assert_eq!(mail.content.from.address, "support@acme.desk.example");
    assert_eq!(mail.content.reply_to.address, "support+idAAAAAA-AAAA@acme.desk.example");
    assert_eq!(mail.comment_id, Some(changes.comments[0].id));
    assert_eq!(changes.comments[0].body, "On its way.\n");
    assert_eq!(
        changes.tickets[&TicketId(100)].after.last_message_id.as_deref(),
        Some(mail.message_id.as_str())
    );

    let (_, changes, _) = updated("bob@acme.example", 100, &comment("Between us.", false));
    assert_eq!((changes.outgoing.len(), changes.comments.len()), (0, 1));
    assert!(!changes.comments[0].is_public);
}

#[test]
fn solving_gives_the_ticket_an_assignee_and_is_audited() {
    let update = Update {
        status: Some(Status::Solved),
        add_tags: vec!["Done now".into()],
        remove_tags: vec!["VIP".into()],
        ..Update::default()
    };
    let (_, changes, _) = updated("bob@acme.example", 100, &update);
    let ticket = &changes.tickets[&TicketId(100)].after;
    assert_eq!(
        (ticket.status, ticket.assignee_id, ticket.solved_at),
        (Status::Solved, Some(UserId(13)), Some(NOW))
    );
    assert_eq!(ticket.tags, ["done", "now"]);
    assert_eq!(changed_fields(&changes), [Field::Status, Field::Assignee, Field::Tags]);
}

#[test]
fn text_loses_characters_that_no_database_keeps() {
    let (_, changes, _) = updated("bob@acme.example", 100, &comment("a\0b", false));
    assert_eq!(changes.comments[0].body, "ab");
}
