//! Who may write, and how often (docs/behaviour/intake.md §3).

use desk::authentication::{Authentication, AuthenticationMode, Check};
use desk::facts::sender_key;
use desk::id::OrganizationId;
use desk::notice::NoticeKind;
use desk::organization::{Organization, OrganizationDomains};
use desk::rate::Rate;
use desk::setting::Settings;

use super::{NATIVE, authenticated, forged, nothing_published, of, table, usual};
use crate::scene::{NOW, envelope, key, shown};

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
    table.facts.organizations =
        OrganizationDomains::new(&[organization(1, "Zebra"), organization(2, "Apple")]);
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
