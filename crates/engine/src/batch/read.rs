//! Reading a batch out of the spool: rows, bytes, letters, and what is known of the senders. Before the transaction
//! that decides it, which waits for nothing but the database.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use desk::authentication::{Authentication, AuthenticationMode};
use desk::id::{AccountId, MailId};
use mail::address::AddressKey;
use store::raw::Packed;
use store::spool::{SpoolKey, SpoolRow};
use store::{Owner, Result, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Item;
use crate::authenticate::Subject;
use crate::parse::{self, Unread};
use crate::{Engine, accounts};

/// Bytes of raw mail in one batch; this bounds the memory of a batch and the time of its transaction.
const BATCH_BYTES: i64 = 16 * 1024 * 1024;

/// KiB of raw mail in the batches of all accounts; beyond, a batch waits until another one is decided.
const ROOM_KIB: u32 = 256 * 1024;

/// How much more raw mail may be in memory.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(ROOM_KIB as usize)))
    }
}

impl Room {
    /// Waits for room for this many bytes; a single mail that is larger than all of it gets all of it.
    async fn take(&self, bytes: i64) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes / 1024).unwrap_or(ROOM_KIB).clamp(1, ROOM_KIB);
        Arc::clone(&self.0).acquire_many_owned(kib).await.ok()
    }
}

/// The next mails of an account.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    /// Whether more may wait.
    pub(crate) is_full: bool,
    /// The mail after them, whose bytes are unavailable now: order is kept, so nothing after it is processed.
    pub(crate) blocked: Option<Blocked>,
    /// What the mails take of the memory for all batches, until they are settled.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// A mail whose bytes are unavailable now.
#[derive(Debug)]
pub(crate) struct Blocked {
    pub(crate) item: Item,
    pub(crate) error: StoreError,
}

impl Engine {
    /// The next mails of an account after a place in their order, or the oldest, at most `limit`, read and parsed.
    pub(crate) async fn batch_of(
        &self,
        account_id: AccountId,
        after: Option<SpoolKey>,
        limit: usize,
    ) -> Result<Batch> {
        let (rows, packed, is_full) = self
            .store()
            .read_now(move |tx| {
                let mut tx = tx.account(account_id);
                let mut rows = store::spool::page(&mut tx, after, limit)?;
                let is_full = cut_to_bytes(&mut rows) || rows.len() == limit;
                let ids: Vec<MailId> = rows.iter().map(|row| row.id).collect();
                Ok((rows, store::raw::find_many(&mut tx, &ids)?, is_full))
            })
            .await?;
        let room = self.inner.room.take(rows.iter().map(|row| row.size_bytes).sum()).await;
        let Fetched { rows, raws, blocked } = self.fetch(rows, packed.into_iter().collect()).await;
        let items = self.parsed(rows, raws).await;
        Ok(Batch { items: self.authenticated(account_id, items).await?, is_full, blocked, room })
    }

    /// The bytes of mails, up to the first whose bytes are unavailable now.
    async fn fetch(&self, rows: Vec<SpoolRow>, mut packed: BTreeMap<MailId, Packed>) -> Fetched {
        let mut fetched = Fetched::default();
        for row in rows {
            let raw = match packed.remove(&row.id) {
                Some(packed) => packed.unpack(self.store()).await,
                None => Err(damaged("its raw mail is missing")),
            };
            match raw {
                Ok(raw) => fetched.raws.push(Ok(Arc::new(raw))),
                Err(error) if error.owner() == Owner::Mail => fetched.raws.push(Err(error.to_string())),
                Err(error) => {
                    fetched.blocked = Some(Blocked { item: unread(row, "its bytes cannot be read"), error });
                    return fetched;
                }
            }
            fetched.rows.push(row);
        }
        fetched
    }

    async fn parsed(&self, rows: Vec<SpoolRow>, raws: Vec<Result<Arc<Vec<u8>>, String>>) -> Vec<Item> {
        let readable = raws.iter().filter_map(|raw| raw.as_ref().ok().cloned()).collect();
        let budget = Duration::from_millis(self.inner.options.parse_budget_ms);
        let mut letters =
            parse::read_all(&self.inner.readers, readable, budget, self.inner.options.fault.clone())
                .await
                .into_iter();
        let mut items = Vec::with_capacity(rows.len());
        for (row, raw) in rows.into_iter().zip(raws) {
            items.push(match raw {
                Ok(raw) => {
                    let letter = letters.next().unwrap_or_else(|| Err(Unread::failed("it was not read")));
                    Item { raw, letter, ..unread(row, "") }
                }
                Err(reason) => unread(row, &reason),
            });
        }
        items
    }

    /// Fills in what is known of the senders. Before the transaction, which must not wait for DNS.
    async fn authenticated(&self, account_id: AccountId, mut items: Vec<Item>) -> Result<Vec<Item>> {
        let Some(authenticator) = &self.inner.authenticator else { return Ok(items) };
        let mut asked = Vec::new();
        let mut subjects = Vec::new();
        for item in &mut items {
            if let Ok(letter) = &item.letter {
                let envelope = Arc::clone(&item.envelope);
                let raw = Arc::clone(&item.raw);
                subjects.push(Subject { envelope, raw, letter: Arc::clone(letter) });
                asked.push(&mut item.authentication);
            }
        }
        // A mail on which this panics leaves its batch unchecked: only the deciding step may hold mail back.
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

    /// Whether the account's mode looks at everybody's mail. Agents' is looked at in every mode; of what came by a
    /// relay nothing else depends on it.
    async fn wants_all_checked(&self, account_id: AccountId) -> Result<bool> {
        let kept = match self.inner.accounts.kept(account_id) {
            Some(kept) => kept,
            // Otherwise the first mails after a start would wait for DNS in every mode.
            None => {
                let loaded =
                    self.store().read_now(move |tx| accounts::load(&mut tx.account(account_id))).await?;
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
            .read_now(move |tx| {
                let keys: Vec<&str> = authors.iter().map(AddressKey::as_str).collect();
                let people = store::user::by_addresses(&mut tx.account(account_id), &keys)?;
                Ok(people.into_iter().filter(|(_, person)| person.is_staff()).map(|(key, _)| key).collect())
            })
            .await
    }
}

/// Mails with their bytes.
#[derive(Default)]
struct Fetched {
    rows: Vec<SpoolRow>,
    raws: Vec<Result<Arc<Vec<u8>>, String>>,
    blocked: Option<Blocked>,
}

/// A mail that was not read.
pub(crate) fn unread(row: SpoolRow, why: &str) -> Item {
    Item {
        key: SpoolKey { accepted_at: row.accepted_at, id: row.id },
        envelope: Arc::new(row.envelope),
        raw: Arc::new(Vec::new()),
        letter: Err(Unread::failed(why)),
        authentication: Authentication::unchecked(),
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged { what: "a stored mail".to_owned(), reason: reason.to_owned() }
}

/// Cuts a page to [`BATCH_BYTES`], at least one mail; true when something was cut.
fn cut_to_bytes(rows: &mut Vec<SpoolRow>) -> bool {
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
