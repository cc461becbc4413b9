//! Mail that agents forward for its authors (docs/behaviour/forwarded-mail.md).

use desk::id::UserId;

use super::{authenticated, of, usual};
use crate::scene::shown;

#[test]
fn row_an_agents_forward_is_a_ticket_of_the_originals_author() {
    let mail = "From: bob@acme.example
        Cc: carl@customer.example
        Subject: Fwd: Lamp

        Please look after her.

        ---------- Forwarded message ---------
        From: Eve Ells <eve@else.example>
        Date: Mon, 2 Nov 2026 at 10:00
        Subject: Lamp
        To: Bob <bob@acme.example>

        It is dark.";
    let table = usual().by(authenticated());
    assert_eq!(shown(&table.decided(mail)), "new ticket by eve@else.example, flags 11");
    let (changes, _) = table.changes(mail);
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!((ticket.subject.as_str(), ticket.submitter_id), ("Lamp", UserId(13)));
    assert_eq!(changes.people[0].person.name, "Eve Ells");
    let comments: Vec<(&str, bool)> =
        changes.comments.iter().map(|comment| (comment.body.as_str(), comment.is_public)).collect();
    assert_eq!(comments, [("It is dark.", true), ("Please look after her.", false)]);
    assert_eq!(
        (changes.comments[0].author_id, changes.comments[1].author_id),
        (ticket.requester_id, UserId(13))
    );
    assert_eq!(
        (changes.ccs.len(), changes.outgoing.len()),
        (0, 0),
        "the original's Cc is dropped, nobody is acknowledged"
    );
    let around = mail.replace("Please look", "#tags lamp\n\n        Please look")
        + "\n        ----- End forwarded message -----\n\n        Call her.";
    let (changes, _) = table.changes(&around);
    let comments: Vec<&str> = changes.comments.iter().map(|comment| comment.body.as_str()).collect();
    assert_eq!(
        comments,
        ["It is dark.", "Please look after her.\n\nCall her."],
        "without the commands, with what stands below"
    );
    let unproven = usual();
    assert_eq!(shown(&unproven.decided(mail)), "new ticket by bob@acme.example, flags 0");
    let off = crate::rows::table(of(|all| all.agent_forwarding = false)).by(authenticated());
    assert_eq!(shown(&off.decided(mail)), "new ticket by bob@acme.example");
    let named = "From: bob@acme.example\nSubject: Lamp\n\n#requester Eve <eve@else.example>\nIt is dark.";
    assert_eq!(shown(&table.decided(named)), "new ticket by eve@else.example, flags 11");
    let (changes, _) = table.changes(named);
    assert_eq!((changes.comments[0].body.as_str(), changes.new_tickets.len()), ("It is dark.", 1));
}

#[test]
fn row_an_agents_mail_without_a_subject_is_called_after_its_comment() {
    let forward = "\nPlease look after her.\n\n---------- Forwarded message ---------\nFrom: Eve <eve@else.example>\n\
                   Date: Mon, 2 Nov 2026 at 10:00\nSubject:\nTo: Bob <bob@acme.example>\n\nIt is dark.";
    for (name, mail, want) in [
        ("a command", "\n#requester eve@else.example\n#priority high\nIt is dark.", "It is dark."),
        ("a note above a forward", forward, "It is dark."),
        ("commands alone", "\n#requester Eve Ells <eve@else.example>", "Mail from Eve Ells"),
    ] {
        let (changes, _) = usual().by(authenticated()).changes(&format!("From: bob@acme.example\n{mail}"));
        assert_eq!(changes.tickets[&changes.new_tickets[0]].after.subject, want, "{name}");
    }
}
