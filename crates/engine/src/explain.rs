//! What would happen to a mail, and why: the same parser, facts and verdict as intake, but nothing is written.

use desk::envelope::Envelope;
use desk::id::{AccountId, MailId, TicketId};
use desk::inbound::Inbound;
use desk::verdict::{Decision, Verdict, decide};
use mail::address::AddressKey;
use mail::letter::Letter;
use store::{Result, StoreError, Tx};

use crate::Engine;

/// An explained mail.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The account's subdomain.
    pub account: String,
    /// What the parser saw.
    pub letter: Letter,
    /// What the desk decided.
    pub decision: Decision,
    /// The number of the ticket that it would join or follow up.
    pub ticket: Option<i64>,
}

impl Engine {
    /// Decides a mail without writing anything. None when no recipient is known here: SMTP would refuse it.
    ///
    /// # Errors
    /// As the store says.
    pub async fn explain(&self, raw: &[u8], envelope: Envelope) -> Result<Option<Explained>> {
        let letter = Letter::parse(raw);
        let authentication = self.authentication(raw, &envelope, &letter).await;
        let (engine, accepted_at) = (self.clone(), self.now());
        let (shared, bytes) = (letter.clone(), raw.to_vec());
        let found = self
            .store()
            .read_now(move |tx| {
                let Some((account_id, recipients)) = of_one_account(tx, &envelope.recipients)? else {
                    return Ok(None);
                };
                let envelope = Envelope { recipients, ..envelope.clone() };
                let (_, account) = store::account::load(&mut tx.account(account_id))?
                    .ok_or(StoreError::Changed("the account"))?;
                let inbound = Inbound {
                    raw: &bytes,
                    authentication: &authentication,
                    ..Inbound::new(MailId(0), accepted_at, &envelope, &shared)
                };
                let per_hour = engine.inner.options.sender_per_hour;
                let facts = store::facts::gather(
                    &mut tx.account(account_id),
                    &account,
                    engine.keys(),
                    per_hour,
                    &[inbound],
                )?;
                let decision = decide(&account, engine.keys(), &facts, &inbound);
                let ticket = named(&decision.verdict)
                    .and_then(|id| facts.tickets.get(&id))
                    .and_then(|known| known.ticket.number)
                    .map(|number| number.0);
                Ok(Some((account.subdomain.clone(), decision, ticket)))
            })
            .await?;
        Ok(found.map(|(account, decision, ticket)| Explained { account, letter, decision, ticket }))
    }
}

/// The account of the first known recipient, and which of the recipients are its own: each account gets a copy of its
/// own, and SMTP refuses those nobody has.
fn of_one_account(tx: &mut Tx<'_>, written: &[String]) -> Result<Option<(AccountId, Vec<String>)>> {
    let mut found: Option<(AccountId, Vec<String>)> = None;
    for text in written {
        let Ok(key) = AddressKey::parse(text) else { continue };
        let Some(account_id) = store::recipient::account_of(tx, &key)? else { continue };
        let (own, recipients) = found.get_or_insert_with(|| (account_id, Vec::new()));
        if *own == account_id {
            recipients.push(text.clone());
        }
    }
    Ok(found)
}

/// The ticket that a verdict names.
fn named(verdict: &Verdict) -> Option<TicketId> {
    match verdict {
        Verdict::Comment { ticket, .. } => Some(*ticket),
        Verdict::FollowUp { of, .. } => Some(*of),
        Verdict::Duplicate { ticket, .. } => *ticket,
        _ => None,
    }
}
