//! Old mail brought in by an import: spooled like any other, and remembered by digest so no run doubles another's.

use std::collections::BTreeSet;

use desk::id::AccountId;

use crate::error::{Result, StoreError};
use crate::spool::{self, NewMail};
use crate::sql::Sql as _;
use crate::work::Kind;
use crate::{AccountTx, Store, Value, values};

/// What a raw mail is known by: BLAKE3 of its bytes with LF line ends, cut to 128 bits.
pub type Digest = [u8; 16];

/// How often spooling is tried again when another import has taken some of the mails meanwhile.
const TRIES: usize = 4;

/// Those of the digests that were imported before.
///
/// # Errors
/// As the database says.
pub fn known(tx: &mut AccountTx<'_, '_>, digests: &[Digest]) -> Result<BTreeSet<Digest>> {
    let list: Vec<Value<'_>> = digests.iter().map(|digest| Value::Bytes(digest)).collect();
    let sql = "SELECT digest FROM imported_mails WHERE account_id = $1 AND digest IN ($2..)";
    let rows = tx.query_in(sql, &[], &list)?;
    rows.into_iter()
        .map(|mut row| {
            Digest::try_from(row.maybe_bytes()?.unwrap_or_default())
                .map_err(|_| StoreError::Row { column: 1, wanted: "a digest" })
        })
        .collect()
}

impl Store {
    /// Makes mails of one account durable in one transaction, without those imported before, and wakes the engine.
    /// Returns how many were new. Safe alongside another import of the same mails.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: none of them is taken.
    pub async fn spool_imported(
        &self,
        account_id: AccountId,
        mails: Vec<(Digest, NewMail)>,
    ) -> Result<usize> {
        let mut tries = 0;
        loop {
            let batch = mails.clone();
            let outcome = self.write(move |tx| insert(&mut tx.account(account_id), &batch)).await;
            tries += 1;
            match outcome {
                Err(StoreError::Conflict(_)) if tries < TRIES => {}
                Ok(0) => return Ok(0),
                Ok(count) => {
                    self.ring(Kind::Mail, account_id, None);
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn insert(tx: &mut AccountTx<'_, '_>, mails: &[(Digest, NewMail)]) -> Result<usize> {
    let digests: Vec<Digest> = mails.iter().map(|(digest, _)| *digest).collect();
    let mut seen = known(tx, &digests)?;
    // A mail that the source holds twice is taken once.
    let new: Vec<&(Digest, NewMail)> = mails.iter().filter(|(digest, _)| seen.insert(*digest)).collect();
    if new.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> = new.iter().map(|(digest, mail)| values![digest.as_slice(), mail.id]).collect();
    tx.insert_rows("INSERT INTO imported_mails (account_id, digest, mail_id) VALUES ($1, $2, $3)", &rows)?;
    let spooled: Vec<NewMail> = new.iter().map(|(_, mail)| mail.clone()).collect();
    spool::insert(tx.shared(), &spooled)?;
    Ok(spooled.len())
}
