//! Whose blobs are, and which of them a sweep removes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use desk::clock::Millis;
use desk::id::{AccountId, MailId};
use store::raw::{INLINE_MAX, Packed};
use store::spool::NewMail;
use store::testing::Sql as _;
use store::{Result, Store, StoreError, StoreOptions};
use testkit::database::{Database, both, sqlite};

use crate::raw::noise;
use crate::support::{account, mail, options, wait};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const NEVER: Millis = Millis(i64::MAX);

fn desk(database: &Database, options: &StoreOptions) -> Store {
    let store = Store::open(options).unwrap();
    store.migrate().unwrap();
    println!("on {}", database.engine);
    store
}

/// Runs a case on a desk with an account, on each database.
fn on_both_desks(case: impl Fn(&Store, &StoreOptions)) {
    for database in both() {
        let options = options(&database);
        let store = desk(&database, &options);
        account(&store, 1, "acme").unwrap();
        case(&store, &options);
    }
}

/// A large mail whose row never came.
fn orphan(store: &Store, id: i64) -> Result<Packed> {
    wait(store.pack_mail(AccountId(1), MailId(id), &Arc::new(noise(INLINE_MAX * 2))))
}

/// A large mail.
fn kept(store: &Store, id: i64) -> Packed {
    let packed = orphan(store, id).unwrap();
    wait(store.spool(vec![NewMail { packed: packed.clone(), ..mail(1, id, id) }])).unwrap();
    packed
}

fn path(options: &StoreOptions, name: &str) -> PathBuf {
    PathBuf::from(options.blobs.strip_prefix("file:").unwrap()).join(name)
}

fn age(options: &StoreOptions, packed: &Packed, age: Duration) {
    let file = File::options().append(true).open(path(options, packed.blob.as_deref().unwrap())).unwrap();
    let now = SystemTime::UNIX_EPOCH + SystemTime::UNIX_EPOCH.elapsed().unwrap();
    file.set_modified(now - age).unwrap();
}

/// Why blobs are refused, at a start, before a large mail and before a sweep alike.
fn refusal(store: &Store) -> String {
    let check = wait(store.check_blobs()).map(drop);
    let [first, others @ ..] = [check, orphan(store, 99).map(drop), wait(store.sweep_blobs(NEVER)).map(drop)]
        .map(|tried| match tried {
            Err(StoreError::Setup(reason)) => reason,
            other => panic!("not refused: {other:?}"),
        });
    assert!(others.iter().all(|other| *other == first), "{first} {others:?}");
    first
}

#[test]
fn a_blob_that_no_row_names_is_removed_after_a_day() {
    on_both_desks(|store, options| {
        let (kept, orphan) = (kept(store, 5), orphan(store, 6).unwrap());
        let swept = || wait(store.sweep_blobs(NEVER)).map(|swept| (swept.seen, swept.removed)).unwrap();
        let minute = Duration::from_secs(60);
        age(options, &kept, DAY * 2);
        age(options, &orphan, DAY - minute);
        assert_eq!(swept(), (2, 0), "its row may still come, whatever our own clock says");
        age(options, &orphan, DAY + minute);
        assert_eq!(wait(store.sweep_blobs(Millis(0))).unwrap().removed, 0, "a clock that is behind counts");
        assert_eq!(swept(), (2, 1));
        assert_eq!(swept(), (1, 0));
        assert!(wait(kept.unpack(store)).is_ok());
        assert!(wait(orphan.unpack(store)).is_err());
    });
}

#[test]
fn another_desk_on_the_same_blobs_is_refused() {
    for database in both() {
        let shared = options(&database);
        let first = desk(&database, &shared);
        account(&first, 1, "acme").unwrap();
        wait(first.check_blobs()).unwrap();
        let mine = kept(&first, 5);
        age(&shared, &mine, DAY * 2);
        // Another database, new or with blobs of its own before.
        let other = sqlite();
        let moved = desk(&other, &StoreOptions { blobs: shared.blobs.clone(), ..options(&other) });
        account(&moved, 1, "other").unwrap();
        let reason = refusal(&moved);
        assert!(
            reason.contains("this database has none yet") && reason.contains("remove desk.id"),
            "{reason}"
        );
        wait(desk(&other, &options(&other)).check_blobs()).unwrap();
        let reason = refusal(&moved);
        assert!(reason.contains("; set blobs.url") && reason.contains("into desk.id there"), "{reason}");
        // The first one goes on, and a second node of it.
        wait(first.check_blobs()).unwrap();
        wait(Store::open(&shared).unwrap().check_blobs()).unwrap();
        assert_eq!(wait(first.sweep_blobs(NEVER)).unwrap().removed, 0);
        assert!(wait(mine.unpack(&first)).is_ok());
    }
}

#[test]
fn blobs_of_before_become_the_desks_own() {
    on_both_desks(|store, options| {
        kept(store, 5);
        // As an older version leaves them.
        fs::remove_file(path(options, "desk.id")).unwrap();
        store.write_blocking(|tx| tx.batch("DELETE FROM blob_marker")).unwrap();
        wait(store.check_blobs()).unwrap();
        assert_eq!(fs::read_to_string(path(options, "desk.id")).unwrap().trim().len(), 32);
    });
}

#[test]
fn a_start_that_was_cut_short_is_finished() {
    on_both_desks(|store, options| {
        kept(store, 5);
        fs::remove_file(path(options, "desk.id")).unwrap();
        store.write_blocking(|tx| tx.batch("UPDATE blob_marker SET is_written = 0")).unwrap();
        wait(store.check_blobs()).unwrap();
        assert!(path(options, "desk.id").is_file());
    });
}

#[test]
fn blobs_without_a_marker_are_taken_only_where_there_are_none() {
    on_both_desks(|store, options| {
        wait(store.check_blobs()).unwrap();
        let marker = path(options, "desk.id");
        let identity = fs::read_to_string(&marker).unwrap();
        // A new folder or bucket.
        fs::remove_file(&marker).unwrap();
        wait(store.check_blobs()).unwrap();
        assert_eq!(fs::read_to_string(&marker).unwrap(), identity);
        // One that holds blobs.
        kept(store, 5);
        fs::remove_file(&marker).unwrap();
        let opened = Store::open(options).unwrap();
        let reason = refusal(&opened);
        assert!(reason.contains(&format!("write {} into desk.id", identity.trim())), "{reason}");
        fs::write(&marker, identity.trim()).unwrap();
        wait(opened.check_blobs()).unwrap();
    });
}

/// Files at any depth below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_place_that_is_empty_though_rows_name_blobs_is_refused() {
    on_both_desks(|store, options| {
        kept(store, 5);
        let folder = path(options, "");
        let mounted = folder.with_extension("elsewhere");
        // As when it is not mounted.
        fs::rename(&folder, &mounted).unwrap();
        fs::create_dir(&folder).unwrap();
        assert!(!wait(store.blobs_are_well()), "seen while it runs");
        let started = Store::open(options).unwrap();
        assert!(!wait(started.blobs_are_well()));
        let reason = refusal(&started);
        assert!(reason.contains("empty, though mails name blobs in it"), "{reason}");
        assert_eq!(files(&folder), [] as [PathBuf; 0]);
        fs::remove_dir_all(&folder).unwrap();
        fs::rename(&mounted, &folder).unwrap();
        assert!(wait(started.blobs_are_well()) && wait(store.blobs_are_well()));
        wait(started.check_blobs()).unwrap();
    });
}

#[test]
fn a_new_database_takes_no_blobs_that_are_there() {
    for database in both() {
        let options = options(&database);
        let store = desk(&database, &options);
        fs::create_dir_all(path(&options, "1/5")).unwrap();
        fs::write(path(&options, "1/5/5.zst"), "of another").unwrap();
        assert!(refusal(&store).contains("no account"));
        fs::remove_file(path(&options, "1/5/5.zst")).unwrap();
        wait(store.check_blobs()).unwrap();
    }
}
