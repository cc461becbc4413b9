//! The decision table row by row: each test is named after what it decides (docs/behaviour/intake.md §3 and §4).

mod agents;
mod causes;
mod clients;
mod deliveries;
mod machines;
mod order;
mod people;
mod tickets;

use desk::account::Account;
use desk::authentication::{AgentMail, Authentication, AuthenticationMode, Check};
use desk::changes::Changes;
use desk::comment::Flag;
use desk::delivery::DeliveryResult;
use desk::envelope::Envelope;
use desk::event::{Event, Field};
use desk::facts::{Facts, Trouble, sender_key};
use desk::id::{MailId, OrganizationId, TicketId, UserId};
use desk::id_source::Counting;
use desk::inbound::{Inbound, Recovered};
use desk::notice::NoticeKind;
use desk::organization::Organization;
use desk::rate::Rate;
use desk::setting::Settings;
use desk::ticket::{Priority, Status};
use desk::user::Deliverable;
use desk::verdict::{Decision, decide};
use mail::letter::Letter;

use crate::scene::{
    NOW, account_of, addresses, carried_out, changed_fields, envelope, facts, ignored_commands, key, keys,
    letter, shown,
};

const NATIVE: &str = "support@acme.desk.example";

/// A case under settings, authentication and facts of its own.
struct Table {
    account: Account,
    authentication: Authentication,
    facts: Facts,
    envelope: Envelope,
    recovered: Option<Recovered>,
}

fn table(settings: Settings) -> Table {
    settings.check().unwrap();
    Table {
        account: account_of(settings, addresses()),
        authentication: Authentication::unchecked(),
        facts: facts(),
        envelope: envelope(&[NATIVE]),
        recovered: None,
    }
}

fn usual() -> Table {
    table(Settings::default())
}

/// Bob's own domain vouches for what he sends.
fn authenticated() -> Authentication {
    Authentication { is_checked: true, dmarc: Check::Pass, ..Authentication::unchecked() }
}

fn forged() -> Authentication {
    Authentication { is_checked: true, dmarc: Check::Fail, ..Authentication::unchecked() }
}

fn nothing_published() -> Authentication {
    Authentication { is_checked: true, ..Authentication::unchecked() }
}

impl Table {
    fn by(self, authentication: Authentication) -> Table {
        Table { authentication, ..self }
    }

    fn inbound<'a>(&'a self, letter: &'a Letter, raw: &'a [u8]) -> Inbound<'a> {
        let inbound = Inbound::new(MailId(1), NOW, &self.envelope, letter);
        Inbound { authentication: &self.authentication, recovered: self.recovered.as_ref(), raw, ..inbound }
    }

    fn decided(&self, mail: &str) -> Decision {
        let letter = letter(mail);
        decide(&self.account, &keys(), &self.facts, &self.inbound(&letter, &[]))
    }

    fn check(&self, cases: &[(&str, &str, &str)]) {
        for (name, mail, want) in cases {
            let decision = self.decided(mail);
            assert_eq!(shown(&decision), *want, "{name}: {:#?}", decision.reasons);
        }
    }

    fn changes(&self, mail: &str) -> (Changes, Facts) {
        let letter = letter(mail);
        let (mut facts, mut changes) = (self.facts.clone(), Changes::default());
        let inbound = self.inbound(&letter, &[]);
        carried_out(&self.account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
        (changes, facts)
    }
}

fn of(settings: impl FnOnce(&mut Settings)) -> Settings {
    let mut all = Settings::default();
    settings(&mut all);
    all
}

#[test]
fn row_the_channel_is_off() {
    table(of(|all| all.email_channel = false)).check(&[("any mail", "Subject: x\n\nhi", "suspended 15")]);
}

#[test]
fn row_twenty_pass_twenty_are_held_the_rest_is_discarded() {
    let with = |count: u32, settings: Settings, authentication: Authentication, from: &str| {
        let mut table = table(settings).by(authentication);
        table.facts.sender_per_hour = 20;
        let sender = sender_key(&key(from), &table.authentication);
        table.facts.rates.insert(sender, Rate { window_start: NOW - 1_000, count, held_until: None });
        shown(&table.decided(&format!("From: {from}\nSubject: x\n\nhi")))
    };
    let ada = "ada@customer.example";
    let allowed = || of(|all| all.allowlist = "customer.example".into());
    for (name, got, want) in [
        (
            "the 20th",
            with(19, Settings::default(), Authentication::unchecked(), ada),
            "new ticket by ada@customer.example",
        ),
        ("the 21st", with(20, Settings::default(), Authentication::unchecked(), ada), "suspended 4"),
        ("the 40th", with(39, Settings::default(), Authentication::unchecked(), ada), "suspended 4"),
        ("the 41st", with(40, Settings::default(), Authentication::unchecked(), ada), "discarded"),
        (
            "the 200th of the allow list",
            with(199, allowed(), Authentication::unchecked(), ada),
            "new ticket by ada@customer.example",
        ),
        (
            "the 201st of the allow list",
            with(200, allowed(), Authentication::unchecked(), ada),
            "suspended 4",
        ),
        (
            "the 21st of an agent",
            with(20, Settings::default(), authenticated(), "bob@acme.example"),
            "new ticket by bob@acme.example",
        ),
    ] {
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn row_a_forger_does_not_use_up_the_hour_of_a_victim() {
    let mut table = usual().by(forged());
    table.facts.sender_per_hour = 20;
    let decision = table.decided("Subject: x\n\nhi");
    let (sender, rate) = decision.rate.unwrap();
    assert_eq!((sender.as_str(), rate.count), ("failed ada@customer.example", 1));
    let (changes, _) = table.by(authenticated()).changes("Subject: x\n\nhi");
    assert_eq!(changes.rates.keys().collect::<Vec<_>>(), ["authenticated ada@customer.example"]);
}

#[test]
fn row_who_may_write() {
    let mail = |from: &str| format!("From: {from}\nSubject: x\n\nhi");
    let stranger = mail("eve@else.example");
    let known = mail("ada@customer.example");
    let replying =
        |from: &str, reply_to: &str| format!("From: {from}\nReply-To: {reply_to}\nSubject: x\n\nhi");
    let for_ada = replying("eve@else.example", "ada@customer.example");
    let for_eve = replying("ada@customer.example", "eve@else.example");
    for (name, settings, mail, want) in [
        ("open desk, unknown", of(|_| ()), &stranger, "new ticket by eve@else.example"),
        ("closed desk, unknown", of(|all| all.anyone_can_submit = false), &stranger, "suspended 1"),
        (
            "closed desk, known",
            of(|all| all.anyone_can_submit = false),
            &known,
            "new ticket by ada@customer.example",
        ),
        (
            "closed desk, on the allow list",
            of(|all| {
                all.anyone_can_submit = false;
                all.allowlist = "else.example".into();
            }),
            &stranger,
            "new ticket by eve@else.example",
        ),
        (
            "closed desk, unknown for somebody known",
            of(|all| all.anyone_can_submit = false),
            &for_ada,
            "suspended 1",
        ),
        (
            "closed desk, known for somebody unknown",
            of(|all| all.anyone_can_submit = false),
            &for_eve,
            "suspended 1",
        ),
        (
            "sign-up, unknown for somebody known",
            of(|all| all.sign_up_required = true),
            &for_ada,
            "suspended 12",
        ),
        ("sign-up, unknown", of(|all| all.sign_up_required = true), &stranger, "suspended 12"),
        (
            "sign-up, known and verified",
            of(|all| all.sign_up_required = true),
            &known,
            "new ticket by ada@customer.example",
        ),
        (
            "block list, address",
            of(|all| all.blocklist = "eve@else.example".into()),
            &stranger,
            "suspended 13",
        ),
        ("block list, everybody, unknown", of(|all| all.blocklist = "*".into()), &stranger, "suspended 13"),
        (
            "block list, everybody, known",
            of(|all| all.blocklist = "*".into()),
            &known,
            "new ticket by ada@customer.example",
        ),
        (
            "block list, reject",
            of(|all| all.blocklist = "reject:else.example".into()),
            &stranger,
            "discarded",
        ),
        (
            "block list, everybody and reject",
            of(|all| all.blocklist = "* reject:else.example".into()),
            &stranger,
            "suspended 13",
        ),
        (
            "both lists",
            of(|all| {
                all.allowlist = "eve@else.example".into();
                all.blocklist = "else.example".into();
            }),
            &stranger,
            "new ticket by eve@else.example",
        ),
        (
            "both lists, the block list insists",
            of(|all| {
                all.allowlist = "eve@else.example".into();
                all.blocklist = "suspend:else.example".into();
            }),
            &stranger,
            "suspended 13",
        ),
    ] {
        assert_eq!(shown(&table(settings).decided(mail)), want, "{name}");
    }
}

#[test]
fn row_an_unverified_person_is_held_where_sign_up_is_required() {
    let mut table = table(of(|all| all.sign_up_required = true));
    table.facts.people.get_mut(&key("ada@customer.example")).unwrap().is_verified = false;
    table.check(&[("unverified", "Subject: x\n\nhi", "suspended 2")]);
}

#[test]
fn row_who_must_sign_up_is_told_so_once_and_nothing_of_theirs_is_repeated() {
    let settings = of(|all| all.sign_up_required = true);
    let stranger =
        "From: eve@else.example\nMessage-ID: <m@else.example>\nSubject: BUY\n\nhttps://spam.example";
    let (changes, _) = table(settings.clone()).changes(stranger);
    let mail = &changes.outgoing[0];
    let content = serde_json::to_string(&mail.content).unwrap();
    assert_eq!(
        (mail.content.notice.kind(), mail.recipients[0].1.as_str()),
        (NoticeKind::SignUp, "eve@else.example")
    );
    assert!(!content.contains("BUY") && !content.contains("spam.example"), "{content}");
    assert_eq!((changes.people.len(), changes.suspended.len()), (0, 1), "a held mail makes nobody");
    let anothers = "From: x@evil.example\nReply-To: eve@else.example\nSubject: x\n\nhi";
    for (name, authentication, mail) in [
        ("forged", forged(), stranger),
        ("nothing vouches for it", nothing_published(), stranger),
        ("Reply-To names the victim", authenticated(), anothers),
    ] {
        let (changes, _) = table(settings.clone()).by(authentication).changes(mail);
        assert_eq!((changes.outgoing.len(), changes.suspended.len()), (0, 1), "{name}");
    }
}

#[test]
fn row_organization_domains_are_allow_listed_and_make_members() {
    let mut table = table(of(|all| all.anyone_can_submit = false));
    let organization = |id, name: &str| Organization {
        id: OrganizationId(id),
        name: name.into(),
        domains: ["else.example".to_owned()].into(),
    };
    table.account = table.account.with_organizations(&[organization(1, "Zebra"), organization(2, "Apple")]);
    let (changes, _) = table.changes("From: eve@else.example\nSubject: x\n\nhi");
    assert_eq!(changes.people[0].person.organization_id, Some(OrganizationId(2)), "the first by name");
    assert_eq!(changes.tickets[&changes.new_tickets[0]].after.organization_id, Some(OrganizationId(2)));
}

#[test]
fn row_sender_authentication_by_mode() {
    use AuthenticationMode::{Minimal, Native, NativeAndForwarded};
    let arc = Authentication { arc: Check::Pass, ..forged() };
    for (name, mode, recipient, from, authentication, want) in [
        (
            "minimal, end user",
            Minimal,
            NATIVE,
            "ada@customer.example",
            forged(),
            "new ticket by ada@customer.example",
        ),
        ("minimal, agent", Minimal, NATIVE, "bob@acme.example", forged(), "suspended 26"),
        ("native, straight", Native, NATIVE, "ada@customer.example", forged(), "suspended 26"),
        (
            "native, nothing published",
            Native,
            NATIVE,
            "ada@customer.example",
            nothing_published(),
            "new ticket by ada@customer.example",
        ),
        (
            "native, forwarded",
            Native,
            "help@acme.example",
            "ada@customer.example",
            forged(),
            "new ticket by ada@customer.example",
        ),
        (
            "all, forwarded",
            NativeAndForwarded,
            "help@acme.example",
            "ada@customer.example",
            forged(),
            "suspended 26",
        ),
        (
            "all, sealed",
            NativeAndForwarded,
            "help@acme.example",
            "ada@customer.example",
            arc.clone(),
            "new ticket by ada@customer.example",
        ),
        ("all, straight with seals", NativeAndForwarded, NATIVE, "ada@customer.example", arc, "suspended 26"),
    ] {
        let mut table = table(of(|all| all.sender_authentication = mode)).by(authentication);
        table.envelope = envelope(&[recipient]);
        assert_eq!(shown(&table.decided(&format!("From: {from}\nSubject: x\n\nhi"))), want, "{name}");
    }
}

#[test]
fn row_machines() {
    usual().check(&[
        ("Auto-Submitted", "Auto-Submitted: auto-generated\nSubject: x\n\nhi", "suspended 3"),
        ("Auto-Submitted: no", "Auto-Submitted: no\nSubject: x\n\nhi", "new ticket by ada@customer.example"),
        ("X-Autoreply", "X-Autoreply: yes\nSubject: x\n\nhi", "suspended 8"),
        ("X-Auto-Response-Suppress", "X-Auto-Response-Suppress: All\nSubject: x\n\nhi", "suspended 3"),
        ("Precedence", "Precedence: bulk\nSubject: x\n\nhi", "suspended 3"),
        ("a list", "List-Id: <l.example>\nSubject: x\n\nhi", "suspended 3"),
        (
            "a list in front of a support address",
            "To: support@acme.desk.example\nList-Id: <l.example>\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("an absence notice", "Auto-Submitted: auto-replied\nSubject: x\n\nhi", "suspended 8"),
        ("no-reply", "From: no-reply@shop.example\nSubject: x\n\nhi", "suspended 27"),
        (
            "no-reply for somebody who reads answers",
            "From: no-reply@form.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
        (
            "no-reply for no-reply",
            "From: no-reply@form.example\nReply-To: noreply@form.example\nSubject: x\n\nhi",
            "suspended 27",
        ),
        ("the mail system", "From: postmaster@else.example\nSubject: x\n\nhi", "suspended 9"),
        (
            "another help desk",
            "X-Guichet-Mail: 7-of-theirs\nSubject: x\n\nhi",
            "new ticket by ada@customer.example, flags 4",
        ),
    ]);
    usual().by(forged()).check(&[(
        "another help desk, forged",
        "X-Guichet-Mail: 7-of-theirs\nSubject: x\n\nhi",
        "suspended 23",
    )]);
}

#[test]
fn row_allow_listed_machines_make_tickets_that_nothing_automatic_answers() {
    let table = table(of(|all| all.allowlist = "customer.example shop.example".into()));
    table.check(&[
        (
            "a notification",
            "Auto-Submitted: auto-generated\nSubject: x\n\nhi",
            "new ticket by ada@customer.example, flags 4",
        ),
        (
            "no-reply",
            "From: noreply@shop.example\nSubject: x\n\nhi",
            "new ticket by noreply@shop.example, flags 4",
        ),
    ]);
    let (changes, _) = table.changes("From: noreply@shop.example\nSubject: x\n\nhi");
    assert_eq!(changes.outgoing.len(), 0);
    assert!(changes.tickets[&changes.new_tickets[0]].after.is_machine);
}

#[test]
fn row_the_allow_list_clears_no_other_cause() {
    let allowed = || of(|all| all.allowlist = "customer.example shop.example".into());
    let received = |count: usize| "Received: from a by b\n".repeat(count);
    let ccs: Vec<String> = (0..49).map(|n| format!("p{n}@else.example")).collect();
    let receipt = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nSubject: Read: x\n\n--b\n\nread\n\
                   --b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ada@customer.example\n\
                   Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--";
    table(allowed()).check(&[
        ("nothing to clear", "Subject: x\n\nhi", "new ticket by ada@customer.example"),
        ("an absence notice", "Auto-Submitted: auto-replied\nSubject: x\n\nhi", "new ticket by ada@customer.example, flags 4"),
        ("a suspended person", "From: sue@customer.example\nSubject: x\n\nhi", "suspended 10"),
        ("51 hops", &format!("{}Subject: x\n\nhi", received(51)), "suspended 4"),
        ("a read receipt", receipt, "suspended 7"),
        ("blank", "Subject:\n\n", "suspended 11"),
        ("49 CCs", &format!("Cc: {}\nSubject: x\n\nhi", ccs.join(", ")), "suspended 30"),
        (
            "no-reply by a list that names a support address",
            "From: noreply@shop.example\nTo: support@acme.desk.example\nList-Id: <l.example>\nSubject: x\n\nhi",
            "new ticket by noreply@shop.example, flags 4",
        ),
        (
            "no-reply for somebody who reads answers",
            "From: noreply@shop.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
    ]);
    let native =
        table(Settings { sender_authentication: AuthenticationMode::Native, ..allowed() }).by(forged());
    native.check(&[("forged", "Subject: x\n\nhi", "suspended 26")]);
}

#[test]
fn row_a_blank_mail_is_held_and_one_with_a_file_is_not() {
    usual().check(&[
        ("nothing", "To: support@acme.desk.example\n\n", "suspended 11"),
        ("blanks", "Subject:  \n\n   \n\t\n", "suspended 11"),
        ("a subject", "Subject: Help\n\n", "new ticket by ada@customer.example"),
        ("a text", "Subject:\n\nhelp", "new ticket by ada@customer.example"),
        ("a file", "Content-Type: application/pdf\n\n%PDF", "new ticket by ada@customer.example"),
    ]);
}

#[test]
fn row_49_ccs_are_too_many() {
    let mail = |count: usize| {
        let ccs: Vec<String> = (0..count).map(|n| format!("p{n}@else.example")).collect();
        format!("Cc: {}\nSubject: x\n\nhi", ccs.join(", "))
    };
    usual()
        .check(&[("48", &mail(48), "new ticket by ada@customer.example"), ("49", &mail(49), "suspended 30")]);
}

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
    member.account = member.account.with_organizations(&[web]);
    member.check(&[("an organization's domain", &mail(bob), powerless)]);
    let (changes, _) = allowed.changes(&mail("bob@acme.example"));
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Solved);
}

#[test]
fn row_commands_change_the_ticket_and_leave_the_text() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n\
                #pending\n#priority high\n#type incident\n#tags red blue\n#assignee bob@acme.example\n#ccs dora@customer.example\n\nOn it.";
    let (changes, facts) = usual().by(authenticated()).changes(mail);
    let ticket = &changes.tickets[&TicketId(100)].after;
    assert_eq!(
        (ticket.status, ticket.priority, ticket.assignee_id),
        (Status::Pending, Some(Priority::High), Some(UserId(13)))
    );
    assert_eq!(ticket.tags, ["blue", "red"]);
    assert_eq!(changes.comments[0].body, "On it.");
    assert!(facts.tickets[&TicketId(100)].ccs.contains(&UserId(15)));
    let wanted = [Field::Status, Field::Priority, Field::Type, Field::Tags, Field::Assignee];
    assert_eq!(changed_fields(&changes), wanted);
}

#[test]
fn row_solved_without_an_assignee() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#status solved\nDone.";
    let (changes, _) = usual().by(authenticated()).changes(mail);
    let ticket = &changes.tickets[&TicketId(100)].after;
    assert_eq!(
        (ticket.status, ticket.assignee_id),
        (Status::Solved, Some(UserId(13))),
        "who solves it answers for it"
    );
    let strict = table(of(|all| all.assign_tickets_upon_solve = false)).by(authenticated());
    let (changes, _) = strict.changes(mail);
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Open);
    assert_eq!(ignored_commands(&changes), ["#status solved"]);
}

#[test]
fn row_an_end_users_commands_are_text() {
    let (changes, _) = usual().changes("In-Reply-To: <first@customer.example>\n\n#solved\nThanks.");
    assert_eq!(changes.comments[0].body, "#solved\nThanks.");
    assert_eq!(changes.tickets[&TicketId(100)].after.status, Status::Open);
}

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

#[test]
fn row_requester_names_whose_ticket_it_is() {
    let table = usual().by(authenticated());
    for (name, command, want) in [
        ("an address", "ada@customer.example", "new ticket by ada@customer.example, flags 11"),
        ("an id", "11", "new ticket by ada@customer.example, flags 11"),
        ("somebody new", "new@else.example", "new ticket by new@else.example, flags 11"),
        ("an id nobody has", "999", "new ticket by bob@acme.example"),
        ("one of ours", "support@acme.desk.example", "new ticket by bob@acme.example"),
    ] {
        let mail = format!("From: bob@acme.example\nSubject: x\n\n#requester {command}\nhi");
        assert_eq!(shown(&table.decided(&mail)), want, "{name}");
        let (changes, _) = table.changes(&mail);
        let ticket = &changes.tickets[&changes.new_tickets[0]].after;
        assert_eq!(
            (ticket.submitter_id, changes.comments[0].author_id),
            (UserId(13), ticket.requester_id),
            "{name}"
        );
    }
    for (name, command, requester, made, is_ignored) in [
        ("a known person", "dora@customer.example", Some(15), 0, false),
        ("an id", "12", Some(12), 0, false),
        ("somebody new", "new@else.example", None, 1, false),
        ("one of ours", "support@acme.desk.example", Some(11), 0, true),
        ("an id nobody has", "999", Some(11), 0, true),
    ] {
        let mail = format!(
            "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#requester {command}\nhi"
        );
        let (changes, _) = table.changes(&mail);
        let got = changes.tickets[&TicketId(100)].after.requester_id;
        let want = requester.map_or_else(|| changes.people[0].person.id, UserId);
        assert_eq!((got, changes.people.len()), (want, made), "{name}");
        assert_eq!(!ignored_commands(&changes).is_empty(), is_ignored, "{name}: {:?}", changes.audits);
    }
}

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

#[test]
fn row_recovered_mail_is_held_by_no_cause_and_follows_nothing_up() {
    let with = |recovered: Recovered, mail: &str| {
        let table = Table { recovered: Some(recovered), ..usual() };
        shown(&table.decided(mail))
    };
    let agent = facts().people_by_id[&UserId(13)].clone();
    for (name, recovered, mail, want) in [
        (
            "a machine",
            Recovered::AsSent,
            "Auto-Submitted: auto-generated\nSubject: x\n\nhi",
            "new ticket by ada@customer.example, flags 4",
        ),
        (
            "a third party by header",
            Recovered::AsSent,
            "From: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
            "note on 100 by eve@else.example, flags 2",
        ),
        (
            "on a closed ticket",
            Recovered::AsSent,
            "In-Reply-To: <old@customer.example>\n\nhi",
            "new ticket by ada@customer.example",
        ),
        (
            "into a ticket",
            Recovered::Into(TicketId(300)),
            "Subject: x\n\nhi",
            "comment on 300 by ada@customer.example",
        ),
        (
            "by an agent",
            Recovered::By(agent),
            "From: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
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
fn row_attachments_by_size_and_kind() {
    let mail = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n\
                --b\nContent-Type: application/octet-stream; name=b.exe\n\nx\n--b--";
    let names = |settings: Settings| {
        let (changes, _) = table(settings).changes(mail);
        changes.attachments.iter().map(|new| new.attachment.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(Settings::default()), ["a.pdf"]);
    assert_eq!(names(of(|all| all.attachment_types = "any".into())), ["a.pdf", "b.exe"]);
    assert_eq!(names(of(|all| all.email_attachments = false)), Vec::<String>::new());
    let by_bob = |authentication: Authentication| {
        let table = table(of(|all| all.email_attachments = false)).by(authentication);
        table.changes(&format!("From: bob@acme.example\n{mail}")).0.attachments.len()
    };
    assert_eq!(
        (by_bob(authenticated()), by_bob(nothing_published())),
        (1, 0),
        "an agent's, if the mail proves it"
    );
    let (changes, _) = usual().changes(mail);
    let refused: Vec<&str> = changes.audits[0]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::AttachmentRefused { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!((refused, changes.comments[0].flags.len()), (vec!["b.exe"], 0), "the audit says so");
    let mut large = letter(mail);
    large.attachments[0].size_bytes = 51_000_000;
    let (table, mut facts, mut changes) = (usual(), facts(), Changes::default());
    carried_out(
        &table.account,
        &mut facts,
        &mut Counting::from(10_000),
        &mut changes,
        &table.inbound(&large, &[]),
    );
    assert_eq!(
        (changes.comments[0].flags.clone(), changes.attachments.len()),
        (vec![Flag::AttachmentRefused], 0)
    );
    let Event::Comment { flags_options, .. } = &changes.audits[0].events[1] else {
        panic!("{:?}", changes.audits)
    };
    assert!(!flags_options[&Flag::AttachmentRefused].trusted);
}

#[test]
fn row_text_is_kept_whole_without_its_token_and_quotes_are_collapsed() {
    let mail = "In-Reply-To: <first@customer.example>\n\nThank you.\n\nOn Mon, 2 Nov 2026, Support wrote:\n> Hello.\n> [AAAAAA-AAAA]";
    let (changes, _) = usual().changes(mail);
    let comment = &changes.comments[0];
    assert!(
        comment.body.contains("Thank you.")
            && comment.body.contains("> Hello.")
            && !comment.body.contains("AAAAAA-AAAA")
    );
    assert_eq!(comment.hidden.len(), 1, "{:?}", comment.hidden);
    assert!(comment.body.get(comment.hidden[0].from..).unwrap().starts_with("On Mon"));
}

#[test]
fn row_no_known_token_stays_in_a_text() {
    let table = usual();
    for (name, mail, want) in [
        ("that of the ticket", "Subject: x\n\nhi\n[AAAAAA-AAAA]", "hi"),
        (
            "that of a closed ticket, in its follow-up",
            "Subject: x\n\nhi\n> [BBBBBB-BBBB]\nbye",
            "hi\n> \nbye",
        ),
        ("that of another ticket", "Subject: x\n\nhi [AAAAAA-AAAA]\n[CCCCCC-CCCC]", "hi"),
        ("what only looks like one", "Subject: x\n\n[PROD12-2024]\n[AAAAAA-AAAA]", "[PROD12-2024]"),
    ] {
        assert_eq!(table.changes(mail).0.comments[0].body, want, "{name}");
    }
}

#[test]
fn row_with_the_delimiter_on_what_stands_under_it_is_dropped() {
    let mail = "In-Reply-To: <first@customer.example>\n\nThank you.\n\n> ##- Please type your reply above this line -##\n> Hello.";
    let (changes, _) = table(of(|all| all.reply_delimiter = true)).changes(mail);
    assert_eq!(changes.comments[0].body, "Thank you.");
    let (changes, _) = usual().changes(mail);
    assert!(changes.comments[0].body.contains("Hello."), "off: nothing is dropped");
}

#[test]
fn row_a_second_text_under_a_used_message_id_is_known_again() {
    let table = usual();
    let (mut facts, mut supply) = (table.facts.clone(), Counting::from(10_000));
    let mut outcomes = Vec::new();
    for (id, text) in [(1, "one"), (2, "two"), (3, "two"), (4, "one")] {
        let letter = letter(&format!("Message-ID: <same@customer.example>\nSubject: x\n\n{text}"));
        let mut changes = Changes::default();
        let inbound = Inbound::new(MailId(id), NOW, &table.envelope, &letter);
        let decision = carried_out(&table.account, &mut facts, &mut supply, &mut changes, &inbound);
        outcomes.push(shown(&decision).split(" on ").next().unwrap().to_owned());
    }
    let new = "new ticket by ada@customer.example";
    assert_eq!(
        outcomes,
        [new, "new ticket by ada@customer.example, flags 101", "duplicate of 2", "duplicate of 1"]
    );
}

#[test]
fn row_a_mail_from_an_address_forgets_its_bounces() {
    let mut table = usual();
    table
        .facts
        .troubles
        .insert(key("ada@customer.example"), Trouble { bounces: 3, deliverable: Deliverable::Undeliverable });
    table.facts.people.get_mut(&key("ada@customer.example")).unwrap().deliverable =
        Deliverable::Undeliverable;
    let (changes, _) = table.changes("Subject: x\n\nhi");
    assert_eq!(changes.well_addresses, [key("ada@customer.example")].into());
    assert_eq!(changes.outgoing.len(), 1, "and is acknowledged");
    let (changes, _) = table.by(forged()).changes("Subject: x\n\nhi");
    assert_eq!(changes.well_addresses.len(), 0, "a forged one does not");
}

#[test]
fn row_language() {
    let french = "Bonjour, la lampe que j'ai achetée chez vous la semaine dernière ne fonctionne plus du tout. Merci de votre aide.";
    let german = "Guten Tag, die Lampe, die ich letzte Woche bei Ihnen gekauft habe, funktioniert nicht mehr. Danke für Ihre Hilfe.";
    let learnt = |languages: &str, locale: Option<&str>, mail: &str| {
        let mut table = table(of(|all| all.languages = languages.into())).by(authenticated());
        let facts = &mut table.facts;
        for person in facts.people.values_mut().chain(facts.people_by_id.values_mut()) {
            person.locale = locale.map(str::to_owned);
        }
        let (changes, _) = table.changes(mail);
        changes.locales.into_values().next().unwrap_or_default()
    };
    let in_french = format!("Subject: x\n\n{french}");
    let in_german = format!("Subject: x\n\n{german}");
    let reads_french = format!("Accept-Language: fr\n{in_german}");
    let by_bob = format!("From: bob@acme.example\n{in_french}");
    for (name, languages, locale, mail, want) in [
        ("the text", "en fr", None, in_french.as_str(), "fr"),
        ("as the account spells it", "en fr-CA", None, &in_french, "fr-CA"),
        ("one is known", "en fr", Some("en"), &in_french, ""),
        ("an agent", "en fr", None, &by_bob, ""),
        ("one language", "fr", None, &in_french, ""),
        ("a language the account does not speak", "en fr", None, &in_german, ""),
        ("and another that it speaks", "en fr", None, &reads_french, "fr"),
        ("too short, the program says", "en fr", None, "Accept-Language: fr\nSubject: x\n\nok", "fr"),
        (
            "the program's second choice",
            "en fr",
            None,
            "Accept-Language: de, fr-CH;q=0.8, en;q=0.5\nSubject: x\n\nok",
            "fr",
        ),
        ("the very region", "pt-BR pt-PT", None, "Accept-Language: pt-PT\nSubject: x\n\nok", "pt-PT"),
        ("the text goes before", "en fr", None, &format!("Accept-Language: en\n{in_french}"), "fr"),
        ("nothing says", "en fr", None, "Subject: x\n\nok", ""),
    ] {
        assert_eq!(learnt(languages, locale, mail), want, "{name}");
    }
}

#[test]
fn row_only_who_wrote_a_mail_is_learnt_of() {
    let french = "Bonjour, la lampe que j'ai achetée chez vous la semaine dernière ne fonctionne plus du tout. Merci de votre aide.";
    let mut table = table(of(|all| all.languages = "en fr".into())).by(authenticated());
    let trouble = Trouble { bounces: 3, deliverable: Deliverable::Undeliverable };
    table.facts.troubles.insert(key("ada@customer.example"), trouble);
    let forward = format!(
        "From: bob@acme.example\nSubject: Fwd: Lamp\n\n---------- Forwarded message ---------\nFrom: Ada <ada@customer.example>\n\
         Date: Mon, 2 Nov 2026 at 10:00\nSubject: Lamp\nTo: Bob <bob@acme.example>\n\n{french}"
    );
    for (name, mail, want) in [
        ("From", format!("Subject: x\n\n{french}"), 1),
        (
            "Reply-To",
            format!("From: x@else.example\nReply-To: ada@customer.example\nSubject: x\n\n{french}"),
            0,
        ),
        ("a forward", forward, 0),
        (
            "#requester",
            format!("From: bob@acme.example\nSubject: x\n\n#requester ada@customer.example\n{french}"),
            0,
        ),
    ] {
        let (changes, _) = table.changes(&mail);
        let ticket = &changes.tickets[&changes.new_tickets[0]].after;
        assert_eq!(ticket.requester_id, UserId(11), "{name}");
        assert_eq!((changes.well_addresses.len(), changes.locales.len()), (want, want), "{name}");
    }
}

#[test]
fn row_bounces_are_hard_or_soft() {
    let report = |status: &str| {
        format!(
            "From: mailer-daemon@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ada@customer.example\n\
             Action: failed\nStatus: {status}\n\n--b--"
        )
    };
    let path = format!("bounce+{}@acme.desk.example", keys().sign(desk::signed::Purpose::Bounce, 1, 501));
    for (status, want) in [
        ("5.1.1", DeliveryResult::Hard),
        ("4.4.7", DeliveryResult::Soft),
        ("5.2.2", DeliveryResult::Soft),
        ("5.7.1", DeliveryResult::Soft),
    ] {
        let mut table = usual();
        table.envelope = Envelope { mail_from: None, ..envelope(&[&path]) };
        let (changes, _) = table.changes(&report(status));
        assert_eq!(changes.bounced[0].result, want, "{status}");
        assert_eq!(
            (changes.suspended.len(), changes.outgoing.len()),
            (0, 0),
            "a bounce makes no ticket and triggers no mail"
        );
    }
}

#[test]
fn row_acknowledgements_go_to_end_users_who_are_known_or_vouched_for() {
    let stranger = "From: eve@else.example\nSubject: x\n\nhi";
    let anothers = |reply_to: &str| format!("From: x@evil.example\nReply-To: {reply_to}\nSubject: x\n\nhi");
    let (victim, form) = (anothers("eve@else.example"), anothers("ada@customer.example"));
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
