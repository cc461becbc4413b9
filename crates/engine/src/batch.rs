//! A batch of one account's mails: facts, verdicts and all changes in one transaction; halved down to the guilty mail
//! when it fails.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use desk::account::Account;
use desk::authentication::{Authentication, AuthenticationMode};
use desk::changes::Changes;
use desk::effect;
use desk::envelope::Envelope;
use desk::facts::{Facts, TicketFacts};
use desk::id::{AccountId, MailId};
use desk::inbound::Inbound;
use desk::ledger::Outcome;
use desk::suspension::Cause;
use desk::ticket::CCS_MAX;
use desk::user::Person;
use desk::verdict::decide;
use desk::writer::Writer;
use mail::address::AddressKey;
use mail::letter::Letter;
use store::changes::Writing;
use store::ids::Ids;
use store::spool::SpoolKey;
use store::work::{Announced, Kind, Lease};
use store::{Result, StoreError, Tx};

use crate::accounts::{self, Versioned};
use crate::authenticate::Subject;
use crate::id_source::BatchIds;
use crate::parse::{self, Read, Unread};
use crate::{Engine, Fault, Step};

/// Bytes of raw mail in one batch: what a batch holds in memory, and how long its transaction takes, follow from it.
const BATCH_BYTES: i64 = 16 * 1024 * 1024;

/// Ids of one ticket of a mail: the ticket, two comments, a note on its siblings, two audits, the acknowledgement and its recipient.
const TICKET_IDS: usize = 8;
/// Ids of a mail beside those: its author, who forwarded it, and a mail about its comment or a notice to its sender.
const MAIL_IDS: usize = 4;
/// Ids for each mail beyond what it shows itself: the CCs and followers of a ticket that it joins.
const IDS_SPARE: usize = 8;

/// A mail of the batch.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) accepted_at: i64,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) raw: Arc<Vec<u8>>,
    pub(crate) letter: Read,
    pub(crate) authentication: Authentication,
}

impl Item {
    /// The mail as the desk sees it; none when it could not be read.
    fn inbound(&self) -> Option<Inbound<'_>> {
        let letter = self.letter.as_ref().ok()?;
        let inbound = Inbound::new(MailId(self.id), self.accepted_at, &self.envelope, letter);
        Some(Inbound { raw: &self.raw, authentication: &self.authentication, ..inbound })
    }
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
    /// The next mails of an account after a place in their order, or the oldest, read and parsed; `full` tells whether more may
    /// wait.
    pub(crate) async fn next_batch(
        &self,
        account_id: AccountId,
        after: Option<SpoolKey>,
    ) -> Result<(Vec<Item>, bool)> {
        self.batch_of(account_id, after, self.inner.options.batch_max).await
    }

    /// As [`Engine::next_batch`], at most `limit` mails.
    pub(crate) async fn batch_of(
        &self,
        account_id: AccountId,
        after: Option<SpoolKey>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool)> {
        let (rows, packed, is_full) = self
            .store()
            .read(move |tx| {
                let mut rows = store::spool::page(&mut tx.account(account_id), after, limit)?;
                let is_full = cut_to_bytes(&mut rows) || rows.len() == limit;
                let ids: Vec<MailId> = rows.iter().map(|row| row.id).collect();
                Ok((rows, store::raw::find_many(&mut tx.account(account_id), &ids)?, is_full))
            })
            .await?;
        let mut packed: std::collections::BTreeMap<MailId, store::raw::Packed> = packed.into_iter().collect();
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
        let mut letters =
            parse::read_all(readable, budget, self.inner.options.fault.clone()).await.into_iter();
        let items: Vec<Item> = rows
            .into_iter()
            .zip(raws)
            .map(|(row, raw)| {
                let (raw, letter) = match raw {
                    Ok(raw) => {
                        (raw, letters.next().unwrap_or_else(|| Err(Unread::failed("it was not read"))))
                    }
                    Err(reason) => (Arc::new(Vec::new()), Err(Unread::failed(reason))),
                };
                let (envelope, authentication) = (Arc::new(row.envelope), Authentication::unchecked());
                Item { id: row.id.0, accepted_at: row.accepted_at, envelope, raw, letter, authentication }
            })
            .collect();
        Ok((self.authenticated(account_id, items).await?, is_full))
    }

    /// Fills in what is known of the senders. Before the transaction, which must not wait for DNS.
    async fn authenticated(&self, account_id: AccountId, mut items: Vec<Item>) -> Result<Vec<Item>> {
        let Some(authenticator) = &self.inner.authenticator else { return Ok(items) };
        let (mut asked, mut subjects) = (Vec::new(), Vec::new());
        for item in &mut items {
            if let Ok(letter) = &item.letter {
                let (envelope, raw) = (Arc::clone(&item.envelope), Arc::clone(&item.raw));
                subjects.push(Subject { envelope, raw, letter: Arc::clone(letter) });
                asked.push(&mut item.authentication);
            }
        }
        // A mail on which this panics leaves its batch unchecked: the step that decides alone may hold mail back.
        let Ok(mut plans) = catch_unwind(AssertUnwindSafe(|| authenticator.plan_all(subjects))) else {
            tracing::error!(
                account.id = account_id.0,
                "Looking at senders panicked: those of a batch count as unchecked"
            );
            return Ok(items);
        };
        let relayed = plans.relayed();
        if !relayed.is_empty() && !self.wants_all_checked(account_id).await? {
            plans.ask_only(&self.staff_among(account_id, relayed).await?);
        }
        for (slot, found) in asked.into_iter().zip(authenticator.answer(plans).await) {
            *slot = found;
        }
        Ok(items)
    }

    /// Whether the account's mode looks at everybody's mail. Agents' is looked at in every mode; of what came by a relay nothing
    /// else depends on it.
    async fn wants_all_checked(&self, account_id: AccountId) -> Result<bool> {
        let kept = match self.inner.accounts.kept(account_id) {
            Some(kept) => kept,
            // Else the first mails after a start would wait for DNS whatever the mode.
            None => {
                let loaded = self.store().read(move |tx| accounts::load(tx, account_id)).await?;
                self.inner.accounts.keep(account_id, loaded.clone());
                loaded
            }
        };
        Ok(kept.account().settings.sender_authentication != AuthenticationMode::Minimal)
    }

    async fn staff_among(
        &self,
        account_id: AccountId,
        authors: BTreeSet<AddressKey>,
    ) -> Result<BTreeSet<AddressKey>> {
        self.store()
            .read(move |tx| {
                let keys: Vec<&str> = authors.iter().map(AddressKey::as_str).collect();
                let people = store::user::by_addresses(&mut tx.account(account_id), &keys)?;
                Ok(people.into_iter().filter(|(_, person)| person.is_staff()).map(|(key, _)| key).collect())
            })
            .await
    }

    /// Decides mails, writes everything and reports what stands. `seen` is taken away with the last of them.
    ///
    /// # Errors
    /// Transient ones and a lost lease: the mails stay in the spool. A guilty mail is no error: it is suspended.
    pub(crate) async fn settle(
        &self,
        lease: &Lease,
        items: Vec<Item>,
        seen: Option<Announced>,
    ) -> Result<()> {
        let mut stack = vec![(items, seen)];
        while let Some((items, seen)) = stack.pop() {
            match self.try_settle(lease, &items, seen.clone()).await {
                Ok(decided) => self.report(lease.account_id, &decided),
                Err(error)
                    if error.is_transient()
                        || matches!(error, StoreError::Fenced { .. } | StoreError::Changed(_)) =>
                {
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
                    Some(guilty) => self.hold_back(lease, guilty, &error.to_string(), seen).await?,
                    None => return Err(error),
                },
            }
        }
        Ok(())
    }

    async fn try_settle(
        &self,
        lease: &Lease,
        items: &[Item],
        seen: Option<Announced>,
    ) -> Result<Vec<Decided>> {
        // Those that could not even be read are held back one by one, beside the others.
        if let Some(at) = items.iter().position(|item| item.letter.is_err()) {
            if items.len() > 1 {
                return Err(StoreError::Panicked("a mail of the batch could not be read".into()));
            }
            let reason = items
                .get(at)
                .and_then(|item| item.letter.as_ref().err())
                .map(|unread| unread.why.clone())
                .unwrap_or_default();
            return Err(StoreError::Panicked(reason));
        }
        let mut wanted = ids_expected(items);
        loop {
            let work = Work {
                lease: lease.clone(),
                items: items.to_vec(),
                seen: seen.clone(),
                engine: self.clone(),
                kept: self.inner.accounts.kept(AccountId(lease.account_id)),
                reserved: self.store().ids(wanted).await?,
                fault: self.inner.options.fault.clone(),
            };
            match self.store().write(move |tx| work.run(tx)).await? {
                Run::Done(decided, versioned, rest) => {
                    self.store().give_back(rest);
                    self.inner.accounts.keep(AccountId(lease.account_id), versioned);
                    return Ok(decided);
                }
                Run::Short(needed) => wanted = needed,
            }
        }
    }

    /// Suspends a mail that no step could work, with cause 19, or 24 when reading it took too long; its bytes are kept whole.
    pub(crate) async fn hold_back(
        &self,
        lease: &Lease,
        item: &Item,
        step: &str,
        seen: Option<Announced>,
    ) -> Result<()> {
        tracing::error!(
            account.id = lease.account_id,
            mail.id = item.id,
            step,
            "Suspended a mail that could not be processed"
        );
        let empty = Letter::parse(b"");
        let envelope = Arc::clone(&item.envelope);
        let inbound = Inbound::new(MailId(item.id), item.accepted_at, &envelope, &empty);
        let cause = item.letter.as_ref().err().map_or(Cause::UnprocessableEmail, |unread| unread.cause);
        let changes = effect::unprocessable(&inbound, cause, step, self.now());
        let (account_id, lease, now) = (lease.account_id, lease.clone(), self.now());
        let decided = Decided {
            id: item.id,
            accepted_at: item.accepted_at,
            outcome: Outcome::Suspended,
            has_outgoing: false,
        };
        self.store()
            .write(move |tx| {
                store::work::hold(tx, &lease)?;
                let digest_every = accounts::load(tx, AccountId(lease.account_id))?
                    .account()
                    .settings
                    .suspended_notification
                    .every_ms();
                let writing = Writing { now, marker: 0, can_deliver: false, digest_every };
                store::changes::write(&mut tx.account(AccountId(lease.account_id)), writing, &changes)?;
                seen.as_ref().map_or(Ok(()), |seen| store::work::remove(tx, Kind::Mail, seen))
            })
            .await?;
        self.report(account_id, &[decided]);
        Ok(())
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
    reserved: Ids,
    fault: Option<Fault>,
}

/// What came of a run of the transaction.
enum Run {
    Done(Vec<Decided>, Versioned, Ids),
    /// Nothing was written: so many ids are needed, more than were reserved.
    Short(usize),
}

impl Work {
    /// The account and what the decisions may need, under the lease. All is asked of the account as it was last known, so that
    /// it travels with the check of lease and version; a changed account is asked about once more.
    fn facts(&self, tx: &mut Tx<'_>, mails: &[Inbound<'_>]) -> Result<(Versioned, Facts)> {
        let account_id = AccountId(self.lease.account_id);
        let held = store::work::ask_hold(tx, &self.lease)?;
        let version = store::account::ask_version(tx, account_id.0)?;
        let gather = |tx: &mut Tx<'_>, account: &Account| {
            store::facts::gather(
                &mut tx.account(account.id),
                account,
                self.engine.keys(),
                self.engine.inner.options.sender_per_hour,
                mails,
            )
        };
        let guess = match &self.kept {
            Some(kept) => kept.clone(),
            None => accounts::load(tx, account_id)?,
        };
        let facts = gather(tx, guess.account())?;
        store::work::held(tx, &self.lease, held)?;
        if guess.is_of(store::account::asked_version(tx, version)?) {
            return Ok((guess, facts));
        }
        let current = accounts::load(tx, account_id)?;
        let facts = gather(tx, current.account())?;
        Ok((current, facts))
    }

    fn run(&self, tx: &mut Tx<'_>) -> Result<Run> {
        let account_id = AccountId(self.lease.account_id);
        let mails: Vec<Inbound<'_>> = self.items.iter().filter_map(Item::inbound).collect();
        let (versioned, mut facts) = self.facts(tx, &mails)?;
        let account = versioned.account();
        let needed = ids_needed(&self.items, &facts, tickets_per_mail(account));
        if !self.reserved.has(needed) {
            return Ok(Run::Short(needed));
        }
        let mut supply = BatchIds::new(self.reserved.again());
        let marker = desk::id_source::IdSource::id(&mut supply);
        let mut changes = Changes::default();
        let now = self.engine.now();
        let mut decided = Vec::with_capacity(self.items.len());
        for inbound in &mails {
            if let Some(fault) = &self.fault {
                fault(Step::Decide, inbound.raw);
            }
            let decision = decide(account, self.engine.keys(), &facts, inbound);
            let outgoing = changes.outgoing.len();
            Writer { account, facts: &mut facts, supply: &mut supply, changes: &mut changes, now }
                .carry_out(inbound, &decision);
            decided.push(Decided {
                id: inbound.id.0,
                accepted_at: inbound.accepted_at,
                outcome: decision.outcome(),
                has_outgoing: changes.outgoing.len() > outgoing,
            });
        }
        let can_deliver = self.engine.inner.options.can_deliver;
        store::changes::write(
            &mut tx.account(account_id),
            Writing {
                now,
                marker,
                can_deliver,
                digest_every: account.settings.suspended_notification.every_ms(),
            },
            &changes,
        )?;
        if let Some(seen) = &self.seen {
            store::work::remove(tx, Kind::Mail, seen)?;
        }
        Ok(Run::Done(decided, versioned, supply.rest()))
    }
}

/// What most batches need, told before the facts are known: ids are plenty, a second look at the facts is not.
fn ids_expected(items: &[Item]) -> usize {
    ids_needed(items, &Facts::default(), 1) + IDS_SPARE * items.len()
}

/// The most ids these mails can take: a marker for all, and for each mail its tickets with their comments and audits, people,
/// and the mails sent.
fn ids_needed(items: &[Item], facts: &Facts, tickets_per_mail: usize) -> usize {
    let letters = || items.iter().filter_map(|item| item.letter.as_ref().ok());
    let others = |letter: &Letter| (letter.to.len() + letter.cc.len()).min(CCS_MAX);
    let joining: usize = letters().map(|letter| others(letter)).sum();
    let most = |of: fn(&TicketFacts) -> usize| facts.tickets.values().map(of).max().unwrap_or_default();
    // Agents alone command and begin to follow, and only where a mail names them.
    let has_staff = facts.people.values().any(Person::is_staff);
    let recipients =
        if has_staff { CCS_MAX } else { (most(|known| known.ccs.len()) + joining).min(CCS_MAX) } + 1;
    let (commanded, followers) =
        if has_staff { (CCS_MAX + 2, CCS_MAX) } else { (0, most(|known| known.followers.len())) };
    let reports: BTreeSet<_> = facts.deliveries.iter().map(|delivery| delivery.outbox_id).collect();
    let each =
        TICKET_IDS * tickets_per_mail + MAIL_IDS + recipients + commanded + 2 * followers + reports.len();
    1 + letters().map(|letter| each + others(letter)).sum::<usize>()
}

fn tickets_per_mail(account: &Account) -> usize {
    if account.settings.ticket_per_address { effect::TICKETS_PER_MAIL } else { 1 }
}
