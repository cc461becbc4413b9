//! Answers to closed tickets.

use desk::id::{OrganizationId, TicketId, UserId};
use desk::ticket::Priority;

use super::{Table, authenticated, of, table, usual};

#[test]
fn row_a_follow_up_copies_what_goes_on() {
    let mut table = table(of(|all| all.follow_up_keeps_assignee = true));
    let closed = &mut table.facts.tickets.get_mut(&TicketId(200)).unwrap().ticket;
    closed.organization_id = Some(OrganizationId(5));
    closed.assignee_id = Some(UserId(13));
    closed.priority = Some(Priority::Urgent);
    let (changes, _) = table.changes("In-Reply-To: <old@customer.example>\nSubject: quite another\n\nagain");
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!((ticket.subject.as_str(), ticket.requester_id), ("Re: Ticket 2", UserId(11)));
    assert_eq!(
        (ticket.organization_id, ticket.assignee_id, ticket.priority),
        (Some(OrganizationId(5)), Some(UserId(13)), None)
    );
    let (changes, _) =
        table.changes("From: eve@else.example\nIn-Reply-To: <old@customer.example>\nSubject: mine\n\nhi");
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!(ticket.subject, "mine", "a stranger learns nothing of the closed ticket");
    let agent = "From: bob@acme.example\nIn-Reply-To: <old@customer.example>\n\nOnce more.";
    let (changes, _) = table.by(authenticated()).changes(agent);
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!((ticket.requester_id, ticket.submitter_id), (UserId(11), UserId(13)));
}

#[test]
fn row_an_answer_to_a_closed_ticket_reaches_its_requester() {
    let mut table = usual();
    table.facts.tickets.get_mut(&TicketId(200)).unwrap().ccs.insert(UserId(12));
    let closed = "In-Reply-To: <old@customer.example>\n";
    let by_bob = format!("From: bob@acme.example\n{closed}\nOnce more.");
    let to_ada = format!("From: bob@acme.example\nTo: ada@customer.example\n{closed}\nOnce more.");
    let note = format!("From: bob@acme.example\n{closed}\n#note\nOnce more.");
    let by_carl = format!("From: carl@customer.example\nTo: ada@customer.example\n{closed}\nhi");
    let alone = format!("From: carl@customer.example\n{closed}\nhi");
    let by_ada = format!("{closed}\nhi");
    let by_eve = format!("From: eve@else.example\n{closed}\nhi");
    let told = |table: &Table, mail: &str| {
        let (changes, _) = table.changes(mail);
        let is_public = changes.comments[0].is_public;
        let sent = changes.outgoing.iter().flat_map(|mail| {
            mail.recipients.iter().map(|(_, to)| format!("{} {to}", mail.content.notice.kind()))
        });
        (is_public, sent.collect::<Vec<_>>().join(", "))
    };
    for (name, mail, want) in [
        ("a CC whose mail the requester has", &by_carl, (true, "")),
        ("a CC who leaves out the requester", &alone, (false, "")),
        ("the requester", &by_ada, (true, "acknowledgement ada@customer.example")),
        ("a stranger", &by_eve, (true, "acknowledgement eve@else.example")),
    ] {
        assert_eq!(told(&table, mail), (want.0, want.1.to_owned()), "{name}");
    }
    table = table.by(authenticated());
    for (name, mail, want) in [
        ("an agent", &by_bob, (true, "comment ada@customer.example")),
        ("an agent whose mail the requester has", &to_ada, (true, "")),
        ("an agent's note", &note, (false, "")),
    ] {
        assert_eq!(told(&table, mail), (want.0, want.1.to_owned()), "{name}");
    }
}
