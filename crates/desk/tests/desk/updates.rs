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
    let solve = |status| Update { status: Some(status), ..Update::default() };
    for (name, who, ticket, update, want) in [
        (
            "an end user",
            "ada@customer.example",
            100,
            comment("hi", true),
            UpdateRefusal::NotAnAgent("ada@customer.example".into()),
        ),
        ("no such ticket", "bob@acme.example", 999, comment("hi", true), UpdateRefusal::NoTicket(999)),
        ("no text", "bob@acme.example", 100, comment(" \r\n ", true), UpdateRefusal::EmptyComment),
        (
            "too much text",
            "bob@acme.example",
            100,
            comment(&"é".repeat(65_001), false),
            UpdateRefusal::TooLong(65_001),
        ),
        ("closed", "bob@acme.example", 200, comment("hi", false), StatusRefusal::Closed.into()),
        ("back to new", "bob@acme.example", 100, solve(Status::New), StatusRefusal::BackToNew.into()),
        ("closed unsolved", "bob@acme.example", 100, solve(Status::Closed), StatusRefusal::NotSolved.into()),
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
