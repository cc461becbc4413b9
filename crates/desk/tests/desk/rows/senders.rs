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
    struct Case<'a> {
        name: &'a str,
        settings: Settings,
        mail: &'a str,
        want: &'a str,
    }

    let mail = |from: &str| format!("From: {from}\nSubject: x\n\nhi");
    let stranger = mail("eve@else.example");
    let known = mail("ada@customer.example");
    let replying =
        |from: &str, reply_to: &str| format!("From: {from}\nReply-To: {reply_to}\nSubject: x\n\nhi");
    let for_ada = replying("eve@else.example", "ada@customer.example");
    let for_eve = replying("ada@customer.example", "eve@else.example");
    let plain = || Case { name: "", settings: of(|_| ()), mail: &stranger, want: "" };
    for Case { name, settings, mail, want } in [
        Case { name: "open desk, unknown", want: "new ticket by eve@else.example", ..plain() },
        Case {
            name: "closed desk, unknown",
            settings: of(|all| all.anyone_can_submit = false),
            want: "suspended 1",
            ..plain()
        },
        Case {
            name: "closed desk, known",
            settings: of(|all| all.anyone_can_submit = false),
            mail: &known,
            want: "new ticket by ada@customer.example",
        },
        Case {
            name: "closed desk, on the allow list",
            settings: of(|all| {
                all.anyone_can_submit = false;
                all.allowlist = "else.example".into();
            }),
            want: "new ticket by eve@else.example",
            ..plain()
        },
        Case {
            name: "closed desk, unknown for somebody known",
            settings: of(|all| all.anyone_can_submit = false),
            mail: &for_ada,
            want: "suspended 1",
        },
        Case {
            name: "closed desk, known for somebody unknown",
            settings: of(|all| all.anyone_can_submit = false),
            mail: &for_eve,
            want: "suspended 1",
        },
        Case {
            name: "sign-up, unknown for somebody known",
            settings: of(|all| all.sign_up_required = true),
            mail: &for_ada,
            want: "suspended 12",
        },
        Case {
            name: "sign-up, unknown",
            settings: of(|all| all.sign_up_required = true),
            want: "suspended 12",
            ..plain()
        },
        Case {
            name: "sign-up, known and verified",
            settings: of(|all| all.sign_up_required = true),
            mail: &known,
            want: "new ticket by ada@customer.example",
        },
        Case {
            name: "block list, address",
            settings: of(|all| all.blocklist = "eve@else.example".into()),
            want: "suspended 13",
            ..plain()
        },
        Case {
            name: "block list, everybody, unknown",
            settings: of(|all| all.blocklist = "*".into()),
            want: "suspended 13",
            ..plain()
        },
        Case {
            name: "block list, everybody, known",
            settings: of(|all| all.blocklist = "*".into()),
            mail: &known,
            want: "new ticket by ada@customer.example",
        },
        Case {
            name: "block list, reject",
            settings: of(|all| all.blocklist = "reject:else.example".into()),
            want: "discarded",
            ..plain()
        },
        Case {
            name: "block list, everybody and reject",
            settings: of(|all| all.blocklist = "* reject:else.example".into()),
            want: "suspended 13",
            ..plain()
        },
        Case {
            name: "both lists",
            settings: of(|all| {
                all.allowlist = "eve@else.example".into();
                all.blocklist = "else.example".into();
            }),
            want: "new ticket by eve@else.example",
            ..plain()
        },
        Case {
            name: "both lists, the block list insists",
            settings: of(|all| {
                all.allowlist = "eve@else.example".into();
                all.blocklist = "suspend:else.example".into();
            }),
            want: "suspended 13",
            ..plain()
        },
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
    struct Case {
        name: &'static str,
        mode: AuthenticationMode,
        recipient: &'static str,
        from: &'static str,
        authentication: Authentication,
        want: &'static str,
    }
    fn plain() -> Case {
        Case {
            name: "",
            mode: Minimal,
            recipient: NATIVE,
            from: "ada@customer.example",
            authentication: forged(),
            want: "",
        }
    }

    use AuthenticationMode::{Minimal, Native, NativeAndForwarded};
    let arc = Authentication { arc: Check::Pass, ..forged() };
    for Case { name, mode, recipient, from, authentication, want } in [
        Case {
            name: "minimal, end user",
            mode: Minimal,
            want: "new ticket by ada@customer.example",
            ..plain()
        },
        Case {
            name: "minimal, agent",
            mode: Minimal,
            from: "bob@acme.example",
            want: "suspended 26",
            ..plain()
        },
        Case { name: "native, straight", mode: Native, want: "suspended 26", ..plain() },
        Case {
            name: "native, nothing published",
            mode: Native,
            authentication: nothing_published(),
            want: "new ticket by ada@customer.example",
            ..plain()
        },
        Case {
            name: "native, forwarded",
            mode: Native,
            recipient: "help@acme.example",
            want: "new ticket by ada@customer.example",
            ..plain()
        },
        Case {
            name: "all, forwarded",
            mode: NativeAndForwarded,
            recipient: "help@acme.example",
            want: "suspended 26",
            ..plain()
        },
        Case {
            name: "all, sealed",
            mode: NativeAndForwarded,
            recipient: "help@acme.example",
            authentication: arc.clone(),
            want: "new ticket by ada@customer.example",
            ..plain()
        },
        Case {
            name: "all, straight with seals",
            mode: NativeAndForwarded,
            authentication: arc,
            want: "suspended 26",
            ..plain()
        },
    ] {
        let mut table = table(of(|all| all.sender_authentication = mode)).by(authentication);
        table.envelope = envelope(&[recipient]);
        assert_eq!(shown(&table.decided(&format!("From: {from}\nSubject: x\n\nhi"))), want, "{name}");
    }
}
