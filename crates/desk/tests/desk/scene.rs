//! A desk with fixed people and tickets, and mails written in a few lines.
//!
//! Account 1 `acme` has the brands `acme.desk.example` (default) and `shop.desk.example`. Ada asks, Carl is
//! in CC, Bob answers, Sue is suspended, Dora is known and has no ticket.

use std::collections::{BTreeMap, BTreeSet};

use desk::account::{Account, Brand};
use desk::address::{Forwarding, Kind, SupportAddress};
use desk::changes::Changes;
use desk::channel::Channel;
use desk::clock::Millis;
use desk::delivery::Delivery;
use desk::delivery::DeliveryResult;
use desk::envelope::{Door, Envelope};
use desk::event::{Event, Field};
use desk::facts::{Facts, KnownId, Met, TicketFacts};
use desk::id::{
    AccountId, BrandId, MailId, OutboxId, OutgoingId, SupportAddressId, TicketId, TicketNumber, UserId,
};
use desk::id_source::Counting;
use desk::inbound::Inbound;
use desk::received::Received;
use desk::setting::Settings;
use desk::signed::SigningKeys;
use desk::ticket::{Status, Ticket};
use desk::token::ThreadToken;
use desk::user::{Deliverable, Person, Role};
use desk::verdict::{Decision, Verdict, decide};
use desk::writer::Writer;
use mail::address::AddressKey;
use mail::letter::Letter;

/// When everything happens.
pub(crate) const NOW: Millis = Millis(1_900_000_000_000);

pub(crate) fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

pub(crate) fn keys() -> SigningKeys {
    SigningKeys::new(vec![[7; 32]]).unwrap()
}

pub(crate) fn address(id: i64, brand_id: i64, email: &str, kind: Kind, is_default: bool) -> SupportAddress {
    SupportAddress {
        id: SupportAddressId(id),
        brand_id: BrandId(brand_id),
        email: key(email),
        written: email.to_owned(),
        name: String::new(),
        kind,
        is_default,
        is_system: is_default,
        forwarding: if kind == Kind::Native { Forwarding::Verified } else { Forwarding::Unknown },
        forwards_to: None,
        probe_token: None,
        probe_sent_at: None,
        last_verified_at: None,
        created_at: Millis(0),
    }
}

/// The addresses of the scene's account; tests change them before they make an [`account`] of them.
pub(crate) fn addresses() -> Vec<SupportAddress> {
    let bound = SupportAddress {
        forwarding: Forwarding::Verified,
        forwards_to: Some(key("inbox@acme.desk.example")),
        ..address(5, 2, "hello@acme.example", Kind::External, false)
    };
    let probed = SupportAddress {
        forwarding: Forwarding::Waiting,
        probe_token: Some("s3cret".into()),
        probe_sent_at: Some(NOW - 1_000),
        ..address(6, 1, "probed@acme.example", Kind::External, false)
    };
    vec![
        address(1, 1, "support@acme.desk.example", Kind::Native, true),
        address(2, 1, "inbox@acme.desk.example", Kind::Native, false),
        address(3, 2, "support@shop.desk.example", Kind::Native, true),
        address(4, 1, "help@acme.example", Kind::External, false),
        bound,
        probed,
    ]
}

pub(crate) fn account_of(settings: Settings, addresses: Vec<SupportAddress>) -> Account {
    let brand = |id, name: &str, is_default| Brand {
        id: BrandId(id),
        name: name.to_uppercase(),
        subdomain: name.to_owned(),
        native_host: format!("{name}.desk.example"),
        is_default,
    };
    let brands = vec![brand(2, "shop", false), brand(1, "acme", true)];
    Account::new(AccountId(1), "acme".into(), "Acme".into(), settings, brands, addresses)
}

pub(crate) fn account() -> Account {
    account_of(Settings::default(), addresses())
}

pub(crate) fn person(id: i64, name: &str, role: Role) -> Person {
    Person {
        id: UserId(id),
        name: name.to_owned(),
        role,
        is_suspended: name == "Sue",
        address: format!(
            "{}@{}",
            name.to_lowercase(),
            if role == Role::EndUser { "customer.example" } else { "acme.example" }
        ),
        deliverable: Deliverable::Deliverable,
        is_verified: true,
        locale: None,
        organization_id: None,
    }
}

pub(crate) fn ticket(id: i64, number: i64, token: &str, status: Status) -> Ticket {
    Ticket {
        id: TicketId(id),
        number: Some(TicketNumber(number)),
        brand_id: BrandId(1),
        subject: format!("Ticket {number}"),
        status,
        requester_id: UserId(11),
        submitter_id: UserId(11),
        assignee_id: None,
        organization_id: None,
        priority: None,
        ticket_type: None,
        received: Received { recipient: "support@acme.desk.example".into(), ..Received::default() },
        channel: Channel::Email,
        token: ThreadToken::parse(token).unwrap(),
        is_public: true,
        is_machine: false,
        tags: vec!["vip".into()],
        follow_up_of: None,
        last_message_id: None,
        created_at: Millis(0),
        updated_at: Millis(0),
        solved_at: None,
    }
}

/// Everything the database would know: people, tickets 1 (Carl in CC), 2 (closed) and 3, Message-IDs, one
/// delivery.
pub(crate) fn facts() -> Facts {
    let mut facts = Facts::default();
    for (id, name, role) in [
        (11, "Ada", Role::EndUser),
        (12, "Carl", Role::EndUser),
        (13, "Bob", Role::Agent),
        (14, "Sue", Role::EndUser),
        (15, "Dora", Role::EndUser),
    ] {
        let person = person(id, name, role);
        facts.know(key(&person.address), person);
    }
    for (id, number, token, status, ccs) in [
        (100, 1, "AAAAAA-AAAA", Status::Open, vec![12]),
        (200, 2, "BBBBBB-BBBB", Status::Closed, vec![]),
        (300, 3, "CCCCCC-CCCC", Status::Pending, vec![]),
    ] {
        let ticket = ticket(id, number, token, status);
        facts.tokens.insert(ticket.token.clone(), ticket.id);
        facts.tickets.insert(
            ticket.id,
            TicketFacts {
                ticket,
                ccs: ccs.into_iter().map(UserId).collect::<BTreeSet<_>>(),
                followers: BTreeSet::new(),
            },
        );
    }
    let known = |met, ticket| KnownId { met, ticket: Some(TicketId(ticket)), fingerprint: Some([9; 16]) };
    facts.message_ids = BTreeMap::from([
        ("first@customer.example".to_owned(), known(Met::In(MailId(71)), 100)),
        ("out@acme.desk.example".to_owned(), known(Met::Out(OutgoingId(400)), 100)),
        ("old@customer.example".to_owned(), known(Met::In(MailId(72)), 200)),
        ("third@customer.example".to_owned(), known(Met::In(MailId(73)), 300)),
        ("awaited@customer.example".to_owned(), known(Met::Seen(MailId(71)), 100)),
    ]);
    facts.deliveries = vec![Delivery {
        outbox_id: OutboxId(501),
        mail_id: OutgoingId(400),
        recipient: "ada@customer.example".into(),
        ticket: Some(TicketId(100)),
    }];
    facts
}

pub(crate) fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        door: Door::Smtp,
        client: "192.0.2.1".into(),
        helo: "mx.customer.example".into(),
        mail_from: Some("ada@customer.example".into()),
        recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
        trusted: false,
        tls: false,
    }
}

/// The fields that the first audit says were changed, in order.
pub(crate) fn changed_fields(changes: &Changes) -> Vec<Field> {
    let changed = changes.audits[0].events.iter().filter_map(|event| match event {
        Event::Change(change) => Some(change.field()),
        _ => None,
    });
    changed.collect()
}

/// The commands that the first audit says were ignored, in order.
pub(crate) fn ignored_commands(changes: &Changes) -> Vec<&str> {
    let ignored = changes.audits[0].events.iter().filter_map(|event| match event {
        Event::CommandIgnored { command, .. } => Some(command.as_str()),
        _ => None,
    });
    ignored.collect()
}

/// A message as a few header lines, an empty line, and text. Without From it is Ada's.
pub(crate) fn letter(text: &str) -> Letter {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let mut raw = lines.join("\r\n");
    if !lines.iter().any(|line| line.starts_with("From:")) {
        raw = format!("From: ada@customer.example\r\n{raw}");
    }
    Letter::parse(raw.as_bytes())
}

/// Decides a message in the scene.
pub(crate) fn decided(envelope: &Envelope, letter: &Letter) -> Decision {
    decided_in(&account(), &facts(), envelope, letter)
}

pub(crate) fn decided_in(account: &Account, facts: &Facts, envelope: &Envelope, letter: &Letter) -> Decision {
    decide(account, &keys(), facts, &Inbound::new(MailId(1), NOW, envelope, letter))
}

/// A decision in a line: what, who, which flags.
pub(crate) fn shown(decision: &Decision) -> String {
    let what = match &decision.verdict {
        Verdict::NewTicket { author, .. } => format!("new ticket by {}", author.key),
        Verdict::FollowUp { of, author, .. } => format!("follow-up of {of} by {}", author.key),
        Verdict::Comment { ticket, author, is_public } => {
            format!("{} on {ticket} by {}", if *is_public { "comment" } else { "note" }, author.key)
        }
        Verdict::Duplicate { of, ticket } => format!("duplicate of {of} on {:?}", ticket.map(|id| id.0)),
        Verdict::Suspend { cause } => format!("suspended {}", cause.number()),
        Verdict::Bounce { reports } => {
            let shown = |(delivery, result, answer): &(Delivery, DeliveryResult, String)| {
                format!("{} {result} ({answer})", delivery.outbox_id)
            };
            format!("bounce of {}", reports.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Verdict::Probe { external, native } => format!("probe for {external} at {native}"),
        Verdict::Discard => "discarded".to_owned(),
    };
    let flags: Vec<String> = decision.flags.iter().map(|flag| flag.number().to_string()).collect();
    if flags.is_empty() { what } else { format!("{what}, flags {}", flags.join(" ")) }
}

/// Checks a table of messages to `support@acme.desk.example`.
pub(crate) fn check(cases: &[(&str, &str, &str)]) {
    for (name, mail, want) in cases {
        let decision = decided(&envelope(&["support@acme.desk.example"]), &letter(mail));
        assert_eq!(shown(&decision), *want, "{name}: {:#?}", decision.reasons);
        assert!(!decision.reason().is_empty(), "{name} has a reason");
    }
}

/// Decides and carries out a message on an account and facts; returns the decision.
pub(crate) fn carried_out(
    account: &Account,
    facts: &mut Facts,
    supply: &mut Counting,
    changes: &mut Changes,
    inbound: &Inbound<'_>,
) -> Decision {
    let decision = decide(account, &keys(), facts, inbound);
    Writer { account, facts, supply, changes, now: NOW }.carry_out(inbound, &decision);
    decision
}

/// What one message changes in the scene.
pub(crate) fn changes_of(
    account: &Account,
    envelope: &Envelope,
    letter: &Letter,
) -> (Decision, Changes, Facts) {
    let mut facts = facts();
    let mut changes = Changes::default();
    let inbound = Inbound::new(MailId(1), NOW, envelope, letter);
    let decision = carried_out(account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
    (decision, changes, facts)
}
