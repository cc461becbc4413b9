//! Old mail that is imported: decided as any other, told to nobody, dated as it was written.

use desk::clock::Millis;
use desk::envelope::{Door, Envelope};
use desk::id::TicketId;
use desk::ticket::Status;

use crate::scene::{NOW, account, changes_of, envelope, letter};

fn imported() -> Envelope {
    Envelope { door: Door::Import, ..envelope(&["support@acme.desk.example"]) }
}

#[test]
fn nobody_is_notified_of_old_mail() {
    for mail in ["From: eve@else.example\nSubject: x\n\nhi", "In-Reply-To: <third@customer.example>\n\nhi"] {
        let told = |envelope: &Envelope| changes_of(&account(), envelope, &letter(mail)).1.outgoing.len();
        assert_eq!(told(&imported()), 0, "{mail}");
    }
    let acknowledged = changes_of(
        &account(),
        &envelope(&["support@acme.desk.example"]),
        &letter("From: eve@else.example\n\nhi"),
    );
    assert_eq!(acknowledged.1.outgoing.len(), 1, "the same mail by SMTP is acknowledged");
}

#[test]
fn a_ticket_of_old_mail_is_as_old_as_the_mail() {
    for (name, date, want) in [
        ("old", "Date: Mon, 05 Mar 2018 10:00:00 +0000", Millis(1_520_244_000_000)),
        ("a clock never set", "Date: Thu, 01 Jan 1970 00:00:10 +0000", NOW),
        ("the future", "Date: Fri, 01 Jan 2100 00:00:00 +0000", NOW),
        ("no date", "Subject: x", NOW),
    ] {
        let changes =
            changes_of(&account(), &imported(), &letter(&format!("From: eve@else.example\n{date}\n\nhi"))).1;
        let ticket = &changes.tickets[&changes.new_tickets[0]].after;
        assert_eq!(
            (ticket.created_at, ticket.updated_at, ticket.status),
            (want, want, Status::New),
            "{name}"
        );
        assert_eq!((changes.comments[0].created_at, changes.ledger[0].decided_at), (want, NOW), "{name}");
    }
    let live = changes_of(
        &account(),
        &envelope(&["support@acme.desk.example"]),
        &letter("Date: Mon, 05 Mar 2018 10:00:00 +0000\n\nhi"),
    )
    .1;
    assert_eq!(live.comments[0].created_at, NOW, "who writes now cannot date it back");
}

#[test]
fn an_old_reply_opens_nothing_again() {
    let mail = letter("In-Reply-To: <third@customer.example>\nDate: Mon, 05 Mar 2018 10:00:00 +0000\n\nhi");
    let status =
        |envelope: &Envelope| changes_of(&account(), envelope, &mail).1.tickets[&TicketId(300)].after.status;
    assert_eq!(status(&imported()), Status::Pending);
    assert_eq!(status(&envelope(&["support@acme.desk.example"])), Status::Open);
}
