//! Taking rows in hand: which of those due are begun, which wait, and the bytes of those that have none yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use desk::notice::{Rendering, render};
use desk::signed::{Purpose, SigningKeys};
use store::outbox::{Attempted, Due};
use store::work::{self, Announced, Kind, Lease};
use store::{StoreError, Tx};

use super::deliver::untried;
use super::{IN_HAND_MAX, Worker, all_but_one};

/// How long a row waits that is handed back untried, milliseconds.
pub(super) const WAIT_MS: i64 = 30_000;
/// No row is to blame.
const NOBODY: i64 = 0;

/// A recipient with the bytes it gets.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) due: Due,
    pub(super) envelope_from: String,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// What came of a look at an account's rows.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// To be begun.
    pub(super) deliveries: Vec<Delivery>,
    /// Whether there may be more due.
    pub(super) more: bool,
}

impl Worker {
    /// Takes rows of an account in hand; a row that cannot be made into a mail is bounced, so that it stops nobody else's.
    pub(super) async fn take(&self, lease: &Lease, seen: Announced) -> store::Result<Taken> {
        let error = match self.take_up_to(lease, &seen, IN_HAND_MAX, &Arc::default()).await {
            Err(error) if is_of_a_row(&error) => error,
            other => return other,
        };
        tracing::warn!(%error, account.id = lease.account_id, "A mail cannot be made: looking for it one by one");
        let mut all = Taken { deliveries: Vec::new(), more: true };
        while self.room(lease) > 0 {
            let guilty = Arc::new(AtomicI64::new(NOBODY));
            match self.take_up_to(lease, &seen, 1, &guilty).await {
                Ok(taken) => {
                    all.deliveries.extend(taken.deliveries);
                    if !taken.more {
                        break;
                    }
                }
                Err(error) => {
                    let id = guilty.load(Ordering::Acquire);
                    let bounced = match is_of_a_row(&error) && id != NOBODY {
                        true => self.bounce(lease, id, &error).await,
                        false => Err(error),
                    };
                    if let Err(error) = bounced {
                        // What is already in hand must be begun all the same.
                        tracing::error!(%error, account.id = lease.account_id, "Outgoing mail of an account is held up");
                        all.more = false;
                    }
                    break;
                }
            }
        }
        Ok(all)
    }

    fn room(&self, lease: &Lease) -> usize {
        self.accounts().get(&lease.account_id).map_or(0, |held| IN_HAND_MAX.saturating_sub(held.rows.len()))
    }

    fn in_hand(&self, lease: &Lease) -> BTreeMap<i64, String> {
        self.accounts().get(&lease.account_id).map(|held| held.rows.clone()).unwrap_or_default()
    }

    /// Claims rows and makes the bytes of mails that have none yet, in one transaction. If that fails for a mail, `guilty`
    /// has the first row whose mail was to be made.
    async fn take_up_to(&self, lease: &Lease, seen: &Announced, most: usize, guilty: &Arc<AtomicI64>) -> store::Result<Taken> {
        let limit = most.min(self.room(lease));
        let in_hand = self.in_hand(lease);
        let (now, again_at) = (self.inner.clock.now(), self.inner.clock.now() + self.inner.options.lease_ms);
        let marker = self.inner.store.ids(1).await?.next()?;
        let (worker, held, seen, guilty) = (self.clone(), lease.clone(), seen.clone(), Arc::clone(guilty));
        let written = self.inner.store.write(move |tx| {
            guilty.store(NOBODY, Ordering::Release);
            work::hold(tx, &held)?;
            let held_ids: Vec<i64> = in_hand.keys().copied().collect();
            let due = store::outbox::claim(tx, held.account_id, now, again_at, &held_ids, limit)?;
            let more = due.len() == limit;
            let done = if more { all_but_one(&seen) } else { seen.clone() };
            work::remove(tx, Kind::Outbox, &done)?;
            let (begun, back) = worker.sift(&in_hand, due, now);
            store::outbox::record(tx, held.account_id, &back, now)?;
            let mut again: BTreeSet<i64> = back.iter().map(|row| row.due_at).collect();
            if !begun.is_empty() || !in_hand.is_empty() {
                // Should this node die: whoever takes over finds what was in hand by this.
                again.insert(again_at);
            }
            let again: Vec<(i64, i64)> = again.into_iter().map(|due_at| (held.account_id, due_at)).collect();
            work::add(tx, Kind::Outbox, &again, marker)?;
            guilty.store(begun.first().map_or(NOBODY, |row| row.id), Ordering::Release);
            let deliveries = deliveries(tx, &worker.inner.keys, held.account_id, begun)?;
            guilty.store(NOBODY, Ordering::Release);
            Ok(Taken { deliveries, more })
        });
        match written.await {
            Ok(taken) => {
                if let Some(held) = Self::under(&mut self.accounts(), lease) {
                    let destination = |row: &Due| self.inner.transport.destination(&row.recipient);
                    held.rows.extend(taken.deliveries.iter().map(|one| (one.due.id, destination(&one.due))));
                }
                Ok(taken)
            }
            Err(StoreError::Fenced { .. }) => {
                self.accounts().remove(&lease.account_id);
                Ok(Taken::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Parts claimed rows into those to begin and those handed back untried: their destination is down, or so slow that it
    /// has as many rows in hand as may be. A slow one must not take all the places of an account.
    fn sift(&self, in_hand: &BTreeMap<i64, String>, due: Vec<Due>, now: i64) -> (Vec<Due>, Vec<Attempted>) {
        let transport = &self.inner.transport;
        let connections = transport.connections().max(1);
        // With a relay there is one destination: nobody else waits behind it.
        let cap = if transport.has_one_destination() { usize::MAX } else { connections.saturating_mul(2) };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for destination in in_hand.values() {
            *counts.entry(destination.clone()).or_default() += 1;
        }
        let (mut begun, mut back) = (Vec::new(), Vec::new());
        for row in due {
            let destination = transport.destination(&row.recipient);
            if let Some(answer) = self.known_down(&destination) {
                back.push(untried(&row, &answer, now));
                continue;
            }
            let is_moving = self.is_moving(&destination);
            let count = counts.entry(destination).or_default();
            *count += 1;
            if *count <= cap {
                begun.push(row);
                continue;
            }
            let wait = if is_moving { spread(*count - cap, connections) } else { WAIT_MS };
            let answer = "too many other mails are on their way to this destination".to_owned();
            back.push(Attempted { id: row.id, state: "queued", due_at: now + wait, answer, tried: false });
        }
        (begun, back)
    }

    /// Marks a row whose mail cannot be made as bounced, so that it is seen.
    async fn bounce(&self, lease: &Lease, id: i64, error: &StoreError) -> store::Result<()> {
        tracing::error!(%error, account.id = lease.account_id, outbox.id = id, "A mail cannot be made and is given up");
        let (held, now) = (lease.clone(), self.inner.clock.now());
        let in_hand: Vec<i64> = self.in_hand(lease).into_keys().collect();
        let answer = format!("the mail could not be made: {error}");
        let bounced = Attempted { id, state: "bounced", due_at: now, answer, tried: false };
        let written = self.inner.store.write(move |tx| {
            work::hold(tx, &held)?;
            let due = store::outbox::claim(tx, held.account_id, now, now, &in_hand, 1)?;
            // Another row may have become due first meanwhile: nothing is written, and the next look finds this one.
            if due.first().is_none_or(|row| row.id != id) {
                return Err(StoreError::Changed("the row of a mail that cannot be made"));
            }
            store::outbox::record(tx, held.account_id, std::slice::from_ref(&bounced), now)
        });
        written.await
    }
}

/// Whether an error may come from what one row holds, such as damaged bytes.
fn is_of_a_row(error: &StoreError) -> bool {
    matches!(error, StoreError::Row { .. } | StoreError::Statement(_) | StoreError::Panicked(_))
}

/// When the row in this place behind the cap may have its turn at a destination that takes mail: about one mail a second
/// and connection, and never later than [`WAIT_MS`].
fn spread(place: usize, connections: usize) -> i64 {
    let seconds = i64::try_from(place.div_ceil(connections)).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000).min(WAIT_MS)
}

/// The claimed rows with their bytes; bytes are made here once and kept, so that every attempt sends the same.
fn deliveries(tx: &mut Tx<'_>, keys: &SigningKeys, account_id: i64, due: Vec<Due>) -> store::Result<Vec<Delivery>> {
    let ids: BTreeSet<i64> = due.iter().map(|row| row.mail_id).collect();
    let mut ready: BTreeMap<i64, (String, Arc<Vec<u8>>)> = BTreeMap::new();
    let mut fresh: Vec<(i64, Vec<u8>)> = Vec::new();
    for mail in store::outbox::mails(tx, account_id, &ids.into_iter().collect::<Vec<_>>())? {
        let host = mail.content.host.clone();
        let bytes = match mail.raw.clone() {
            Some(raw) => raw,
            None => {
                let made = make_bytes(tx, keys, account_id, &mail)?;
                fresh.push((mail.id, made.clone()));
                made
            }
        };
        ready.insert(mail.id, (host, Arc::new(bytes)));
    }
    store::outbox::keep_bytes(tx, account_id, &fresh)?;
    let found = due.into_iter().filter_map(|due| {
        let (host, bytes) = ready.get(&due.mail_id)?;
        let envelope_from = format!("bounce+{}@{host}", keys.sign(Purpose::Bounce, account_id, due.id));
        Some(Delivery { envelope_from, bytes: Arc::clone(bytes), due })
    });
    Ok(found.collect())
}

fn make_bytes(tx: &mut Tx<'_>, keys: &SigningKeys, account_id: i64, mail: &store::outbox::Mail) -> store::Result<Vec<u8>> {
    let comment = match (mail.ticket_id, mail.comment_id) {
        (Some(ticket), Some(comment)) => store::ticket::comment_body(tx, account_id, ticket, comment)?.unwrap_or_default(),
        _ => String::new(),
    };
    let references = match mail.ticket_id {
        Some(ticket) => store::outbox::conversation(tx, account_id, ticket, mail.created_at)?,
        None => Vec::new(),
    };
    let mark = keys.sign(Purpose::Mail, account_id, mail.id);
    Ok(render(&Rendering {
        content: &mail.content,
        message_id: &mail.message_id,
        number: mail.ticket_number.unwrap_or_default(),
        comment: &comment,
        references: &references,
        mark: &mark,
        id: mail.id,
        date: mail.created_at,
    }))
}
