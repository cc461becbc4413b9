//! Mail that is let out of the suspended tickets (docs/behaviour/suspension.md).

use desk::id::{TicketId, UserId};
use desk::inbound::Recovered;

use super::{Table, usual};
use crate::scene::{facts, shown};

#[test]
fn row_recovered_mail_is_held_by_no_cause_and_follows_nothing_up() {
    struct Case {
        name: &'static str,
        recovered: Recovered,
        mail: &'static str,
        want: &'static str,
    }
    fn plain() -> Case {
        Case { name: "", recovered: Recovered::AsSent, mail: "Subject: x\n\nhi", want: "" }
    }

    let with = |recovered: Recovered, mail: &str| {
        let table = Table { recovered: Some(recovered), ..usual() };
        shown(&table.decided(mail))
    };
    let agent = facts().people_by_id[&UserId(13)].clone();
    for Case { name, recovered, mail, want } in [
        Case {
            name: "a machine",
            mail: "Auto-Submitted: auto-generated\nSubject: x\n\nhi",
            want: "new ticket by ada@customer.example, flags 4",
            ..plain()
        },
        Case {
            name: "a third party by header",
            mail: "From: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            want: "note on 100 by eve@else.example, flags 2",
            ..plain()
        },
        Case {
            name: "on a closed ticket",
            mail: "In-Reply-To: <old@customer.example>\n\nhi",
            want: "new ticket by ada@customer.example",
            ..plain()
        },
        Case {
            name: "into a ticket",
            recovered: Recovered::Into(TicketId(300)),
            want: "comment on 300 by ada@customer.example",
            ..plain()
        },
        Case {
            name: "by an agent",
            recovered: Recovered::By(agent),
            mail: "From: eve@else.example\nSubject: x\n\nhi",
            want: "new ticket by eve@else.example",
        },
    ] {
        assert_eq!(with(recovered, mail), want, "{name}");
    }
}

#[test]
fn row_a_late_mail_that_was_held_finds_its_ticket_when_it_is_let_through() {
    let mut table = usual();
    let mail = "Message-ID: <awaited@customer.example>\nAuto-Submitted: auto-generated\nSubject: x\n\nhi";
    let (held, known) = table.changes(mail);
    assert_eq!((held.suspended.len(), held.message_ids[0].ticket_id), (1, Some(TicketId(100))));
    assert_eq!(held.ledger[0].ticket_id, None, "it is on no ticket yet");
    table.facts = known;
    let (again, _) = table.changes(mail);
    assert_eq!(
        again.message_ids[0].ticket_id,
        Some(TicketId(100)),
        "decided anew and held again it keeps it"
    );
    table.recovered = Some(Recovered::AsSent);
    assert_eq!(shown(&table.decided(mail)), "comment on 100 by ada@customer.example, flags 4");
}
