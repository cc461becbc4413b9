//! A batch of one account's mails: facts, verdicts and all changes in one transaction; halved down to the guilty mail
//! when it fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use desk::changes::Changes;
use desk::effect::{self, Desk};
use desk::envelope::Envelope;
use desk::facts::{Facts, Inbound, Questions};
use desk::id::MailId;
use desk::ledger::Outcome;
use desk::ticket::CCS_MAX;
use desk::verdict::decide;
use mail::letter::Letter;
use store::changes::Writing;
use store::work::{Announced, Kind, Lease};
use store::{Result, StoreError, Tx};

use crate::accounts::{self, Versioned};
use crate::guarded::{self, Read};
use crate::supply::BatchSupply;
use crate::{Engine, Fault, Step};

/// Bytes of raw mail in one batch: what a batch holds in memory, and how long its transaction takes, follow from it.
const BATCH_BYTES: i64 = 16 * 1024 * 1024;

/// A mail of the batch.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) accepted_at: i64,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) raw: Arc<Vec<u8>>,
    pub(crate) letter: Read,
}

/// What became of a mail, for logs and metrics.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) id: i64,
    pub(crate) accepted_at: i64,
    pub(crate) outcome: Outcome,
    pub(crate) has_outgoing: bool,
}

impl Engine {
    /// The next mails of an account, read and parsed; `full` tells whether more may wait.
    pub(crate) async fn next_batch(&self, account_id: i64) -> Result<(Vec<Item>, bool)> {
        let limit = self.inner.options.batch_max;
        let (rows, packed, is_full) = self
            .store()
            .read(move |tx| {
                let mut rows = store::spool::page(tx, account_id, limit)?;
                let is_full = cut_to_bytes(&mut rows) || rows.len() == limit;
                let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
                Ok((rows, store::raw::find_many(tx, account_id, &ids)?, is_full))
            })
            .await?;
        let mut packed: std::collections::BTreeMap<i64, store::raw::Packed> = packed.into_iter().collect();
        let mut raws = Vec::with_capacity(rows.len());
        for row in &rows {
            let raw = match packed.remove(&row.id) {
                Some(packed) => packed.unpack(self.store()).await,
                None => Err(StoreError::Statement("its raw mail is missing".into())),
            };
            match raw {
                Ok(raw) => raws.push(Ok(Arc::new(raw))),
                // A blob that cannot be read now may be readable later: the account waits, nothing is lost.
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => raws.push(Err(error.to_string())),
            }
        }
        let readable = raws.iter().filter_map(|raw| raw.as_ref().ok().cloned()).collect();
        let budget = Duration::from_millis(self.inner.options.parse_budget_ms);
        let mut letters = guarded::read_all(readable, budget, self.inner.options.fault.clone()).await.into_iter();
        let items = rows
            .into_iter()
            .zip(raws)
            .map(|(row, raw)| {
                let (raw, letter) = match raw {
                    Ok(raw) => (raw, letters.next().unwrap_or_else(|| Err("it was not read".into()))),
                    Err(reason) => (Arc::new(Vec::new()), Err(reason)),
                };
                Item { id: row.id, accepted_at: row.accepted_at, envelope: Arc::new(row.envelope), raw, letter }
            })
            .collect();
        Ok((items, is_full))
    }

    /// Decides mails and writes everything. `seen` is taken away with the last of them.
    ///
    /// # Errors
    /// Transient ones and a lost lease: the mails stay in the spool. A guilty mail is no error: it is suspended.
    pub(crate) async fn settle(&self, lease: &Lease, items: Vec<Item>, seen: Option<Announced>) -> Result<Vec<Decided>> {
        let mut decided = Vec::with_capacity(items.len());
        let mut stack = vec![(items, seen)];
        while let Some((items, seen)) = stack.pop() {
            match self.try_settle(lease, &items, seen.clone()).await {
                Ok(done) => decided.extend(done),
                Err(error) if error.is_transient() || matches!(error, StoreError::Fenced { .. } | StoreError::Changed(_)) => {
                    return Err(error);
                }
                Err(error) if items.len() > 1 => {
                    tracing::warn!(account.id = lease.account_id, mails = items.len(), %error, "A batch failed: halving it to find the guilty mail");
                    let mut first = items;
                    let second = first.split_off(first.len() / 2);
                    // Order is kept: the first half is settled first.
                    stack.push((second, seen));
                    stack.push((first, None));
                }
                Err(error) => match items.first() {
                    Some(guilty) => decided.extend(self.hold_back(lease, guilty, &error.to_string(), seen).await?),
                    None => return Err(error),
                },
            }
        }
        Ok(decided)
    }

    async fn try_settle(&self, lease: &Lease, items: &[Item], seen: Option<Announced>) -> Result<Vec<Decided>> {
        // Those that could not even be read are held back one by one, beside the others.
        if let Some(at) = items.iter().position(|item| item.letter.is_err()) {
            if items.len() > 1 {
                return Err(StoreError::Panicked("a mail of the batch could not be read".into()));
            }
            let reason = items.get(at).and_then(|item| item.letter.as_ref().err().cloned()).unwrap_or_default();
            return Err(StoreError::Panicked(reason));
        }
        let kept = self.inner.accounts.kept(lease.account_id);
        let reserved = self.store().ids(ids_needed(items, &Facts::default())).await?;
        let work = Work {
            lease: lease.clone(),
            items: items.to_vec(),
            seen,
            engine: self.clone(),
            kept,
            reserved,
            fault: self.inner.options.fault.clone(),
        };
        let (decided, versioned) = self.store().write(move |tx| work.run(tx)).await?;
        self.inner.accounts.keep(lease.account_id, versioned);
        Ok(decided)
    }

    /// Suspends a mail that no step could work, with cause 19; its bytes are kept whole.
    async fn hold_back(&self, lease: &Lease, item: &Item, step: &str, seen: Option<Announced>) -> Result<Vec<Decided>> {
        tracing::error!(account.id = lease.account_id, mail.id = item.id, step, "Suspended a mail that could not be processed");
        let empty = Letter::parse(b"");
        let envelope = Arc::clone(&item.envelope);
        let inbound = Inbound { id: MailId(item.id), accepted_at: item.accepted_at, envelope: &envelope, letter: &empty };
        let changes = effect::unprocessable(&inbound, step, self.now());
        let (lease, now) = (lease.clone(), self.now());
        let decided = Decided { id: item.id, accepted_at: item.accepted_at, outcome: Outcome::Suspended, has_outgoing: false };
        self.store()
            .write(move |tx| {
                store::work::hold(tx, &lease)?;
                let writing = Writing { account_id: lease.account_id, now, marker: 0, can_deliver: false };
                store::changes::write(tx, writing, &changes)?;
                seen.as_ref().map_or(Ok(()), |seen| store::work::remove(tx, Kind::Mail, seen))
            })
            .await?;
        Ok(vec![decided])
    }
}

/// Cuts a page to [`BATCH_BYTES`], at least one mail; true when something was cut.
fn cut_to_bytes(rows: &mut Vec<store::spool::SpoolRow>) -> bool {
    let mut bytes = 0;
    let fits = rows.iter().take_while(|row| {
        bytes += row.size_bytes;
        bytes <= BATCH_BYTES
    });
    let kept = fits.count().max(1);
    let is_cut = kept < rows.len();
    rows.truncate(kept);
    is_cut
}

/// Everything one run of the transaction needs; it may be run again.
struct Work {
    lease: Lease,
    items: Vec<Item>,
    seen: Option<Announced>,
    engine: Engine,
    kept: Option<Versioned>,
    reserved: store::ids::Ids,
    fault: Option<Fault>,
}

impl Work {
    fn run(&self, tx: &mut Tx<'_>) -> Result<(Vec<Decided>, Versioned)> {
        let account_id = self.lease.account_id;
        store::work::hold(tx, &self.lease)?;
        let versioned = accounts::current(tx, account_id, self.kept.as_ref())?;
        let account = versioned.account();
        let mut questions = Questions::default();
        for (item, letter) in self.readable() {
            questions.add(account, self.engine.keys(), &item.envelope, letter);
        }
        let mut facts = store::facts::load(tx, account_id, &questions)?;
        let ids = self.reserved.again(tx, ids_needed(&self.items, &facts))?;
        let mut supply = BatchSupply::new(ids);
        let marker = desk::supply::Supply::id(&mut supply);
        let mut changes = Changes::default();
        let now = self.engine.now();
        let mut decided = Vec::with_capacity(self.items.len());
        for (item, letter) in self.readable() {
            if let Some(fault) = &self.fault {
                fault(Step::Decide, &item.raw);
            }
            let inbound = Inbound { id: MailId(item.id), accepted_at: item.accepted_at, envelope: &item.envelope, letter };
            let decision = decide(account, self.engine.keys(), &facts, &inbound);
            let outgoing = changes.outgoing.len();
            Desk { account, facts: &mut facts, supply: &mut supply, changes: &mut changes, now }.carry_out(&inbound, &decision);
            decided.push(Decided {
                id: item.id,
                accepted_at: item.accepted_at,
                outcome: decision.outcome(),
                has_outgoing: changes.outgoing.len() > outgoing,
            });
        }
        let can_deliver = self.engine.inner.options.can_deliver;
        store::changes::write(tx, Writing { account_id, now, marker, can_deliver }, &changes)?;
        if let Some(seen) = &self.seen {
            store::work::remove(tx, Kind::Mail, seen)?;
        }
        Ok((decided, versioned))
    }

    fn readable(&self) -> impl Iterator<Item = (&Item, &Letter)> {
        self.items.iter().filter_map(|item| item.letter.as_ref().ok().map(|letter| (item, letter.as_ref())))
    }
}

/// The most ids these mails can take: a marker for all, and for each mail ticket, comment, audits, people, and the mails sent.
fn ids_needed(items: &[Item], facts: &Facts) -> usize {
    let letters = || items.iter().filter_map(|item| item.letter.as_ref().ok());
    let others = |letter: &Letter| (letter.to.len() + letter.cc.len()).min(CCS_MAX + 1);
    let on_tickets = facts.tickets.values().map(|known| known.ccs.len()).max().unwrap_or_default();
    let joining: usize = letters().map(|letter| others(letter)).sum();
    let recipients = (on_tickets + joining).min(CCS_MAX) + 1;
    let reports: BTreeSet<_> = facts.deliveries.iter().map(|delivery| delivery.outbox_id).collect();
    1 + letters().map(|letter| 5 + others(letter) + recipients + reports.len()).sum::<usize>()
}
