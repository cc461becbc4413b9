//! Who may write to a ticket, and who reads it (docs/behaviour/intake.md §4).

use desk::authentication::AgentMail;
use desk::id::{OrganizationId, TicketId, UserId};
use desk::organization::{Organization, OrganizationDomains};
use desk::setting::Settings;
use desk::ticket::Status;

use super::{authenticated, forged, nothing_published, of, table, usual};

#[test]
fn row_1_1_agent_and_requester_and_third_party() {
    let agents = |mail: &str| format!("From: bob@acme.example\n{mail}");
    usual().by(authenticated()).check(&[
        ("an agent, nothing named", &agents("Subject: x\n\nhi"), "new ticket by bob@acme.example"),
        (
            "an agent by token",
            &agents("Subject: x\n\nhi\n[AAAAAA-AAAA]"),
            "comment on 100 by bob@acme.example",
        ),
        (
            "an agent by header",
            &agents("In-Reply-To: <first@customer.example>\n\nhi"),
            "comment on 100 by bob@acme.example",
        ),
        (
            "an agent on a closed ticket",
            &agents("In-Reply-To: <old@customer.example>\n\nhi"),
            "follow-up of 200 by bob@acme.example",
        ),
        (
            "the requester",
            "In-Reply-To: <first@customer.example>\n\nhi",
            "comment on 100 by ada@customer.example",
        ),
        (
            "somebody else by token",
            "From: dora@customer.example\n\n[AAAAAA-AAAA]",
            "note on 100 by dora@customer.example, flags 2",
        ),
        (
            "somebody else by header",
            "From: dora@customer.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "suspended 6",
        ),
        (
            "a stranger by header",
            "From: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "suspended 5",
        ),
    ]);
}

#[test]
fn row_4_3_a_cc_who_leaves_out_the_requester() {
    let alone = "From: carl@customer.example\nTo: support@acme.desk.example\n\n[AAAAAA-AAAA]";
    let with_ada = "From: carl@customer.example\nCc: ada@customer.example\n\n[AAAAAA-AAAA]";
    let with_eve = "From: carl@customer.example\nCc: eve@else.example\n\n[AAAAAA-AAAA]";
    usual().check(&[
        ("alone", alone, "note on 100 by carl@customer.example"),
        ("with the requester", with_ada, "comment on 100 by carl@customer.example"),
    ]);
    table(of(|all| all.cc_comments_public = true)).check(&[
        ("alone, setting on", alone, "comment on 100 by carl@customer.example"),
        ("to others, setting on", with_eve, "note on 100 by carl@customer.example"),
    ]);
}

#[test]
fn rows_4_6_to_4_10_who_reads_an_agents_comment() {
    let mail =
        |text: &str| format!("From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n{text}");
    let public = "comment on 100 by bob@acme.example";
    let note = "note on 100 by bob@acme.example";
    let usual = usual().by(authenticated());
    usual.check(&[
        ("row 10", &mail("hi"), public),
        ("row 6, #note", &mail("#note\nhi"), note),
        ("row 6, #public false", &mail("#public false\nhi"), note),
        ("#public true", &mail("#public true\nhi"), public),
    ]);
    let off = table(of(|all| all.comments_public_by_default = false)).by(authenticated());
    off.check(&[("row 7", &mail("hi"), note), ("row 7, told otherwise", &mail("#public true\nhi"), public)]);
    let mut private = table(Settings::default()).by(authenticated());
    private.facts.tickets.get_mut(&TicketId(100)).unwrap().ticket.is_public = false;
    private
        .check(&[("row 8", &mail("hi"), note), ("row 8, told otherwise", &mail("#public true\nhi"), note)]);
    let mut quoting = table(Settings::default()).by(authenticated());
    let secret = "The customer is behind on three invoices.";
    let said = "We look into it and call you back.";
    quoting
        .facts
        .comments
        .insert(TicketId(100), vec![(false, format!("{secret}\n{said}")), (true, said.to_owned())]);
    quoting.check(&[
        ("row 9", &mail(&format!("Yes.\n> {secret}")), note),
        ("row 9, said in public too", &mail(&format!("Yes.\n> {said}")), public),
        ("row 9, a short line", &mail("Yes.\n> three invoices."), public),
    ]);
    let mut followed = table(Settings::default()).by(authenticated());
    followed.facts.tickets.get_mut(&TicketId(100)).unwrap().followers.insert(UserId(13));
    let answer =
        "From: bob@acme.example\nIn-Reply-To: <AAAAAA-AAAA.f0123456789abcdef@acme.desk.example>\n\nhi";
    let lost = "From: bob@acme.example\nTo: support+idAAAAAA-AAAA@acme.desk.example\n\nhi";
    let rewritten = "From: bob@acme.example\nIn-Reply-To: <1@relay.example>\nReferences: <AAAAAA-AAAA@acme.desk.example> <1@relay.example>\n\nhi";
    let rooted = "From: bob@acme.example\nReferences: <AAAAAA-AAAA@acme.desk.example>\n\nhi";
    let told = format!("{lost}\n[AAAAAA-AAAA]").replace("\n\nhi", "\n\n#public\nhi");
    followed.check(&[
        ("a follower's answer to a notice", answer, note),
        ("a follower's answer to a mail", &mail("hi"), public),
        ("a follower's answer that lost its ids", lost, note),
        ("a follower's answer whose id was rewritten", rewritten, note),
        ("a follower's answer that names the root alone", rooted, note),
        ("a follower who says that it is public", &told, public),
    ]);
    usual.check(&[("an agent who does not follow it", lost, public)]);
}

#[test]
fn row_an_agent_who_proves_nothing_has_no_powers() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#solved\nDone.";
    let note = "note on 100 by bob@acme.example, flags 0";
    usual().check(&[("nobody looked", mail, note)]);
    usual().by(nothing_published()).check(&[("nothing vouches", mail, note)]);
    let any = of(|all| all.agent_mail = AgentMail::Any);
    table(any.clone()).check(&[("the account believes From", mail, "comment on 100 by bob@acme.example")]);
    table(any).by(forged()).check(&[("but not a forged one", mail, "suspended 26")]);
    let (changes, _) = usual().changes(mail);
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Open, "the command is not carried out");
    assert_eq!(changes.comments[0].body, "#solved\nDone.", "and stays in the text");
}

#[test]
fn row_from_and_reply_to_differ() {
    let mail = |reply_to: &str| {
        format!(
            "From: form@web.example\nReply-To: {reply_to}\nIn-Reply-To: <first@customer.example>\n\n#solved\nhi"
        )
    };
    usual().by(authenticated()).check(&[
        ("an agent", &mail("bob@acme.example"), "note on 100 by bob@acme.example, flags 0"),
        (
            "a known end user",
            &mail("ada@customer.example"),
            "comment on 100 by ada@customer.example, flags 0",
        ),
        (
            "unknown",
            "From: form@web.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
    ]);
    let allowed = table(of(|all| all.allowlist = "form@web.example".into())).by(authenticated());
    let bob = "bob@acme.example";
    allowed.check(&[(
        "an agent by an allow-listed From",
        &mail(bob),
        "comment on 100 by bob@acme.example, flags 0",
    )]);
    let powerless = "note on 100 by bob@acme.example, flags 0";
    for list in ["web.example", "*", "other@web.example"] {
        let table = table(of(|all| all.allowlist = list.into())).by(authenticated());
        table.check(&[(list, &mail(bob), powerless)]);
    }
    let mut member = usual().by(authenticated());
    let web = Organization {
        id: OrganizationId(1),
        name: "Web".into(),
        domains: ["web.example".to_owned()].into(),
    };
    member.facts.organizations = OrganizationDomains::new(&[web]);
    member.check(&[("an organization's domain", &mail(bob), powerless)]);
    let (changes, _) = allowed.changes(&mail("bob@acme.example"));
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Solved);
}
