//! Answers the questions of a batch, one statement each: this file keeps their order.

use std::collections::{BTreeMap, BTreeSet};

use desk::account::Account;
use desk::facts::{Facts, TicketFacts};
use desk::id::{TicketId, UserId};
use desk::inbound::{Inbound, Recovered};
use desk::questions::Questions;
use desk::signed::SigningKeys;
use desk::user::{Deliverable, Person};
use mail::address::AddressKey;

use crate::error::Result;
use crate::tx::Asked;
use crate::{AccountTx, comment, identity, message_id, organization, outbox, sender_rate, ticket, user};

/// Everything the decisions about these mails may need: what they ask at first, and what the first answers make some of them ask.
///
/// `sender_per_hour`: the installation's limit for one sender, 0 for none; the account's own takes precedence.
///
/// # Errors
/// As the database says.
pub fn gather(
    tx: &mut AccountTx<'_, '_>,
    account: &Account,
    keys: &SigningKeys,
    sender_per_hour: u32,
    mails: &[Inbound<'_>],
) -> Result<Facts> {
    let per_hour = match (sender_per_hour, account.settings.sender_per_hour) {
        (0, _) => 0,
        (installation, 0) => installation,
        (_, own) => own,
    };
    let mut questions = Questions::default();
    for inbound in mails {
        questions.add(account, keys, inbound.envelope, inbound.letter);
        if per_hour > 0 {
            questions.add_sender(inbound);
        }
    }
    let mut facts = load(tx, account, &questions)?;
    facts.sender_per_hour = per_hour;
    let mut more = Questions::default();
    for inbound in mails {
        more.add_more(account, keys, &facts, inbound);
        if let Some(Recovered::Into(ticket)) = inbound.recovered {
            more.comments.insert(*ticket);
        }
    }
    if !more.is_empty() {
        load_more(tx, account, &more, &mut facts)?;
    }
    Ok(facts)
}

fn load_more(
    tx: &mut AccountTx<'_, '_>,
    account: &Account,
    more: &Questions,
    facts: &mut Facts,
) -> Result<()> {
    let ids = message_id::ask(tx, &more.message_ids)?;
    let unknown = |key: &&AddressKey| !facts.people.contains_key(*key);
    let keys: Vec<&str> = more.addresses.iter().filter(unknown).map(AddressKey::as_str).collect();
    let people = user::ask_many(tx, &keys)?;
    let organizations = ask_organizations(tx, account, &more.addresses)?;
    facts.message_ids.extend(message_id::known(tx, ids, &more.message_ids)?);
    know_people(user::found(tx, people)?, facts);
    if let Some(asked) = organizations {
        facts.organizations.extend(organization::found(tx, asked)?);
    }
    let users: Vec<UserId> = more.users.iter().filter(|id| facts.person(**id).is_none()).copied().collect();
    for person in user::by_ids(tx, &users)? {
        facts.people_by_id.insert(person.id, person);
    }
    let missing: BTreeSet<TicketId> =
        more.comments.iter().filter(|id| !facts.tickets.contains_key(id)).copied().collect();
    load_tickets(tx, &missing, facts)?;
    load_people_on_tickets(tx, facts)?;
    for (ticket, asked) in comment::ask_newest(tx, &more.comments)? {
        facts.comments.entry(ticket).or_default().extend(comment::newest(tx, asked)?);
    }
    Ok(())
}

/// Answers what the mails of a batch ask. Nobody else writes the account's tickets in the meantime: the caller holds the
/// account's lock.
///
/// # Errors
/// As the database says.
pub fn load(tx: &mut AccountTx<'_, '_>, account: &Account, questions: &Questions) -> Result<Facts> {
    // All that does not depend on an answer is asked before the first answer is read: one round trip.
    let ids = message_id::ask(tx, &questions.message_ids)?;
    let deliveries = outbox::ask_deliveries(tx, questions)?;
    let tokens: Vec<&str> = questions.tokens.iter().map(desk::token::ThreadToken::as_str).collect();
    let tokens = ticket::ask_tokens(tx, &tokens)?;
    let keys: Vec<&str> = questions.addresses.iter().map(AddressKey::as_str).collect();
    let people = user::ask_many(tx, &keys)?;
    let organizations = ask_organizations(tx, account, &questions.addresses)?;
    let rates = sender_rate::ask(tx, &questions.senders)?;
    let mut facts = Facts {
        message_ids: message_id::known(tx, ids, &questions.message_ids)?,
        deliveries: outbox::deliveries(tx, deliveries)?,
        tokens: ticket::of_tokens(tx, tokens)?.into_iter().collect(),
        rates: sender_rate::known(tx, rates)?,
        ..Facts::default()
    };
    know_people(user::found(tx, people)?, &mut facts);
    if let Some(asked) = organizations {
        facts.organizations = organization::found(tx, asked)?;
    }
    let named = facts.message_ids.values().filter_map(|known| known.ticket);
    let of_deliveries = facts.deliveries.iter().filter_map(|delivery| delivery.ticket);
    let ids: BTreeSet<TicketId> = named.chain(facts.tokens.values().copied()).chain(of_deliveries).collect();
    load_tickets(tx, &ids, &mut facts)?;
    load_people_on_tickets(tx, &mut facts)?;
    Ok(facts)
}

/// Asks for the organizations of some addresses, where any organization has a domain.
fn ask_organizations(
    tx: &mut AccountTx<'_, '_>,
    account: &Account,
    addresses: &BTreeSet<AddressKey>,
) -> Result<Option<Asked>> {
    let is_asked = account.has_organization_domains && !addresses.is_empty();
    is_asked.then(|| organization::ask(tx, addresses)).transpose()
}

fn know_people(found: Vec<user::Found>, facts: &mut Facts) {
    for found in found {
        facts.troubles.extend(found.trouble.map(|trouble| (found.key.clone(), trouble)));
        facts.know(found.key, found.person);
    }
}

/// Tickets by their numbers, and people by addresses.
pub type Named = (BTreeMap<i64, TicketId>, Vec<(AddressKey, Person)>);

/// The tickets and the people that commands name, in one round trip.
///
/// # Errors
/// As the database says.
pub fn named_by_commands(tx: &mut AccountTx<'_, '_>, numbers: &[i64], actors: &[&str]) -> Result<Named> {
    let tickets = ticket::ask_numbers(tx, numbers)?;
    let people = user::ask_many(tx, actors)?;
    let tickets = ticket::of_numbers(tx, tickets)?;
    let people = user::found(tx, people)?;
    Ok((tickets, people.into_iter().map(|found| (found.key, found.person)).collect()))
}

/// The facts of tickets and the people on them, for a command.
///
/// # Errors
/// As the database says.
pub fn of_tickets(tx: &mut AccountTx<'_, '_>, ids: &BTreeSet<TicketId>) -> Result<Facts> {
    let mut facts = Facts::default();
    load_tickets(tx, ids, &mut facts)?;
    load_people_on_tickets(tx, &mut facts)?;
    Ok(facts)
}

fn load_tickets(tx: &mut AccountTx<'_, '_>, ids: &BTreeSet<TicketId>, facts: &mut Facts) -> Result<()> {
    let list: Vec<TicketId> = ids.iter().copied().collect();
    let tickets = ticket::ask_ids(tx, &list)?;
    let ccs = ticket::cc::ask(tx, &list)?;
    let followers = ticket::follower::ask(tx, &list)?;
    for ticket in ticket::of_ids(tx, tickets)? {
        facts
            .tickets
            .insert(ticket.id, TicketFacts { ticket, ccs: BTreeSet::new(), followers: BTreeSet::new() });
    }
    for (ticket, user) in ticket::cc::found(tx, ccs)? {
        if let Some(known) = facts.tickets.get_mut(&ticket) {
            known.ccs.insert(user);
        }
    }
    for (ticket, user) in ticket::follower::found(tx, followers)? {
        if let Some(known) = facts.tickets.get_mut(&ticket) {
            known.followers.insert(user);
        }
    }
    Ok(())
}

fn load_people_on_tickets(tx: &mut AccountTx<'_, '_>, facts: &mut Facts) -> Result<()> {
    let on_tickets = facts.tickets.values().flat_map(|known| {
        let ticket = &known.ticket;
        let named = [Some(ticket.requester_id), ticket.assignee_id].into_iter().flatten();
        known.ccs.iter().chain(&known.followers).copied().chain(named)
    });
    let on_tickets: BTreeSet<UserId> = on_tickets.collect();
    let missing: Vec<UserId> = on_tickets.iter().filter(|id| facts.person(**id).is_none()).copied().collect();
    for person in user::by_ids(tx, &missing)? {
        facts.people_by_id.insert(person.id, person);
    }
    let silent = |person: &&Person| person.deliverable == Deliverable::Undeliverable;
    let silent: Vec<UserId> = facts.people_by_id.values().filter(silent).map(|person| person.id).collect();
    for (id, address) in identity::other_addresses(tx, &silent)? {
        facts.reach_at(id, &address);
    }
    Ok(())
}
