//! Decides a mail once more: taken out of the suspended tickets, or replayed after a fix or a changed setting
//! (docs/behaviour/suspension.md).
//!
//! The same parser, facts, verdict and effects as intake, in one transaction that also changes the mail's ledger row: a
//! mail has exactly one outcome at any time.

use std::sync::Arc;
use std::time::Duration;

use desk::authentication::Authentication;
use desk::changes::Changes;
use desk::clock::DAY;
use desk::envelope::{Door, Envelope};
use desk::event::Event;
use desk::id::{AccountId, MailId};
use desk::inbound::{Inbound, Recovered};
use desk::ledger::Outcome;
use desk::suspension::Cause;
use desk::ticket::Status;
use desk::user::Person;
use desk::verdict::decide;
use mail::address::AddressKey;
use store::ledger::Row;
use store::spool::SpoolKey;
use store::{AccountTx, StoreError};

use crate::batch::Item;
use crate::parse::Unread;
use crate::transact::{Open, Work};
use crate::{Engine, parse};

/// How long after its arrival a mail's sender can still be checked: DKIM keys and SPF records change over time.
const KEYS_LAST: i64 = 7 * DAY;
/// Ids that are usually enough for one mail.
const IDS: usize = 64;

/// What a suspended ticket becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoverAs {
    /// What the mail would have become: a ticket of its author, or a comment.
    AsSent,
    /// A comment on the ticket of this number.
    Into(i64),
    /// A ticket whose requester is the agent with this address.
    Agent(AddressKey),
}

/// The result of deciding a mail again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redecided {
    /// The outcome it had.
    pub before: String,
    /// The outcome it has now, or would have.
    pub outcome: Outcome,
    /// The number of its ticket.
    pub ticket: Option<i64>,
    /// Every step of the decision.
    pub reasons: Vec<String>,
    /// Whether anything was written.
    pub is_changed: bool,
}

/// Why a mail was not decided again; nothing of it happened.
#[derive(Debug, thiserror::Error)]
pub enum RedecideError {
    /// No such suspended ticket: never was, or recovered or deleted already.
    #[error("there is no suspended ticket {0}")]
    NotHeld(MailId),
    /// No such mail came in.
    #[error("no mail {0} came in to this account")]
    NoMail(MailId),
    /// It waits in the spool.
    #[error("mail {0} is not decided yet; it will be in a moment")]
    Undecided(MailId),
    /// It became a ticket or a comment, which would be duplicated.
    #[error("mail {id} is {outcome} on ticket {ticket} already; deciding it again would duplicate it")]
    Settled {
        /// The mail.
        id: MailId,
        /// Its outcome.
        outcome: String,
        /// Its ticket.
        ticket: i64,
    },
    /// Its bytes were deleted with the suspended ticket.
    #[error("the bytes of mail {0} are deleted; only its row in the ledger is left")]
    Gone(MailId),
    /// It cannot be read even now.
    #[error("mail {id} still cannot be read: {reason}")]
    Unreadable {
        /// The mail.
        id: MailId,
        /// What happened.
        reason: String,
    },
    /// The ticket it should become a comment on does not exist.
    #[error("there is no ticket {0} in this account")]
    NoTicket(i64),
    /// That ticket no longer takes comments.
    #[error("ticket {0} is closed; a closed ticket takes no comment")]
    Closed(i64),
    /// The requester-to-be is no agent.
    #[error("{0} is not an agent of this account")]
    NotAnAgent(AddressKey),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The request.
#[derive(Debug, Clone)]
enum Wish {
    Recover { how: RecoverAs, by: String },
    Replay { writes: bool },
}

/// A mail read again, with what was said of it.
struct Again {
    item: Item,
    wish: Wish,
}

impl Engine {
    /// Takes a mail out of the suspended tickets. `by` is recorded in the ledger and in the ticket's audit.
    ///
    /// # Errors
    /// [`RedecideError`]: nothing happened, the mail is where it was.
    pub async fn recover(
        &self,
        account_id: AccountId,
        id: MailId,
        how: RecoverAs,
        by: &str,
    ) -> Result<Redecided, RedecideError> {
        self.again(account_id, id, Wish::Recover { how, by: by.to_owned() }).await
    }

    /// Decides a mail again and writes what became of it, unless that is what it was, or `writes` is off.
    ///
    /// # Errors
    /// As [`Engine::recover`].
    pub async fn replay(
        &self,
        account_id: AccountId,
        id: MailId,
        writes: bool,
    ) -> Result<Redecided, RedecideError> {
        self.again(account_id, id, Wish::Replay { writes }).await
    }

    async fn again(&self, account_id: AccountId, id: MailId, wish: Wish) -> Result<Redecided, RedecideError> {
        let asked = wish.clone();
        let found = self.store().read_or(move |tx| read(&mut tx.account(account_id), id, &asked)).await?;
        let (row, envelope, packed) = found;
        if packed.body.is_none() && packed.blob.is_none() {
            return Err(RedecideError::Gone(id));
        }
        let raw = Arc::new(packed.unpack(self.store()).await?);
        let options = &self.inner.options;
        let budget = Duration::from_millis(options.parse_budget_ms);
        let letter =
            parse::read_all(&self.inner.readers, vec![Arc::clone(&raw)], budget, options.fault.clone())
                .await
                .pop();
        let letter = letter.unwrap_or_else(|| Err(Unread::failed("it was not read")));
        let authentication = match &letter {
            Ok(letter) if self.now() - row.at <= KEYS_LAST => {
                self.authentication(&raw, &envelope, letter).await
            }
            Ok(_) => Authentication::unchecked(),
            Err(unread) => return Err(RedecideError::Unreadable { id, reason: unread.why.clone() }),
        };
        let item = Item {
            key: SpoolKey { accepted_at: row.at, id },
            envelope: Arc::new(envelope),
            raw,
            letter,
            authentication,
        };
        let again = Again { item, wish };
        let mut told = self.transact(account_id, Arc::new(again)).await?.done;
        if told.is_changed {
            let row =
                self.store().read_now(move |tx| store::ledger::find(&mut tx.account(account_id), id)).await?;
            told.ticket = row.and_then(|row| row.ticket);
        }
        Ok(told)
    }
}

type Found = (Row, Envelope, store::raw::Packed);

/// The mail with its envelope, if the request can be carried out as things stand.
fn read(tx: &mut AccountTx<'_, '_>, id: MailId, wish: &Wish) -> Result<Found, RedecideError> {
    let Some(packed) = store::raw::find(tx, id)? else {
        return Err(match wish {
            Wish::Recover { .. } => RedecideError::NotHeld(id),
            Wish::Replay { .. } => RedecideError::NoMail(id),
        });
    };
    let row = decided(tx, id, wish)?;
    let envelope = match store::envelope::find(tx, id)? {
        Some(envelope) => envelope,
        // Held by a version that did not keep it: the suspended ticket is the closest approximation.
        None => match store::suspended::find(tx, id)? {
            Some(held) => Envelope {
                door: Door::Smtp,
                client: String::new(),
                helo: String::new(),
                mail_from: Some(held.sender).filter(|sender| !sender.is_empty()),
                recipients: vec![held.recipient],
                trusted: false,
                tls: false,
            },
            None => return Err(RedecideError::Gone(id)),
        },
    };
    Ok((row, envelope, packed))
}

/// The ledger row, if the request can be carried out as things stand.
fn decided(tx: &mut AccountTx<'_, '_>, id: MailId, wish: &Wish) -> Result<Row, RedecideError> {
    let row = store::ledger::find(tx, id)?.ok_or(RedecideError::Undecided(id))?;
    let outcome = row.outcome.clone().unwrap_or_default();
    let is_settled = matches!(outcome.as_str(), "new_ticket" | "comment" | "follow_up");
    match wish {
        Wish::Recover { .. } if outcome != Outcome::Suspended.as_str() => Err(RedecideError::NotHeld(id)),
        Wish::Replay { .. } if is_settled => {
            Err(RedecideError::Settled { id, outcome, ticket: row.ticket.unwrap_or_default() })
        }
        _ => Ok(row),
    }
}

impl Work for Again {
    type Done = Redecided;
    type Error = RedecideError;

    fn ids_expected(&self) -> usize {
        IDS
    }

    fn is_rewriting(&self) -> bool {
        true
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<Redecided, RedecideError> {
        let id = self.item.id();
        // Read again under the lock: somebody else may have been faster.
        let row = decided(open.tx, id, &self.wish)?;
        if !store::raw::is_kept(open.tx, id)? {
            return Err(RedecideError::Gone(id));
        }
        let recovered = self.recovered(open.tx)?;
        let inbound = self.item.inbound().ok_or(RedecideError::NoMail(id))?;
        // Before the facts are gathered: they include what the verdict needs of the ticket that the mail goes into.
        let inbound = Inbound { recovered: recovered.as_ref(), ..inbound };
        // The guard counted the mail when it came; counting it again with its old time would move the sender's window
        // back.
        let uncounted = 0;
        open.gather(&[inbound], uncounted)?;
        let account = open.account();
        let decision = decide(&account, open.keys(), &open.facts, &inbound);
        let before = row.outcome.clone().unwrap_or_default();
        let told = Redecided {
            outcome: decision.outcome(),
            ticket: None,
            reasons: decision.reasons.clone(),
            is_changed: self.writes(&before, decision.outcome(), &row, decision.reason()),
            before,
        };
        if told.is_changed {
            open.writer().carry_out(&inbound, &decision);
            self.tell_history(&mut open.changes, &row);
            let held = store::suspended::find(open.tx, id)?;
            self.tell_audit(&mut open.changes, held.map(|held| held.cause));
        }
        Ok(told)
    }
}

impl Again {
    fn writes(&self, before: &str, outcome: Outcome, row: &Row, reason: &str) -> bool {
        match self.wish {
            Wish::Recover { .. } => true,
            Wish::Replay { writes } => writes && (before != outcome.as_str() || row.reason != reason),
        }
    }

    /// How the verdict is to take the mail.
    fn recovered(&self, tx: &mut AccountTx<'_, '_>) -> Result<Option<Recovered>, RedecideError> {
        let Wish::Recover { how, .. } = &self.wish else { return Ok(None) };
        Ok(Some(match how {
            RecoverAs::AsSent => Recovered::AsSent,
            RecoverAs::Into(number) => {
                let ticket = store::ticket::by_number(tx, *number)?;
                let ticket = ticket.ok_or(RedecideError::NoTicket(*number))?;
                if ticket.status == Status::Closed {
                    return Err(RedecideError::Closed(*number));
                }
                Recovered::Into(ticket.id)
            }
            RecoverAs::Agent(key) => {
                Recovered::By(agent(tx, key)?.ok_or_else(|| RedecideError::NotAnAgent(key.clone()))?)
            }
        }))
    }

    /// The steps of the earlier decision precede those of this one.
    fn tell_history(&self, changes: &mut Changes, row: &Row) {
        let Some(ledger) = changes.ledger.first_mut() else { return };
        let what = match &self.wish {
            Wish::Recover { by, .. } => format!("recovered by {by}"),
            Wish::Replay { .. } => "decided again".to_owned(),
        };
        let mut reasons = row.reasons.clone();
        reasons.push(what);
        reasons.append(&mut ledger.reasons);
        ledger.reasons = reasons;
    }

    /// The ticket's history says that its mail was held, and who released it.
    fn tell_audit(&self, changes: &mut Changes, cause: Option<i64>) {
        let (Wish::Recover { by, .. }, Some(audit)) = (&self.wish, changes.audits.last_mut()) else { return };
        let cause = cause.and_then(Cause::of_number);
        audit.events.push(Event::recovered(self.item.id(), cause, by));
    }
}

fn agent(tx: &mut AccountTx<'_, '_>, key: &AddressKey) -> store::Result<Option<Person>> {
    let found = store::user::by_addresses(tx, &[key.as_str()])?;
    Ok(found.into_iter().map(|(_, person)| person).find(Person::is_staff))
}
