//! What happens when a ticket is opened: one for each address, and acknowledgements.

use super::{Table, authenticated, forged, nothing_published, of, table, usual};

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
    struct Case<'a> {
        name: &'a str,
        table: Table,
        mail: &'a str,
        want: usize,
    }

    let stranger = "From: eve@else.example\nSubject: x\n\nhi";
    let anothers = |reply_to: &str| format!("From: x@evil.example\nReply-To: {reply_to}\nSubject: x\n\nhi");
    let victim = anothers("eve@else.example");
    let form = anothers("ada@customer.example");
    let plain = || Case { name: "", table: usual(), mail: stranger, want: 0 };
    for Case { name, table, mail, want } in [
        Case { name: "a stranger nobody looked at", want: 1, ..plain() },
        Case { name: "a stranger vouched for", table: usual().by(authenticated()), want: 1, ..plain() },
        Case { name: "a stranger nobody vouches for", table: usual().by(nothing_published()), ..plain() },
        Case {
            name: "a known person nobody vouches for",
            table: usual().by(nothing_published()),
            mail: "Subject: x\n\nhi",
            want: 1,
        },
        Case {
            name: "a forged known person",
            table: usual().by(forged()),
            mail: "Subject: x\n\nhi",
            ..plain()
        },
        Case {
            name: "an agent",
            table: usual().by(authenticated()),
            mail: "From: bob@acme.example\nSubject: x\n\nhi",
            ..plain()
        },
        Case {
            name: "a stranger in Reply-To, From vouched for",
            table: usual().by(authenticated()),
            mail: &victim,
            ..plain()
        },
        Case { name: "a stranger in Reply-To, nobody looked", mail: &victim, ..plain() },
        Case { name: "a known person in Reply-To", table: usual().by(authenticated()), mail: &form, want: 1 },
    ] {
        assert_eq!(table.changes(mail).0.outgoing.len(), want, "{name}");
    }
}
