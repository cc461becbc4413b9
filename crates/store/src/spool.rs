//! The durable inbound queue: one raw row and one small spool row per account and SMTP transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use desk::clock::Millis;
use desk::envelope::Envelope;
use desk::id::{AccountId, MailId};

use crate::blob::Blobs;
use crate::error::{Result, StoreError};
use crate::raw::{self, INLINE_MAX, Packed};
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::work::{self, Kind};
use crate::{AccountTx, Store, Tx, values};

/// Bytes compressed on the calling task; more would keep its thread from other connections for too long.
const PACK_HERE_MAX: usize = 256 * 1024;

/// A mail that is accepted for one account and about to be made durable.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// The account, found by the directory from the envelope recipients alone.
    pub account_id: AccountId,
    /// The mail's id: raw row, spool row, ledger row, logs.
    pub id: MailId,
    /// When its last byte came.
    pub accepted_at: Millis,
    /// What SMTP said, the recipients of this account alone.
    pub envelope: String,
    /// Its bytes.
    pub packed: Packed,
}

/// The place of an undecided mail in the order in which its account's mail is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpoolKey {
    /// When it was accepted.
    pub accepted_at: Millis,
    /// The mail.
    pub id: MailId,
}

/// A mail that waits to be decided.
#[derive(Debug, Clone)]
pub struct SpoolRow {
    /// The mail.
    pub id: MailId,
    /// When it was accepted.
    pub accepted_at: Millis,
    /// What SMTP said.
    pub envelope: Envelope,
    /// Size of the raw mail, unpacked.
    pub size_bytes: i64,
}

impl SpoolRow {
    /// Its place among the account's undecided mails.
    #[must_use]
    pub fn key(&self) -> SpoolKey {
        SpoolKey { accepted_at: self.accepted_at, id: self.id }
    }
}

impl Store {
    /// Compresses a mail and, when it is large, makes its blob durable; the row comes with [`Store::spool`].
    ///
    /// # Errors
    /// [`StoreError::Blob`], or [`StoreError::Setup`] when the blobs are another desk's: nothing is promised yet, the client
    /// must try again.
    pub async fn pack_mail(
        &self,
        account_id: AccountId,
        mail_id: MailId,
        raw: &Arc<Vec<u8>>,
    ) -> Result<Packed> {
        let body = if raw.len() <= PACK_HERE_MAX {
            raw::pack(raw)?
        } else {
            let raw = Arc::clone(raw);
            let packed = tokio::task::spawn_blocking(move || raw::pack(&raw)).await;
            packed.map_err(|error| StoreError::Panicked(error.to_string()))??
        };
        if body.len() <= INLINE_MAX {
            return Ok(Packed { size_bytes: raw.len(), body: Some(body), blob: None });
        }
        self.own_blobs_lately().await?;
        let name = Blobs::name(account_id, mail_id);
        self.blobs().put(&name, body).await?;
        Ok(Packed { size_bytes: raw.len(), body: None, blob: Some(name) })
    }

    /// Makes mails durable in one transaction and wakes the engine. When this returns, 250 may be said for all of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: none of them is accepted, as far as is known.
    pub async fn spool(&self, mails: Vec<NewMail>) -> Result<()> {
        let mails = Arc::new(mails);
        let given = Arc::clone(&mails);
        match self.write(move |tx| insert(tx, &given)).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) if self.are_there(Arc::clone(&mails)).await? => {}
            Err(error) => return Err(error),
        }
        let accounts: BTreeSet<AccountId> = mails.iter().map(|mail| mail.account_id).collect();
        accounts.into_iter().for_each(|account_id| self.ring(Kind::Mail, account_id, None));
        Ok(())
    }

    /// Whether these very mails are stored: the database committed them, and only its answer was lost on the way. Ids are taken
    /// once, so nobody else can have written them.
    async fn are_there(&self, mails: Arc<Vec<NewMail>>) -> Result<bool> {
        self.read_now(move |tx| {
            for mail in mails.iter() {
                let is_same = raw::find(&mut tx.account(mail.account_id), mail.id)?
                    .is_some_and(|stored| stored == mail.packed);
                if !is_same {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }
}

pub(crate) fn insert(tx: &mut Tx<'_>, mails: &[NewMail]) -> Result<()> {
    let raws: Vec<_> = mails.iter().map(|mail| (mail.account_id, mail.id, &mail.packed)).collect();
    let spool: Vec<_> = mails
        .iter()
        .map(|mail| values![mail.account_id, mail.accepted_at, mail.id, &mail.envelope])
        .collect();
    let accounts: Vec<AccountId> = mails.iter().map(|mail| mail.account_id).collect();
    raw::insert_many(tx, &raws)?;
    tx.insert_rows(
        "INSERT INTO spool (account_id, accepted_at, id, envelope) VALUES ($1, $2, $3, $4)",
        &spool,
    )?;
    work::announce(tx, Kind::Mail, &accounts, work::AT_ONCE)
}

/// How long after a failure of a mail the next one still counts as the same trouble. Longer than any node leaves an account alone:
/// when nobody tried for this long, or what failed was not the mail, it begins anew.
const SAME_TROUBLE_MS: i64 = 15 * 60_000;

/// Notes that a mail keeps its account from going on, and returns since when it has, time after time.
///
/// # Errors
/// As the database says; [`StoreError::Changed`] when it is decided by now.
pub fn note_trouble(tx: &mut AccountTx<'_, '_>, key: SpoolKey, now: Millis) -> Result<Millis> {
    let sql = "UPDATE spool SET troubled_at = $2,
                   troubled_since = CASE WHEN troubled_at >= $3 THEN coalesce(troubled_since, $4) ELSE $5 END
               WHERE account_id = $1 AND accepted_at = $6 AND id = $7 RETURNING troubled_since";
    let fields = values![now, now - SAME_TROUBLE_MS, now, now, key.accepted_at, key.id];
    let row = tx.find(sql, &fields)?;
    row.ok_or(StoreError::Changed("a spool row"))?.time()
}

/// A mail that keeps its account from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Troubled {
    /// Its account.
    pub account_id: AccountId,
    /// Its id.
    pub id: MailId,
    /// Since when, by the database's clock.
    pub since: Millis,
}

/// The mails that keep an account from going on, the longest first, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn troubled(tx: &mut AccountTx<'_, '_>, limit: i64) -> Result<Vec<Troubled>> {
    let account_id = tx.account_id();
    let sql = "SELECT id, troubled_since FROM spool WHERE account_id = $1 AND troubled_since IS NOT NULL
               ORDER BY troubled_since, id LIMIT $2";
    tx.query(sql, &values![limit])?
        .into_iter()
        .map(|mut row| Ok(Troubled { account_id, id: MailId(row.int()?), since: row.time()? }))
        .collect()
}

/// The account's oldest undecided mails, at most `limit`, that come after a place in their order, or from the start.
///
/// # Errors
/// As the database says.
pub fn page(tx: &mut AccountTx<'_, '_>, after: Option<SpoolKey>, limit: usize) -> Result<Vec<SpoolRow>> {
    let sql = "SELECT s.id, s.accepted_at, s.envelope, r.size_bytes
               FROM spool s LEFT JOIN raw_mails r ON r.account_id = s.account_id AND r.id = s.id
               WHERE s.account_id = $1 AND (s.accepted_at, s.id) > ($2, $3) ORDER BY s.accepted_at, s.id LIMIT $4";
    let after = after.unwrap_or(SpoolKey { accepted_at: Millis::MIN, id: MailId(i64::MIN) });
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(sql, &values![after.accepted_at, after.id, limit])?;
    rows.into_iter()
        .map(|mut row| {
            let id = MailId(row.int()?);
            let accepted_at = row.time()?;
            let envelope = row.json()?;
            Ok(SpoolRow { id, accepted_at, envelope, size_bytes: row.maybe_int()?.unwrap_or_default() })
        })
        .collect()
}

/// How many mails of an account wait.
///
/// # Errors
/// As the database says.
pub fn count(tx: &mut AccountTx<'_, '_>) -> Result<i64> {
    let row = tx.find("SELECT count(*) FROM spool WHERE account_id = $1", &[])?;
    row.map_or(Ok(0), |mut row| row.int())
}

/// The oldest undecided mail of an account in which more than `count` wait; none where fewer do.
///
/// # Errors
/// As the database says.
pub fn oldest_of_more_than(tx: &mut AccountTx<'_, '_>, count: i64) -> Result<Option<MailId>> {
    let sql = "SELECT id FROM spool WHERE account_id = $1 ORDER BY accepted_at, id LIMIT 1 OFFSET $2";
    if tx.find(sql, &values![count])?.is_none() {
        return Ok(None);
    }
    tx.find(sql, &values![0])?.map(|mut row| row.int().map(MailId)).transpose()
}

/// Takes decided mails off the spool; [`closed`] checks the answer.
///
/// # Errors
/// As the database says.
pub(crate) fn close(tx: &mut AccountTx<'_, '_>, mails: &[SpoolKey]) -> Result<Asked> {
    let rows: Vec<_> = mails.iter().map(|mail| values![mail.accepted_at, mail.id]).collect();
    tx.ask_rows("DELETE FROM spool WHERE account_id = $1 AND accepted_at = $2 AND id = $3", &rows)
}

/// Checks that this many mails were taken off.
///
/// # Errors
/// [`StoreError::Changed`] when one of them was gone: somebody else decided it, so the caller's batch must not stand.
pub(crate) fn closed(tx: &mut AccountTx<'_, '_>, asked: Asked, mails: usize) -> Result<()> {
    if tx.changed(asked)? == mails as u64 { Ok(()) } else { Err(StoreError::Changed("a spool row")) }
}
