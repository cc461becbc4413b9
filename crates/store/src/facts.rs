//! The questions of a batch answered, one statement each.

use std::collections::{BTreeMap, BTreeSet};

use desk::account::Account;
use desk::delivery::Delivery;
use desk::facts::{Facts, KnownId, TicketFacts};
use desk::id::{OutboxId, OutgoingId, TicketId, UserId};
use desk::inbound::{Inbound, Recovered};
use desk::questions::Questions;
use desk::rate::Rate;
use desk::signed::SigningKeys;
use desk::user::{Deliverable, Person};

use mail::address::AddressKey;

use crate::error::Result;
use crate::ledger::hash;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::value::Row;
use crate::{AccountTx, Value, organization, ticket, user, values};

/// Everything the decisions about these mails may need: what they ask at first, and what the first answers make some of them ask.
///
/// `sender_per_hour`: the installation's limit for one sender, 0 for none; the account's own goes before it.
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
    let ids = ask_message_ids(tx, &more.message_ids)?;
    let unknown = |key: &&AddressKey| !facts.people.contains_key(*key);
    let keys: Vec<&str> = more.addresses.iter().filter(unknown).map(AddressKey::as_str).collect();
    let people = user::ask_many(tx, &keys)?;
    let organizations = ask_organizations(tx, account, &more.addresses)?;
    facts.message_ids.extend(message_ids(tx.rows(ids)?, &more.message_ids)?);
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
    // One statement a ticket, since each has its own newest comments.
    let sql = "SELECT is_public, body FROM comments WHERE account_id = $1 AND ticket_id = $2 ORDER BY created_at DESC, id DESC LIMIT 500";
    let ask = |ticket: &TicketId| Ok((*ticket, tx.ask(sql, &values![*ticket])?));
    let asked: Vec<(TicketId, Asked)> = more.comments.iter().map(ask).collect::<Result<_>>()?;
    for (ticket, comments) in asked {
        for mut row in tx.rows(comments)? {
            facts.comments.entry(ticket).or_default().push((row.flag()?, row.text()?));
        }
    }
    Ok(())
}

/// Answers what the mails of a batch ask. Nobody else writes the account's tickets meanwhile: the caller holds its lease row.
///
/// # Errors
/// As the database says.
pub fn load(tx: &mut AccountTx<'_, '_>, account: &Account, questions: &Questions) -> Result<Facts> {
    // All that does not depend on an answer is asked before the first answer is read: one round trip.
    let ids = ask_message_ids(tx, &questions.message_ids)?;
    let deliveries = ask_deliveries(tx, questions)?;
    let tokens: Vec<&str> = questions.tokens.iter().map(desk::token::ThreadToken::as_str).collect();
    let tokens = ticket::ask_tokens(tx, &tokens)?;
    let keys: Vec<&str> = questions.addresses.iter().map(AddressKey::as_str).collect();
    let people = user::ask_many(tx, &keys)?;
    let organizations = ask_organizations(tx, account, &questions.addresses)?;
    let rates = ask_rates(tx, &questions.senders)?;
    let mut facts = Facts {
        message_ids: message_ids(tx.rows(ids)?, &questions.message_ids)?,
        deliveries: read_deliveries(tx, deliveries)?,
        tokens: ticket::of_tokens(tx, tokens)?.into_iter().collect(),
        rates: read_rates(tx, rates)?,
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

fn ask_rates(tx: &mut AccountTx<'_, '_>, senders: &BTreeSet<String>) -> Result<Asked> {
    let list: Vec<Value<'_>> = senders.iter().map(|sender| Value::Text(sender)).collect();
    let sql = "SELECT sender, window_start, count, held_until FROM sender_rates WHERE account_id = $1 AND sender IN ($2..)";
    tx.ask_in(sql, &[], &list)
}

fn read_rates(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<BTreeMap<String, Rate>> {
    tx.rows(asked)?
        .into_iter()
        .map(|mut row| {
            let sender = row.text()?;
            let window_start = row.int()?;
            let count = u32::try_from(row.int()?).unwrap_or(u32::MAX);
            Ok((sender, Rate { window_start, count, held_until: row.maybe_int()? }))
        })
        .collect()
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

fn ask_message_ids(tx: &mut AccountTx<'_, '_>, ids: &BTreeSet<String>) -> Result<Asked> {
    let list: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(hash(id))).collect();
    let sql = "SELECT message_id, kind, ticket_id, mail_id, fingerprint FROM message_ids WHERE account_id = $1 AND hash IN ($2..)";
    tx.ask_in(sql, &[], &list)
}

fn message_ids(rows: Vec<Row>, ids: &BTreeSet<String>) -> Result<BTreeMap<String, KnownId>> {
    let mut known = BTreeMap::new();
    for mut row in rows {
        let message_id = row.text()?;
        let kind = row.word()?;
        let ticket = row.maybe_int()?.map(TicketId);
        let mail_id = row.int()?;
        let fingerprint = row.maybe_bytes()?.and_then(|bytes| <[u8; 16]>::try_from(bytes.as_slice()).ok());
        // The hash is only the key; the text decides.
        if ids.contains(&message_id) {
            known.insert(message_id, KnownId { kind, ticket, mail_id, fingerprint });
        }
    }
    Ok(known)
}

fn ask_deliveries(tx: &mut AccountTx<'_, '_>, questions: &Questions) -> Result<[Asked; 2]> {
    let rows: Vec<Value<'_>> = questions.outbox.iter().map(|id| (*id).into()).collect();
    let mails: Vec<Value<'_>> = questions.outgoing.iter().map(|id| (*id).into()).collect();
    let by_row = "SELECT o.id, o.mail_id, o.recipient, m.ticket_id
                  FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
                  WHERE o.account_id = $1 AND o.id IN ($2..)";
    let by_mail = "SELECT o.id, o.mail_id, o.recipient, m.ticket_id
                   FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
                   WHERE o.account_id = $1 AND o.mail_id IN ($2..)";
    Ok([tx.ask_in(by_row, &[], &rows)?, tx.ask_in(by_mail, &[], &mails)?])
}

fn read_deliveries(tx: &mut AccountTx<'_, '_>, [by_row, by_mail]: [Asked; 2]) -> Result<Vec<Delivery>> {
    let mut found = tx.rows(by_row)?;
    found.extend(tx.rows(by_mail)?);
    found
        .into_iter()
        .map(|mut row| {
            Ok(Delivery {
                outbox_id: OutboxId(row.int()?),
                mail_id: OutgoingId(row.int()?),
                recipient: row.text()?,
                ticket: row.maybe_int()?.map(TicketId),
            })
        })
        .collect()
}

fn load_tickets(tx: &mut AccountTx<'_, '_>, ids: &BTreeSet<TicketId>, facts: &mut Facts) -> Result<()> {
    let list: Vec<TicketId> = ids.iter().copied().collect();
    let tickets = ticket::ask_ids(tx, &list)?;
    let ccs = ticket::ask_ccs(tx, &list)?;
    let followers = ticket::ask_followers(tx, &list)?;
    for ticket in ticket::of_ids(tx, tickets)? {
        facts
            .tickets
            .insert(ticket.id, TicketFacts { ticket, ccs: BTreeSet::new(), followers: BTreeSet::new() });
    }
    for (ticket, user) in ticket::on_tickets(tx, ccs)? {
        if let Some(known) = facts.tickets.get_mut(&ticket) {
            known.ccs.insert(user);
        }
    }
    for (ticket, user) in ticket::on_tickets(tx, followers)? {
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
    for (id, address) in user::other_addresses(tx, &silent)? {
        facts.reach_at(id, &address);
    }
    Ok(())
}
