//! The questions of a batch answered, one statement each.

use std::collections::{BTreeMap, BTreeSet};

use desk::facts::{Delivery, Facts, KnownId, Questions, TicketFacts};
use desk::id::{OutboxId, OutgoingId, TicketId, UserId};

use crate::error::Result;
use crate::ledger::hash;
use crate::{Tx, Value, ticket, user, values};

/// Answers what the mails of a batch ask, in one fixed order of locks: the caller holds the account, then tickets, then people.
///
/// # Errors
/// As the database says.
pub fn load(tx: &mut Tx<'_>, account_id: i64, questions: &Questions) -> Result<Facts> {
    let mut facts = Facts {
        message_ids: message_ids(tx, account_id, &questions.message_ids)?,
        deliveries: deliveries(tx, account_id, questions)?,
        ..Facts::default()
    };
    let tokens: Vec<&str> = questions.tokens.iter().map(desk::token::ThreadToken::as_str).collect();
    facts.tokens = ticket::by_tokens(tx, account_id, &tokens)?.into_iter().collect();
    let named = facts.message_ids.values().filter_map(|known| known.ticket);
    let of_deliveries = facts.deliveries.iter().filter_map(|delivery| delivery.ticket);
    let ids: BTreeSet<TicketId> = named.chain(facts.tokens.values().copied()).chain(of_deliveries).collect();
    load_tickets(tx, account_id, &ids, &mut facts)?;
    let keys: Vec<&str> = questions.addresses.iter().map(mail::address::AddressKey::as_str).collect();
    for (key, person) in user::by_addresses(tx, account_id, &keys)? {
        facts.know(key, person);
    }
    load_people_on_tickets(tx, account_id, &mut facts)?;
    Ok(facts)
}

/// The facts of tickets and the people on them, for a command.
///
/// # Errors
/// As the database says.
pub fn of_tickets(tx: &mut Tx<'_>, account_id: i64, ids: &BTreeSet<TicketId>) -> Result<Facts> {
    let mut facts = Facts::default();
    load_tickets(tx, account_id, ids, &mut facts)?;
    load_people_on_tickets(tx, account_id, &mut facts)?;
    Ok(facts)
}

fn message_ids(tx: &mut Tx<'_>, account_id: i64, ids: &BTreeSet<String>) -> Result<BTreeMap<String, KnownId>> {
    let list: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(hash(id))).collect();
    let sql =
        "SELECT message_id, kind, ticket_id, mail_id, fingerprint FROM message_ids WHERE account_id = $1 AND hash IN ($2..)";
    let mut known = BTreeMap::new();
    for mut row in tx.query_in(sql, &values![account_id], &list)? {
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

fn deliveries(tx: &mut Tx<'_>, account_id: i64, questions: &Questions) -> Result<Vec<Delivery>> {
    let rows: Vec<Value<'_>> = questions.outbox.iter().map(|id| Value::Int(id.0)).collect();
    let mails: Vec<Value<'_>> = questions.outgoing.iter().map(|id| Value::Int(id.0)).collect();
    let by_row = "SELECT o.id, o.mail_id, o.recipient, m.ticket_id
                  FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
                  WHERE o.account_id = $1 AND o.id IN ($2..)";
    let by_mail = "SELECT o.id, o.mail_id, o.recipient, m.ticket_id
                   FROM outbox o JOIN outgoing_mails m ON m.account_id = o.account_id AND m.id = o.mail_id
                   WHERE o.account_id = $1 AND o.mail_id IN ($2..)";
    let mut found = tx.query_in(by_row, &values![account_id], &rows)?;
    found.extend(tx.query_in(by_mail, &values![account_id], &mails)?);
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

fn load_tickets(tx: &mut Tx<'_>, account_id: i64, ids: &BTreeSet<TicketId>, facts: &mut Facts) -> Result<()> {
    let list: Vec<i64> = ids.iter().map(|id| id.0).collect();
    for ticket in ticket::by_ids(tx, account_id, &list)? {
        facts.tickets.insert(ticket.id, TicketFacts { ticket, ccs: BTreeSet::new() });
    }
    for (ticket, user) in ticket::ccs(tx, account_id, &list)? {
        if let Some(known) = facts.tickets.get_mut(&ticket) {
            known.ccs.insert(user);
        }
    }
    Ok(())
}

fn load_people_on_tickets(tx: &mut Tx<'_>, account_id: i64, facts: &mut Facts) -> Result<()> {
    let on_tickets: BTreeSet<UserId> =
        facts.tickets.values().flat_map(|known| known.ccs.iter().copied().chain([known.ticket.requester_id])).collect();
    let missing: Vec<i64> = on_tickets.iter().filter(|id| facts.person(**id).is_none()).map(|id| id.0).collect();
    for person in user::by_ids(tx, account_id, &missing)? {
        facts.people_by_id.insert(person.id, person);
    }
    Ok(())
}
