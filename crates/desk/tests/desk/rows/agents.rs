//! What agents do by mail: forwards, commands, answers.

use desk::changes::Changes;
use desk::facts::Facts;
use desk::id::{MailId, TicketId, UserId};
use desk::id_source::Counting;
use desk::inbound::Inbound;
use desk::ticket::Status;
use desk::verdict::Decision;
use mail::letter::Letter;

use super::{Table, authenticated, usual};
use crate::scene::{NOW, carried_out, ignored_commands, letter, shown};

fn agents() -> Table {
    usual().by(authenticated())
}

fn recipients(changes: &Changes) -> Vec<&str> {
    changes
        .outgoing
        .iter()
        .flat_map(|mail| mail.recipients.iter().map(|(_, address)| address.as_str()))
        .collect()
}

/// A message with its bytes, which a forward as attachment is read from.
fn carried_out_with_bytes(table: &Table, raw: &str) -> (Decision, Changes, Facts) {
    let raw = raw.replace('\n', "\r\n");
    let letter = Letter::parse(raw.as_bytes());
    let inbound = Inbound {
        raw: raw.as_bytes(),
        authentication: &table.authentication,
        ..Inbound::new(MailId(1), NOW, &table.envelope, &letter)
    };
    let mut facts = table.facts.clone();
    let mut changes = Changes::default();
    let decision =
        carried_out(&table.account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
    (decision, changes, facts)
}

#[test]
fn row_4_an_agents_answer_is_mailed_and_changes_no_status() {
    let answer = |header: &str| format!("From: bob@acme.example\n{header}\n\nWe look into it.");
    let (changes, _) = agents().changes(&answer("In-Reply-To: <first@customer.example>"));
    assert_eq!(recipients(&changes), ["ada@customer.example", "carl@customer.example"]);
    assert_eq!(changes.outgoing.len(), 1, "one mail with Carl in Cc");
    for status in [Status::Open, Status::Pending, Status::Hold, Status::Solved] {
        let mut table = agents();
        table.facts.tickets.get_mut(&TicketId(300)).unwrap().ticket.status = status;
        let (changes, _) = table.changes(&answer("In-Reply-To: <third@customer.example>"));
        assert_eq!(
            (changes.comments[0].is_public, changes.tickets[&TicketId(300)].after.status),
            (true, status)
        );
        assert_eq!(recipients(&changes), ["ada@customer.example"], "{status}");
    }
}

#[test]
fn row_4_an_agent_who_answers_follows_unless_they_are_on_the_ticket() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\nhi";
    let followers = |change: fn(&mut desk::ticket::Ticket)| {
        let mut table = agents();
        change(&mut table.facts.tickets.get_mut(&TicketId(100)).unwrap().ticket);
        table.changes(mail).0.followers.len()
    };
    assert_eq!(followers(|_| ()), 1, "neither requester nor assignee");
    assert_eq!(followers(|ticket| ticket.assignee_id = Some(UserId(13))), 0, "the assignee");
    assert_eq!(followers(|ticket| ticket.requester_id = UserId(13)), 0, "the requester");
}

const BLOCK: &str = "---------- Forwarded message ---------
    From: Eve Ells <eve@else.example>
    Date: Mon, 2 Nov 2026 at 10:00
    Subject: Lamp
    To: Bob <bob@acme.example>
    Cc: x@else.example

    It is dark.";

#[test]
fn row_12_1_a_forward_makes_a_ticket_only_where_none_is_named() {
    let mail =
        |header: &str| format!("From: bob@acme.example\nSubject: Fwd: Lamp\n{header}\n\nPlease.\n\n{BLOCK}");
    agents().check(&[
        ("nothing named", &mail("X-A: b"), "new ticket by eve@else.example, flags 11"),
        (
            "a ticket named",
            &mail("In-Reply-To: <first@customer.example>"),
            "comment on 100 by bob@acme.example",
        ),
    ]);
    let (changes, _) = agents().changes(&mail("X-A: b"));
    assert_eq!(changes.tickets[&changes.new_tickets[0]].after.assignee_id, None, "nobody is assigned");
    assert_eq!((changes.ccs.len(), changes.people.len()), (0, 1), "the original's Cc brings nobody in");
    let (changes, _) = agents().changes(&mail("In-Reply-To: <first@customer.example>"));
    assert!(changes.comments[0].body.contains("It is dark."), "the forward is the agent's text");
    assert_eq!((changes.people.len(), changes.new_tickets.len()), (0, 0));
}

#[test]
fn row_12_1_a_mail_forwarded_as_an_attachment_is_a_ticket_of_its_author() {
    let mail = "From: bob@acme.example\nTo: support@acme.desk.example\nSubject: Fwd: Lamp\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nPlease look after her.\n--b\n\
        Content-Type: message/rfc822\n\nFrom: Eve Ells <eve@else.example>\nTo: bob@acme.example\nCc: x@else.example\n\
        Subject: Lamp\nMessage-ID: <lamp@else.example>\n\nIt is dark.\n--b--\n";
    let (decision, changes, _) = carried_out_with_bytes(&agents(), mail);
    assert_eq!(shown(&decision), "new ticket by eve@else.example, flags 11");
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!((ticket.subject.as_str(), ticket.submitter_id), ("Lamp", UserId(13)));
    assert_eq!(
        (ticket.requester_id, changes.people[0].person.name.as_str()),
        (changes.people[0].person.id, "Eve Ells")
    );
    let comments: Vec<(&str, bool)> =
        changes.comments.iter().map(|comment| (comment.body.as_str(), comment.is_public)).collect();
    assert_eq!(comments, [("It is dark.", true), ("Please look after her.", false)]);
    assert_eq!((changes.ccs.len(), changes.outgoing.len()), (0, 0));
    let (unproven, ..) = carried_out_with_bytes(&usual(), mail);
    assert_eq!(shown(&unproven), "new ticket by bob@acme.example, flags 0");
    let two = mail.replace(
        "--b--",
        "--b\nContent-Type: message/rfc822\n\nFrom: dora@customer.example\nSubject: y\n\nz\n--b--",
    );
    let (decision, ..) = carried_out_with_bytes(&agents(), &two);
    assert_eq!(shown(&decision), "new ticket by bob@acme.example", "of two nobody knows which");
}

#[test]
fn row_12_2_who_may_be_assigned() {
    let with = |commands: &str| {
        let (changes, _) = agents().changes(&format!(
            "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n{commands}\nhi"
        ));
        let ignored = ignored_commands(&changes);
        assert_eq!(changes.comments[0].body, "hi", "{commands}");
        (changes.tickets[&TicketId(100)].after.assignee_id.map(|id| id.0), ignored.join(", "))
    };
    for (commands, assignee, ignored) in [
        ("#assignee bob@acme.example", Some(13), ""),
        ("#assignee 13", Some(13), ""),
        ("#assignee ada@customer.example", None, "#assignee ada@customer.example"),
        ("#assignee 11", None, "#assignee 11"),
        ("#assignee 999", None, "#assignee 999"),
        ("#assignee nobody@acme.example", None, "#assignee nobody@acme.example"),
        ("#group x", None, "#group"),
        ("#group x\n#assignee 13", Some(13), "#group"),
    ] {
        assert_eq!(with(commands), (assignee, ignored.to_owned()), "{commands}");
    }
}

#[test]
fn row_12_2_commands_of_a_mail_without_powers_stay_in_its_text() {
    let letter = letter("From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#assignee 13\nhi");
    let table = usual();
    let mut facts = crate::scene::facts();
    let mut changes = Changes::default();
    let inbound = table.inbound(&letter, &[]);
    carried_out(&table.account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
    assert_eq!(
        (changes.comments[0].body.as_str(), changes.tickets[&TicketId(100)].after.assignee_id),
        ("#assignee 13\nhi", None)
    );
}
