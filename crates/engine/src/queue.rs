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
use crate::command::{Answered, CommandWork, Submission};
use crate::transact::{Open, Work};
use crate::{Engine, Step};

/// Maximum number of commands decided in one transaction.
const COMMANDS_MAX: usize = 64;
/// How long mail is decided while commands wait: then it is their turn, and the rest of the mail follows.
const MAIL_TURN: Duration = Duration::from_millis(15);

/// The queues of all accounts that have something waiting.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<BTreeMap<AccountId, Queue>>);

/// What waits for one account; it exists while a task is processing it.
#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// How many of those are commands, seen by the transaction under way.
    commands: Arc<AtomicUsize>,
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
        let mut queues = self.inner.queues.0.lock().expect("plain push and take");
        let is_led = queues.contains_key(&account_id);
        let queue = queues.entry(account_id).or_default();
        if matches!(waiting, Waiting::Command { .. }) {
            queue.commands.fetch_add(1, Ordering::Relaxed);
        }
        queue.waiting.push(waiting);
        drop(queues);
        if !is_led {
            let leader = Leader { engine: self.clone(), account_id, is_done: false };
            tokio::spawn(leader.lead());
        }
    }

    /// The next round of an account; none, and its queue is gone, when nothing waits.
    fn next_round(&self, account_id: AccountId) -> Option<Round> {
        let mut queues = self.inner.queues.0.lock().expect("plain push and take");
        let queue = queues.get_mut(&account_id)?;
        if queue.waiting.is_empty() {
            queues.remove(&account_id);
            return None;
        }
        let mut round = Round { mail: None, commands: Vec::new(), waiting: Arc::clone(&queue.commands) };
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

    async fn run_round(&self, account_id: AccountId, round: Round) {
        let Round { mail, commands, waiting } = round;
        if let Some((batch, _)) = mail.as_ref().filter(|_| !commands.is_empty()) {
            let submissions: Vec<Arc<Submission>> = commands.iter().map(|(one, _)| Arc::clone(one)).collect();
            let together =
                Together { mail: Arc::clone(batch), commands: submissions, waiting: Arc::clone(&waiting) };
            match self.transact(account_id, Arc::new(together)).await {
                Ok(done) => {
                    let Some((_, answer)) = mail else { return };
                    // A caller that went away does not hear that it was done.
                    let _ = answer.send(Ok(done.done.mail));
                    for ((_, answer), outcome) in commands.into_iter().zip(done.done.commands) {
                        let _ = answer.send(Ok(Answered { outcome, change: done.change }));
                    }
                    return;
                }
                // The commit may have succeeded and only its answer been lost: run again, a reply would leave twice.
                // Mail is tried again from its rows.
                Err(StoreError::Unavailable(why)) => {
                    if let Some((_, answer)) = mail {
                        let _ = answer.send(Err(StoreError::Unavailable(why.clone())));
                    }
                    for (_, answer) in commands {
                        let _ = answer.send(Err(StoreError::Unavailable(why.clone())));
                    }
                    return;
                }
                // Something in it failed and was rolled back: run each by itself, so that the failure of one affects no
                // other.
                Err(_) => {}
            }
        }
        for (submission, answer) in commands {
            let alone = CommandWork { submissions: vec![submission] };
            let _ = answer.send(self.transact(account_id, Arc::new(alone)).await.and_then(|done| {
                let outcome = done.done.into_iter().next().ok_or_else(stopped)?;
                Ok(Answered { outcome, change: done.change })
            }));
        }
        if let Some((batch, answer)) = mail {
            let work = Arc::new(MailWork { batch, waiting });
            let _ = answer.send(self.transact(account_id, work).await.map(|done| done.done));
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
            self.engine.inner.queues.0.lock().expect("plain push and take").remove(&self.account_id);
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the engine has stopped".into())
}

/// A batch of mails alone.
struct MailWork {
    batch: Arc<MailBatch>,
    waiting: Arc<AtomicUsize>,
}

impl Work for MailWork {
    type Done = Vec<Decided>;
    type Error = StoreError;

    fn mails(&self) -> Vec<Inbound<'_>> {
        self.batch.inbound()
    }

    fn epoch(&self) -> Option<i64> {
        Some(self.batch.epoch)
    }

    fn ids_expected(&self) -> usize {
        self.batch.ids_expected()
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<Vec<Decided>> {
        Ok(decide_mails(open, &self.batch, &self.waiting))
    }
}

/// A batch of mails, and the commands that arrived meanwhile.
struct Together {
    mail: Arc<MailBatch>,
    commands: Vec<Arc<Submission>>,
    waiting: Arc<AtomicUsize>,
}

/// The results of both.
struct DoneTogether {
    mail: Vec<Decided>,
    commands: Vec<crate::command::Outcome>,
}

impl Work for Together {
    type Done = DoneTogether;
    type Error = StoreError;

    fn mails(&self) -> Vec<Inbound<'_>> {
        self.mail.inbound()
    }

    fn epoch(&self) -> Option<i64> {
        Some(self.mail.epoch)
    }

    fn ids_expected(&self) -> usize {
        self.mail.ids_expected() + crate::command::ids_expected(self.commands.len())
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<DoneTogether> {
        let commands = crate::command::decide(open, &self.commands)?;
        let mail = decide_mails(open, &self.mail, &self.waiting);
        Ok(DoneTogether { mail, commands })
    }
}

/// Decides mails in their order, all of them unless commands wait too long for it.
fn decide_mails(open: &mut Open<'_, '_, '_>, batch: &MailBatch, waiting: &AtomicUsize) -> Vec<Decided> {
    let begun = Instant::now();
    let mut decided = Vec::with_capacity(batch.len());
    for inbound in batch.inbound() {
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
