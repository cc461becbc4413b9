//! What happens when a ticket is opened: one for each address, and acknowledgements.

use super::{authenticated, forged, nothing_published, of, table, usual};

#[test]
fn row_one_ticket_an_address_where_the_account_wants_it() {
    let mail =
        "To: support@acme.desk.example, help@acme.example\nCc: support@shop.desk.example\nSubject: x\n\nhi";
    let (changes, _) = usual().changes(mail);
    assert_eq!(changes.new_tickets.len(), 1);
    let (changes, _) = table(of(|all| all.ticket_per_address = true)).changes(mail);
    let received: Vec<&str> =
        changes.new_tickets.iter().map(|id| changes.tickets[id].after.received.recipient.as_str()).collect();
    assert_eq!(received, ["support@acme.desk.example", "help@acme.example", "support@shop.desk.example"]);
    let notes = changes.comments.iter().filter(|comment| !comment.is_public).count();
    assert_eq!((notes, changes.ledger.len(), changes.people.len()), (3, 1, 0));
    assert_eq!(changes.outgoing.len(), 3, "each acknowledges for itself");
}

#[test]
fn row_acknowledgements_go_to_end_users_who_are_known_or_vouched_for() {
    let stranger = "From: eve@else.example\nSubject: x\n\nhi";
    let anothers = |reply_to: &str| format!("From: x@evil.example\nReply-To: {reply_to}\nSubject: x\n\nhi");
    let victim = anothers("eve@else.example");
    let form = anothers("ada@customer.example");
    for (name, table, mail, want) in [
        ("a stranger nobody looked at", usual(), stranger, 1),
        ("a stranger vouched for", usual().by(authenticated()), stranger, 1),
        ("a stranger nobody vouches for", usual().by(nothing_published()), stranger, 0),
        ("a known person nobody vouches for", usual().by(nothing_published()), "Subject: x\n\nhi", 1),
        ("a forged known person", usual().by(forged()), "Subject: x\n\nhi", 0),
        ("an agent", usual().by(authenticated()), "From: bob@acme.example\nSubject: x\n\nhi", 0),
        ("a stranger in Reply-To, From vouched for", usual().by(authenticated()), victim.as_str(), 0),
        ("a stranger in Reply-To, nobody looked", usual(), victim.as_str(), 0),
        ("a known person in Reply-To", usual().by(authenticated()), form.as_str(), 1),
    ] {
        assert_eq!(table.changes(mail).0.outgoing.len(), want, "{name}");
    }
}
