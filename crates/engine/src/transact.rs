//! The one sequence in which an account is changed, no matter who asks: lock, configuration, facts, decision, writing.
//!
//! Facts cannot change between asking and writing, and the whole can be run again. What is decided is not decided here.

use std::sync::Arc;

use desk::account::Account;
use desk::changes::Changes;
use desk::facts::Facts;
use desk::id::AccountId;
use desk::inbound::Inbound;
use desk::writer::Writer;
use store::account_state::{self, State};
use store::changes::Writing;
use store::ids::Ids;
use store::work::Kind;
use store::{AccountTx, Result, StoreError, Tx};

use crate::Engine;
use crate::accounts::{self, Versioned};
use crate::id_source::BatchIds;

/// How often a transaction is rerun with twice the ids before that counts as a defect.
const MORE_IDS: usize = 12;

/// Something to decide in a transaction. It may be run several times; only the last run counts.
pub(crate) trait Work: Send + Sync + 'static {
    /// Its result.
    type Done: Send + 'static;

    /// Why it may not be done; the transaction rolls back then.
    type Error: From<StoreError> + Send + 'static;

    /// The mails it decides: their facts are gathered together with the lock.
    fn mails(&self) -> Vec<Inbound<'_>> {
        Vec::new()
    }

    /// The claim under which mail is decided; none for what needs none.
    fn epoch(&self) -> Option<i64> {
        None
    }

    /// Ids that are usually enough; it gets more when it needs them.
    fn ids_expected(&self) -> usize;

    /// Whether its mails were decided before, so that their ledger rows are changed.
    fn is_rewriting(&self) -> bool {
        false
    }

    /// Decides, and leaves what is to be written in [`Open::changes`].
    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<Self::Done, Self::Error>;
}

/// A locked account with all that a decision needs.
pub(crate) struct Open<'o, 't, 'a> {
    /// The transaction.
    pub(crate) tx: &'o mut AccountTx<'t, 'a>,
    /// The locked row; its `now` is the time of the decision.
    pub(crate) state: State,
    /// What the facts say, and what earlier decisions of this transaction made of them.
    pub(crate) facts: Facts,
    /// What is to be written.
    pub(crate) changes: Changes,
    engine: &'o Engine,
    account: Arc<Account>,
    ids: BatchIds,
    has_change: bool,
}

impl Open<'_, '_, '_> {
    /// The account's configuration.
    pub(crate) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.account)
    }

    /// The keys that sign marks and return paths.
    pub(crate) fn keys(&self) -> &desk::signed::SigningKeys {
        self.engine.keys()
    }

    /// The time of the decision, by the database's clock.
    pub(crate) fn now(&self) -> desk::clock::Millis {
        self.state.now
    }

    /// Gathers the facts of mails that could not be named before the lock was held.
    pub(crate) fn gather(&mut self, mails: &[Inbound<'_>], sender_per_hour: u32) -> Result<()> {
        self.facts =
            store::facts::gather(self.tx, &self.account, self.engine.keys(), sender_per_hour, mails)?;
        Ok(())
    }

    /// The desk's hand: what it decides goes into the facts and the changes of this transaction.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer {
            account: &self.account,
            facts: &mut self.facts,
            supply: &mut self.ids,
            changes: &mut self.changes,
            now: self.state.now,
        }
    }

    /// The change number for rows that the work itself writes.
    pub(crate) fn take_change(&mut self) -> i64 {
        self.has_change = true;
        self.state.next_change()
    }
}

/// What a transaction gave.
#[derive(Debug)]
pub(crate) struct Transacted<T> {
    /// The result of the work.
    pub(crate) done: T,
    /// The account's change number after it.
    pub(crate) change: i64,
}

/// Why a run was rolled back.
enum Ended<E> {
    /// It may be run again with more ids.
    OutOfIds,
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Ended<E> {
    fn from(error: StoreError) -> Ended<E> {
        match error {
            StoreError::OutOfIds => Ended::OutOfIds,
            other => Ended::Failed(other.into()),
        }
    }
}

/// What a run left for the time after the commit.
struct Ran<T> {
    done: T,
    change: i64,
    versioned: Versioned,
    rest: Ids,
    has_outgoing: bool,
}

impl Engine {
    /// Does a piece of work in one transaction on an account, and wakes the tasks that continue from what it wrote.
    ///
    /// # Errors
    /// The work's own, the store's, and [`StoreError::Fenced`] when another node took the account over; nothing is
    /// written then.
    pub(crate) async fn transact<W: Work>(
        &self,
        account_id: AccountId,
        work: Arc<W>,
    ) -> Result<Transacted<W::Done>, W::Error> {
        let mut wanted = work.ids_expected();
        for _ in 0..MORE_IDS {
            let reserved = self.store().ids(wanted).await?;
            let kept = self.inner.accounts.kept(account_id);
            let engine = self.clone();
            let theirs = Arc::clone(&work);
            let ran = self.store().write_or(move |tx| {
                let order = Order { account_id, kept: kept.as_ref(), reserved: &reserved, engine: &engine };
                order.run(tx, theirs.as_ref())
            });
            match ran.await {
                Ok(ran) => return Ok(self.after(account_id, ran)),
                // They are abandoned: the counter has plenty.
                Err(Ended::OutOfIds) => wanted = wanted.max(1).saturating_mul(2),
                Err(Ended::Failed(error)) => return Err(error),
            }
        }
        Err(StoreError::OutOfIds.into())
    }

    fn after<T>(&self, account_id: AccountId, ran: Ran<T>) -> Transacted<T> {
        self.store().give_back(ran.rest);
        self.inner.accounts.keep(account_id, ran.versioned);
        if ran.has_outgoing {
            self.store().ring(Kind::Outbox, account_id, Some(ran.change));
        }
        Transacted { done: ran.done, change: ran.change }
    }
}

/// What a run of the transaction begins with.
struct Order<'o> {
    account_id: AccountId,
    kept: Option<&'o Versioned>,
    reserved: &'o Ids,
    engine: &'o Engine,
}

impl Order<'_> {
    fn run<W: Work>(&self, tx: &mut Tx<'_>, work: &W) -> Result<Ran<W::Done>, Ended<W::Error>> {
        let mut tx = tx.account(self.account_id);
        let (state, versioned, facts) = self.begin(&mut tx, work)?;
        let account = Arc::clone(versioned.account());
        let ids = BatchIds::new(self.reserved.again());
        let changes = Changes::default();
        let mut open =
            Open { tx: &mut tx, state, facts, changes, engine: self.engine, account, ids, has_change: false };
        let done = work.decide(&mut open).map_err(Ended::Failed)?;
        let Open { mut state, changes, account, ids, has_change, .. } = open;
        if ids.ran_out() {
            return Err(Ended::OutOfIds);
        }
        let has_outgoing = !changes.outgoing.is_empty();
        let can_deliver = self.engine.inner.options.can_deliver;
        let digest_every = account.settings.suspended_notification.every_ms();
        let writing = |state| Writing { state, can_deliver, digest_every };
        if changes == Changes::default() {
            if has_change {
                account_state::save(&mut tx, &state)?;
            }
        } else if work.is_rewriting() {
            store::changes::rewrite(&mut tx, writing(&mut state), &changes)?;
        } else {
            store::changes::write(&mut tx, writing(&mut state), &changes)?;
        }
        Ok(Ran { done, change: state.change, versioned, rest: ids.rest(), has_outgoing })
    }

    /// The lock, the account, and what the decisions may need. Everything is asked for the account as last known, so
    /// that it travels with the lock; if the account has changed, the facts are read again.
    fn begin<W: Work>(&self, tx: &mut AccountTx<'_, '_>, work: &W) -> Result<(State, Versioned, Facts)> {
        let mails = work.mails();
        let gather = |tx: &mut AccountTx<'_, '_>, account: &Account| {
            if mails.is_empty() {
                return Ok(Facts::default());
            }
            let per_hour = self.engine.inner.options.sender_per_hour;
            store::facts::gather(tx, account, self.engine.keys(), per_hour, &mails)
        };
        let asked = account_state::ask_lock(tx)?;
        let guess = match self.kept {
            Some(kept) => kept.clone(),
            None => accounts::load(tx)?,
        };
        let facts = gather(tx, guess.account())?;
        let mut state = account_state::locked(tx, asked)?;
        if let Some(epoch) = work.epoch() {
            state.fence(epoch)?;
        }
        if guess.is_of(state.version) {
            return Ok((state, guess, facts));
        }
        let current = accounts::load(tx)?;
        let facts = gather(tx, current.account())?;
        Ok((state, current, facts))
    }
}
