//! What a decision changes: tickets, comments, people, mails to send, ids remembered, the ledger.

use std::collections::BTreeSet;

use desk::account::Account;
use desk::changes::{Changes, Outgoing};
use desk::event::{Event, Field, Peer};
use desk::facts::IdKind;
use desk::id::{MailId, TicketId, TicketNumber, UserId};
use desk::id_source::Counting;
use desk::inbound::Inbound;
use desk::notice::{NoticeKind, Rendering, render};
use desk::setting::Settings;
use desk::ticket::Status;
use desk::token::ThreadToken;
use mail::letter::Letter;

use crate::scene::{
    NOW, account, account_of, addresses, carried_out, changed_fields, changes_of, envelope, facts, letter,
};

const NATIVE: &str = "support@acme.desk.example";

fn changes(mail: &str) -> Changes {
    changes_of(&account(), &envelope(&[NATIVE]), &letter(mail)).1
}

fn recipients(mail: &Outgoing) -> Vec<&str> {
    mail.recipients.iter().map(|(_, address)| address.as_str()).collect()
}

#[test]
fn every_mail_has_exactly_one_row_in_the_ledger() {
    for (mail, outcome) in [
        ("Subject: x\n\nhi", "new_ticket"),
        ("In-Reply-To: <first@customer.example>\n\nhi", "comment"),
        ("In-Reply-To: <old@customer.example>\n\nhi", "follow_up"),
        ("From: sue@customer.example\n\nhi", "suspended"),
        ("Message-ID: <out@acme.desk.example>\n\nhi", "discarded"),
        ("From: mailer-daemon@x.example\n\nhi", "suspended"),
    ] {
        let changes = changes(mail);
        assert_eq!(changes.ledger.len(), 1, "{mail}");
        let row = &changes.ledger[0];
        assert_eq!((row.id, row.outcome.as_str(), row.accepted_at), (MailId(1), outcome, NOW));
        assert_eq!(row.reasons.last(), Some(&row.reason));
        assert_eq!(changes.suspended.len(), usize::from(outcome == "suspended"), "{mail}");
    }
}

#[test]
fn a_new_ticket_has_its_comment_person_audit_and_acknowledgement() {
    let changes = changes(
        "From: Eve Ells <eve@else.example>
         To: support@acme.desk.example, Dora <dora@customer.example>, noreply@acme.desk.example
         Cc: new@else.example, Eve@Else.example, help@acme.example
         Message-ID: <m@else.example>
         References: <r1@else.example> <r2@else.example>
         Subject: Lamp

         It is dark.",
    );
    let id = changes.new_tickets[0];
    let ticket = &changes.tickets[&id].after;
    let eve = changes.people[0].person.clone();
    assert_eq!((ticket.subject.as_str(), ticket.status, ticket.requester_id), ("Lamp", Status::New, eve.id));
    assert_eq!((eve.name.as_str(), eve.address.as_str()), ("Eve Ells", "eve@else.example"));
    assert_eq!(ticket.last_message_id.as_deref(), Some("m@else.example"));
    assert_eq!(changes.comments.len(), 1);
    assert_eq!(
        (changes.comments[0].body.as_str(), changes.comments[0].mail_id),
        ("It is dark.", Some(MailId(1)))
    );
    // Dora is known, the other is new; ours and Eve herself are no CCs.
    let new = changes.people[1].person.id;
    assert_eq!(changes.ccs, BTreeSet::from([(id, UserId(15)), (id, new)]));
    assert_eq!(changes.people.len(), 2);
    let remembered: Vec<(&str, IdKind)> =
        changes.message_ids.iter().map(|id| (id.message_id.as_str(), id.met.kind())).collect();
    assert!(remembered.contains(&("m@else.example", IdKind::In)));
    assert!(
        remembered.contains(&("r1@else.example", IdKind::Seen))
            && remembered.contains(&("r2@else.example", IdKind::Seen))
    );
    assert_eq!(remembered.iter().filter(|(_, kind)| *kind == IdKind::Out).count(), 1);
    let Event::Create { peer, .. } = &changes.audits[0].events[0] else { panic!("{:?}", changes.audits) };
    assert_eq!(*peer, Peer { client: "192.0.2.1".into(), helo: "mx.customer.example".into() });
    assert_eq!(recipients(&changes.outgoing[0]), ["eve@else.example"]);
}

#[test]
fn an_acknowledgement_repeats_nothing_of_the_sender() {
    let changes = changes("From: eve@else.example\nSubject: BUY-NOW\n\nhttps://spam.example");
    let content = serde_json::to_string(&changes.outgoing[0].content).unwrap();
    assert_eq!(changes.outgoing[0].content.notice.kind(), NoticeKind::Acknowledgement);
    assert!(!content.contains("BUY-NOW") && !content.contains("spam.example"), "{content}");
}

#[test]
fn who_is_acknowledged() {
    struct Case<'a> {
        name: &'a str,
        account: &'a Account,
        mail: &'a str,
        want: usize,
    }

    let quiet = account_of(Settings { acknowledge: false, ..Settings::default() }, addresses());
    let usual = account();
    let plain = || Case { name: "", account: &usual, mail: "Subject: x\n\nhi", want: 0 };
    for Case { name, account, mail, want } in [
        Case { name: "a person", want: 1, ..plain() },
        Case { name: "an automatic answer", mail: "Auto-Submitted: auto-replied\n\nhi", ..plain() },
        Case { name: "a list", mail: "List-Id: <l.example>\n\nhi", ..plain() },
        Case { name: "bulk", mail: "Precedence: bulk\n\nhi", ..plain() },
        Case { name: "a follow-up", mail: "In-Reply-To: <old@customer.example>\n\nhi", want: 1, ..plain() },
        Case {
            name: "a comment",
            mail: "From: ada@customer.example\nIn-Reply-To: <third@customer.example>\n\nhi",
            ..plain()
        },
        Case { name: "switched off", account: &quiet, ..plain() },
    ] {
        let (_, changes, _) = changes_of(account, &envelope(&[NATIVE]), &letter(mail));
        assert_eq!(changes.outgoing.len(), want, "{name}");
    }
    let mut null = envelope(&[NATIVE]);
    null.mail_from = None;
    let (_, changes, _) = changes_of(&usual, &null, &letter("Subject: x\n\nhi"));
    assert_eq!(changes.outgoing.len(), 0, "the null return path");
}

#[test]
fn a_persons_answer_opens_a_waiting_ticket_and_a_machines_does_not() {
    for (status, header, want) in [
        (Status::New, "", Status::New),
        (Status::Open, "", Status::Open),
        (Status::Pending, "", Status::Open),
        (Status::Hold, "", Status::Open),
        (Status::Solved, "", Status::Open),
        (Status::Pending, "X-Guichet-Mail: 7-of-another-desk\n", Status::Pending),
        (Status::Solved, "X-Guichet-Mail: 7-of-another-desk\n", Status::Solved),
        (Status::Solved, "From: bob@acme.example\n", Status::Solved),
        (Status::Solved, "From: eve@else.example\n", Status::Solved),
    ] {
        let mut facts = facts();
        let mut changes = Changes::default();
        facts.tickets.get_mut(&TicketId(300)).unwrap().ticket.status = status;
        let letter = letter(&format!("{header}Subject: x\n\n[CCCCCC-CCCC]"));
        let envelope = envelope(&[NATIVE]);
        let inbound = Inbound::new(MailId(1), NOW, &envelope, &letter);
        carried_out(&account(), &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
        assert_eq!(changes.tickets[&TicketId(300)].after.status, want, "{status} {header}");
        let says_so = changed_fields(&changes).contains(&Field::Status);
        assert_eq!(says_so, status != want, "{status} {header}");
    }
}

#[test]
fn a_public_comment_goes_to_all_who_did_not_have_it() {
    let reply =
        |header: &str| changes(&format!("{header}In-Reply-To: <first@customer.example>\nSubject: x\n\nhi"));
    for (name, header, want) in [
        ("the requester writes", "", vec!["carl@customer.example"]),
        (
            "the CC writes, the requester has it",
            "From: carl@customer.example\nTo: ada@customer.example\n",
            vec![],
        ),
        ("the CC writes to us alone", "From: carl@customer.example\n", vec![]),
        ("the CC had it", "Cc: Carl@customer.example\n", vec![]),
        ("somebody new has it", "Cc: dora@customer.example\n", vec!["carl@customer.example"]),
        ("an agent writes", "From: bob@acme.example\n", vec![]),
    ] {
        let changes = reply(header);
        assert_eq!(changes.comments.len(), 1, "{name}");
        let sent: Vec<&str> = changes.outgoing.iter().flat_map(recipients).collect();
        assert_eq!(sent, want, "{name}");
    }
    assert_eq!(reply("Cc: dora@customer.example\n").ccs, BTreeSet::new(), "nothing proves who wrote it");
    let dora = changes("Cc: dora@customer.example\nReferences: <AAAAAA-AAAA.7@acme.desk.example>\n\nhi");
    assert_eq!(dora.ccs, BTreeSet::from([(TicketId(100), UserId(15))]));
}

#[test]
fn a_note_by_mail_adds_no_ccs_and_mails_nobody() {
    for header in ["From: bob@acme.example\n", "From: eve@else.example\n"] {
        let changes = changes(&format!("{header}Cc: dora@customer.example\n\n[AAAAAA-AAAA]"));
        assert_eq!((changes.ccs.len(), changes.outgoing.len()), (0, 0), "{header}");
        assert!(!changes.comments[0].is_public);
    }
}

#[test]
fn a_follow_up_names_the_closed_ticket_and_takes_its_tags() {
    let changes = changes("In-Reply-To: <old@customer.example>\nSubject: Again\n\nhi");
    let ticket = &changes.tickets[&changes.new_tickets[0]].after;
    assert_eq!((ticket.follow_up_of, ticket.status), (Some(TicketId(200)), Status::New));
    assert_eq!(ticket.tags, ["vip"]);
    assert!(!changes.tickets.contains_key(&TicketId(200)), "the closed one does not change");
}

#[test]
fn a_ticket_without_a_subject_is_called_after_its_text_or_author() {
    for (mail, want) in [
        ("Subject: Lamp\n\nIt is dark.", "Lamp"),
        ("Subject:\n\nIt is dark.\nVery.", "It is dark."),
        ("Subject:\nContent-Type: application/pdf\n\n%PDF", "Mail from Ada"),
    ] {
        let changes = changes(mail);
        assert_eq!(changes.tickets[&changes.new_tickets[0]].after.subject, want);
    }
    let long = changes(&format!("Subject: {}\n\nhi", "é".repeat(400)));
    assert_eq!(long.tickets[&long.new_tickets[0]].after.subject.chars().count(), 255);
}

#[test]
fn a_bounce_is_written_on_its_ticket_and_a_probe_on_its_address() {
    let path = format!(
        "bounce+{}@acme.desk.example",
        crate::scene::keys().sign(desk::signed::Purpose::Bounce, desk::id::AccountId(1), 501)
    );
    let mut null = envelope(&[&path]);
    null.mail_from = None;
    let (_, changes, _) = changes_of(
        &account(),
        &null,
        &letter("From: mailer-daemon@x.example\nSubject: Undeliverable\n\nNo such user"),
    );
    assert_eq!((changes.bounced.len(), changes.bounced[0].result), (1, desk::delivery::DeliveryResult::Hard));
    assert_eq!(changes.audits[0].ticket_id, TicketId(100));
    assert_eq!(changes.ledger[0].ticket_id, Some(TicketId(100)));
    assert_eq!((changes.comments.len(), changes.outgoing.len()), (0, 0));

    let (_, changes, _) = changes_of(
        &account(),
        &envelope(&["inbox@acme.desk.example"]),
        &letter("X-Guichet-Probe: s3cret\n\nx"),
    );
    assert_eq!(changes.probes.len(), 1);
    assert_eq!((changes.new_tickets.len(), changes.message_ids.len()), (0, 0));
}

#[test]
fn a_duplicate_and_a_loop_leave_only_their_row() {
    let bare = |changes: Changes| Changes { ledger: vec![], seen_addresses: BTreeSet::new(), ..changes };
    assert_eq!(bare(changes("Message-ID: <out@acme.desk.example>\n\nhi")), Changes::default());
    let account = account();
    let mut facts = facts();
    let mut supply = Counting::from(10_000);
    let envelope = envelope(&[NATIVE]);
    let letter = letter("Message-ID: <twice@customer.example>\n\nhi");
    let mut outcomes = Vec::new();
    for id in [1, 2] {
        let mut changes = Changes::default();
        let inbound = Inbound::new(MailId(id), NOW, &envelope, &letter);
        outcomes.push((
            carried_out(&account, &mut facts, &mut supply, &mut changes, &inbound).outcome().as_str(),
            changes,
        ));
    }
    let (second, changes) = outcomes.pop().unwrap();
    assert_eq!(second, "duplicate");
    assert_eq!(
        changes.ledger[0].ticket_id, outcomes[0].1.ledger[0].ticket_id,
        "it names the first one's ticket"
    );
    assert_eq!(bare(changes), Changes::default());
}

#[test]
fn with_the_delimiter_on_an_answer_to_our_mail_is_read_down_to_it() {
    let own = "== Please answer above ==";
    for (reply_delimiter, delimiter) in [(true, ""), (true, own), (false, own)] {
        let settings = Settings { reply_delimiter, delimiter: delimiter.into(), ..Settings::default() };
        let account = account_of(settings, addresses());
        let agent = Settings { agent_mail: desk::authentication::AgentMail::Any, ..account.settings.clone() };
        let by_bob = letter("From: bob@acme.example\nIn-Reply-To: <third@customer.example>\n\nOn its way.");
        let (_, changes, _) = changes_of(&account_of(agent, addresses()), &envelope(&[NATIVE]), &by_bob);
        let mail = &changes.outgoing[0];
        let comment = &changes.comments[0].body;
        let raw = render(&Rendering {
            content: &mail.content,
            number: Some(TicketNumber(3)),
            message_id: &mail.message_id,
            comment,
            references: &[],
            mark: "1-x",
            id: mail.id,
            date: NOW,
        })
        .unwrap();
        let read = Letter::parse(&raw);
        let quoted: String = read.text.lines().map(|line| format!("> {line}\n")).collect();
        let answer = letter(&format!("Subject: Re: x\n\nThanks.\n\nOn Monday Acme wrote:\n{quoted}"));
        let (_, changes, _) = changes_of(&account, &envelope(&[NATIVE]), &answer);
        let body = &changes.comments[0].body;
        assert_eq!(
            (body == "Thanks.", body.contains("On its way.")),
            (reply_delimiter, !reply_delimiter),
            "{body:?}"
        );
        let has_own = Letter::html(&raw).unwrap().contains(own);
        assert_eq!(has_own, reply_delimiter && delimiter == own, "the HTML has the line too");
    }
}

#[test]
fn a_mail_of_ours_carries_its_token_and_is_found_again_by_it() {
    let changes = changes("From: eve@else.example\nSubject: x\n\nhi");
    let mail = &changes.outgoing[0];
    let token = changes.tickets[&changes.new_tickets[0]].after.token.clone();
    let raw = render(&Rendering {
        content: &mail.content,
        number: Some(TicketNumber(17)),
        message_id: &mail.message_id,
        comment: "",
        references: &[],
        mark: "1-x",
        id: mail.id,
        date: NOW,
    })
    .unwrap();
    let read = Letter::parse(&raw);
    assert_eq!(ThreadToken::in_text(&read.text), std::slice::from_ref(&token));
    assert_eq!(read.marks, [token.as_str()], "the HTML has it too");
    let native = |host: &str| host == "acme.desk.example";
    assert_eq!(
        read.message_id.and_then(|id| ThreadToken::in_message_id(id.as_str(), native)),
        Some(token.clone())
    );
    assert_eq!(read.reply_to[0].key().and_then(|key| ThreadToken::in_address(&key)), Some(token));
    assert!(read.subject.contains("#17") && read.text.contains("#17"), "{}", read.subject);
    assert!(read.nature.is_automatic());
}
