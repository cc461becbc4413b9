//! What holds for any mail at all.

use desk::authentication::{AgentMail, Authentication, Check};
use desk::changes::Changes;
use desk::envelope::{Door, Envelope};
use desk::facts::Facts;
use desk::id::MailId;
use desk::id_source::Counting;
use desk::inbound::Inbound;
use desk::questions::Questions;
use desk::setting::Settings;
use desk::verdict::decide;
use mail::letter::Letter;
use proptest::prelude::*;

use crate::scene::{
    NOW, account, account_of, addresses as addresses_of_the_scene, carried_out, envelope, facts, keys,
};

const ADDRESSES: [&str; 14] = [
    "ada@customer.example",
    "carl@customer.example",
    "bob@acme.example",
    "sue@customer.example",
    "eve@else.example",
    "Eve <EVE@else.example>",
    "mailer-daemon@else.example",
    "support@acme.desk.example",
    "noreply@acme.desk.example",
    "help+x@acme.example",
    "inbox@acme.desk.example",
    "support+idAAAAAA-AAAA@acme.desk.example",
    "any@shop.desk.example",
    "not an address",
];
const IDS: [&str; 8] = [
    "<first@customer.example>",
    "<out@acme.desk.example>",
    "<old@customer.example>",
    "<awaited@customer.example>",
    "<CCCCCC-CCCC.5@acme.desk.example>",
    "<new@else.example>",
    "<newer@else.example>",
    "broken",
];
const TEXTS: [&str; 6] = ["", "hi", "[AAAAAA-AAAA]", "> [BBBBBB-BBBB] [x", "\u{0}\u{feff}é", "[ZZZZZZ-ZZZZ]"];
const MARKS: [&str; 7] = [
    "Auto-Submitted: auto-replied",
    "List-Id: <l.example>",
    "X-Guichet-Mail: 400-aaaaaaaaaaaaaaaa",
    "X-Guichet-Probe: s3cret",
    "Delivered-To: help@acme.example",
    "Date: Mon, 2 Nov 2026 10:00:00 +0000",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
];

fn line(name: &'static str, values: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(values), 0..=most).prop_map(move |values| {
        if values.is_empty() { String::new() } else { format!("{name}: {}\r\n", values.join(", ")) }
    })
}

/// A message whose fields are picked from what the scene knows and what it does not.
fn raw() -> impl Strategy<Value = String> {
    let fields = (
        line("From", &ADDRESSES, 2),
        line("Reply-To", &ADDRESSES, 1),
        line("To", &ADDRESSES, 4),
        line("Cc", &ADDRESSES, 4),
        line("Message-ID", &IDS, 1),
        line("In-Reply-To", &IDS, 1),
        line("References", &IDS, 3),
        line("Subject", &TEXTS, 1),
        proptest::collection::vec(proptest::sample::select(&MARKS[..]), 0..3),
        proptest::sample::select(&TEXTS[..]),
    );
    fields.prop_map(|(from, reply, to, cc, id, answers, references, subject, marks, text)| {
        let marks: String = marks.into_iter().map(|mark| format!("{mark}\r\n")).collect();
        format!("{from}{reply}{to}{cc}{id}{answers}{references}{subject}{marks}\r\n{text}\r\n")
    })
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    let recipients = proptest::collection::vec(proptest::sample::select(&ADDRESSES[..]), 1..4);
    let mail_from = proptest::option::of(proptest::sample::select(&ADDRESSES[..]));
    (recipients, mail_from, any::<bool>()).prop_map(|(recipients, mail_from, trusted)| Envelope {
        mail_from: mail_from.map(str::to_owned),
        trusted,
        ..envelope(&recipients)
    })
}

/// What of the facts a message's questions ask for, as the store would answer them.
fn asked_for(envelope: &Envelope, letter: &Letter) -> Facts {
    let mut questions = Questions::default();
    questions.add(&account(), &keys(), envelope, letter);
    let all = facts();
    let mut asked = Facts {
        people: all
            .people
            .iter()
            .filter(|(key, _)| questions.addresses.contains(key))
            .map(|(k, p)| (k.clone(), p.clone()))
            .collect(),
        people_by_id: all.people_by_id.clone(),
        message_ids: all
            .message_ids
            .iter()
            .filter(|(id, _)| questions.message_ids.contains(*id))
            .map(|(i, k)| (i.clone(), k.clone()))
            .collect(),
        tokens: all
            .tokens
            .iter()
            .filter(|(token, _)| questions.tokens.contains(token))
            .map(|(t, id)| (t.clone(), *id))
            .collect(),
        deliveries: all
            .deliveries
            .iter()
            .filter(|delivery| {
                questions.outbox.contains(&delivery.outbox_id)
                    || questions.outgoing.contains(&delivery.mail_id)
            })
            .cloned()
            .collect(),
        ..Facts::default()
    };
    let named =
        asked.message_ids.values().filter_map(|known| known.ticket).chain(asked.tokens.values().copied());
    let named: Vec<_> = named.chain(asked.deliveries.iter().filter_map(|delivery| delivery.ticket)).collect();
    asked.tickets = all.tickets.into_iter().filter(|(id, _)| named.contains(id)).collect();
    asked
}

/// Decides mails one after the other in one batch; for each its outcome, who wrote it, and which ticket it
/// joined.
fn batch(mails: &[(usize, String)]) -> Vec<(usize, String)> {
    let account = account();
    let mut facts = facts();
    let mut supply = Counting::from(10_000);
    let mut changes = Changes::default();
    let envelope = envelope(&["support@acme.desk.example"]);
    let mut outcomes = Vec::new();
    for (number, raw) in mails {
        let letter = Letter::parse(raw.as_bytes());
        let inbound = Inbound::new(MailId(*number as i64), NOW, &envelope, &letter);
        let decision = carried_out(&account, &mut facts, &mut supply, &mut changes, &inbound);
        outcomes.push((
            *number,
            format!(
                "{} {:?} {:?}",
                crate::scene::shown(&decision),
                decision.reasons,
                decision.arrival.received
            ),
        ));
    }
    assert_eq!(changes.ledger.len(), mails.len());
    outcomes.sort();
    outcomes
}

fn holds_for_any_mail(envelope: &Envelope, raw: &[u8]) {
    let account = account();
    let mut facts = facts();
    let mut supply = Counting::from(10_000);
    let mut changes = Changes::default();
    let letter = Letter::parse(raw);
    let inbound = Inbound::new(MailId(1), NOW, envelope, &letter);
    let decision = carried_out(&account, &mut facts, &mut supply, &mut changes, &inbound);
    assert_eq!(changes.ledger.len(), 1);
    let row = &changes.ledger[0];
    assert_eq!(row.outcome, decision.outcome());
    assert!(
        decision.author().is_some() || changes.people.is_empty() && changes.ccs.is_empty(),
        "{row:?} makes somebody"
    );
    assert!(!row.reason.is_empty());
    let counts = (changes.new_tickets.len(), changes.comments.len(), changes.suspended.len());
    let want = match row.outcome.as_str() {
        "new_ticket" | "follow_up" => (1, 1, 0),
        "comment" => (0, 1, 0),
        "suspended" => (0, 0, 1),
        _ => (0, 0, 0),
    };
    assert_eq!(counts, want, "{row:?}");
    // No mail leaves to one of our own addresses, and none twice to the same.
    for mail in &changes.outgoing {
        let mut to: Vec<_> = mail.recipients.iter().map(|(_, address)| crate::scene::key(address)).collect();
        assert!(to.iter().all(|key| !account.is_own(key)), "{to:?}");
        let all = to.len();
        to.sort();
        to.dedup();
        assert_eq!(to.len(), all, "{to:?}");
        assert!(all >= 1);
    }
    // Text that goes into the database has no character that PostgreSQL refuses.
    let texts = changes.comments.iter().map(|comment| comment.body.clone());
    let texts = texts.chain(changes.tickets.values().map(|changed| changed.after.subject.clone()));
    let texts = texts
        .chain(changes.people.iter().flat_map(|new| [new.person.name.clone(), new.person.address.clone()]));
    let texts = texts.chain(
        changes
            .suspended
            .iter()
            .flat_map(|held| [held.sender.clone(), held.subject.clone(), held.recipient.clone()]),
    );
    let texts = texts.chain(changes.attachments.iter().flat_map(|new| {
        let part = &new.attachment;
        [part.name.clone(), part.content_type.clone(), part.content_id.clone().unwrap_or_default()]
    }));
    let texts = texts.chain(changes.message_ids.iter().map(|id| id.message_id.clone()));
    for text in texts.chain([row.message_id.clone(), row.reason.clone()]) {
        assert!(!text.contains('\0'), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mail_has_exactly_one_outcome(envelope in any_envelope(), raw in raw()) {
        holds_for_any_mail(&envelope, raw.as_bytes());
    }

    #[test]
    fn any_bytes_have_exactly_one_outcome(envelope in any_envelope(), raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        holds_for_any_mail(&envelope, &raw);
    }

    #[test]
    fn the_questions_of_a_mail_cover_all_that_its_decision_looks_at(envelope in any_envelope(), raw in raw()) {
        let letter = Letter::parse(raw.as_bytes());
        let inbound = Inbound::new(MailId(1), NOW, &envelope, &letter);
        let asked = decide(&account(), &keys(), &asked_for(&envelope, &letter), &inbound);
        prop_assert_eq!(asked, decide(&account(), &keys(), &facts(), &inbound));
    }

    #[test]
    fn the_order_of_mails_that_have_nothing_to_do_with_each_other_changes_no_decision(
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        texts in proptest::collection::vec(proptest::sample::select(&TEXTS[..]), 8),
        replies in proptest::collection::vec(proptest::option::of(proptest::sample::select(&IDS[..5])), 8),
    ) {
        let mails: Vec<(usize, String)> = (0..8)
            .map(|number| {
                let reply = replies[number].map(|id| format!("In-Reply-To: {id}\r\n")).unwrap_or_default();
                (number, format!("From: p{number}@else.example\r\nMessage-ID: <{number}@else.example>\r\n{reply}\r\n{}", texts[number]))
            })
            .collect();
        let shuffled: Vec<(usize, String)> = order.iter().map(|at| mails[*at].clone()).collect();
        prop_assert_eq!(batch(&mails), batch(&shuffled));
    }

    #[test]
    fn a_decision_is_total_and_the_same_each_time_whatever_the_settings_and_checks(
        envelope in any_envelope(), raw in raw(), switches in any::<[bool; 12]>(), checks in any::<[u8; 4]>(), count in 0_u32..60,
    ) {
        let [channel, anyone, sign_up, lists, any_agent, forwarding, ccs, add_ccs, delimiter, files, addresses, quiet] = switches;
        let settings = Settings {
            email_channel: channel || count > 5,
            anyone_can_submit: anyone,
            sign_up_required: sign_up,
            allowlist: if lists { "customer.example".into() } else { String::new() },
            blocklist: if lists { "* suspend:evil.example reject:else.example".into() } else { String::new() },
            agent_mail: if any_agent { AgentMail::Any } else { AgentMail::Authenticated },
            agent_forwarding: forwarding,
            email_ccs: ccs,
            end_users_add_ccs: add_ccs,
            reply_delimiter: delimiter,
            email_attachments: files,
            ticket_per_address: addresses,
            ..Settings::default()
        };
        let check = |at: usize| Check::ALL[usize::from(checks[at]) % Check::ALL.len()];
        let authentication = Authentication {
            is_checked: checks[0] % 2 == 0,
            spf: check(1),
            spf_aligned: checks[1] % 2 == 0,
            dkim: check(2),
            dkim_aligned: checks[2] % 3 == 0,
            dmarc: check(3),
            ..Authentication::unchecked()
        };
        let account = account_of(settings, addresses_of_the_scene());
        let envelope = Envelope { door: if quiet { Door::Import } else { Door::Smtp }, ..envelope };
        let letter = Letter::parse(raw.as_bytes());
        let mut facts = facts();
        facts.sender_per_hour = count;
        let inbound = Inbound { authentication: &authentication, ..Inbound::new(MailId(1), NOW, &envelope, &letter) };
        let first = decide(&account, &keys(), &facts, &inbound);
        prop_assert_eq!(&first, &decide(&account, &keys(), &facts, &inbound));
        let mut changes = Changes::default();
        let told = carried_out(&account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
        prop_assert_eq!(&told, &first);
        prop_assert_eq!(changes.ledger.len(), 1);
        let is_ticket = matches!(first.outcome().as_str(), "new_ticket" | "follow_up");
        prop_assert_eq!(is_ticket, !changes.new_tickets.is_empty());
        prop_assert!(!quiet || changes.outgoing.is_empty(), "old mail notifies nobody");
        prop_assert!(first.author().is_none_or(|author| !account.is_own(&author.key)), "no ticket of our own addresses");
    }
}
