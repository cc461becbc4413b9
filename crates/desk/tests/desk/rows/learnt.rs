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
