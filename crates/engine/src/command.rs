//! Commands: the one way for people and programs to change a ticket. Same rules, same audit, same transaction as mail.

use std::collections::BTreeSet;
use std::sync::Arc;

use desk::changes::Outgoing;
use desk::id::{AccountId, TicketId};
use desk::notice::NoticeKind;
use desk::update::{Update, UpdateRefusal};
use mail::address::AddressKey;
use store::{Result, StoreError};

use crate::Engine;
use crate::transact::Open;

/// Ids that are usually enough for a command: comment, audit, a mail and its recipients.
const IDS_EACH: usize = 24;

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

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The account's change number after it: a reader that has reached it sees the change.
    pub change: i64,
    /// The mails that it put into the outbox, none where nobody is told.
    pub queued: Vec<Queued>,
}

/// A mail that a command put into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What it is.
    pub kind: NoticeKind,
    /// Whom it goes to.
    pub to: Vec<String>,
}

/// A command on its way through the queue of its account.
#[derive(Debug)]
pub(crate) struct Submission(pub(crate) Command);

/// The rule that refused a command, or the mails it sends.
pub(crate) type Outcome = Result<Vec<Queued>, UpdateRefusal>;

/// The answer to a command.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) outcome: Outcome,
    pub(crate) change: i64,
}

impl Engine {
    /// Carries a command out and wakes the outbox. It waits its turn without holding a thread of the database, and goes
    /// together with whatever else waits for its account.
    ///
    /// # Errors
    /// [`SubmitError::Refused`] with the rule, or the store's failure.
    pub async fn submit(&self, account_id: AccountId, command: Command) -> Result<Submitted, SubmitError> {
        let answered = self.decide_command(account_id, Submission(command)).await?;
        Ok(Submitted { change: answered.change, queued: answered.outcome? })
    }
}

/// Ids that are usually enough for this many commands.
pub(crate) fn ids_expected(commands: usize) -> usize {
    IDS_EACH * commands
}

/// Decides commands in their order. One that a rule refuses changes nothing, and the others are carried out.
pub(crate) fn decide(open: &mut Open<'_, '_, '_>, submissions: &[Arc<Submission>]) -> Result<Vec<Outcome>> {
    let numbers: Vec<i64> = submissions.iter().map(|one| one.number()).collect();
    let actors: BTreeSet<&str> = submissions.iter().map(|one| one.actor().as_str()).collect();
    let actors: Vec<&str> = actors.into_iter().collect();
    let (tickets, people) = store::facts::named_by_commands(open.tx, &numbers, &actors)?;
    let missing: BTreeSet<TicketId> =
        tickets.values().copied().filter(|id| !open.facts.tickets.contains_key(id)).collect();
    let facts = store::facts::of_tickets(open.tx, &missing)?;
    open.facts.add_missing(facts);
    let mut outcomes = Vec::with_capacity(submissions.len());
    for Submission(Command::UpdateTicket { number, actor, update }) in submissions.iter().map(AsRef::as_ref) {
        let person = people.iter().find(|(key, _)| key == actor).map(|(_, person)| person);
        outcomes.push(match (tickets.get(number), person) {
            (None, _) => Err(UpdateRefusal::NoTicket(*number)),
            (_, None) => Err(UpdateRefusal::NotAnAgent(actor.to_string())),
            (Some(ticket), Some(person)) => {
                let before = open.changes.outgoing.len();
                let updated = open.writer().update(*ticket, person, update);
                updated
                    .map_err(|refusal| named(refusal, *number))
                    .map(|()| open.changes.outgoing.iter().skip(before).map(queued).collect())
            }
        });
    }
    Ok(outcomes)
}

impl Submission {
    fn number(&self) -> i64 {
        let Command::UpdateTicket { number, .. } = &self.0;
        *number
    }

    fn actor(&self) -> &AddressKey {
        let Command::UpdateTicket { actor, .. } = &self.0;
        actor
    }
}

fn queued(mail: &Outgoing) -> Queued {
    let to = mail.recipients.iter().map(|(_, address)| address.clone()).collect();
    Queued { kind: mail.content.notice.kind(), to }
}

/// People know a ticket by its number, not by its id.
fn named(refusal: UpdateRefusal, number: i64) -> UpdateRefusal {
    match refusal {
        UpdateRefusal::NoTicket(_) => UpdateRefusal::NoTicket(number),
        other => other,
    }
}
