//! CCs and followers.

use desk::id::{TicketId, UserId};
use desk::setting::Settings;

use super::{Table, authenticated, forged, nothing_published, of, table, usual};

#[test]
fn row_ccs_are_added_by_proven_participants_alone() {
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
    for (name, table, mail, want) in [
        ("by header, unproven", usual(), by_header, 0),
        ("by header, authenticated", usual().by(authenticated()), by_header, 1),
        ("by token", usual(), by_token, 1),
        ("by token, forged", usual().by(forged()), by_token, 0),
        ("by another's From", usual().by(authenticated()), anothers_reply.as_str(), 0),
        ("by another's From with the token", usual().by(authenticated()), anothers_token.as_str(), 1),
        ("a new ticket by another's From", usual().by(authenticated()), anothers_new.as_str(), 0),
        ("a new ticket", usual(), new, 1),
        ("a stranger nobody vouches for", usual().by(nothing_published()), stranger, 0),
        ("a stranger vouched for", usual().by(authenticated()), stranger, 1),
        ("CCs off", with(|all| all.email_ccs = false), new, 0),
        ("end users may not", with(|all| all.end_users_add_ccs = false), new, 0),
        ("the CC is not wanted", with(|all| all.ccs_blocklist = "customer.example".into()), new, 0),
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
