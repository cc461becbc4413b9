//! Entries, precedence and refusals of allow and block lists.

use super::*;
use crate::id::OrganizationId;
use crate::organization::{Organization, OrganizationDomains};
use proptest::prelude::*;

fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

fn ask(allow: &str, block: &str, sender: &str, is_known: bool, organizations: &[&str]) -> Listed {
    let organization = Organization {
        id: OrganizationId(1),
        name: "One".into(),
        domains: organizations.iter().map(|&domain| domain.to_owned()).collect(),
    };
    let organizations = OrganizationDomains::new(&[organization]);
    let allow = SenderList::parse_allow(allow).unwrap();
    let block = SenderList::parse(block).unwrap();
    verdict(&allow, &block, &key(sender), is_known, organizations.domain_of(&key(sender)))
}

fn allowed(entry: &str) -> Listed {
    Listed::Allowed { entry: entry.into() }
}

fn suspend(entry: &str) -> Listed {
    Listed::Suspend { entry: entry.into() }
}

fn reject(entry: &str) -> Listed {
    Listed::Reject { entry: entry.into() }
}

/// Two lists, and what they say of Ada.
struct Case {
    name: &'static str,
    allow: &'static str,
    block: &'static str,
    is_known: bool,
    want: Listed,
}

fn usual() -> Case {
    Case { name: "", allow: "", block: "", is_known: false, want: Listed::Unlisted }
}

#[test]
fn precedence_of_the_two_lists() {
    for case in [
        Case { name: "empty lists", ..usual() },
        Case { name: "others are named", allow: "example.com", block: "reject:example.net", ..usual() },
        Case {
            name: "allow address",
            allow: "ada@mail.example.org",
            want: allowed("ada@mail.example.org"),
            ..usual()
        },
        Case {
            name: "allow host covers sub-domains",
            allow: "example.org",
            want: allowed("example.org"),
            ..usual()
        },
        Case { name: "allow everybody", allow: "*", block: "example.org", want: allowed("*"), ..usual() },
        Case {
            name: "the most specific allow entry is named",
            allow: "* example.org ada@mail.example.org",
            want: allowed("ada@mail.example.org"),
            ..usual()
        },
        Case { name: "block host", block: "example.org", want: suspend("example.org"), ..usual() },
        Case {
            name: "block address",
            block: "Ada@Mail.Example.Org",
            want: suspend("Ada@Mail.Example.Org"),
            ..usual()
        },
        Case {
            name: "block host holds for known people too",
            block: "example.org",
            is_known: true,
            want: suspend("example.org"),
            ..usual()
        },
        Case { name: "wildcard, unknown sender", block: "*", want: suspend("*"), ..usual() },
        Case { name: "wildcard, known sender", block: "*", is_known: true, ..usual() },
        Case {
            name: "wildcard, allow-listed sender",
            allow: "example.org",
            block: "*",
            want: allowed("example.org"),
            ..usual()
        },
        Case {
            name: "suspend keyword",
            block: "suspend:example.org",
            is_known: true,
            want: suspend("suspend:example.org"),
            ..usual()
        },
        Case {
            name: "reject keyword",
            block: "reject:ada@mail.example.org",
            is_known: true,
            want: reject("reject:ada@mail.example.org"),
            ..usual()
        },
        Case {
            name: "both on the same entry: suspend wins",
            block: "reject:example.org suspend:example.org",
            want: suspend("suspend:example.org"),
            ..usual()
        },
        Case {
            name: "suspend host and reject address: suspend wins",
            block: "suspend:example.org reject:ada@mail.example.org",
            is_known: true,
            want: suspend("suspend:example.org"),
            ..usual()
        },
        Case {
            name: "wildcard and reject, unknown sender: suspended",
            block: "* reject:example.org",
            want: suspend("*"),
            ..usual()
        },
        Case {
            name: "wildcard and reject, known sender: rejected",
            block: "* reject:example.org",
            is_known: true,
            want: reject("reject:example.org"),
            ..usual()
        },
        Case {
            name: "plain and reject: suspended",
            block: "example.org reject:ada@mail.example.org",
            is_known: true,
            want: suspend("example.org"),
            ..usual()
        },
        Case {
            name: "allow list wins over a plain entry",
            allow: "ada@mail.example.org",
            block: "example.org",
            want: allowed("ada@mail.example.org"),
            ..usual()
        },
        Case {
            name: "allow host wins over a plain address",
            allow: "example.org",
            block: "ada@mail.example.org",
            want: allowed("example.org"),
            ..usual()
        },
        Case {
            name: "suspend keyword wins over the allow list",
            allow: "ada@mail.example.org",
            block: "suspend:example.org",
            want: suspend("suspend:example.org"),
            ..usual()
        },
        Case {
            name: "reject keyword wins over the allow list",
            allow: "example.org",
            block: "reject:ada@mail.example.org",
            want: reject("reject:ada@mail.example.org"),
            ..usual()
        },
        Case {
            name: "plain falls to the allow list, so reject is left",
            allow: "example.org",
            block: "example.org reject:mail.example.org",
            want: reject("reject:mail.example.org"),
            ..usual()
        },
        Case {
            name: "the allow list holds off the wildcard, not the keyword",
            allow: "*",
            block: "* reject:example.org",
            want: reject("reject:example.org"),
            ..usual()
        },
    ] {
        let got = ask(case.allow, case.block, "ada@mail.example.org", case.is_known, &[]);
        assert_eq!(got, case.want, "{}", case.name);
    }
}

#[test]
fn organization_domains_are_allowed() {
    struct Row {
        name: &'static str,
        block: &'static str,
        sender: &'static str,
        want: Listed,
    }
    fn row() -> Row {
        Row { name: "", block: "", sender: "a@example.org", want: Listed::Unlisted }
    }

    for Row { name, block, sender, want } in [
        Row { name: "no other entry", want: allowed("example.org"), ..row() },
        Row { name: "over a plain entry", block: "example.org", want: allowed("example.org"), ..row() },
        Row { name: "over the wildcard", block: "*", want: allowed("example.org"), ..row() },
        Row {
            name: "not over suspend",
            block: "suspend:example.org",
            want: suspend("suspend:example.org"),
            ..row()
        },
        Row { name: "not its sub-domains", sender: "a@sub.example.org", want: Listed::Unlisted, ..row() },
        Row {
            name: "either spelling of an international domain",
            sender: "a@bücher.example",
            want: allowed("xn--bcher-kva.example"),
            ..row()
        },
    ] {
        assert_eq!(ask("", block, sender, false, &["example.org", "xn--bcher-kva.example"]), want, "{name}");
    }
}

#[test]
fn entries_match_whole_labels_and_both_spellings() {
    for (list, sender, want) in [
        ("example.org", "a@example.org", true),
        ("example.org", "a@b.c.example.org", true),
        ("example.org", "a@notexample.org", false),
        ("example.org", "a@example.org.example.com", false),
        ("sub.example.org", "a@example.org", false),
        ("org", "a@example.org", true),
        ("a@example.org", "a@sub.example.org", false),
        ("a@example.org", "A@EXAMPLE.org", true),
        ("a@example.org", "a+lists@example.org", true),
        ("a+lists@example.org", "a@example.org", false),
        ("bücher.example", "a@xn--bcher-kva.example", true),
        ("xn--bcher-kva.example", "a@shop.BÜCHER.example", true),
        ("a@bücher.example", "a+x@xn--bcher-kva.example", true),
        ("web_1.example", "root@web_1.example", true),
        ("root@[192.0.2.1]", "root@[192.0.2.1]", true),
        ("[IPv6:2001:db8::1]", "root@[IPv6:2001:DB8::1]", true),
        ("[192.0.2.1]", "root@[192.0.2.11]", false),
        ("reject:example.org", "a@example.org", true),
        ("*", "a@example.org", true),
    ] {
        assert_eq!(
            SenderList::parse(list).unwrap().covering(&key(sender)).is_some(),
            want,
            "{list} covers {sender}"
        );
    }
}

#[test]
fn bad_entries_are_refused_by_name() {
    for (list, entry, why) in [
        ("example.org suspend: example.com", "suspend:", EntryError::NothingNamed),
        ("http://example.org", "http://example.org", EntryError::UnknownKeyword),
        ("reject:*", "reject:*", EntryError::Wildcard),
        ("*.example.org", "*.example.org", EntryError::Wildcard),
        ("*@example.org", "*@example.org", EntryError::Wildcard),
        ("@example.org", "@example.org", EntryError::BareAt),
        ("example.org, example.com", "example.org,", EntryError::Separator),
        ("a@b@example.org", "a@b@example.org", EntryError::Address(AddressError::LocalCharacter('@'))),
        ("a@", "a@", EntryError::Address(AddressError::Domain)),
        ("ex..ample", "ex..ample", EntryError::Host),
        ("-x.example", "-x.example", EntryError::Host),
        ("a,b.example", "a,b.example", EntryError::Host),
    ] {
        let error = SenderList::parse(list).unwrap_err();
        assert_eq!(error, SenderListError::Entry { entry: entry.into(), why }, "{list}");
        assert!(error.to_string().starts_with(&format!("{entry:?}: ")), "{error}");
    }
    let keyword = SenderList::parse_allow("Suspend:example.org").unwrap_err();
    assert_eq!(
        keyword,
        SenderListError::Entry { entry: "Suspend:example.org".into(), why: EntryError::KeywordInAllowList }
    );
}

#[test]
fn a_list_may_have_its_limit_and_no_character_more() {
    let entry = "é".repeat(5) + ".example ";
    let full: String = entry.chars().cycle().take(LIST_CHARACTERS - 1).collect::<String>() + "x";
    let list = SenderList::parse(&full).unwrap();
    assert!(list.covering(&key("a@ééééé.example")).is_some());
    let longer = full + "x";
    assert_eq!(SenderList::parse(&longer), Err(SenderListError::TooLong { characters: LIST_CHARACTERS + 1 }));
    assert!(SenderList::parse(" \n\t ").unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_text_is_a_list_or_an_error(text in "\\PC{0,80}", sender in "[a-z+.]{1,9}@[a-zé.]{1,12}\\.example") {
        if let (Ok(list), Ok(sender)) = (SenderList::parse(&text), AddressKey::parse(&sender)) {
            let none = SenderList::default();
            let listed = verdict(&none, &list, &sender, false, None);
            prop_assert_eq!(list.covering(&sender).is_some(), listed != Listed::Unlisted);
        }
    }

    #[test]
    fn a_sender_is_covered_by_every_parent(host in "([a-zé]{1,5}\\.){0,4}example") {
        let sender = key(&format!("a@{host}"));
        for parent in parents(&host) {
            prop_assert!(SenderList::parse(parent).unwrap().covering(&sender).is_some(), "{}", parent);
        }
    }

    #[test]
    fn keywords_hold_whatever_is_allowed(host in "[a-z]{1,5}\\.example", is_known: bool) {
        let sender = key(&format!("a@{host}"));
        let allow = SenderList::parse_allow(&format!("* {host}")).unwrap();
        let block = SenderList::parse(&format!("suspend:{host}")).unwrap();
        let listed = verdict(&allow, &block, &sender, is_known, Some(&host));
        prop_assert_eq!(listed, suspend(&format!("suspend:{host}")));
    }
}
