//! What is learnt about people from their mail (docs/behaviour/people.md).

use desk::facts::Trouble;
use desk::id::UserId;
use desk::user::Deliverable;

use super::{authenticated, forged, of, table, usual};
use crate::scene::key;

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
    struct Case<'a> {
        name: &'a str,
        languages: &'a str,
        locale: Option<&'a str>,
        mail: &'a str,
        want: &'a str,
    }

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
    let plain = || Case { name: "", languages: "en fr", locale: None, mail: &in_french, want: "" };
    for Case { name, languages, locale, mail, want } in [
        Case { name: "the text", want: "fr", ..plain() },
        Case { name: "as the account spells it", languages: "en fr-CA", want: "fr-CA", ..plain() },
        Case { name: "one is known", locale: Some("en"), ..plain() },
        Case { name: "an agent", mail: &by_bob, ..plain() },
        Case { name: "one language", languages: "fr", ..plain() },
        Case { name: "a language the account does not speak", mail: &in_german, ..plain() },
        Case { name: "and another that it speaks", mail: &reads_french, want: "fr", ..plain() },
        Case {
            name: "too short, the program says",
            mail: "Accept-Language: fr\nSubject: x\n\nok",
            want: "fr",
            ..plain()
        },
        Case {
            name: "the program's second choice",
            mail: "Accept-Language: de, fr-CH;q=0.8, en;q=0.5\nSubject: x\n\nok",
            want: "fr",
            ..plain()
        },
        Case {
            name: "the very region",
            languages: "pt-BR pt-PT",
            mail: "Accept-Language: pt-PT\nSubject: x\n\nok",
            want: "pt-PT",
            ..plain()
        },
        Case {
            name: "the text goes before",
            mail: &format!("Accept-Language: en\n{in_french}"),
            want: "fr",
            ..plain()
        },
        Case { name: "nothing says", mail: "Subject: x\n\nok", ..plain() },
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
