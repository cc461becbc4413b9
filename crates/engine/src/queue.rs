//! The queue of each account in this process: mail and commands that wait for the account's lock are decided together
//! by one transaction, the commands first, since somebody waits for them. Waiting here holds no database thread.
//!
//! Each transaction runs in its own task: a waiter may go away, and what others wait for is decided all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::id::AccountId;
use desk::inbound::Inbound;
use store::{Result, StoreError};
use tokio::sync::oneshot;

use crate::batch::{Decided, MailBatch};
use crate::command::{self, Answered, Outcome, Submission};
use crate::transact::{Open, Work};
use crate::{Engine, Step};

/// Maximum number of commands decided in one transaction.
const COMMANDS_MAX: usize = 64;
/// Maximum number of commands that wait for one account; more are refused, so that a client that does not wait for answers
/// does not fill the memory.
const COMMANDS_WAITING_MAX: usize = 4_096;
/// How long mail is decided while commands wait: then it is their turn, and the rest of the mail follows.
const MAIL_TURN: Duration = Duration::from_millis(6);

/// After a command more are expected for so long: the mail of a transaction is kept short meanwhile.
const EXPECTED_FOR: Duration = Duration::from_secs(5);
/// Mails of a transaction at least, however long each takes.
const MAILS_MIN: usize = 2;

/// The queues of all accounts that have something waiting.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queues: BTreeMap<AccountId, Queue>,
    /// Of accounts that had a command lately.
    paces: BTreeMap<AccountId, Pace>,
}

/// How long the mail of an account takes, so that a command that comes in the middle of a transaction does not wait for long.
#[derive(Debug, Clone, Copy)]
struct Pace {
    commanded_at: Instant,
    /// Of a whole transaction, each mail.
    per_mail: Duration,
}

impl Pace {
    fn of_command(now: Instant) -> Pace {
        Pace { commanded_at: now, per_mail: Duration::from_millis(1) }
    }

    /// As many mails as fill [`MAIL_TURN`].
    fn limit(&self) -> usize {
        let mails = MAIL_TURN.as_nanos() / self.per_mail.as_nanos().max(1);
        usize::try_from(mails).unwrap_or(usize::MAX).max(MAILS_MIN)
    }

    /// Notes a transaction; the last few count most.
    fn note(&mut self, took: Duration, mails: usize) {
        if let Ok(mails @ 1..) = u32::try_from(mails) {
            self.per_mail = (self.per_mail * 3 + took / mails) / 4;
        }
    }
}

/// What waits for one account; it exists while a task is processing it.
#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// How many of those are commands, seen by the transaction under way.
    commands: Arc<AtomicUsize>,
}

impl Queue {
    /// Lets work wait, unless there is too much of it already.
    fn push(&mut self, waiting: Waiting) {
        let waiting = match waiting {
            Waiting::Command { done, .. }
                if self.commands.load(Ordering::Relaxed) >= COMMANDS_WAITING_MAX =>
            {
                let _ = done.send(Err(too_many()));
                return;
            }
            waiting => waiting,
        };
        if matches!(waiting, Waiting::Command { .. }) {
            self.commands.fetch_add(1, Ordering::Relaxed);
        }
        self.waiting.push(waiting);
    }
}

/// Where the caller waits for the outcome.
type Done<T> = oneshot::Sender<Result<T>>;

#[derive(Debug)]
enum Waiting {
    Mail { batch: Arc<MailBatch>, done: Done<Vec<Decided>> },
    Command { submission: Arc<Submission>, done: Done<Answered> },
}

/// What one transaction decides.
struct Round {
    mail: Option<(Arc<MailBatch>, Done<Vec<Decided>>)>,
    /// Mails decided at most.
    limit: usize,
    commands: Vec<(Arc<Submission>, Done<Answered>)>,
    waiting: Arc<AtomicUsize>,
}

impl Engine {
    /// Decides mails; those of the batch that were not reached have to be submitted again.
    pub(crate) async fn decide_mail(
        &self,
        account_id: AccountId,
        batch: Arc<MailBatch>,
    ) -> Result<Vec<Decided>> {
        let (done, answer) = oneshot::channel();
        self.enqueue(account_id, Waiting::Mail { batch, done });
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Carries a command out.
    pub(crate) async fn decide_command(
        &self,
        account_id: AccountId,
        submission: Submission,
    ) -> Result<Answered> {
        let (done, answer) = oneshot::channel();
        self.enqueue(account_id, Waiting::Command { submission: Arc::new(submission), done });
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    fn enqueue(&self, account_id: AccountId, waiting: Waiting) {
        let mut inner = self.inner.queues.0.lock().expect("plain push and take");
        let is_led = inner.queues.contains_key(&account_id);
        if matches!(waiting, Waiting::Command { .. }) {
            let now = Instant::now();
            inner.paces.retain(|_, pace| pace.commanded_at.elapsed() < EXPECTED_FOR);
            inner.paces.entry(account_id).or_insert_with(|| Pace::of_command(now)).commanded_at = now;
        }
        let queue = inner.queues.entry(account_id).or_default();
        queue.push(waiting);
        drop(inner);
        if !is_led {
            let leader = Leader { engine: self.clone(), account_id, is_done: false };
            tokio::spawn(leader.lead());
        }
    }

    /// The next round of an account; none, and its queue is gone, when nothing waits.
    fn next_round(&self, account_id: AccountId) -> Option<Round> {
        let mut inner = self.inner.queues.0.lock().expect("plain push and take");
        if inner.paces.get(&account_id).is_some_and(|pace| pace.commanded_at.elapsed() >= EXPECTED_FOR) {
            inner.paces.remove(&account_id);
        }
        let limit = inner.paces.get(&account_id).map_or(usize::MAX, Pace::limit);
        let queue = inner.queues.get_mut(&account_id)?;
        if queue.waiting.is_empty() {
            inner.queues.remove(&account_id);
            return None;
        }
        let mut round =
            Round { mail: None, limit, commands: Vec::new(), waiting: Arc::clone(&queue.commands) };
        let mut left = Vec::new();
        for waiting in std::mem::take(&mut queue.waiting) {
            match waiting {
                Waiting::Mail { batch, done } if round.mail.is_none() => round.mail = Some((batch, done)),
                Waiting::Command { submission, done } if round.commands.len() < COMMANDS_MAX => {
                    queue.commands.fetch_sub(1, Ordering::Relaxed);
                    round.commands.push((submission, done));
                }
                other => left.push(other),
            }
        }
        queue.waiting = left;
        Some(round)
    }

    /// Decides a round in one transaction. When something in it fails and is rolled back, each part goes by itself, so that the
    /// failure of one affects no other.
    async fn run_round(&self, account_id: AccountId, round: Round) {
        let mut rounds = vec![round];
        while let Some(round) = rounds.pop() {
            let begun = Instant::now();
            match self.transact(account_id, Arc::new(round.together())).await {
                Ok(done) => {
                    self.note_pace(account_id, begun.elapsed(), done.done.mail.len());
                    round.answer(done.done, done.change);
                }
                // The commit may have succeeded and only its answer been lost: run again, a reply would leave twice.
                // Mail is tried again from its rows.
                Err(StoreError::Unavailable(why)) => round.fail(|| StoreError::Unavailable(why.clone())),
                Err(error) if round.is_single() => {
                    let mut error = Some(error);
                    round.fail(|| error.take().unwrap_or_else(stopped));
                }
                Err(_) => rounds.extend(round.apart().into_iter().rev()),
            }
        }
    }

    fn note_pace(&self, account_id: AccountId, took: Duration, mails: usize) {
        let mut inner = self.inner.queues.0.lock().expect("plain push and take");
        if let Some(pace) = inner.paces.get_mut(&account_id) {
            pace.note(took, mails);
        }
    }
}

impl Round {
    fn together(&self) -> Together {
        Together {
            mail: self.mail.as_ref().map(|(batch, _)| Arc::clone(batch)),
            limit: self.limit,
            commands: self.commands.iter().map(|(one, _)| Arc::clone(one)).collect(),
            waiting: Arc::clone(&self.waiting),
        }
    }

    fn is_single(&self) -> bool {
        self.commands.len() + usize::from(self.mail.is_some()) <= 1
    }

    /// Its parts as rounds of their own, in their order.
    fn apart(self) -> Vec<Round> {
        let Round { mail, limit, commands, waiting } = self;
        let one = |mail, commands| Round { mail, limit, commands, waiting: Arc::clone(&waiting) };
        let mut rounds: Vec<Round> = commands.into_iter().map(|command| one(None, vec![command])).collect();
        rounds.extend(mail.map(|mail| one(Some(mail), Vec::new())));
        rounds
    }

    /// Tells everybody who waits what was done. A caller that went away does not hear it.
    fn answer(self, done: DoneTogether, change: i64) {
        if let Some((_, answer)) = self.mail {
            let _ = answer.send(Ok(done.mail));
        }
        for ((_, answer), outcome) in self.commands.into_iter().zip(done.commands) {
            let _ = answer.send(Ok(Answered { outcome, change }));
        }
    }

    fn fail(self, mut error: impl FnMut() -> StoreError) {
        if let Some((_, answer)) = self.mail {
            let _ = answer.send(Err(error()));
        }
        for (_, answer) in self.commands {
            let _ = answer.send(Err(error()));
        }
    }
}

/// The task that processes an account's queue, one at a time.
struct Leader {
    engine: Engine,
    account_id: AccountId,
    is_done: bool,
}

impl Leader {
    async fn lead(mut self) {
        while let Some(round) = self.engine.next_round(self.account_id) {
            self.engine.run_round(self.account_id, round).await;
        }
        // The queue went with the last round.
        self.is_done = true;
    }
}

impl Drop for Leader {
    /// Ended early, as by a runtime that shuts down: the waiters are told so, and the next one starts again.
    fn drop(&mut self) {
        if !self.is_done {
            self.engine.inner.queues.0.lock().expect("plain push and take").queues.remove(&self.account_id);
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the engine has stopped".into())
}

fn too_many() -> StoreError {
    let why = format!("{COMMANDS_WAITING_MAX} commands wait for this account already; try again in a moment");
    StoreError::Unavailable(why)
}

/// A batch of mails, commands, or both.
struct Together {
    mail: Option<Arc<MailBatch>>,
    /// Mails decided at most.
    limit: usize,
    commands: Vec<Arc<Submission>>,
    waiting: Arc<AtomicUsize>,
}

/// The results of both.
struct DoneTogether {
    mail: Vec<Decided>,
    commands: Vec<Outcome>,
}

impl Work for Together {
    type Done = DoneTogether;
    type Error = StoreError;

    fn mails(&self) -> Vec<Inbound<'_>> {
        self.mail.as_ref().map(|mail| mail.inbound(self.limit)).unwrap_or_default()
    }

    fn epoch(&self) -> Option<i64> {
        self.mail.as_ref().map(|mail| mail.epoch)
    }

    fn ids_expected(&self) -> usize {
        let mail = self.mail.as_ref().map_or(0, |mail| mail.ids_expected(self.limit));
        mail + command::ids_expected(self.commands.len())
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<DoneTogether> {
        let commands =
            if self.commands.is_empty() { Vec::new() } else { command::decide(open, &self.commands)? };
        let mail = self.mail.as_ref();
        let mail = mail.map(|mail| decide_mails(open, mail, self.limit, &self.waiting)).unwrap_or_default();
        Ok(DoneTogether { mail, commands })
    }
}

/// Decides mails in their order, at most `limit`, and fewer when commands wait too long for it.
fn decide_mails(
    open: &mut Open<'_, '_, '_>,
    batch: &MailBatch,
    limit: usize,
    waiting: &AtomicUsize,
) -> Vec<Decided> {
    let begun = Instant::now();
    let mut decided = Vec::with_capacity(batch.len().min(limit));
    for inbound in batch.inbound(limit) {
        if let Some(fault) = &batch.fault {
            fault(Step::Decide, inbound.raw);
        }
        let outcome = crate::batch::decide_one(open, &inbound);
        decided.push(outcome);
        if waiting.load(Ordering::Relaxed) > 0 && begun.elapsed() >= MAIL_TURN {
            break;
        }
    }
    decided
}

#[cfg(test)]
mod tests {
    use desk::update::Update;
    use mail::address::AddressKey;

    use super::*;
    use crate::command::Command;

    #[test]
    fn commands_beyond_what_may_wait_are_refused() {
        let mut queue = Queue::default();
        let mut answers: Vec<oneshot::Receiver<Result<Answered>>> = (0..=COMMANDS_WAITING_MAX)
            .map(|number| {
                let (done, answer) = oneshot::channel();
                let number = i64::try_from(number).unwrap();
                let actor = AddressKey::parse("ann@acme.example").unwrap();
                let command = Command::UpdateTicket { number, actor, update: Update::default() };
                queue.push(Waiting::Command { submission: Arc::new(Submission(command)), done });
                answer
            })
            .collect();
        let refused = answers.pop().unwrap().try_recv().unwrap();
        assert!(refused.unwrap_err().to_string().contains("4096 commands wait"));
        assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()), "the others wait");
    }

    #[test]
    fn mail_that_takes_longer_goes_in_smaller_transactions() {
        let mut pace = Pace::of_command(Instant::now());
        assert_eq!(pace.limit(), 6);
        (0..50).for_each(|_| pace.note(Duration::from_millis(15), 10));
        assert_eq!(pace.limit(), 4);
        (0..50).for_each(|_| pace.note(Duration::from_secs(1), 1));
        assert_eq!(pace.limit(), MAILS_MIN);
        (0..200).for_each(|_| pace.note(Duration::from_millis(10), 100));
        assert!(pace.limit() > 50);
        pace.note(Duration::from_secs(1), 0);
        assert!(pace.limit() > 50, "nothing was decided");
    }
}
