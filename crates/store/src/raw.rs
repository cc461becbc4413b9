//! The raw mail, compressed: small ones in the row, larger ones as blobs.

use std::cell::RefCell;
use std::sync::LazyLock;

use desk::id::{AccountId, MailId};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::error::{Result, StoreError};
use crate::sql::Sql as _;
use crate::value::list_of;
use crate::{AccountTx, Row, Store, Tx, values};

/// Compressed bytes above which a mail goes into a blob instead of its row.
pub const INLINE_MAX: usize = 256 * 1024;
/// The level of zstd: 1 keeps intake fast; mail gains little from more.
const LEVEL: i32 = 1;
/// Bytes a mail may have at most when it is unpacked; guards the reader against a damaged row.
const UNPACKED_MAX: usize = 1 << 30;

/// The columns of a raw mail.
const COLUMNS: &str = "id, size_bytes, body, blob";

/// What mails begin with and are full of. Part of the format of every stored mail: never edited, only followed by a second.
const DICTIONARY_1: &[u8] = include_bytes!("raw_dictionary_1.bin");
/// First byte of bytes packed with [`DICTIONARY_1`].
const PACKED_1: u8 = 1;

/// Compresses bytes for a row or a blob: a format byte, then a zstd frame made with the dictionary of that format.
///
/// # Errors
/// [`StoreError::Unavailable`] when the compressor fails, which only want of memory can cause.
pub fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    thread_local! {
        // Making the context costs more than packing a small mail.
        static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    static DICTIONARY: LazyLock<EncoderDictionary<'static>> =
        LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
    PACKER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::with_prepared_dictionary(&DICTIONARY).ok();
        }
        let failed = |error: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!("cannot compress a mail: {error}"))
        };
        let packer = slot.as_mut().ok_or_else(|| failed(&"no memory"))?;
        let mut packed = packer.compress(bytes).map_err(|error| failed(&error))?;
        packed.insert(0, PACKED_1);
        Ok(packed)
    })
}

/// Unpacks what [`pack`] made of `size` bytes.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are damaged or of a format this version does not know.
pub fn unpack(packed: &[u8], size: usize) -> Result<Vec<u8>> {
    thread_local! {
        static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    static DICTIONARY: LazyLock<DecoderDictionary<'static>> =
        LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));
    let failed = |error: &dyn std::fmt::Display| StoreError::Damaged {
        what: "a stored mail".to_owned(),
        reason: error.to_string(),
    };
    let Some((&PACKED_1, frame)) = packed.split_first() else { return Err(failed(&"unknown format")) };
    UNPACKER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::with_prepared_dictionary(&DICTIONARY).ok();
        }
        let unpacker = slot.as_mut().ok_or_else(|| failed(&"no memory"))?;
        unpacker.decompress(frame, size.min(UNPACKED_MAX)).map_err(|error| failed(&error))
    })
}

/// A raw mail as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Size before compression.
    pub size_bytes: usize,
    /// zstd bytes, none when they lie in the blob.
    pub body: Option<Vec<u8>>,
    /// The blob's name.
    pub blob: Option<String>,
}

impl Packed {
    /// The raw bytes.
    ///
    /// # Errors
    /// [`StoreError::Blob`] when the blob cannot be read, [`StoreError::Damaged`] when the bytes are damaged.
    pub async fn unpack(&self, store: &Store) -> Result<Vec<u8>> {
        match (&self.body, &self.blob) {
            (Some(body), _) => unpack(body, self.size_bytes),
            (None, Some(name)) => unpack(&store.blobs().get(name).await?, self.size_bytes),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Inserts raw mails, which may be of several accounts.
pub(crate) fn insert_many(tx: &mut Tx<'_>, mails: &[(AccountId, MailId, &Packed)]) -> Result<()> {
    let rows: Vec<_> = mails
        .iter()
        .map(|(account_id, id, packed)| {
            let size = i64::try_from(packed.size_bytes).unwrap_or(i64::MAX);
            values![*account_id, *id, size, packed.body.as_ref(), packed.blob.as_ref()]
        })
        .collect();
    let sql = format!("INSERT INTO raw_mails (account_id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5)");
    tx.insert_rows(&sql, &rows)
}

/// Forgets the bytes of mails; their rows stay. Returns the blobs that nothing names any more.
pub(crate) fn forget(tx: &mut AccountTx<'_, '_>, ids: &[MailId]) -> Result<Vec<String>> {
    let sql = "SELECT blob FROM raw_mails WHERE account_id = $1 AND id IN ($2..) AND blob IS NOT NULL";
    let found = tx.query_in(sql, &[], &list_of(ids))?;
    let blobs = found.into_iter().map(|mut row| row.text()).collect::<Result<_>>()?;
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.write_rows("UPDATE raw_mails SET body = NULL, blob = NULL WHERE account_id = $1 AND id = $2", &rows)?;
    Ok(blobs)
}

/// Whether any mail is in a blob. Asked when the place of the blobs is found empty.
///
/// # Errors
/// As the database says.
pub(crate) fn names_blobs(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT 1 FROM raw_mails WHERE blob IS NOT NULL LIMIT 1";
    Ok(tx.find(sql, &[])?.is_some())
}

/// Reads raw mails by their ids, in no order.
///
/// # Errors
/// As the database says.
pub fn find_many(tx: &mut AccountTx<'_, '_>, ids: &[MailId]) -> Result<Vec<(MailId, Packed)>> {
    let sql = format!("SELECT {COLUMNS} FROM raw_mails WHERE account_id = $1 AND id IN ($2..)");
    tx.query_in(&sql, &[], &list_of(ids))?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<(MailId, Packed)> {
    let id = MailId(row.int()?);
    let size_bytes = usize::try_from(row.int()?).unwrap_or_default();
    Ok((id, Packed { size_bytes, body: row.maybe_bytes()?, blob: row.maybe_text()? }))
}

/// A raw mail by its id.
///
/// # Errors
/// As the database says.
pub fn find(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<Option<Packed>> {
    Ok(find_many(tx, &[id])?.into_iter().next().map(|(_, packed)| packed))
}

/// Whether the bytes of a mail are still there: they go when its suspended ticket is deleted.
///
/// # Errors
/// As the database says.
pub fn is_kept(tx: &mut AccountTx<'_, '_>, id: MailId) -> Result<bool> {
    let sql = "SELECT 1 FROM raw_mails
               WHERE account_id = $1 AND id = $2 AND (body IS NOT NULL OR blob IS NOT NULL)";
    Ok(tx.find(sql, &values![id])?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_keeps_every_byte() {
        for bytes in [&b""[..], b"a", &[0, 255, 13, 10], "é".repeat(50_000).as_bytes()] {
            assert_eq!(unpack(&pack(bytes).unwrap(), bytes.len()).unwrap(), bytes);
        }
        assert!(unpack(b"not zstd", 100).is_err());
    }
}
