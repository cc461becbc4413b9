//! Commands: the one way for people and programs to change a ticket. Same rules, same audit, same transaction as mail.

use std::collections::BTreeSet;

use desk::changes::{Changes, Outgoing};
use desk::id::AccountId;
use desk::notice::NoticeKind;
use desk::ticket::CCS_MAX;
use desk::update::{Update, UpdateRefusal};
use desk::writer::Writer;
use mail::address::AddressKey;
use store::StoreError;
use store::changes::Writing;
use store::work::Kind;

use crate::id_source::BatchIds;
use crate::{Engine, accounts};

/// A change somebody asks for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Change a ticket: comment, status, assignee, tags.
    UpdateTicket {
        /// Its number.
        number: i64,
        /// Who does it, by one of their addresses.
        actor: AddressKey,
        /// What.
        update: Update,
    },
}

/// Why a command was not carried out; nothing of it happened.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] UpdateRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A mail that a command put into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What it is.
    pub kind: NoticeKind,
    /// Whom it goes to.
    pub to: Vec<String>,
}

impl Engine {
    /// Carries a command out in one transaction and wakes the outbox. Returns the mails it put there, none where nobody is told.
    ///
    /// # Errors
    /// [`SubmitError::Refused`] with the rule, or the store's failure.
    pub async fn submit(&self, account_id: AccountId, command: Command) -> Result<Vec<Queued>, SubmitError> {
        let Command::UpdateTicket { number, actor, update } = command;
        let kept = self.inner.accounts.kept(account_id);
        // Comment, audit, marker, the mail and one row for the requester and each CC, and a mail with its row for each follower.
        let reserved = self.store().ids(5 + CCS_MAX + 1 + 2 * CCS_MAX).await?;
        let (engine, now) = (self.clone(), self.now());
        let done = self
            .store()
            .write(move |tx| {
                store::work::lock_account(tx, account_id.0)?;
                let versioned = accounts::current(tx, account_id, kept.as_ref())?;
                let account = versioned.account();
                let Some(ticket) = store::ticket::by_number(&mut tx.account(account_id), number)? else {
                    return Ok(Err(UpdateRefusal::NoTicket(number)));
                };
                let people = store::user::by_addresses(&mut tx.account(account_id), &[actor.as_str()])?;
                let Some((_, person)) = people.into_iter().next() else {
                    return Ok(Err(UpdateRefusal::NotAnAgent(actor.to_string())));
                };
                let mut facts =
                    store::facts::of_tickets(&mut tx.account(account_id), &BTreeSet::from([ticket.id]))?;
                let mut supply = BatchIds::new(reserved.again());
                let marker = desk::id_source::IdSource::id(&mut supply);
                let mut changes = Changes::default();
                let mut desk =
                    Writer { account, facts: &mut facts, supply: &mut supply, changes: &mut changes, now };
                if let Err(refusal) = desk.update(ticket.id, &person, &update) {
                    return Ok(Err(named(refusal, number)));
                }
                let can_deliver = engine.inner.options.can_deliver;
                store::changes::write(
                    &mut tx.account(account_id),
                    Writing { now, marker, can_deliver, digest_every: None },
                    &changes,
                )?;
                Ok(Ok(changes.outgoing.iter().map(queued).collect()))
            })
            .await?;
        let queued = done?;
        self.store().wake(Kind::Outbox);
        Ok(queued)
    }
}

fn queued(mail: &Outgoing) -> Queued {
    Queued {
        kind: mail.content.notice.kind(),
        to: mail.recipients.iter().map(|(_, address)| address.clone()).collect(),
    }
}

/// People know a ticket by its number, not by its id.
fn named(refusal: UpdateRefusal, number: i64) -> UpdateRefusal {
    match refusal {
        UpdateRefusal::NoTicket(_) => UpdateRefusal::NoTicket(number),
        other => other,
    }
}
