//! CCs and followers.

use desk::id::{TicketId, UserId};
use desk::setting::Settings;

use super::{Table, authenticated, forged, nothing_published, of, table, usual};

#[test]
fn row_ccs_are_added_by_proven_participants_alone() {
    struct Case<'a> {
        name: &'a str,
        table: Table,
        mail: &'a str,
        want: usize,
    }

    let ccs = |table: &Table, mail: &str| table.changes(mail).0.ccs.len();
    let by_header = "Cc: dora@customer.example\nIn-Reply-To: <first@customer.example>\n\nhi";
    let by_token = "Cc: dora@customer.example\nSubject: x\n\n[AAAAAA-AAAA]";
    let new = "Cc: dora@customer.example\nSubject: x\n\nhi";
    let stranger = "From: eve@else.example\nCc: dora@customer.example\nSubject: x\n\nhi";
    let of_another = "From: x@evil.example\nReply-To: ada@customer.example\n";
    let anothers_reply = format!("{of_another}{by_header}");
    let anothers_token = format!("{of_another}{by_token}");
    let anothers_new = format!("{of_another}{new}");
    let with = |settings: fn(&mut Settings)| table(of(settings));
    let plain = || Case { name: "", table: usual(), mail: new, want: 0 };
    for Case { name, table, mail, want } in [
        Case { name: "by header, unproven", mail: by_header, ..plain() },
        Case {
            name: "by header, authenticated",
            table: usual().by(authenticated()),
            mail: by_header,
            want: 1,
        },
        Case { name: "by token", mail: by_token, want: 1, ..plain() },
        Case { name: "by token, forged", table: usual().by(forged()), mail: by_token, ..plain() },
        Case {
            name: "by another's From",
            table: usual().by(authenticated()),
            mail: &anothers_reply,
            ..plain()
        },
        Case {
            name: "by another's From with the token",
            table: usual().by(authenticated()),
            mail: &anothers_token,
            want: 1,
        },
        Case {
            name: "a new ticket by another's From",
            table: usual().by(authenticated()),
            mail: &anothers_new,
            ..plain()
        },
        Case { name: "a new ticket", mail: new, want: 1, ..plain() },
        Case {
            name: "a stranger nobody vouches for",
            table: usual().by(nothing_published()),
            mail: stranger,
            ..plain()
        },
        Case { name: "a stranger vouched for", table: usual().by(authenticated()), mail: stranger, want: 1 },
        Case { name: "CCs off", table: with(|all| all.email_ccs = false), mail: new, ..plain() },
        Case {
            name: "end users may not",
            table: with(|all| all.end_users_add_ccs = false),
            mail: new,
            ..plain()
        },
        Case {
            name: "the CC is not wanted",
            table: with(|all| all.ccs_blocklist = "customer.example".into()),
            mail: new,
            ..plain()
        },
    ] {
        assert_eq!(ccs(&table, mail), want, "{name}");
    }
    let closed = with(|all| all.anyone_can_submit = false);
    let (changes, _) = closed.changes("Cc: new@else.example\nSubject: x\n\nhi");
    assert_eq!(changes.people.len(), 0, "a closed desk makes nobody of a CC");
}

#[test]
fn row_an_agent_in_cc_follows_and_so_does_one_who_answers() {
    let (changes, _) = usual().changes("Cc: bob@acme.example\nSubject: x\n\nhi");
    assert_eq!(changes.followers.len(), 1);
    let table = usual().by(authenticated());
    let (changes, _) = table.changes("From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\nhi");
    assert_eq!(changes.followers, [(TicketId(100), UserId(13))].into());
}

#[test]
fn row_followers_are_told_of_every_comment_but_their_own() {
    let mut table = usual();
    table.facts.tickets.get_mut(&TicketId(100)).unwrap().followers.insert(UserId(13));
    let kinds = |mail: &str| {
        let (changes, _) = table.changes(mail);
        let told: Vec<(String, String)> = changes
            .outgoing
            .iter()
            .flat_map(|mail| {
                mail.recipients.iter().map(|(_, to)| (mail.content.notice.kind().to_string(), to.clone()))
            })
            .collect();
        told
    };
    let bob = ("follower".to_owned(), "bob@acme.example".to_owned());
    assert!(kinds("In-Reply-To: <first@customer.example>\n\nhi").contains(&bob));
    assert_eq!(
        kinds("From: eve@else.example\n\n[AAAAAA-AAAA]"),
        [bob],
        "internal notes too, and nobody else reads them"
    );
    assert_eq!(kinds("From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\nhi"), []);
    assert_eq!(
        kinds("X-Guichet-Mail: 7-of-theirs\nIn-Reply-To: <first@customer.example>\n\nhi"),
        [],
        "a machine's mail tells nobody"
    );
}
