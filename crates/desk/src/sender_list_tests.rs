//! Entries, precedence and refusals of allow and block lists.

use super::*;
use proptest::prelude::*;

fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

fn ask(allow: &str, block: &str, sender: &str, is_known: bool, organizations: &[&str]) -> Listed {
    let organizations = organizations.iter().map(|&domain| domain.to_owned()).collect();
    let (allow, block) = (SenderList::parse_allow(allow).unwrap(), SenderList::parse(block).unwrap());
    verdict(&allow, &block, &key(sender), is_known, &organizations)
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

#[test]
fn precedence_of_the_two_lists() {
    let ada = "ada@mail.example.org";
    for (name, allow, block, is_known, want) in [
        ("empty lists", "", "", false, Listed::Unlisted),
        ("others are named", "example.com", "reject:example.net", false, Listed::Unlisted),
        ("allow address", "ada@mail.example.org", "", false, allowed("ada@mail.example.org")),
        ("allow host covers sub-domains", "example.org", "", false, allowed("example.org")),
        ("allow everybody", "*", "example.org", false, allowed("*")),
        (
            "the most specific allow entry is named",
            "* example.org ada@mail.example.org",
            "",
            false,
            allowed("ada@mail.example.org"),
        ),
        ("block host", "", "example.org", false, suspend("example.org")),
        ("block address", "", "Ada@Mail.Example.Org", false, suspend("Ada@Mail.Example.Org")),
        ("block host holds for known people too", "", "example.org", true, suspend("example.org")),
        ("wildcard, unknown sender", "", "*", false, suspend("*")),
        ("wildcard, known sender", "", "*", true, Listed::Unlisted),
        ("wildcard, allow-listed sender", "example.org", "*", false, allowed("example.org")),
        ("suspend keyword", "", "suspend:example.org", true, suspend("suspend:example.org")),
        ("reject keyword", "", "reject:ada@mail.example.org", true, reject("reject:ada@mail.example.org")),
        (
            "both on the same entry: suspend wins",
            "",
            "reject:example.org suspend:example.org",
            false,
            suspend("suspend:example.org"),
        ),
        (
            "suspend host and reject address: suspend wins",
            "",
            "suspend:example.org reject:ada@mail.example.org",
            true,
            suspend("suspend:example.org"),
        ),
        ("wildcard and reject, unknown sender: suspended", "", "* reject:example.org", false, suspend("*")),
        (
            "wildcard and reject, known sender: rejected",
            "",
            "* reject:example.org",
            true,
            reject("reject:example.org"),
        ),
        (
            "plain and reject: suspended",
            "",
            "example.org reject:ada@mail.example.org",
            true,
            suspend("example.org"),
        ),
        (
            "allow list wins over a plain entry",
            "ada@mail.example.org",
            "example.org",
            false,
            allowed("ada@mail.example.org"),
        ),
        (
            "allow host wins over a plain address",
            "example.org",
            "ada@mail.example.org",
            false,
            allowed("example.org"),
        ),
        (
            "suspend keyword wins over the allow list",
            "ada@mail.example.org",
            "suspend:example.org",
            false,
            suspend("suspend:example.org"),
        ),
        (
            "reject keyword wins over the allow list",
            "example.org",
            "reject:ada@mail.example.org",
            false,
            reject("reject:ada@mail.example.org"),
        ),
        (
            "plain falls to the allow list, so reject is left",
            "example.org",
            "example.org reject:mail.example.org",
            false,
            reject("reject:mail.example.org"),
        ),
        (
            "the allow list holds off the wildcard, not the keyword",
            "*",
            "* reject:example.org",
            false,
            reject("reject:example.org"),
        ),
    ] {
        assert_eq!(ask(allow, block, ada, is_known, &[]), want, "{name}");
    }
}

#[test]
fn organization_domains_are_allowed() {
    for (name, block, sender, want) in [
        ("no other entry", "", "a@example.org", allowed("example.org")),
        ("over a plain entry", "example.org", "a@example.org", allowed("example.org")),
        ("over the wildcard", "*", "a@example.org", allowed("example.org")),
        ("not over suspend", "suspend:example.org", "a@example.org", suspend("suspend:example.org")),
        ("not its sub-domains", "", "a@sub.example.org", Listed::Unlisted),
        (
            "either spelling of an international domain",
            "",
            "a@bücher.example",
            allowed("xn--bcher-kva.example"),
        ),
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
            let listed = verdict(&none, &list, &sender, false, &BTreeSet::new());
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
        let (allow, block) = (SenderList::parse_allow(&format!("* {host}")).unwrap(), SenderList::parse(&format!("suspend:{host}")).unwrap());
        let listed = verdict(&allow, &block, &sender, is_known, &BTreeSet::from([host.clone()]));
        prop_assert_eq!(listed, suspend(&format!("suspend:{host}")));
    }
}
