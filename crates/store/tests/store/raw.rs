//! Raw mails: small ones in their row, larger ones as blobs, byte for byte.

use std::sync::Arc;

use desk::id::{AccountId, MailId};
use store::raw::{INLINE_MAX, Packed, find, pack};
use store::spool::NewMail;

use crate::support::{account, mail, on_both, wait};

/// Bytes that cannot be compressed, the same each time (xorshift64).
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Noise that packs to exactly `size` bytes.
fn packing_to(size: usize) -> Vec<u8> {
    let longest = noise(size);
    (0..64).map(|less| longest[..size - less].to_vec()).find(|raw| pack(raw).unwrap().len() == size).unwrap()
}

fn spooled(store: &store::Store, id: i64, raw: &[u8]) -> Packed {
    wait(async {
        let packed = store.pack_mail(AccountId(1), MailId(id), &Arc::new(raw.to_vec())).await.unwrap();
        store.spool(vec![NewMail { packed, ..mail(1, id, id) }]).await.unwrap();
    });
    store.read_blocking(move |tx| find(&mut tx.account(AccountId(1)), MailId(id))).unwrap().unwrap()
}

#[test]
fn a_mail_lies_in_its_row_up_to_the_limit_and_in_a_blob_above() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        for (id, size, in_row) in [(1, 1_000, true), (2, INLINE_MAX, true), (3, INLINE_MAX + 1, false)] {
            let raw = packing_to(size);
            let found = spooled(store, id, &raw);
            assert_eq!((found.body.is_some(), found.blob.is_none()), (in_row, in_row), "{size} bytes");
            assert_eq!(found.size_bytes, raw.len());
            assert!(wait(found.unpack(store)).unwrap() == raw, "{size} bytes come back as they were");
        }
    });
}

#[test]
fn a_blob_is_named_by_account_and_mail_and_a_missing_one_is_an_error() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let found = spooled(store, 5, &noise(INLINE_MAX * 2));
        let name = found.blob.clone().unwrap();
        assert!(name.starts_with("1/"), "{name}");
        let gone = Packed { blob: Some("1/0/999.zst".into()), ..found };
        let error = wait(gone.unpack(store)).unwrap_err();
        assert!(!error.is_transient(), "{error}: trying again does not bring it back");
    });
}

#[test]
fn mails_of_one_account_are_not_found_by_another() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        spooled(store, 5, b"hello");
        assert!(store.read_blocking(|tx| find(&mut tx.account(AccountId(2)), MailId(5))).unwrap().is_none());
        // More ids than one list holds.
        let ids: Vec<MailId> = (1..2_000).map(MailId).collect();
        assert_eq!(
            store
                .read_blocking(move |tx| store::raw::find_many(&mut tx.account(AccountId(1)), &ids))
                .unwrap()
                .len(),
            1
        );
    });
}
