//! Kind `thread`: which mails belong together. Each is decided and carried out on one desk, as intake does with a batch.

use std::collections::BTreeMap;

use desk::account::Account;
use desk::changes::Changes;
use desk::facts::{Facts, KnownId, Met};
use desk::id::{MailId, OutgoingId, TicketId};
use desk::id_source::Counting;
use desk::inbound::{Inbound, Recovered, named_ids};
use desk::received::resolve;
use desk::thread::{self, Match};
use desk::verdict::decide;
use desk::writer::Writer;
use mail::letter::Letter;
use serde_json::{Value, json};

use super::Case;
use super::scene::{NOW, account, envelope, keys};

/// The partition of the mails, and what the first of them answers.
pub(super) fn predict(case: &Case) -> Value {
    let account = account();
    let letters: Vec<Letter> = case.raw.iter().map(|raw| Letter::parse(raw)).collect();
    let mut groups: BTreeMap<TicketId, Vec<i64>> = BTreeMap::new();
    let mut facts = Facts::default();
    let mut supply = Counting::from(1_000);
    for (index, letter) in (0_i64..).zip(&letters) {
        let ticket = decided(&account, &mut facts, &mut supply, index, letter);
        // A mail that no ticket takes stands alone.
        groups.entry(ticket.unwrap_or(TicketId(-1 - index))).or_default().push(index);
    }
    let groups: Vec<Vec<i64>> = groups.into_values().collect();
    let joins = letters.first().and_then(|letter| joined(&account, letter));
    json!({"groups": groups, "joins_message_id": joins, "joins_ticket_ref": null})
}

/// Decides a mail and carries it out; returns the ticket it opened or joined. What would be held (lists, machines,
/// strangers who know a message-id) is let through, as when an agent recovers it: the question is where it belongs, not
/// whether it is allowed.
fn decided(
    account: &Account,
    facts: &mut Facts,
    supply: &mut Counting,
    index: i64,
    letter: &Letter,
) -> Option<TicketId> {
    let envelope = envelope(letter);
    let mut inbound = Inbound::new(MailId(index + 1), NOW, &envelope, letter);
    inbound.recovered = Some(&Recovered::AsSent);
    let decision = decide(account, &keys()?, facts, &inbound);
    let mut changes = Changes::default();
    Writer { account, facts, supply, changes: &mut changes, now: NOW }.carry_out(&inbound, &decision);
    changes.ledger.first().and_then(|row| row.ticket_id)
}

/// By which of the ids that a mail names its ticket is found, when each is known from a ticket of its own.
fn joined(account: &Account, letter: &Letter) -> Option<String> {
    let mut facts = Facts::default();
    for (id, number) in named_ids(letter).zip(1..) {
        let known =
            KnownId { met: Met::Out(OutgoingId(number)), ticket: Some(TicketId(number)), fingerprint: None };
        facts.message_ids.entry(id.to_owned()).or_insert(known);
    }
    let envelope = envelope(letter);
    let inbound = Inbound::new(MailId(0), NOW, &envelope, letter);
    match thread::find(account, &keys()?, &facts, &resolve(account, &envelope, letter), &inbound)?.1 {
        Match::Header(id) => Some(id),
        _ => None,
    }
}
